"""A bundle as it is passes; each way to make it implausible is found by the check that is for it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import msgspec
import pytest
import soundfile

import benchbench
from benchbench.comparison.submission_reports import check_html, check_json, check_junit
from benchbench.errors import ManifestError, UsageError
from benchbench.results.interchange import Source
from benchbench.results.parquet_parts import read_part, write_parts
from benchbench.results.schema import PARTITIONED_BY, SCORES
from benchbench.results.store import Results
from benchbench.scoring.submission.process import check_bundle
from benchbench.scoring.submission.rules import BoardRules, read_rules

from .conftest import Bundle, messages

SEPARATOR = "mid-side:2stems"


def shifted(model: str, by: float, **where: object):
    """Add decibels to the values of one model where the columns have the given values."""

    def change(row):
        if row["model"] == model and all(row[key] == value for key, value in where.items()):
            row["value"] = None if row["value"] is None else row["value"] + by
        return row

    return change


def test_a_bundle_as_it_is_passes_every_check_in_the_real_process(whole: Path) -> None:
    result = benchbench.check(whole)
    assert result.exit_code == 0, result.findings
    assert {one.check for one in result.findings} == {
        "files", "signature", "consistency", "rules", "versions", "numbers", "oracle", "baselines",
        "copies", "training data", "labels", "recomputed"}  # fmt: skip
    assert [one for one in result.findings if one.status != "passed"] == []
    counts = {one.subject: int(one.message.split()[0]) for one in result.findings
              if one.check == "recomputed"}  # fmt: skip
    # Two tracks of five frames: SDR and SI-SDR of two targets, besides the whole tracks.
    assert counts[SEPARATOR] >= 2 * 2 * 2 * 5
    assert counts["silence:2stems"] > 0


def test_an_excerpt_of_a_part_of_the_track_is_compared_at_its_place(
    results: Path, tmp_path: Path
) -> None:
    folder = benchbench.submit(results, tmp_path / "bundle", seconds=2, excerpts=3)
    (count,) = (
        int(one.message.split()[0])
        for one in Bundle(folder).check().findings
        if (one.check, one.subject) == ("recomputed", SEPARATOR)
    )
    assert 3 * 2 * 2 <= count <= 3 * 2 * 2 * 2  # a value near silence says nothing


@pytest.mark.parametrize("by", [0.1, -0.1, 3.0])
def test_a_changed_score_differs_from_its_excerpt(bundle: Bundle, by: float) -> None:
    bundle.change_scores(shifted(SEPARATOR, by, protocol="windows", metric="SDR", target="vocals"))
    (text,) = messages(bundle.check(), "failed", "recomputed")
    assert text.startswith(f"{SEPARATOR}: windows SDR of vocals on song")


def test_a_changed_score_of_a_whole_track_differs_too(bundle: Bundle) -> None:
    bundle.change_scores(shifted(SEPARATOR, 0.1, protocol="bsseval-v4", metric="SDR"))
    (text,) = messages(bundle.check(), "failed", "recomputed")
    assert "bsseval-v4 SDR" in text


def test_a_model_far_above_its_oracle_fails_and_slightly_above_is_marked(bundle: Bundle) -> None:
    rows = {"protocol": "usdr", "metric": "SDR", "target": "vocals"}
    bundle.change_scores(shifted(SEPARATOR, 8.0, **rows))
    above = {row["track"]: row["value"] for row in _scores(bundle, "irm:2stems", **rows)}
    gains = [row["value"] - above[row["track"]] for row in _scores(bundle, SEPARATOR, **rows)]
    mean = sum(gains) / len(gains)
    assert mean > 0
    strict, lenient = BoardRules(oracle_margin_db=mean / 2), BoardRules(oracle_margin_db=2 * mean)
    (text,) = messages(bundle.check(strict), "failed", "oracle")
    assert text.startswith(f"{SEPARATOR}: usdr SDR of vocals is {mean:.2f} dB above")
    result = bundle.check(lenient)
    assert messages(result, "failed", "oracle") == []
    assert len(messages(result, "warning", "oracle")) == 1


def _scores(bundle: Bundle, model: str, **where: str) -> list[dict[str, object]]:
    return [
        row
        for row in Results(bundle.folder).scores().to_pylist()
        if row["model"] == model and all(row[key] == value for key, value in where.items())
    ]


@pytest.mark.parametrize(
    ("model", "target", "words"),
    [
        ("silence:2stems", "vocals", "silence is 0 dB"),
        ("mixture:2stems", "accompaniment", "add up"),
    ],
)
def test_baselines_lie_where_their_formula_puts_them(
    bundle: Bundle, model: str, target: str, words: str
) -> None:
    bundle.change_scores(shifted(model, 0.2, protocol="usdr", metric="SDR", target=target))
    (text,) = messages(bundle.check(), "failed", "baselines")
    assert text.startswith(model)
    assert words in text


def test_a_model_below_the_mixture_everywhere_fails(bundle: Bundle) -> None:
    bundle.change_scores(shifted(SEPARATOR, -60.0, protocol="usdr", metric="SDR"))
    (text,) = messages(bundle.check(), "failed", "baselines")
    assert "worse than the unprocessed mixture on every target" in text


def test_a_model_that_scores_as_silence_is_named(bundle: Bundle) -> None:
    def silent(row):
        own = (row["model"], row["protocol"], row["target"]) == (SEPARATOR, "usdr", "vocals")
        return row | {"value": 0.0} if own else row

    bundle.change_scores(silent)
    assert any(
        "scores as silence" in text for text in messages(bundle.check(), "failed", "baselines")
    )


def test_impossible_numbers_are_found(bundle: Bundle) -> None:
    bundle.change_scores(shifted(SEPARATOR, 50.0, protocol="si", metric="SD-SDR"))
    assert any(
        "SD-SDR is above SI-SDR" in text for text in messages(bundle.check(), "failed", "numbers")
    )
    bundle.change_scores(shifted(SEPARATOR, 1000.0, protocol="windows"))
    assert any("the metric gives" in text for text in messages(bundle.check(), "failed", "numbers"))


def test_a_number_that_is_there_twice_is_found(bundle: Bundle) -> None:
    part = next(bundle.folder.rglob("scores/model=mid-side*/**/*.parquet"))
    table = read_part(part, SCORES)
    with part.open("wb") as file:
        write_parts([table, table.slice(0, 1)], SCORES, file, PARTITIONED_BY)
    bundle.seal()
    (text,) = messages(bundle.check(), "failed", "numbers")
    assert "1 numbers are there twice" in text


def test_scores_of_another_version_of_a_metric_fail(bundle: Bundle) -> None:
    bundle.change_scores(
        lambda row: row | {"metric_version": 99} if row["protocol"] == "si" else row
    )
    (text,) = messages(bundle.check(), "failed", "versions")
    assert "version 99" in text


def test_equal_scores_of_two_models_fail_unless_they_are_the_same_model(bundle: Bundle) -> None:
    bundle.add_model(SEPARATOR, "new-idea:large", adapter_hash="beef")
    (text,) = messages(bundle.check(), "failed", "copies")
    assert SEPARATOR in text
    assert "new-idea:large" in text


def test_the_same_model_under_two_names_is_a_warning(bundle: Bundle) -> None:
    bundle.add_model(SEPARATOR, "new-name:2stems")
    assert len(messages(bundle.check(), "warning", "copies")) == 1


def test_a_copy_of_a_model_on_the_board_fails(whole: Path, bundle: Bundle, tmp_path: Path) -> None:
    board = tmp_path / "board"
    benchbench.import_results("benchbench", whole, board, source=Source("ada", "CC-BY-4.0"))
    bundle.add_model(SEPARATOR, "new-idea:large", adapter_hash="beef")
    kept = tuple(one for one in bundle.manifest.models if one.name == "new-idea:large")
    for name in ("irm", "mid-side", "mixture", "silence"):
        shutil.rmtree(bundle.folder / "scores" / f"model={name}%3A2stems")
    bundle.change_separations(lambda row: row if row["model"] == "new-idea:large" else None)
    bundle.seal(models=kept)
    result = bundle.check(board=board)
    assert messages(result, "failed", "copies") == [
        "new-idea:large: Its scores equal those of ada.mid-side:2stems, but adapter, weights or "
        "options differ."
    ]
    # The board's oracle serves a bundle without one.
    assert messages(result, "warning", "oracle") == []


def test_training_on_the_data_set_is_marked_or_refused(bundle: Bundle) -> None:
    bundle.change_separations(
        lambda row: row | {"trained_on": "folder"} if row["model"] == SEPARATOR else row
    )
    (text,) = messages(bundle.check(), "warning", "training data")
    assert "trained on folder" in text
    assert bundle.check(BoardRules(unseen=True)).exit_code == 1


def test_swapped_stems_are_found_by_listening(bundle: Bundle) -> None:
    rows = {row["separation_id"] for row in _rows(bundle) if row["model"] == SEPARATOR}
    for folder in (bundle.folder / "excerpts" / "separations").iterdir():
        if folder.name in rows:
            (folder / "vocals.flac").rename(folder / "x")
            (folder / "accompaniment.flac").rename(folder / "vocals.flac")
            (folder / "x").rename(folder / "accompaniment.flac")
    bundle.seal()
    result = bundle.check()
    assert messages(result, "failed", "labels") == [
        f"{SEPARATOR}: Its stems are swapped: vocals resembles accompaniment, accompaniment resembles "
        "vocals."
    ]
    assert len(messages(result, "failed", "recomputed")) == 1


def test_references_that_are_not_the_mixture_are_found(bundle: Bundle) -> None:
    for path in (bundle.folder / "excerpts" / "tracks").glob("*/*.flac"):
        if path.stem == "accompaniment":
            samples, rate = soundfile.read(path)
            soundfile.write(path, 0.8 * samples, rate, "PCM_16")
    bundle.seal()
    assert len(messages(bundle.check(), "failed", "labels")) == 2


def _rows(bundle: Bundle) -> list[dict[str, object]]:
    return Results(bundle.folder).separations().to_pylist()


def test_a_manifest_that_says_something_else_than_the_rows_fails(bundle: Bundle) -> None:
    models = tuple(
        msgspec.structs.replace(one, weights_hash="other", oracle=False)
        for one in bundle.manifest.models
    )
    bundle.seal(models=models)
    texts = messages(bundle.check(), "failed", "consistency")
    assert len([text for text in texts if "another weights" in text]) == 4
    assert len([text for text in texts if "whether it is an oracle" in text]) == 1
    bundle.seal(models=models[:-1], dataset="demo")
    texts = messages(bundle.check(), "failed", "consistency")
    assert any("not in both" in text for text in texts)
    assert any("the manifest says demo" in text for text in texts)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (BoardRules(dataset="musdb18-hq"), "The board is about musdb18-hq"),
        (BoardRules(dataset_hash="abc"), "hash of the data set differs"),
        (BoardRules(protocols=("bsseval-v3",)), "bsseval-v3 has values on 0 tracks"),
        (BoardRules(protocols=("usdr",), tracks=50), "usdr has values on 3 tracks"),
        (BoardRules(excerpts=3), "excerpts of 2 of 3 tracks"),
        (BoardRules(signed=True), "asks for a signature"),
    ],
)
def test_the_rules_of_a_board_are_held(bundle: Bundle, rules: BoardRules, words: str) -> None:
    result = bundle.check(rules)
    assert result.exit_code == 1
    assert any(words in one.message for one in result.findings if one.status == "failed")


def test_rules_are_read_from_a_file_and_a_misspelt_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text('dataset = "musdb18-hq"\nprotocols = ["usdr"]\ntracks = 50\n')
    assert read_rules(path) == BoardRules("musdb18-hq", protocols=("usdr",), tracks=50)
    path.write_text("trakcs = 50\n")
    with pytest.raises(ManifestError, match="trakcs"):
        read_rules(path)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is missing")
def test_signatures(results: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    bundle = Bundle(benchbench.submit(results, tmp_path / "bundle", sign=key, excerpts=0))
    signers = tmp_path / "signers"
    signers.write_text(f"ada {(tmp_path / 'key.pub').read_text()}")
    required = BoardRules(signed=True)
    assert messages(bundle.check(required, signers=signers), "passed", "signature") == [
        ": Signed by ada."
    ]
    (text,) = messages(bundle.check(required), "passed", "signature")
    assert "SHA256:" in text
    signers.write_text("")
    assert bundle.check(required, signers=signers).exit_code == 1
    bundle.seal(submitter="Eve")
    (text,) = messages(bundle.check(), "failed", "signature")
    assert "other content" in text
    with pytest.raises(UsageError, match="key"):
        benchbench.submit(results, tmp_path / "other", sign=tmp_path / "nokey")
    assert not (tmp_path / "other").exists()


def test_the_command_writes_reports_and_says_the_code(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle.change_scores(shifted("silence:2stems", 0.2, protocol="usdr", target="vocals"))
    reports = {name: tmp_path / f"check.{name}" for name in ("junit", "json", "html", "summary")}
    done = subprocess.run(
        [sys.executable, "-m", "benchbench", "check", str(bundle.folder),
         *(word for name, path in reports.items() for word in (f"--{name}", str(path)))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "refused" in done.stdout
    suite = Xml.parse(reports["junit"]).getroot()[0]
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) > 0
    content = json.loads(reports["json"].read_text())
    assert content["exit_code"] == 1
    assert content["models"] == [one.name for one in bundle.manifest.models]
    assert "silence is 0 dB" in reports["html"].read_text()
    assert "| failed | baselines |" in reports["summary"].read_text()


def test_a_missing_bundle_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nosuch"):
        check_bundle(tmp_path / "nosuch")


def test_names_are_text_in_every_report(bundle: Bundle) -> None:
    name = '<script>alert(1)</script>:"x|y"'
    bundle.seal(submitter="<img src=x onerror=alert(1)>")
    bundle.add_model(SEPARATOR, name, adapter_hash="beef")
    result = bundle.check()
    assert name in result.models
    page = check_html(result)
    assert "<script" not in page
    assert "<img" not in page
    assert "script-src &#39;none&#39;" in page
    Xml.fromstring(check_junit(result))
    assert json.loads(check_json(result))["models"][-1] == name
