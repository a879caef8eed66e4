from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import IO

import pyarrow as pa
import pytest

from benchbench.atomic import write_atomically
from benchbench.errors import DamagedResultsError, OutputError, UsageError
from benchbench.schema import SCORES, SEPARATIONS
from benchbench.store import Results, open_results


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
    assert results.damaged() == [bad]


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
    with pytest.raises(DamagedResultsError, match="not valid JSON"):
        results.runs()


def test_a_folder_without_results_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results"):
        open_results(tmp_path)
    assert Results(tmp_path).scores().num_rows == 0
