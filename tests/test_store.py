from __future__ import annotations

import errno
import json
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pyarrow as pa
import pytest

import benchbench
from benchbench.errors import DamagedResultsError, OutputError, UsageError
from benchbench.io.atomic import write_atomically
from benchbench.reporting.data.loading import scores_of
from benchbench.results.compaction import compact
from benchbench.results.integrity import damaged_parts
from benchbench.results.parquet_parts import write_parts
from benchbench.results.schema import SCORES, SEPARATIONS
from benchbench.results.store import Results, open_results


def score_row(**changes: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(SCORES.names)
    row |= {
        "cell_id": "c1", "run_id": "r", "model": "m:v", "dataset": "d", "track": "t",
        "target": "vocals", "reference_set": "vocals+accompaniment", "protocol": "usdr",
        "metric": "SDR", "metric_version": 1, "value": 1.5,
    }  # fmt: skip
    return row | changes


def separation_row(**changes: object) -> dict[str, object]:
    filler: dict[pa.DataType, object] = {pa.string(): "x", pa.bool_(): False, pa.int32(): 1}
    row = {f.name: None if f.nullable else filler[f.type] for f in SEPARATIONS}
    return row | changes


def store(results: Results, **changes: object) -> Path:
    row = score_row(**changes)
    table = pa.Table.from_pylist([row], SCORES)
    return results.write_scores(str(row["cell_id"]), str(row["model"]), str(row["dataset"]), table)


def test_parts_lie_where_the_design_says_and_come_back(tmp_path: Path) -> None:
    results = Results(tmp_path)
    path = store(results)
    assert path.relative_to(tmp_path).as_posix() == "scores/model=m%3Av/dataset=d/c1.parquet"
    assert results.scores().to_pylist() == [score_row()]
    assert results.stored_cells("m:v", "d") == {"c1"}
    assert results.stored_cells("m:w", "d") == frozenset()


@pytest.mark.parametrize("known", ["fewer", "more"])
def test_a_part_of_another_version_is_whole(tmp_path: Path, known: str) -> None:
    results = Results(tmp_path)
    path = results.write_separation(separation_row(separation_id="s", peak_rss_bytes=5))
    other = SEPARATIONS.append(pa.field("later", pa.string()))
    if known == "fewer":
        other = pa.schema([field for field in SEPARATIONS if field.name != "peak_held_bytes"])
    row = separation_row(separation_id="s", peak_rss_bytes=5) | {"later": "x"}
    write_parts([pa.Table.from_pylist([row], other)], other, path)
    assert not list(damaged_parts(tmp_path, "separations"))
    assert results.separations().select(["peak_rss_bytes", "peak_held_bytes"]).to_pylist() == [
        {"peak_rss_bytes": 5, "peak_held_bytes": None}
    ]
    path.write_bytes(path.read_bytes().replace(b"peak_rss_bytes", b"peak_rsS_bytes"))
    assert list(damaged_parts(tmp_path, "separations"))


@pytest.mark.parametrize("name", ["../../evil", "a/b", "..", "über:größe", "a b%3A"])
def test_no_name_leads_outside_or_is_lost(tmp_path: Path, name: str) -> None:
    results = Results(tmp_path / "results")
    path = store(results, model=name)
    assert path.resolve().is_relative_to((tmp_path / "results" / "scores").resolve())
    assert results.scores().column("model").to_pylist() == [name]


def test_folders_merge_by_copying(tmp_path: Path) -> None:
    one, two = Results(tmp_path / "one"), Results(tmp_path / "two")
    store(one, cell_id="a", model="x:y")
    path = store(two, cell_id="b", model="z:y")
    target = one.root / path.relative_to(two.root)
    target.parent.mkdir(parents=True)
    target.write_bytes(path.read_bytes())
    assert sorted(one.scores().column("cell_id").to_pylist()) == ["a", "b"]


def test_a_later_attempt_replaces_the_separation_row(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.write_separation(separation_row(separation_id="s", status="crashed"))
    results.write_separation(separation_row(separation_id="s", status="ok"))
    assert results.separations().column("status").to_pylist() == ["ok"]


def test_frames_have_categories_for_text(tmp_path: Path) -> None:
    results = Results(tmp_path)
    store(results)
    frame = results.scores_frame()
    assert str(frame["model"].dtype) == "category"
    assert frame["value"].tolist() == [1.5]


def test_a_damaged_part_is_named_with_the_way_out(tmp_path: Path) -> None:
    results = Results(tmp_path)
    store(results, cell_id="good")
    bad = store(results, cell_id="bad")
    bad.write_bytes(bad.read_bytes()[:-20])
    with pytest.raises(DamagedResultsError, match=r"(?s)bad\.parquet.*--repair") as caught:
        results.scores()
    assert caught.value.exit_code == 5
    assert [path for path, _ in damaged_parts(tmp_path, "scores")] == [bad]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(file: IO[bytes]) -> None:
        file.write(b"half of the new")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_runs_are_sorted_by_time_and_damage_is_said(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.write_run("b", {"run_id": "b", "started": "2026-01-01"})
    results.write_run("a", {"run_id": "a", "started": "2026-02-01"})
    assert [run["run_id"] for run in results.runs()] == ["b", "a"]
    assert json.loads((tmp_path / "runs" / "b" / "run.json").read_text())["run_id"] == "b"
    (tmp_path / "runs" / "b" / "run.json").write_text("{")
    with pytest.raises(DamagedResultsError, match="not the record of a run"):
        results.runs()


def test_a_folder_without_results_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results"):
        open_results(tmp_path)
    assert Results(tmp_path).scores().num_rows == 0


def many(root: Path, count: int = 30) -> Results:
    results = Results(root)
    for number in range(count):
        store(results, cell_id=f"c{number}", model=f"m:{number % 2}", value=float(number))
        results.write_separation(separation_row(separation_id=f"s{number}", status="ok"))
    return results


def values(results: Results) -> dict[str, float]:
    rows = results.scores().to_pylist()
    found = {row["cell_id"]: row["value"] for row in rows}
    assert len(found) == len(rows)
    return found


def test_compaction_changes_nothing_but_the_number_of_files(tmp_path: Path) -> None:
    results = many(tmp_path)
    before = values(results)
    done = compact(results)
    assert (done.before, done.after, done.rows) == (60, 3, 60)
    assert len(list(tmp_path.rglob("*.parquet"))) == 3
    assert values(results) == before
    assert results.stored_cells("m:1", "d") == {f"c{n}" for n in range(1, 30, 2)}
    assert results.separations().num_rows == 30
    assert compact(results).rows == 0


def test_what_was_computed_anew_counts_before_and_after_compaction(tmp_path: Path) -> None:
    results = many(tmp_path)
    compact(results)
    store(results, cell_id="c4", model="m:0", value=-4.0)
    store(results, cell_id="new", model="m:0", value=7.0)
    expected = {f"c{n}": float(n) for n in range(30)} | {"c4": -4.0, "new": 7.0}
    assert values(results) == expected
    compact(results)
    assert values(results) == expected
    assert len(list(tmp_path.rglob("*.parquet"))) == 3
    results.write_separation(separation_row(separation_id="s3", status="failed"))
    statuses = results.separations().to_pylist()
    assert [row["separation_id"] for row in statuses if row["status"] == "failed"] == ["s3"]
    assert len(statuses) == 30


def test_compacted_folders_merge_by_copying(tmp_path: Path) -> None:
    one, two = many(tmp_path / "one", 10), many(tmp_path / "two", 20)
    expected = values(two)
    compact(one)
    compact(two)
    for path in one.root.rglob("*.parquet"):
        target = two.root / path.relative_to(one.root)
        target.write_bytes(path.read_bytes())
    assert values(two) == expected
    compact(two)
    assert values(two) == expected


COMPACT = """
import sys
from pathlib import Path
from benchbench.results.compaction import compact
from benchbench.results.store import Results
print("ready", flush=True)
compact(Results(Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signal 9 is POSIX's")
def test_a_compaction_may_be_killed_at_any_moment(tmp_path: Path) -> None:
    results = many(tmp_path, 120)
    expected = values(results)
    chance = random.Random(5)
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", COMPACT, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert values(results) == expected
        assert results.stored_cells("m:0", "d") == {k for k in expected if int(k[1:]) % 2 == 0}
    compact(results)
    assert values(results) == expected
    assert len(list(tmp_path.rglob("*.parquet"))) == 3


def test_who_reads_during_a_compaction_sees_every_cell_and_no_damage(tmp_path: Path) -> None:
    """A compaction removes parts between the listing of a folder and the reading of its parts."""
    results = many(tmp_path, 20)
    expected = {f"c{number}" for number in range(0, 20, 2)}
    rounds = 0

    def compact_again_and_again() -> None:
        nonlocal rounds
        while not done.is_set():
            store(results, cell_id="c0", model="m:0", value=0.0)
            compact(results)
            rounds += 1

    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        compacting = pool.submit(compact_again_and_again)
        try:
            while rounds < 40 and not compacting.done():
                assert results.stored_cells("m:0", "d") == expected
                assert set(values(results)) == {f"c{number}" for number in range(20)}
                assert set(scores_of([results], "m:0")["track"]) == {"t"}
        finally:
            done.set()
    compacting.result()


def test_a_damaged_part_stops_a_compaction_before_anything_is_removed(tmp_path: Path) -> None:
    results = many(tmp_path, 6)
    bad = results.scores_path("c3", "m:1", "d")
    bad.write_bytes(bad.read_bytes()[:100])
    with pytest.raises(DamagedResultsError, match=r"c3\.parquet"):
        compact(results)
    assert bad.parent.joinpath("c5.parquet").is_file()


@pytest.mark.parametrize("compacted", [False, True])
def test_no_flipped_byte_passes_for_a_number(tmp_path: Path, compacted: bool) -> None:
    results = many(tmp_path, 4)
    if compacted:
        compact(results)
    (path, *_) = sorted((tmp_path / "scores" / "model=m%3A0" / "dataset=d").glob("*.parquet"))
    whole, expected = path.read_bytes(), values(results)
    chance = random.Random(1)
    for _ in range(400):
        position = chance.randrange(len(whole))
        changed = bytearray(whole)
        changed[position] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        if not list(damaged_parts(tmp_path, "scores")):
            assert values(results) == expected, position


def test_doctor_sets_damage_aside_and_only_that(tmp_path: Path) -> None:
    results = many(tmp_path, 4)
    cut = results.scores_path("c1", "m:1", "d")
    cut.write_bytes(cut.read_bytes()[:-40])
    wrong = results.scores_path("c2", "m:0", "d")
    results.scores_path("c0", "m:0", "d").replace(wrong)
    results.write_run("r", {"run_id": "r"})
    (tmp_path / "runs" / "r" / "run.json").write_text("[[[")
    left = cut.with_name(".c9.parquet.abc.tmp")
    left.touch()
    checks = list(benchbench.doctor(str(tmp_path)))
    assert [check.ok for check in checks] == [False, False, False, True]
    assert "another cell" in " ".join(check.detail for check in checks)
    assert left.exists()
    repaired = list(benchbench.doctor(str(tmp_path), repair=True))
    assert all(check.ok for check in repaired)
    assert values(results) == {"c3": 3.0}
    assert results.runs() == []
    assert not left.exists()
    assert len([path for path in (tmp_path / "damaged").rglob("*") if path.is_file()]) == 3
    assert [check.ok for check in benchbench.doctor(str(tmp_path))] == [True]
