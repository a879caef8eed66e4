"""What a bundle holds, and what it must not hold."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

import benchbench
from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.results.bundle.excerpts import excerpt_span, sampled_tracks
from benchbench.results.bundle.manifest import read_manifest
from benchbench.results.interchange import Source
from benchbench.results.store import Results

from .conftest import SECONDS


def test_a_bundle_holds_the_scores_hashes_and_declarations_of_the_run(
    results: Path, whole: Path
) -> None:
    manifest, stored = read_manifest(whole), Results(results)
    assert manifest.submitter == "Ada"
    assert (manifest.dataset, manifest.tracks) == ("folder", 3)
    assert manifest.dataset_hash == stored.runs()[0]["dataset"]["version_hash"]
    assert manifest.benchbench == benchbench.__version__
    assert [model.name for model in manifest.models] == [
        "irm:2stems", "mid-side:2stems", "mixture:2stems", "silence:2stems"]  # fmt: skip
    rows = {row["model"]: row for row in stored.separations().to_pylist()}
    for model in manifest.models:
        assert model.adapter_hash == rows[model.name]["adapter_hash"]
        assert model.oracle == (model.name == "irm:2stems")
    keys = [("cell_id", "ascending"), ("target", "ascending"), ("metric", "ascending"),
            ("start_s", "ascending")]  # fmt: skip
    theirs, ours = (Results(place).scores().sort_by(keys) for place in (whole, results))
    assert theirs.equals(ours)
    for file in manifest.files:
        assert hashlib.sha256((whole / file.path).read_bytes()).hexdigest() == file.sha256


def test_an_excerpt_is_the_kept_audio_sample_by_sample(results: Path, tmp_path: Path) -> None:
    out = benchbench.submit(results, tmp_path / "bundle", seconds=2, excerpts=1)
    manifest = read_manifest(out)
    (excerpt,) = manifest.excerpts
    assert [excerpt.track] == sampled_tracks(["song 0", "song 1", "song 2"], 1)
    start, seconds, whole = excerpt_span(excerpt.track_hash, SECONDS, 2)
    assert (excerpt.start_s, excerpt.seconds, excerpt.whole) == (start, seconds, whole)
    assert not whole
    kept = Results(results).track_audio(excerpt.track_hash)
    names = sorted(path.name for path in kept.glob("*.flac"))
    assert names == ["accompaniment.flac", "mixture.flac", "vocals.flac"]
    for name in names:
        samples, rate = soundfile.read(kept / name, dtype="int16")
        copied, _ = soundfile.read(
            out / "excerpts" / "tracks" / excerpt.track_hash / name, dtype="int16"
        )
        first = start * rate
        assert np.array_equal(copied, samples[first : first + 2 * rate])


def test_a_zip_file_has_the_same_content_and_the_same_bytes_twice(
    results: Path, tmp_path: Path
) -> None:
    first = benchbench.submit(results, tmp_path / "a.zip", models=["irm:2stems"], excerpts=0)
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        times = {entry.date_time for entry in archive.infolist()}
        part = next(name for name in names if name.startswith("scores/"))
        archive.extract(part, tmp_path)
    assert {name.split("/")[0] for name in names} == {
        "bundle.json",
        "runs",
        "scores",
        "separations",
    }
    assert times == {(2000, 1, 1, 0, 0, 0)}
    assert set(pq.read_table(tmp_path / part, partitioning=None)["model"].to_pylist()) == {
        "irm:2stems"
    }


def test_no_folder_name_or_secret_of_the_submitter_is_in_a_bundle(
    results: Path, tmp_path: Path
) -> None:
    out = benchbench.submit(results, tmp_path / "bundle", note="by /home/ada/x, token=zqcanary")
    home = str(Path.home())
    for path in out.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for canary in (b"zqcanary", b"ada-lovelace", b"/data/", str(tmp_path).encode(),
                       str(results.parent).encode(), home.encode() * (len(home) > 4) or b"\0\1"):  # fmt: skip
            assert canary not in content, (path, canary)
    text = next((out / "runs").rglob("run.json")).read_text(encoding="utf-8")
    assert ".../songs" in text
    assert not re.search(r'"/(?!")', text)


def test_what_cannot_be_submitted_is_said(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="nosuch"):
        benchbench.submit(results, tmp_path / "x", models=["nosuch"])
    with pytest.raises(UnknownNameError, match="data set"):
        benchbench.submit(results, tmp_path / "x", dataset="demo")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no bundle"):
        benchbench.submit(results, tmp_path / "mine")
    with pytest.raises(UsageError, match="seconds"):
        benchbench.submit(results, tmp_path / "x", seconds=0.1)
    benchbench.import_results(
        "benchbench", results, tmp_path / "imported", source=Source("lab", "CC0-1.0")
    )
    with pytest.raises(NothingToCompareError, match="of your own"):
        benchbench.submit(tmp_path / "imported", tmp_path / "x")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert not (tmp_path / "x").exists()


def test_a_bundle_is_replaced_by_a_newer_one_only(results: Path, tmp_path: Path) -> None:
    for count in (2, 1):
        out = benchbench.submit(results, tmp_path / "bundle", excerpts=count)
        assert len(read_manifest(out).excerpts) == count
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_bundle_is_a_results_folder(whole: Path, tmp_path: Path) -> None:
    done = benchbench.import_results(
        "benchbench", whole, tmp_path / "board", source=Source("ada", "CC-BY-4.0")
    )
    assert done.models == ("ada.irm:2stems", "ada.mid-side:2stems", "ada.mixture:2stems",
                           "ada.silence:2stems")  # fmt: skip
    page = benchbench.report(tmp_path / "board", tmp_path / "page.html", audio="none")
    assert "ada.mid-side:2stems" in page.read_text(encoding="utf-8")
