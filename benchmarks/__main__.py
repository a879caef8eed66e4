"""Run the whole benchmark suite, or one of its programs.

::

    python -m benchmarks all --out build/benchmarks          # hours; --small: minutes
    python -m benchmarks all --only overhead scaling store   # twenty minutes
    python -m benchmarks kills --runs 50                     # one program, with its own flags
    python -m benchmarks page build/benchmarks/figures.parquet

`all` writes ``figures.parquet`` and a page with plots, and prints ratios to the figures of the last
release in ``benchmarks/released/``. With `--only`, existing figures of other programs in the folder
are kept, so that the suite can be run in parts.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchbench import __version__
from benchbench.running.machine import machine
from benchmarks import memory, overhead, scaling, store, wide
from benchmarks.kills import kills
from benchmarks.measuring import Figure
from benchmarks.page import last_release, write_page

COLUMNS = pa.schema(
    [
        ("suite", pa.string()), ("name", pa.string()), ("x", pa.float64()), ("x_unit", pa.string()),
        ("value", pa.float64()), ("unit", pa.string()), ("better", pa.string()),
        ("bar", pa.float64()), ("version", pa.string()), ("measured", pa.string()),
        ("cpu", pa.string()), ("cores", pa.int64()), ("python", pa.string()),
    ]
)  # fmt: skip

PROGRAMS = ("kills", "memory", "overhead", "scaling", "store", "wide")
"""The programs of the suite."""

ALONE = ("command-kills", "musdb-shape", "soak")
"""Programs that are run alone."""


def suite(small: bool, programs: Collection[str] = PROGRAMS) -> Iterator[Figure]:
    """All figures of some programs, quick programs first."""
    if "overhead" in programs:
        tracks = [100, 1000] if small else [100, 1000, 10000]
        yield from overhead.figures("spleeter,irm,mixture,silence", tracks)
    if "store" in programs:
        yield from store.figures(*((200, 5, 200) if small else (10000, 50, 5000)))
    if "scaling" in programs:
        yield from scaling.figures(*((4, 4.0) if small else (16, 120.0)), [1, 2], "standard")
    if "memory" in programs:
        lengths = [20] if small else [180, 1800, 7200]
        protocols = ["usdr", "bsseval-v4"] if small else memory.every_protocol()
        models = memory.MODELS[:2] if small else memory.MODELS
        yield from memory.figures(lengths, protocols, models)
    if "wide" in programs:
        yield from wide.figures(*((100, 20) if small else (10000, 1000)))
    if "kills" in programs:
        runs = 2 if small else 50
        equal = len(kills(runs, tell=False))
        name = "tables that equal the undisturbed one"
        yield Figure("kills", name, runs, "runs", equal, "runs", "higher", runs)


def stored(figures: list[Figure]) -> pa.Table:
    """Figures as a table, with the machine and time of measurement."""
    facts = machine()
    common = {
        "version": __version__, "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": facts["cpu"], "cores": facts["cores"], "python": platform.python_version(),
    }  # fmt: skip
    return pa.Table.from_pylist([{**asdict(one), **common} for one in figures], COLUMNS)


def kept(path: Path, programs: Collection[str]) -> list[pa.Table]:
    """The figures of other programs in a file."""
    if not path.is_file():
        return []
    table = pq.read_table(path)
    return [table.filter(~pc.field("suite").isin(list(programs))).cast(COLUMNS)]


def everything(arguments: list[str]) -> int:
    """Run the suite; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks all")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--small", action="store_true", help="minutes instead of hours; no bars")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=PROGRAMS)
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    target = given.out / "figures.parquet"
    earlier = kept(target, given.only)
    found = []
    for figure in suite(given.small, given.only):
        print(figure.line(), flush=True)
        found.append(figure)
        pq.write_table(pa.concat_tables([*earlier, stored(found)]), target)
    print(write_page(target, last_release(), given.out / "figures.html"))
    return int(any(figure.passed is False for figure in found))


def main() -> int:
    name, *arguments = sys.argv[1:] or ["--help"]
    if name == "all":
        return everything(arguments)
    if name == "page":
        source = Path(arguments[0])
        print(write_page(source, last_release(), source.with_suffix(".html")))
        return 0
    if name not in PROGRAMS + ALONE:
        print(__doc__)
        print(f"Programs: all, page, {', '.join(PROGRAMS + ALONE)}")
        return 0 if name in ("-h", "--help") else 2
    sys.argv = [f"benchmarks {name}", *arguments]
    importlib.import_module(f"benchmarks.{name.replace('-', '_')}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
