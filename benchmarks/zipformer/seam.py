"""The change of the stems when chunks overlap by half instead of an eighth."""

from __future__ import annotations

import argparse
from itertools import islice

import numpy as np
from zipformer_keras import Separator
from zipformer_keras.weights import WEIGHTS_FILE, noted, read_weights

from benchmarks.zipformer.common import RATE, STEMS, shipped_songs


def main(arguments: argparse.Namespace) -> dict[str, object]:
    """The change of the stems when chunks overlap by half instead of an eighth."""
    weights, notes = read_weights(arguments.weights / WEIGHTS_FILE)
    configuration = noted(notes, "tiny")
    usual = Separator(configuration, weights)
    half = Separator(configuration, weights, overlap=usual.frames // 2)
    result = {}
    for name, stems in islice(shipped_songs("synth"), arguments.limit):
        mixture = np.sum(list(stems.values()), axis=0, dtype=np.float32)
        both = usual.separate(mixture, RATE), half.separate(mixture, RATE)
        for stem in STEMS:
            error = np.square(both[0][stem] - both[1][stem]).sum()
            result[f"{name}, {stem}"] = float(
                10 * np.log10(error / np.square(both[1][stem]).sum() + 1e-12)
            )
    for stem in STEMS:
        values = [value for name, value in result.items() if name.endswith(stem)]
        print(f"  {stem:8} differs by {np.mean(values):.1f} dB of itself (most {max(values):.1f})")
    return result
