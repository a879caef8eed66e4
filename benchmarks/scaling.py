"""One process against two, two against a Dask cluster of two, on 16 tracks and three models.

::

    python -m benchmarks scaling --tracks 16 --jobs 1 2
    python -m benchmarks scaling --tracks 16 --jobs 4      # four processes, local and Dask

Every process has one numeric thread, so that only the number of processes differs. The songs last
two minutes: a command takes 7 s to start and to load its models with any number of processes, which
would dominate with short songs. All runs must give equal tables of scores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.kills import songs, table
from benchmarks.measuring import Figure

MODELS = "spleeter:2stems,irm,mixture"
DASK_BARS = {2: 0.9, 4: 0.95}
"""Smallest accepted speed of Dask relative to local processes, by number of processes."""


def run_s(root: Path, out: Path, jobs: int, executor: str, metrics: str) -> float:
    """Wall seconds of one run, from the command to its end."""
    words = [
        sys.executable, "-m", "benchbench", "run", "--models", MODELS, "--dataset", "folder",
        "--root", str(root), "--out", str(out), "--metrics", metrics, "--no-report",
        "--keep-stems", "no", "--threads", "1", "--jobs", str(jobs), "--executor", executor,
    ]  # fmt: skip
    start = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def figures(tracks: int, seconds: float, jobs: Sequence[int], metrics: str) -> Iterator[Figure]:
    """Local processes, then Dask with as many workers."""
    with tempfile.TemporaryDirectory(prefix="scaling-") as place:
        root = songs(Path(place) / "songs", tracks, seconds)
        run_s(root, Path(place) / "warm", 1, "local", "usdr")  # weights, compiled files, caches
        local, expected = {}, None
        for count in jobs:
            for executor in ("local", "dask") if count > 1 else ("local",):
                out = Path(place) / f"{executor}-{count}"
                taken = run_s(root, out, count, executor, metrics)
                yield Figure("scaling", f"{executor} wall time", count, "workers", taken, "s")
                made = table(out)
                expected = made if expected is None else expected
                if not made.num_rows or not made.equals(expected):
                    raise AssertionError(f"{executor} with {count} gives another table")
                if executor == "local":
                    local[count] = taken
                    if count > min(local):
                        bar = 1.7 if count == 2 and tracks >= 16 else None
                        yield Figure(
                            "scaling", "local against one", count, "workers",
                            local[min(local)] / taken, "x", "higher", bar,
                        )  # fmt: skip
                else:
                    bar = DASK_BARS.get(count) if tracks >= 16 else None
                    yield Figure(
                        "scaling", "dask against local", count, "workers",
                        local[count] / taken, "x", "higher", bar,
                    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--metrics", default="standard")
    given = parser.parse_args()
    for figure in figures(given.tracks, given.seconds, given.jobs, given.metrics):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
