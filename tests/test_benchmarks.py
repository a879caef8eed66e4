"""The suite of benchmarks: its figures, its page, and the small programs that are quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile

from benchbench.results.store import Results
from benchmarks import symptoms
from benchmarks.__main__ import ALONE, PROGRAMS, kept, stored
from benchmarks.measuring import Figure, measured
from benchmarks.page import last_release, with_ratios, write_page
from benchmarks.store import names, simulate, small_parts

FIGURES = [
    Figure("scaling", "local against one", 2, "workers", 1.9, "x", "higher", 1.7),
    Figure("store", "leaderboard time", 1000, "rows", 12.0, "s", bar=10.0),
    Figure("store", "leaderboard time", 2000, "rows", 15.0, "s"),
]


def test_bars_know_which_way_is_better() -> None:
    assert [figure.passed for figure in FIGURES] == [True, False, None]
    assert "MISSED" in FIGURES[1].line()


def test_the_page_holds_figures_plots_and_ratios(tmp_path: Path) -> None:
    now, before = tmp_path / "figures.parquet", tmp_path / "0.1.0.parquet"
    pq.write_table(stored(FIGURES), now)
    older = [Figure("store", "leaderboard time", 1000, "rows", 24.0, "s")]
    pq.write_table(stored(older), before)
    page = write_page(now, before, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "against 0.1.0" in page
    assert "<td class=number>24<td class=number>0.50" in page
    assert 'class="number missed">12 s' in page
    assert page.count("data:image/svg+xml") == 1
    ratios = with_ratios(pq.read_table(now).to_pandas(), pq.read_table(before).to_pandas())
    assert ratios["ratio"].tolist()[1] == pytest.approx(0.5)
    assert pd.isna(ratios["ratio"]).tolist() == [True, False, True]
    assert last_release() is None or last_release().suffix == ".parquet"


def test_the_suite_can_be_run_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "figures.parquet"
    assert kept(path, ["store"]) == []
    pq.write_table(stored(FIGURES), path)
    [left] = kept(path, ["store"])
    assert left.column("suite").to_pylist() == ["scaling"]
    assert stored(FIGURES[2:]).schema == left.schema


def test_every_program_has_a_main() -> None:
    import importlib

    for name in PROGRAMS + ALONE:
        module = importlib.import_module(f"benchmarks.{name.replace('-', '_')}")
        assert callable(module.main)


FIGURE_PROGRAMS = sorted((Path(__file__).parents[1] / "docs" / "figures").glob("*.py"))


@pytest.mark.parametrize("program", FIGURE_PROGRAMS, ids=lambda path: path.stem)
def test_programs_that_draw_pictures_find_what_they_import(program: Path) -> None:
    code = f"import runpy; runpy.run_path({str(program)!r}, run_name='figure')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_simulated_results_are_results(tmp_path: Path) -> None:
    simulate(tmp_path / "large", models=2, tracks=3)
    results = Results(tmp_path / "large")
    assert results.scores().num_rows == 2 * 3 * 16
    assert results.models() == names(2)
    assert results.separations().num_rows == 6
    assert small_parts(tmp_path / "small", 4).scores().num_rows == 64


def test_a_process_is_measured() -> None:
    took = measured(["-c", "x = bytearray(300_000_000); print(sum(x[::4096]))"])
    assert took.output == "0\n"
    assert took.peak_mb > 280
    assert 0 < took.cpu_s <= took.wall_s * 4


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_peak_is_not_that_of_the_process_that_measures() -> None:
    held = np.ones(300_000_000, np.uint8)
    assert measured(["-c", "import time; time.sleep(0.1)"]).peak_mb < held.nbytes / 4e6


def test_symptoms_are_correlated_over_all_rows_and_within_separators(tmp_path: Path) -> None:
    rows = [
        {"model": model, "track": f"s{song}", "target": "vocals", "SI-SDR": song + 20 * better,
         "honest": song, "between": better, "constant": 1.0}
        for better, model in enumerate(("a", "b")) for song in range(10)
    ]  # fmt: skip
    text = symptoms.table(pd.DataFrame(rows).set_index(list(symptoms.INDEX)))
    cells = {line.split()[0]: line.split()[1:] for line in text.splitlines()[1:]}
    assert cells["honest"][-1] == "1.00"
    assert cells["honest"][0] == "0.50"  # the separators' levels hide it
    assert cells["between"][0] == "0.87"
    assert cells["between"][-1] == "-"
    assert cells["constant"] == ["-", "-", "-"]
    assert text.endswith("10 songs, 20 rows; Spearman's rho with SI-SDR")


def test_excerpts_are_the_middle_of_each_song(tmp_path: Path) -> None:
    ramp = np.arange(8000, dtype=np.int16)[:, None]
    (tmp_path / "in" / "song").mkdir(parents=True)
    soundfile.write(tmp_path / "in" / "song" / "vocals.flac", ramp, 1000)
    out = symptoms.excerpts(tmp_path / "in", 2.0, tmp_path / "out")
    audio, rate = soundfile.read(out / "song" / "vocals.flac", dtype="int16")
    assert (rate, audio.tolist()) == (1000, list(range(3000, 5000)))
