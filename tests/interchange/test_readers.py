"""Anyone's tools read the folder of scores in one line, and folders of version 0.1.0 are still read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from benchbench.results.compaction import compact
from benchbench.results.schema import SCORES
from benchbench.results.store import Results

OLD = Path(__file__).parent.parent / "data" / "results-0.1.0"
OLD_SUM = 129.23483364008786


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    results = Results(tmp_path / "results")
    for model in ("spleeter:2stems", "net:a b"):
        for dataset in ("demo", "2018"):
            row = dict.fromkeys(SCORES.names) | {
                "cell_id": f"{model[0]}{dataset}", "run_id": "r", "model": model,
                "dataset": dataset, "track": "t", "target": "vocals", "reference_set": "vocals",
                "protocol": "usdr", "metric": "SDR", "metric_version": 1, "value": 1.5,
            }  # fmt: skip
            table = pa.Table.from_pylist([row], SCORES)
            results.write_scores(str(row["cell_id"]), model, dataset, table)
    return tmp_path / "results" / "scores"


WANTED = {
    (model, dataset, 1.5)
    for model in ("spleeter:2stems", "net:a b")
    for dataset in ("demo", "2018")
}


def read_pandas(folder: str) -> set[tuple[str, str, float]]:
    table = pd.read_parquet(folder)
    return set(zip(table["model"], table["dataset"], table["value"], strict=True))


def read_polars(folder: str) -> set[tuple[str, str, float]]:
    polars = pytest.importorskip("polars")
    return set(polars.read_parquet(folder).select("model", "dataset", "value").rows())


def read_duckdb(folder: str) -> set[tuple[str, str, float]]:
    duckdb = pytest.importorskip("duckdb")
    query = f"SELECT model, dataset, value FROM '{folder}/**/*.parquet'"
    return set(duckdb.sql(query).fetchall())


def read_dataset(folder: str) -> set[tuple[str, str, float]]:
    table = pads.dataset(folder).to_table(columns=["model", "dataset", "value"])
    return set(zip(*(column.to_pylist() for column in table.columns), strict=True))


def read_pyarrow(folder: str) -> set[tuple[str, str, float]]:
    table = pq.read_table(folder).select(["model", "dataset", "value"])
    return set(zip(*(column.to_pylist() for column in table.columns), strict=True))


READERS = [read_pandas, read_polars, read_duckdb, read_dataset, read_pyarrow]


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("read", READERS)
def test_one_line_reads_all_scores(read, scores: Path, compacted: bool) -> None:
    if compacted:
        compact(Results(scores.parent))
    assert read(str(scores)) == WANTED


def test_a_folder_of_version_0_1_0_is_read_and_converted_by_compaction(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    for part in OLD.rglob("*.*"):
        target = folder / part.relative_to(OLD)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(part.read_bytes())
    before = Results(folder).scores().sort_by("cell_id")
    assert before.num_rows == 12
    assert sum(before["value"].to_pylist()) == pytest.approx(OLD_SUM, abs=1e-9)
    with pytest.raises(pa.ArrowTypeError):  # what pandas made of version 0.1.0
        pd.read_parquet(folder / "scores")
    compact(Results(folder))
    assert Results(folder).scores().sort_by("cell_id") == before
    assert pd.read_parquet(folder / "scores")["value"].sum() == pytest.approx(OLD_SUM, abs=1e-9)
