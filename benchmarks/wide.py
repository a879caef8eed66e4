"""Many short tracks: time to plan, time per separation, memory and open files of every process.

::

    python -m benchmarks wide --tracks 10000 --run 1000

A folder data set of many tracks of one second is opened and planned; then some of its tracks go
through one pipeline and one separator. Memory and open files are sampled meanwhile: both must be the
same after the first tracks and after the last.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.kills import songs
from benchmarks.measuring import ROOT, Figure

DIFFERENT = 20
"""Number of tracks with audio of their own; the others are hard links to these."""

SETTLED = 0.2
"""Share of the tracks after which a process is called settled."""

PLAN = """
import json, resource, sys, time
from pathlib import Path
from benchbench.datasets.dataset import open_dataset
from benchbench.metrics import resolve
from benchbench.plugins.catalog import Catalog
from benchbench.results.store import Results
from benchbench.running.plan import plan
from benchbench.separation.identity import Identity
start = time.perf_counter()
data_set = open_dataset(Catalog().dataset("folder"), Path(sys.argv[1]))
opened = time.perf_counter()
identity = Identity("mixture:2stems", "a", "b", "c")
left, _ = plan(Results(Path(sys.argv[2])), [identity], data_set.tracks, resolve("usdr")).counts()
assert sum(left.values()) == len(data_set.tracks)
print(json.dumps([opened - start, time.perf_counter() - opened,
                  resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def many_songs(root: Path, count: int) -> Path:
    """A folder data set of tracks of one second."""
    own = sorted(songs(root, min(count, DIFFERENT), 1.0).iterdir())
    for number in range(len(own), count):
        folder = root / f"song-{number}"
        folder.mkdir()
        for path in own[number % len(own)].iterdir():
            os.link(path, folder / path.name)
    return root


class Sampler:
    """Memory in MB and open files of a run's processes, by role and number of stored cells."""

    def __init__(self, process: psutil.Process, out: Path) -> None:
        self.process, self.out = process, out
        self.samples: dict[str, list[tuple[int, float, int]]] = defaultdict(list)

    def sample(self) -> None:
        """Take one sample of every process."""
        cells = sum(1 for _ in (self.out / "separations").glob("[!.]*.parquet"))
        for each in [self.process, *self.process.children(recursive=True)]:
            try:
                role = _role(each, self.process)
                if role:
                    memory = each.memory_full_info().uss / 1e6
                    self.samples[role].append((cells, memory, each.num_fds()))
            except psutil.Error:
                continue

    def figures(self, count: int) -> Iterator[Figure]:
        """Of each role: after the first tracks, and after the last."""
        for role, samples in sorted(self.samples.items()):
            early = [s for s in samples if 0 < s[0] <= SETTLED * count] or samples[:1]
            late = [s for s in samples if s[0] >= (1 - SETTLED) * count] or samples[-1:]
            for when, chosen, at in (("first", early, SETTLED * count), ("last", late, count)):
                memory, files = max(s[1] for s in chosen), max(s[2] for s in chosen)
                yield Figure("wide", f"{role}: memory, {when} tracks", at, "tracks", memory, "MB")
                yield Figure(
                    "wide", f"{role}: open files, {when} tracks", at, "tracks", files, "files"
                )


def _role(process: psutil.Process, driver: psutil.Process) -> str:
    if process == driver:
        return "driver"
    words = " ".join(process.cmdline())
    if "supervisor.py" in words or "resource_tracker" in words:
        return ""
    return "separator" if "worker.py" in words else "pipeline" if "spawn_main" in words else ""


def figures(tracks: int, run: int) -> Iterator[Figure]:
    """All figures for a data set of `tracks` tracks, of which `run` are separated and scored."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory(prefix="wide-") as folder:
        root, out = many_songs(Path(folder) / "songs", tracks), Path(folder) / "out"
        done = subprocess.run(
            [sys.executable, "-c", PLAN, root, out], check=True, capture_output=True, env=environment
        )  # fmt: skip
        opening_s, planning_s, memory_mb = json.loads(done.stdout)
        yield Figure("wide", "opening the data set", tracks, "tracks", opening_s, "s")
        yield Figure("wide", "planning one model", tracks, "tracks", planning_s, "s")
        yield Figure("wide", "memory of opening and planning", tracks, "tracks", memory_mb, "MB")
        words = [
            sys.executable, "-m", "benchbench", "run", "--models", "mixture", "--dataset", "folder",
            "--root", root, "--limit", str(run), "--metrics", "usdr", "--out", out, "--no-report",
            "--keep-stems", "no", "--quiet",
        ]  # fmt: skip
        start = time.monotonic()
        process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
        sampler = Sampler(psutil.Process(process.pid), out)
        first_s = 0.0
        while process.poll() is None:
            sampler.sample()
            if not first_s and (out / "separations").is_dir():
                first_s = time.monotonic() - start
            time.sleep(0.5)
        if process.returncode:
            raise SystemExit(f"the run ended with {process.returncode}")
        each_ms = 1000 * (time.monotonic() - start - first_s) / run
        yield Figure("wide", "until the first separation", tracks, "tracks", first_s, "s")
        yield Figure("wide", "per separation", run, "tracks", each_ms, "ms")
        yield from sampler.figures(run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=10000)
    parser.add_argument("--run", type=int, default=1000)
    arguments = parser.parse_args()
    for figure in figures(arguments.tracks, arguments.run):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
