"""Cost of one validation of a network with `benchbench.Validator`.

    python benchmarks/validation.py
    python benchmarks/validation.py --tracks 14 --seconds 30 --metrics usdr,si

Writes noise as tracks of four stereo stems at 44.1 kHz, validates a separator without cost, and
prints CPU and wall seconds of the first validation and of later ones. Values that depend only on
the references are computed in the first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

import benchbench

RATE = 44_100
STEMS = ("drums", "bass", "other", "vocals")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=14)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--metrics", default="usdr,si")
    parser.add_argument("--calls", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="validation-") as folder:
        write_songs(Path(folder), args.tracks, args.seconds)
        validator = benchbench.Validator("folder", args.metrics, root=folder, seconds=args.seconds)
        for number in range(args.calls):
            cpu, wall = time.process_time(), time.perf_counter()
            values = validator(separate)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            print(f"validation {number + 1}: {cpu:.1f} CPU s, {wall:.1f} s, {len(values)} values")


def separate(mixture: np.ndarray, _: int) -> dict[str, np.ndarray]:
    """The mixture for every stem, so that only the scoring is timed."""
    return dict.fromkeys(STEMS, mixture)


def write_songs(folder: Path, tracks: int, seconds: float) -> None:
    generator = np.random.default_rng(0)
    samples = round(seconds * RATE)
    for track in range(tracks):
        place = folder / f"track-{track:02}"
        place.mkdir()
        for stem in STEMS:
            noise = generator.standard_normal((samples, 2), np.float32) / 20
            soundfile.write(place / f"{stem}.wav", noise, RATE, subtype="FLOAT")


if __name__ == "__main__":
    main()
