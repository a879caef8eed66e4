"""The table of `bench score`: lines over all tracks, and what the command does not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from benchbench.cli.tables.score_page import score_page
from benchbench.cli.tables.scores import written


def rows(protocol: str, metric: str, values: dict[str, list[float | None]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"track": track, "target": "vocals", "reference_set": "r", "protocol": protocol,
             "metric": metric, "value": value, "reason": None if value is not None else "silent"}
            for track, of_track in values.items()
            for value in of_track
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "values", "expected"),
    [
        ("usdr", {"a": [1.0], "b": [2.0], "c": [6.0]}, ["3", "3.000", "mean over tracks"]),
        (
            "bsseval-v4",
            {"a": [1.0, 2.0, 9.0], "b": [4.0], "c": [5.0, None]},
            ["3", "4.000", "median of frame medians"],
        ),
        ("usdr", {"a": [None], "b": [2.0]}, ["1", "2.000", "mean over tracks"]),
    ],
)
def test_several_tracks_have_a_line_over_all_of_them(
    protocol: str, values: dict[str, list[float | None]], expected: list[str]
) -> None:
    lines = written(rows(protocol, "SDR", values), "table").decode().splitlines()
    assert len(lines) == 2 + len(values) + 1
    assert lines[-1].startswith("all tracks  vocals")
    assert [cell.strip() for cell in lines[-1].split("  ") if cell.strip()][-3:] == expected


def test_one_track_has_no_line_over_all() -> None:
    assert "all tracks" not in written(rows("usdr", "SDR", {"a": [1.0]}), "table").decode()


def test_scoring_imports_neither_scipy_nor_pandas(small_songs: Path) -> None:
    program = (
        "import sys, benchbench\n"
        "from benchbench.cli.tables.scores import written\n"
        f"table = benchbench.score({str(small_songs)!r}, {str(small_songs)!r}, metrics='usdr')\n"
        "print(len(written(table, 'table').splitlines()))\n"
        "print([name for name in ('scipy', 'pandas', 'filelock', 'rich') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_target_without_any_value_has_the_reasons_on_its_last_line() -> None:
    lines = written(rows("usdr", "SDR", {"a": [None], "b": [None]}), "table").decode().splitlines()
    assert lines[-1].split() == [
        "all",
        "tracks",
        "vocals",
        "r",
        "usdr",
        "SDR",
        "0",
        "silent",
        "(2)",
    ]


def test_the_page_holds_every_line_escaped_and_runs_nothing() -> None:
    values = {"<b>a</b>": [1.25], "b": [2.75], "c": [None]}
    table = rows("usdr", "SDR", values)
    for name in ("model", "dataset"):
        table = table.append_column(name, pa.array([f"my {name}"] * 3))
    page = score_page(table)
    assert "<h1>my model against my dataset</h1>" in page
    assert "&lt;b&gt;a&lt;/b&gt;" in page
    assert "<b>a</b>" not in page
    assert "<script" not in page
    assert [number in page for number in ("1.250", "2.750", "2.000")] == [True] * 3
    assert "mean over tracks" in page
    assert "<dt>silent</dt>" in page
    assert "zeros score 0 dB" in page  # when the protocol misleads


def test_a_narrow_terminal_gets_a_block_per_track() -> None:
    table = rows("bsseval-v4", "log10-condition", {"a" * 90: [1.25], "b": [None]})
    wide = written(table, "table", 400).decode()
    assert wide == written(table, "table").decode()
    lines = written(table, "table", 70).decode().splitlines()
    assert max(map(len, lines)) <= 70
    assert [line for line in lines[2:] if not line.startswith("  ")] == [
        "a" * 69 + "…", "b (against r)", "all tracks (against r)",
    ]  # fmt: skip
    assert lines[3].startswith("  vocals  bsseval-v4 log10-condition ")
    assert lines[3].split() == ["vocals", "bsseval-v4", "log10-condition", "1", "1.250"]
    assert lines[5].split() == ["vocals", "bsseval-v4", "log10-condition", "0", "silent", "(1)"]
