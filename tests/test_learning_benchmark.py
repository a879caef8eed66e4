"""The table of what learning without stems is worth: pairs, verdicts, rows that were not run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.learning_table import BEGIN, END, Cell, difference, markdown, write_page
from benchmarks.material import mapped_songs


def cell(row: str, seed: int, gain: float, scratch: float | None = 6.0) -> Cell:
    return Cell(row, 4, seed, 4000, 2000, 900.0, gain, scratch, scratch and scratch + 0.5)


def test_a_verdict_needs_three_seeds_and_two_standard_errors() -> None:
    sure = difference([(6.5, 6.0), (6.6, 6.0), (6.4, 6.0)])
    assert sure is not None
    assert (sure.pairs, sure.verdict) == (3, "gain")
    assert sure.value == pytest.approx(0.5)
    assert sure.error == pytest.approx(0.1 / 3**0.5)
    worse = difference([(5.5, 6.0), (5.4, 6.0), (5.6, 6.0)])
    mixed = difference([(7.0, 6.0), (5.0, 6.0), (6.3, 6.0)])
    few = difference([(9.0, 6.0), (9.0, 6.0)])
    single = difference([(9.0, 6.0)])
    assert worse is not None
    assert mixed is not None
    assert few is not None
    assert single is not None
    assert [worse.verdict, mixed.verdict] == ["loss", "none"]
    assert [few.verdict, single.verdict, single.error] == ["too few seeds", "too few seeds", None]
    assert difference([]) is None


def test_pairs_are_of_the_same_seed() -> None:
    """Seeds differ by far more than the rows: only their differences count."""
    found = difference([(3.1, 3.0), (9.1, 9.0), (6.1, 6.0)])
    assert found is not None
    assert found.verdict == "gain"
    assert found.value == pytest.approx(0.1)


def test_the_table_names_rows_that_were_not_run() -> None:
    cells = [cell("clusters", seed, 6.4 + 0.1 * seed) for seed in range(3)]
    table = markdown(cells, ("scratch", "clusters"), (1, 4))
    lines = table.splitlines()
    assert len(lines) == 6
    assert "| 1 | scratch | 0 | not run |" in lines[2]
    assert lines[5].startswith("| 4 | clusters | 3 | 4000 (2000) | 900 | 6.50 ± 0.06 |")
    assert "| +0.50 ± 0.06 | gain | +0.00 ± 0.06 | none |" in lines[5]
    assert len({line.count("|") for line in lines}) == 1


def test_the_page_keeps_its_text(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_page(page, "new\n")
    assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="between which the table is put"):
        write_page(page, "new\n")


def test_songs_of_a_folder_are_decoded_again_when_they_change(tmp_path: Path) -> None:
    """Two versions of a data set have songs of the same names, in the same or in another folder."""
    cache = tmp_path / "cache"

    def mapped(root: str, level: float) -> np.ndarray:
        song = tmp_path / root / "train" / "first"
        song.mkdir(parents=True, exist_ok=True)
        for stem in ("vocals", "accompaniment"):
            soundfile.write(song / f"{stem}.flac", np.full((1000, 2), level), 44_100)
        return mapped_songs(song.parent, cache)["first"]()["vocals"]

    for root, level in (("version-3", 0.25), ("version-4", 0.5), ("version-3", 0.125)):
        samples = mapped(root, level)
        assert samples.shape == (2, 1000)
        assert np.all(samples == int(level * 32768))
    assert len(list(cache.rglob("vocals-*.npy"))) == 3
    assert len(list(cache.rglob("*.npy"))) == 6
