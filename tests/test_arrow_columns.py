"""Columns from buffers equal those of pyarrow, without importing pandas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from benchbench.results.arrow_columns import float_column, text_column, version_column


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
