"""Score a data set in the shape of MUSDB18-HQ's test split: 50 songs of 4 minutes with 4 stems.

::

    python -m benchmarks musdb-shape                                    # 3.4 GB of disk
    python -m benchmarks musdb-shape --songs 4 --distinct 2 --seconds 5

The stems are generated music, stereo, 44.1 kHz, 16 bits as in MUSDB18-HQ; the estimates are stems
with bleed, less treble and noise. `bench run` scores them with the `report` group in as many
processes as there are cores, one numeric thread each. Of the songs `--distinct` are generated; the
others are links to these under names of their own, so that the disk holds a fifth. Memory is summed
over the processes of the run, without pages of files, which the system can reclaim.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import soundfile

from benchbench.results.store import Results
from benchmarks.measuring import ROOT, Figure

RATE = 44_100
STEMS = ("drums", "bass", "other", "vocals")
MANIFEST = """
kind = "folder"
folder = "{folder}"
name = "separated"
summary = "Generated stems with typical errors."
default_variant = "4stems"
[licence]
code = "CC0-1.0"
[variants.4stems]
stems = ["vocals", "drums", "bass", "other"]
"""
BARS = {"minutes": 6.0, "gigabytes": 1.5}


def stem(seconds: float, seed: int) -> np.ndarray:
    """Music-like audio of shape (samples, 2): decaying harmonic notes, bursts of noise, rests."""
    rng = np.random.default_rng(seed)
    length = int(seconds * RATE)
    out = np.zeros((length, 2), np.float32)
    for _ in range(int(4 * seconds) + 1):
        count = min(int(RATE * rng.uniform(0.2, 1.2)), length)
        start = int(rng.integers(length - count + 1))
        t = np.arange(count, dtype=np.float32) / RATE
        pitch = np.float32(55 * 2 ** (rng.integers(0, 60) / 12))
        if rng.random() < 0.3:
            note = rng.standard_normal(count, np.float32)
        else:
            note = sum(np.sin(2 * np.pi * pitch * h * t) / h for h in (1, 2, 3, 5))
        note *= np.exp(-t * np.float32(rng.uniform(2, 8))) * np.float32(rng.uniform(0.05, 0.3))
        pan = rng.uniform(0.2, 0.8)
        out[start : start + count] += note[:, None] * np.array([pan, 1 - pan], np.float32)
    return out / max(1.0, float(np.abs(out).max()))


def write_songs(place: Path, songs: int, distinct: int, seconds: float) -> tuple[Path, Path]:
    """The folders of the references and of the estimates."""
    folders = place / "references", place / "estimates"
    for song in range(songs):
        source = song % distinct
        if song < distinct:
            stems = {name: stem(seconds, 10 * song + k) for k, name in enumerate(STEMS)}
            mixture = sum(stems.values())
            rng = np.random.default_rng(song)
        for folder in folders:
            here = folder / f"song-{song:02d}"
            here.mkdir(parents=True)
            for name in STEMS:
                path = here / f"{name}.wav"
                if song >= distinct:
                    os.link(folder / f"song-{source:02d}" / path.name, path)
                    continue
                audio = stems[name]
                if folder is folders[1]:
                    audio = 0.7 * audio + 0.2 * np.roll(audio, 1, axis=0) + 0.1 * mixture
                    audio += 1e-4 * rng.standard_normal(audio.shape, np.float32)
                soundfile.write(path, np.clip(audio / 2, -1, 1), RATE, subtype="PCM_16")
    return folders


def measured_run(words: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds, and the peak in GB of the memory of a command's processes."""
    start = time.perf_counter()
    before = os.times()
    process = subprocess.Popen(words, env=environment)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _anonymous_bytes(process.pid))
        time.sleep(0.2)
    wall, after = time.perf_counter() - start, os.times()
    if process.returncode:
        raise SystemExit(f"{' '.join(words[1:4])} ended with {process.returncode}.")
    busy = after.children_user + after.children_system
    return wall, busy - before.children_user - before.children_system, peak / 1e9


def _anonymous_bytes(pid: int) -> int:
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for one in family:
        try:
            info = one.memory_info()
            total += info.rss - info.shared
        except psutil.Error:
            continue
    return total


def figures(songs: int, distinct: int, seconds: float, jobs: int) -> Iterator[Figure]:
    """Time and memory of one run."""
    with tempfile.TemporaryDirectory(prefix="musdb-shape-") as scratch:
        place = Path(scratch)
        references, estimates = write_songs(place, songs, min(distinct, songs), seconds)
        adapter = place / "adapters" / "separated"
        adapter.mkdir(parents=True)
        (adapter / "adapter.toml").write_text(MANIFEST.format(folder=estimates))
        words = [
            sys.executable, "-m", "benchbench", "run", "--models", "separated",
            "--adapter-path", str(place / "adapters"), "--dataset", "folder",
            "--root", str(references), "--out", str(place / "out"), "--metrics", "report",
            "--jobs", str(jobs), "--threads", "1", "--no-report", "--keep-stems", "no",
        ]  # fmt: skip
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, "1"), "PYTHONPATH": str(ROOT)}
        wall, busy, memory = measured_run(words, environment)
        rows = Results(place / "out").scores(columns=["track"])
        if len(rows.column("track").unique()) != songs:
            raise SystemExit(f"Only {len(rows.column('track').unique())} songs have scores.")
    whole = songs >= 50 and seconds >= 240
    bar = BARS if whole else dict.fromkeys(BARS, None)
    yield Figure("musdb-shape", "wall time", songs, "songs", wall / 60, "min", bar=bar["minutes"])
    yield Figure("musdb-shape", "processor time", songs, "songs", busy / 60, "min")
    yield Figure("musdb-shape", "memory", songs, "songs", memory, "GB", bar=bar["gigabytes"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=int, default=50)
    parser.add_argument("--distinct", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    for figure in figures(given.songs, given.distinct, given.seconds, given.jobs):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
