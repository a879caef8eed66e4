"""A long run with a random kill every minute: its scores equal those of an uninterrupted run.

::

    python -m benchmarks soak --hours 8 --every 60

The same `bench run` is started until it ends by itself. Meanwhile the driver, its group, or one of
the processes below it is killed at random moments, on average once in `--every` seconds. The songs
are FLAC files of two stereo stems, about 300 MB for one hour.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from benchmarks.kills import command, kill_somebody, songs, table

MODELS: Final = "mixture,silence,mid-side"
STEMS: Final = ("vocals", "accompaniment")


@dataclass(frozen=True)
class Soaked:
    """The outcome: kills by what was killed, starts of the command, seconds, and rows of scores."""

    kills: Counter[str]
    starts: int
    disturbed_s: float
    whole_s: float
    rows: int


def soak(
    hours: float,
    every_s: float,
    *,
    song_s: float = 120.0,
    models: str = MODELS,
    jobs: int = 2,
    seed: int = 0,
) -> Soaked:
    """Run the test.

    Parameters
    ----------
    hours
        Audio in the data set, in hours.
    every_s
        Mean seconds between two kills.
    song_s
        Length of each song in seconds.
    models
        Models of the run, joined by commas.
    jobs, seed
        Jobs of the run; seed of the random moments.

    Raises
    ------
    AssertionError
        When the tables differ, a process is left, or a repeated command fails.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        place = Path(folder)
        count = max(1, round(hours * 3600 / song_s))
        root = songs(place / "songs", count, song_s, STEMS, "PCM_16")
        words = partial(command, root, jobs=jobs, models=models, metrics="usdr")
        start = time.monotonic()
        subprocess.run(words(place / "whole"), check=True, capture_output=True)
        whole_s = time.monotonic() - start
        kills, starts = Counter[str](), 0
        start = time.monotonic()
        while True:
            starts += 1
            process = subprocess.Popen(
                words(place / "out"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
            if _disturbed(process, every_s, chance, kills):
                break
        disturbed_s = time.monotonic() - start
        expected, resumed = table(place / "whole"), table(place / "out")
        if not resumed.equals(expected):
            raise AssertionError("the tables differ")
        return Soaked(kills, starts, disturbed_s, whole_s, resumed.num_rows)


def _disturbed(
    process: subprocess.Popen[bytes], every_s: float, chance: random.Random, kills: Counter[str]
) -> bool:
    """Kill something at random moments until the command ends; whether it ended by itself."""
    while True:
        try:
            _, errors = process.communicate(timeout=chance.expovariate(1 / every_s))
        except subprocess.TimeoutExpired:
            family = psutil.Process(process.pid).children(recursive=True)
            if chance.random() < 0.2:
                os.killpg(process.pid, signal.SIGKILL)
                what = "group"
            else:
                what = kill_somebody(process, chance)
            kills[what] += 1
            print(f"{datetime.now(UTC):%H:%M:%S} killed: {what}", flush=True)
            if what not in ("driver", "group"):
                continue
            process.communicate()
            alive = psutil.wait_procs(family, timeout=10)[1]
            if alive:
                raise AssertionError(f"{what} killed: {alive} still run") from None
            return False
        if process.returncode not in (0, 4):  # 4: a separator was killed too often
            raise AssertionError(f"the command ended with {process.returncode}: {errors[-2000:]!r}")
        return process.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0, help="of audio")
    parser.add_argument("--every", type=float, default=60.0, help="mean seconds between two kills")
    parser.add_argument("--song", type=float, default=120.0, help="seconds of each song")
    parser.add_argument("--models", default=MODELS, help="joined by commas")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    done = soak(
        flags.hours, flags.every, song_s=flags.song, models=flags.models, jobs=flags.jobs,
        seed=flags.seed,
    )  # fmt: skip
    kinds = ", ".join(f"{count} {what}" for what, count in sorted(done.kills.items()))
    print(
        f"{flags.hours:g} h of audio, {done.kills.total()} kills ({kinds}), {done.starts} starts, "
        f"{done.disturbed_s:.0f} s instead of {done.whole_s:.0f} s: {done.rows} rows are equal"
    )


if __name__ == "__main__":
    main()
