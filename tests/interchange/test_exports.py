import csv
import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import soundfile
import yaml

from benchbench.errors import NothingToCompareError
from benchbench.io.names import file_name
from benchbench.results.interchange import (
    export_huggingface,
    export_webmushra,
    latex_table,
    tidy_csv,
)
from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.store import Results
from benchbench.stats import leaderboard


def write_scores(root, values, protocol="usdr", reference_set="vocals+drums"):
    """Results from {model: {target: [one value a track]}}."""
    results = Results(root)
    for model, targets in values.items():
        rows = []
        for target, tracks in targets.items():
            for number, value in enumerate(tracks):
                row = dict.fromkeys(SCORES.names)
                row |= {"cell_id": "c", "run_id": "r", "model": model, "dataset": "d_1",
                        "track": f"t{number}", "target": target, "reference_set": reference_set,
                        "protocol": protocol, "metric": "SDR", "metric_version": 1,
                        "value": value,
                        "reason": None if value is not None else "silent_reference"}  # fmt: skip
                rows.append(row)
        table = pa.Table.from_pylist(rows, schema=SCORES)
        results.write_scores("c" + protocol, model, "d_1", table)
    return results


VALUES = {
    "net:a": {"vocals": [5.0, 7.0, 9.0], "drums": [-1.0, -2.0, -3.0]},
    "net:b": {"vocals": [6.0, 8.0, 8.5], "drums": [1.0, None, 2.0]},
    "irm:x": {"vocals": [16.0, 18.0, 19.0]},
}


def test_latex_marks_the_best_and_sets_oracles_apart(tmp_path):
    board = leaderboard(write_scores(tmp_path, VALUES).scores_frame(), "mean over tracks")
    text = latex_table(board, oracles=frozenset({"irm:x"}))
    lines = text.splitlines()
    assert r"net:a & 7.00 & $-$2.00 \\" in lines
    assert r"net:b & \textbf{7.50} & \textbf{1.50} \\" in lines
    assert lines[lines.index(r"irm:x & 17.67 & -- \\") - 1] == r"\midrule"
    assert r"\cmidrule(lr){2-3}" in text
    assert r"SDR (usdr) on d\_1: mean over 2 to 3 tracks. " in text
    assert text.count("{") == text.count("}")
    assert "{\\scriptsize [" in latex_table(board, intervals=True)


def test_latex_sets_baselines_between_separators_and_oracles(tmp_path):
    board = leaderboard(write_scores(tmp_path, VALUES).scores_frame(), "mean over tracks")
    text = latex_table(board, oracles=frozenset({"irm:x"}), baselines=frozenset({"net:a"}))
    body = text[text.index("net:b") : text.index("bottomrule")].splitlines()
    assert [line.split(" ")[0] for line in body[:5]] == [
        "net:b", r"\midrule", "net:a", r"\midrule", "irm:x",
    ]  # fmt: skip


def test_latex_refuses_to_mix_protocols(tmp_path):
    write_scores(tmp_path, VALUES)
    board = leaderboard(write_scores(tmp_path, VALUES, "lab").scores_frame())
    with pytest.raises(NothingToCompareError, match="one protocol"):
        latex_table(board)
    with pytest.raises(NothingToCompareError):
        latex_table(board, metric="SIR")


@pytest.mark.parametrize(("level", "count"), [("frames", 15), ("tracks", 15), ("models", 5)])
def test_csv_has_one_row_a_number(tmp_path, level, count):
    text = tidy_csv(write_scores(tmp_path, VALUES), level)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == count
    assert {row["protocol"] for row in rows} == {"usdr"}
    first = next(row for row in rows if row["model"] == "net:a" and row["target"] == "vocals")
    assert float(first["value"]) == (7.0 if level == "models" else 5.0)
    assert tidy_csv(write_scores(tmp_path, VALUES), level) == text


def test_a_leaderboard_for_hugging_face(tmp_path):
    board = leaderboard(write_scores(tmp_path / "r", VALUES).scores_frame(), "mean over tracks")
    facts = {"irm:x": {"oracle": True, "trained_on": ["musdb18"]}}
    files = export_huggingface(board, tmp_path / "out", facts)
    assert [path.parent.name for path in files] == ["irm_x", "net_a", "net_b"]
    oracle = json.loads(files[0].read_text(), parse_constant=pytest.fail)
    assert oracle["config"]["oracle"] is True
    task = oracle["results"]["d_1/usdr/vocals+drums/vocals"]
    assert task["SDR"] == pytest.approx(53 / 3)
    assert task["SDR_ci_low"] < task["SDR"] < task["SDR_ci_high"]
    assert (task["tracks"], task["aggregation"]) == (3, "mean over tracks")


# -- webMUSHRA ---------------------------------------------------------------------------------

RATE = 8000


