"""Columns from buffers equal those of pyarrow, without importing pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchbench.results.arrow_columns import (
    float_column,
    number_bytes,
    table_of_rows,
    text_column,
    version_column,
    zero,
)
from benchbench.results.schema import LIVE, SEPARATIONS
from benchbench.results.store import Results


@pytest.mark.parametrize("texts", [[], [None], ["a"], ["é", None, "", "drums"] * 5])
def test_texts_equal_those_of_pyarrow(texts: list[str | None]) -> None:
    column = text_column(texts)
    column.validate(full=True)
    assert column.equals(pa.array(texts, pa.string()))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1000])
def test_floats_equal_those_of_pyarrow(count: int) -> None:
    values = np.random.default_rng(count).standard_normal(count)
    values[::3], values[1::5] = np.nan, np.inf
    column = float_column(values, count, finite=True)
    column.validate(full=True)
    assert column.equals(pa.array(values, pa.float64(), mask=~np.isfinite(values)))
    np.testing.assert_array_equal(float_column(values, count).to_numpy(), values)
    assert float_column(None, count).equals(pa.nulls(count, pa.float64()))
    assert version_column(3, count).equals(pa.array([3] * count, pa.int32()))


@pytest.mark.parametrize("schema", [SEPARATIONS, LIVE])
def test_tables_of_rows_equal_those_of_pyarrow(schema: pa.Schema) -> None:
    values = {"string": ["é", ""], "double": [0.25, np.nan], "bool": [True, False]}
    rows = [
        {
            field.name: values.get(str(field.type), [7, -1])[number % 2]
            for field in schema
            if not (field.nullable and number % 3 == 0)
        }
        | {"further": number}
        for number in range(20)
    ]
    table = table_of_rows(rows, schema)
    table.validate(full=True)
    assert table.schema.equals(schema, check_metadata=True)
    assert any(column.null_count for column in table.columns)
    for row, expected in zip(
        table.to_pylist(), pa.Table.from_pylist(rows, schema).to_pylist(), strict=True
    ):
        assert str(row) == str(expected)  # NaN does not equal itself
    assert table_of_rows([], schema).equals(schema.empty_table())


@pytest.mark.parametrize("kind", [pa.float64(), pa.int32(), pa.uint8(), pa.date32()])
def test_bytes_equal_those_of_numpy(kind: pa.DataType) -> None:
    column = pa.array(range(200), pa.int32()).cast(kind)
    for part in (column, column[3:], column[5:9], column[:0]):
        assert number_bytes(part) == part.to_numpy(zero_copy_only=False).tobytes()


@pytest.mark.parametrize("kind", [pa.string(), pa.float64(), pa.int32(), pa.uint8(), pa.int16()])
def test_zero_equals_that_of_pyarrow(kind: pa.DataType) -> None:
    assert zero(kind).equals(pa.scalar("" if kind == pa.string() else 0, kind))


def test_a_pipeline_imports_no_pandas(tmp_path: Path) -> None:
    code = f"""
import sys
from benchbench.results.schema import SEPARATIONS
from benchbench.results.store import Results
from benchbench.running.executors import local, dask_worker
from benchbench.metrics import Series, protocol
from benchbench.scoring.score_rows import Labels, rows
import numpy as np
results = Results(__import__("pathlib").Path({str(tmp_path)!r}))
kinds = {{"string": "0" * 16, "double": 1.0, "bool": True}}
results.write_separation({{f.name: kinds.get(str(f.type), 1) for f in SEPARATIONS}})
series = Series("vocals", "SDR", np.array([1.0, np.nan]), np.array([None, "capped"], dtype=object))
labels = Labels("0" * 16, "run", "model", "data", "song")
table = rows(labels, protocol("usdr"), {{"vocals": [series]}}, "1" * 16)
results.write_scores("1" * 16, "model", "data", table)
print([name for name in ("pandas", "scipy") if name in sys.modules])
"""
    pytest.importorskip("distributed")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    stored = Results(tmp_path)
    assert stored.scores().column("value").to_pylist() == [1.0, None]
    assert stored.separations().num_rows == 1


def test_scoring_files_imports_no_pandas(stems_folder_pair: tuple[str, str]) -> None:
    references, estimates = stems_folder_pair
    code = (
        "import sys; from benchbench.cli import app\n"
        f"try: app(['score', '--references', {references!r}, '--estimates', {estimates!r}])\n"
        "except SystemExit: pass\n"
        "assert not {'pandas', 'scipy.signal', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.fixture
def stems_folder_pair(tmp_path) -> tuple[str, str]:
    import soundfile

    rng = np.random.default_rng(0)
    for folder in ("references", "estimates"):
        (tmp_path / folder / "song").mkdir(parents=True)
        for stem in ("vocals", "drums"):
            audio = rng.standard_normal((8000, 2)) / 10
            soundfile.write(tmp_path / folder / "song" / f"{stem}.wav", audio, 8000)
    return str(tmp_path / "references"), str(tmp_path / "estimates")
