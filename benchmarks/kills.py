"""Kill runs at random moments with signal 9, resume them, and compare the final tables.

::

    python -m benchmarks kills --runs 50

In half of the cases the driver is killed; else one of its processes, a pipeline or a separator,
which the run must tolerate. Then the same command is run again, and the table of scores must equal
that of an undisturbed run: no row missing, duplicated or different.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import psutil
import pyarrow as pa
import soundfile

from benchbench.results.store import Results

RATE: Final = 44100
MODELS: Final = "irm,mixture:4stems,silence"
STEMS: Final = ("vocals", "drums", "bass", "other")
ENDINGS: Final = {"FLOAT": ".wav", "PCM_16": ".flac"}


def songs(
    root: Path,
    count: int = 3,
    seconds: float = 2.0,
    stems: Sequence[str] = STEMS,
    subtype: str = "FLOAT",
) -> Path:
    """A folder data set of noise; the subtype ``PCM_16`` gives small FLAC files."""
    for number in range(count):
        rng = np.random.default_rng(number)
        folder = root / f"song-{number}"
        folder.mkdir(parents=True)
        for stem in stems:
            noise = np.cumsum(rng.standard_normal((round(seconds * RATE), 2)), axis=0)
            noise -= noise.mean(axis=0)
            path = folder / f"{stem}{ENDINGS[subtype]}"
            soundfile.write(path, 0.2 * noise / np.abs(noise).max(), RATE, subtype=subtype)
    return root


def table(folder: Path) -> pa.Table:
    """All score columns except the run's name, sorted."""
    scores = Results(folder).scores().drop_columns(["run_id"])
    return scores.sort_by([(name, "ascending") for name in scores.column_names])


def command(
    root: Path, out: Path, jobs: int, models: str = MODELS, metrics: str = "usdr,si"
) -> list[str]:
    """The command of a run."""
    return [
        sys.executable, "-m", "benchbench", "run", "--models", models, "--dataset", "folder",
        "--root", str(root), "--out", str(out), "--metrics", metrics, "--no-report",
        "--retry-failed", "--keep-stems", "no", "--jobs", str(jobs), "--threads", "1",
    ]  # fmt: skip


def kill_somebody(process: subprocess.Popen[bytes], chance: random.Random) -> str:
    """Kill the driver, or one of the processes below it; returns what was killed."""
    family = psutil.Process(process.pid).children(recursive=True)
    if not family or chance.random() < 0.5:
        process.kill()
        return "driver"
    victim = chance.choice(family)
    try:
        words = " ".join(victim.cmdline())
        victim.kill()
    except psutil.Error:
        return "nobody"
    return "separator" if "worker.py" in words else "pipeline"


def kills(
    runs: int,
    *,
    jobs: int = 2,
    seed: int = 0,
    environment: Mapping[str, str] | None = None,
    tell: bool = True,
) -> Sequence[str]:
    """Run the test; returns what was killed in each run.

    Raises
    ------
    AssertionError
        When a final table differs.
    """
    chance = random.Random(seed)
    environment = {**os.environ, **(environment or {})}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    killed = []
    with tempfile.TemporaryDirectory(prefix="kills-") as place:
        root = songs(Path(place) / "songs")
        start = time.monotonic()
        subprocess.run(command(root, Path(place) / "whole", jobs), check=True, **quiet)
        whole_s = time.monotonic() - start
        expected = table(Path(place) / "whole")
        if not expected.num_rows:
            raise AssertionError("the undisturbed run stored nothing")
        for number in range(runs):
            out = Path(place) / f"run-{number}"
            words = command(root, out, jobs)
            process = subprocess.Popen(words, **quiet)
            time.sleep(chance.uniform(0.1, 1.0) * whole_s)
            what = "nobody" if process.poll() is not None else kill_somebody(process, chance)
            process.wait()
            before = Results(out).scores().num_rows
            again = subprocess.run(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
            )
            if again.returncode:
                raise AssertionError(f"run {number}, {what} killed: {again.stderr[-2000:]}")
            if not table(out).equals(expected):
                raise AssertionError(f"run {number}, {what} killed: the table differs")
            killed.append(what)
            if tell:
                print(f"{number + 1:3d}  {what:9s} killed with {before:3d} rows stored: equal")
    return killed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    killed = kills(arguments.runs, jobs=arguments.jobs, seed=arguments.seed)
    print(f"{len(killed)} of {arguments.runs} tables equal the undisturbed one")


if __name__ == "__main__":
    main()