def keep(results, model, track, stems, audio):
    row = dict.fromkeys(SEPARATIONS.names)
    row |= {"separation_id": file_name(f"{model}{track}"), "run_id": "r", "model": model,
            "adapter_hash": "", "weights_hash": "", "options_hash": "", "dataset": "d",
            "dataset_hash": "", "track": track, "track_hash": f"hash{track}", "track_flags": "",
            "oracle": False, "trained_on": "", "stems": "+".join(stems), "status": "ok",
            "jobs": 1}  # fmt: skip
    results.write_separation(row)
    for folder, files in (
        (results.track_audio(row["track_hash"]), audio),
        (results.stem_audio(row["separation_id"]), {stem: audio[stem] / 2 for stem in stems}),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        for name, signal in files.items():
            soundfile.write(folder / f"{name}.flac", signal, RATE)


@pytest.fixture
def kept(tmp_path):
    results = Results(tmp_path / "results")
    generator = np.random.default_rng(0)
    for track in ("one", "two: b"):
        parts = {
            name: generator.normal(0, 0.05, (3 * RATE, 2)) for name in ("vocals", "drums", "bass")
        }
        parts["vocals"][: 2 * RATE] *= 0.01  # the loudest second is the last one
        audio = {**parts, "accompaniment": parts["drums"] + parts["bass"],
                 "mixture": sum(parts.values())}  # fmt: skip
        keep(results, "net:a", track, ("vocals", "drums", "bass"), audio)
        keep(results, "net:b", track, ("vocals", "accompaniment"), audio)
    return results


def test_a_listening_test_has_a_page_a_track_and_all_its_files(tmp_path, kept):
    files = export_webmushra(kept, tmp_path / "out", seconds=1.0, name="test")
    config, *stimuli = files
    yaml = config.read_text()
    assert yaml.count("type: mushra") == 2
    assert len(stimuli) == 2 * 4
    prefix = "configs/"
    named = [line.split(": ", 1)[1].strip('"') for line in yaml.splitlines() if ".wav" in line]
    assert {tmp_path / "out" / name.removeprefix(prefix) for name in named} == set(stimuli)
    reference, _ = soundfile.read(next(path for path in stimuli if "reference" in path.name))
    assert reference.shape == (RATE, 2)
    assert np.abs(reference).mean() > 0.03
    for path in stimuli:
        assert soundfile.info(path).frames == RATE


def test_the_yaml_is_yaml(tmp_path, kept):
    config = export_webmushra(kept, tmp_path / "out", seconds=1.0)[0]
    data = yaml.safe_load(config.read_text())
    assert data["pages"][0]["type"] == "generic"
    assert data["pages"][1][0] == "random"
    page = data["pages"][1][2]
    assert page["name"] == "vocals: two: b"
    assert set(page["stimuli"]) == {"net:a", "net:b", "mixture"}
    assert data["pages"][-1]["type"] == "finish"


def test_accompaniment_is_summed_where_it_is_not_a_stem(tmp_path, kept):
    files = export_webmushra(kept, tmp_path / "out", target="accompaniment", seconds=3.0)
    audio = {path.stem.split("-", 2)[2]: soundfile.read(path)[0] for path in files[1:5]}
    assert audio["net_a"] == pytest.approx(audio["net_b"], abs=1e-3)
    assert audio["net_a"] == pytest.approx(audio["reference"] / 2, abs=1e-3)


def test_without_kept_stems_there_is_no_test(tmp_path, kept):
    with pytest.raises(NothingToCompareError, match="piano"):
        export_webmushra(kept, tmp_path / "out", target="piano")
    with pytest.raises(NothingToCompareError):
        export_webmushra(kept, tmp_path / "out", models=["net:a", "net:z"])


def test_numbers_of_the_field():
    from benchbench.reporting.data.published import published_results, published_table
    from benchbench.stats import AGGREGATIONS

    table = published_table()
    sisec = table[(table["source"].str.contains("2018 Signal")) & (table["metric"] == "SDR")]
    found = sisec.set_index(["model", "target"])["value"]
    assert found["TAK2", "vocals"] == 7.16
    assert found["IRM1", "accompaniment"] == 14.5
    assert found["MIX", "vocals"] == 1.12
    roformer = table[table["model"].str.startswith("BS-RoFormer, 6") & (table["target"] == "bass")]
    assert roformer["value"].tolist() == [11.31]
    assert not table.duplicated(
        ["model", "dataset", "protocol", "aggregation", "metric", "target"]
    ).any()
    for result in published_results():
        assert result.source
        assert result.aggregation in AGGREGATIONS
    assert set(table.loc[table["oracle"], "model"]) == {"IBM1", "IRM1", "IRM2", "MWF"}
    assert pd.api.types.is_float_dtype(table["value"])


def test_a_published_file_with_a_mistake_is_named(tmp_path):
    from benchbench.errors import ManifestError
    from benchbench.reporting.data.published import read_published

    series = (
        '[[series]]\ndataset="d"\nprotocol="p"\naggregation="a"\nsource="s"\n[[series.entries]]\n'
    )
    for text in (
        "[[series]]",
        series + 'model="x"',
        series + 'model="x"\noracel=true\nSDR={vocals=1}',
    ):
        path = tmp_path / "p.toml"
        path.write_text(text)
        with pytest.raises(ManifestError, match=r"p\.toml"):
            read_published(path)
