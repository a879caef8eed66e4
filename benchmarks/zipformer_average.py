"""Mix the weights of two runs of one network, with the share chosen on validation songs.

::

    python -m benchmarks.zipformer_average --material DIR --first DIR --second DIR --out DIR

Weights on the line between a network and the same network trained further often separate songs
of other kinds better than either end. DIR of ``--material`` is the prepared data set `rendered`; only its
validation songs are used: those with four stems, and those with vocals and an accompaniment.
The share with the highest mean gain over both kinds is written.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "adapters" / "zipformer")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

from zipformer_keras.inference import Separator  # noqa: E402
from zipformer_keras.training.augmentation import Song  # noqa: E402
from zipformer_keras.training.validation import gains  # noqa: E402
from zipformer_keras.variants import VARIANTS  # noqa: E402
from zipformer_keras.weights import (  # noqa: E402
    CONFIGURATION,
    WEIGHTS_FILE,
    read_weights,
    without_heads,
    write_weights,
)

from benchmarks.material import mapped_songs  # noqa: E402
from benchmarks.zipformer import si_sdr  # noqa: E402

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
BACKED = ("backed_vocals", "backed_accompaniment")


def mixed(
    first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], share: float
) -> dict[str, np.ndarray]:
    """Weights at a share (0: the first, 1: the second) of the way.

    Raises
    ------
    ValueError
        The two are not of one network.
    """
    shapes = [{name: array.shape for name, array in weights.items()} for weights in (first, second)]
    if shapes[0] != shapes[1]:
        raise ValueError("The weights are of different networks and cannot be mixed.")
    part = np.float32(share)
    return {name: (1 - part) * first[name] + part * second[name] for name in first}


def scored(
    variant: str, weights: Mapping[str, np.ndarray], songs: Sequence[Song]
) -> dict[str, float]:
    """SI-SDR gains on songs in dB, as `gains` gives them, and ``both``: the mean of its kinds."""
    configuration = VARIANTS[variant]
    found = gains(Separator(configuration, weights), configuration.stems, songs, si_sdr)
    kinds = [found["mean"]] if "mean" in found else []
    kinds += [float(np.mean([found[name] for name in BACKED]))] if BACKED[0] in found else []
    return found | {"both": float(np.mean(kinds))}


def validation_songs(folder: Path) -> list[Song]:
    """The validation songs of the prepared data set `rendered`."""
    songs = mapped_songs(folder / "train")
    return [song for name, song in songs.items() if name.startswith("validation")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--material", type=Path, required=True)
    parser.add_argument("--first", type=Path, required=True, help="folder of weights")
    parser.add_argument("--second", type=Path, required=True, help="folder of weights")
    parser.add_argument("--variant", default="tiny", choices=sorted(VARIANTS))
    parser.add_argument("--shares", default=",".join(map(str, SHARES)))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    first, _ = read_weights(arguments.first / WEIGHTS_FILE)
    second, notes = read_weights(arguments.second / WEIGHTS_FILE)
    first, second = without_heads(first), without_heads(second)
    notes = {name: value for name, value in notes.items() if name != CONFIGURATION}
    songs = validation_songs(arguments.material)
    scores: dict[float, float] = {}
    for share in map(float, arguments.shares.split(",")):
        found = scored(arguments.variant, mixed(first, second, share), songs)
        scores[share] = found["both"]
        told = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
        print(f"share {share:g}: {told}", flush=True)
    best = max(scores, key=lambda share: scores[share])
    said = {**notes, "share": f"{best:g}"}
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_weights(arguments.out / WEIGHTS_FILE, mixed(first, second, best), said, half=True)
    print(f"share {best:g} is written to {arguments.out}")


if __name__ == "__main__":
    main()
