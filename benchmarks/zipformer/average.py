"""Mix the weights of two runs of one network, with a share that is given or chosen on validation songs.

Weights on the line between a network and the same network trained further often separate songs
of other kinds better than either end. With ``--material`` (the prepared data set `rendered`) every share of ``--shares``
is scored on its validation songs: those with four stems, and those with vocals and an accompaniment. The share with the highest mean gain
over both kinds is written. A single share needs no songs. Heads belong to the weights that they were trained on and are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from zipformer_keras.inference import Separator
from zipformer_keras.training.augmentation import Song
from zipformer_keras.training.validation import gains
from zipformer_keras.variants import VARIANTS
from zipformer_keras.weights import (
    CONFIGURATION,
    WEIGHTS_FILE,
    read_weights,
    without_heads,
    write_weights,
)

from benchmarks.material import mapped_songs
from benchmarks.zipformer.common import si_sdr

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


def main(arguments: argparse.Namespace) -> dict[str, object]:
    """Write the mix with the best share."""
    first, _ = read_weights(arguments.weights / WEIGHTS_FILE)
    second, notes = read_weights(arguments.other / WEIGHTS_FILE)
    first, second = without_heads(first), without_heads(second)
    notes = {name: value for name, value in notes.items() if name != CONFIGURATION}
    given = dict(note.split("=", 1) for note in arguments.note)
    scores = dict.fromkeys(arguments.shares, 0.0)
    if len(scores) > 1:
        songs = validation_songs(arguments.material)
        for share in scores:
            found = scored(arguments.variant, mixed(first, second, share), songs)
            scores[share] = found["both"]
            told = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
            print(f"  share {share:g}: {told}", flush=True)
    best = max(scores, key=lambda share: scores[share])
    said = {**notes, "share": f"{best:g}", **given}
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_weights(arguments.out / WEIGHTS_FILE, mixed(first, second, best), said)
    print(f"  share {best:g} is written to {arguments.out}")
    return {"share": best, "scores": scores}
