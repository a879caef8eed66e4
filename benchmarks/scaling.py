"""One process against several, and local processes against a Dask cluster, on 16 tracks and three models.

::

    python -m benchmarks scaling --tracks 16 --jobs 1 2
    python -m benchmarks scaling --tracks 16 --jobs 4 --repeats 2

Every process has one numeric thread, so that only the number of processes differs. The songs last
two minutes: a command takes 7 s to start and to load its models with any number of processes, which
would dominate with short songs. All runs must give equal tables of scores.

`--jobs 4` on two cores starts two processes, local or of Dask, as with every run. A cluster of four
worker processes, as a cluster file can ask for, is measured besides where there are fewer cores than
that. Repeated runs alternate, and the fastest one counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from benchbench.results.store import Results
from benchbench.running.machine import processors
from benchmarks.kills import songs, table
from benchmarks.measuring import Figure, family_seconds

MODELS = "spleeter:2stems,irm,mixture"
DASK_BARS = {2: 0.9, 4: 0.95}
"""Smallest accepted speed of Dask relative to local processes, by number of processes."""

LOCAL_BARS = {2: 1.7}
"""Smallest accepted speed of local processes relative to one, by number of processes."""

LOCAL, DASK, CLUSTER = "local", "dask", "dask cluster"
"""Kinds of run; the last starts as many workers as it has jobs, on any number of processors."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Wall and processor seconds of one run, the processes that it used, and its scores."""

    wall_s: float
    processor_s: float
    processes: int
    scores: pa.Table


def run(root: Path, out: Path, jobs: int, kind: str, metrics: str) -> Outcome:
    """One run, from the command to its end."""
    words = [
        sys.executable, "-m", "benchbench", "run", "--models", MODELS, "--dataset", "folder",
        "--root", str(root), "--out", str(out), "--metrics", metrics, "--no-report",
        "--keep-stems", "no", "--threads", "1", "--jobs", str(jobs),
        "--executor", LOCAL if kind == LOCAL else DASK,
    ]  # fmt: skip
    if kind == CLUSTER:
        description = out.with_suffix(".toml")
        description.write_text(f'kind = "local"\nworkers = {jobs}\n')
        words += ["--cluster", str(description)]
    wall, busy = family_seconds(words)
    (processes,) = set(Results(out).separations().column("jobs").to_pylist())
    return Outcome(wall, busy, processes, table(out))


def kinds(jobs: int) -> Sequence[str]:
    """The kinds of run with so many jobs."""
    if jobs == 1:
        return (LOCAL,)
    return (LOCAL, DASK) if jobs <= processors() else (LOCAL, DASK, CLUSTER)


def figures(
    tracks: int, seconds: float, jobs: Sequence[int], metrics: str, repeats: int = 1
) -> Iterator[Figure]:
    """The costs of every kind of run, and their ratios.

    Raises
    ------
    AssertionError
        If two runs give different scores.
    """
    with tempfile.TemporaryDirectory(prefix="scaling-") as place:
        root = songs(Path(place) / "songs", tracks, seconds)
        run(root, Path(place) / "warm", 1, LOCAL, "usdr")  # downloads, compiled files, caches
        scores: pa.Table | None = None
        local: dict[int, float] = {}
        for count in jobs:
            best: dict[str, Outcome] = {}
            for repeat in range(repeats):
                for number, kind in enumerate(kinds(count)):
                    outcome = run(
                        root, Path(place) / f"{number}-{count}-{repeat}", count, kind, metrics
                    )
                    scores = outcome.scores if scores is None else scores
                    if not scores.num_rows or not outcome.scores.equals(scores):
                        raise AssertionError(f"{kind} with {count} gives another table")
                    best[kind] = min(best.get(kind, outcome), outcome, key=lambda one: one.wall_s)
            local[count] = best[LOCAL].wall_s
            yield from _costs(best, count)
            yield from _ratios(best, local, count, with_bars=tracks >= 16)


def _costs(best: dict[str, Outcome], count: int) -> Iterator[Figure]:
    for kind, one in best.items():
        yield Figure("scaling", f"{kind} wall time", count, "workers", one.wall_s, "s")
        yield Figure("scaling", f"{kind} processor time", count, "workers", one.processor_s, "s")
        yield Figure("scaling", f"{kind} processes", count, "workers", one.processes, "")


def _ratios(
    best: dict[str, Outcome], local: dict[int, float], count: int, *, with_bars: bool
) -> Iterator[Figure]:
    """Speeds relative to one process, and of Dask relative to local processes."""
    if count > min(local):
        bar = LOCAL_BARS.get(count) if with_bars else None
        speed = local[min(local)] / local[count]
        yield Figure("scaling", "local against one", count, "workers", speed, "x", "higher", bar)
    bar = DASK_BARS.get(count) if with_bars else None
    for kind in (DASK, CLUSTER):
        if kind in best:
            speed = local[count] / best[kind].wall_s
            yield Figure(
                "scaling", f"{kind} against local", count, "workers", speed, "x", "higher", bar
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--metrics", default="standard")
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    for figure in figures(given.tracks, given.seconds, given.jobs, given.metrics, given.repeats):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
