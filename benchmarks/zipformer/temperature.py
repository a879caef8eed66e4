"""Choose the sharpness of the Zipformer's masks on validation songs, and write adjusted weights.

The masks are a softmax of the last layer's logits. Logits times a sharpness below 1 give softer
masks. Training fits the sharpness to the training songs; on other songs a softer mask has a lower
error. Only the validation songs with four stems of the prepared data set `rendered` are used.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from zipformer_keras.configuration import bin_count
from zipformer_keras.runtime import make_runtime
from zipformer_keras.spectrum import analyse, cells, pooled, product
from zipformer_keras.variants import VARIANTS
from zipformer_keras.weights import (
    CONFIGURATION,
    WEIGHTS_FILE,
    read_weights,
    without_heads,
    write_weights,
)

from benchmarks.material import mapped_songs

TINY = VARIANTS["tiny"]
FRAMES = 256
LEVEL = np.float32(10.0 ** (-6.0 / 20.0))
"""Songs are attenuated by 6 dB."""
SHARPNESS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0, 1.1, 1.2)
LAST_LAYER = ("unembed/kernel_0", "unembed/bias_0")


@dataclass(frozen=True)
class Heard:
    """The network's output for an excerpt of a song, and sums over cells.

    Parameters
    ----------
    logits
        float32 (frames, stems, 2, cells): logarithms of the masks.
    mixture
        float32 (frames, 2, cells): energy of the mixture.
    targets
        float32 (frames, stems, 2, cells): real part of the mixture's conjugate times the stem.
    energies
        (stems,): energy of each stem.
    """

    logits: np.ndarray
    mixture: np.ndarray
    targets: np.ndarray
    energies: np.ndarray


def heard(stems: np.ndarray, runtime: object) -> Heard:
    """Run the network on the sum of float32 (stems, 2, samples)."""
    spectra = analyse(stems * LEVEL, TINY.frame, TINY.step, bin_count(TINY.groups))
    mixture = spectra.sum(axis=0)
    seen = cells(mixture, TINY.groups)
    masks = runtime.run(seen)  # type: ignore[attr-defined]
    targets = [pooled(product(mixture, s), TINY.groups).transpose(1, 0, 2) for s in spectra]
    energies = np.array([np.square(np.abs(spectrum)).sum() for spectrum in spectra])
    return Heard(np.log(masks + 1e-8), seen[:, :2], np.stack(targets, axis=1), energies)


def improvement(song: Heard, sharpness: float) -> float:
    """SDR of the masked spectra minus that of the mixture, in dB, mean over the stems."""
    numbers = sharpness * song.logits
    masks = np.exp(numbers - numbers.max(axis=1, keepdims=True))
    masks /= masks.sum(axis=1, keepdims=True)
    changed = (masks * (masks * song.mixture[:, None] - 2.0 * song.targets)).sum(axis=(0, 2, 3))
    unchanged = song.mixture.sum() - 2.0 * song.targets.sum(axis=(0, 2, 3))
    levels = 10.0 * np.log10((unchanged + song.energies) / (changed + song.energies))
    return float(levels.mean())


def sharpened(weights: Mapping[str, np.ndarray], sharpness: float) -> dict[str, np.ndarray]:
    """Weights whose last layer outputs its logits times `sharpness`."""
    scale = np.float32(sharpness)
    return {name: w * scale if name in LAST_LAYER else w for name, w in weights.items()}


def excerpts(folder: Path) -> Sequence[np.ndarray]:
    """The middle of every validation song with four stems, float32 (stems, 2, samples)."""
    length, found = (FRAMES - 1) * TINY.step + TINY.frame, []
    for name, song in mapped_songs(folder / "train").items():
        if not name.startswith("validation") or not set(TINY.stems) <= set(song()):
            continue
        stems = [song()[stem] for stem in TINY.stems]
        start = max(stems[0].shape[1] - length, 0) // 2
        cut = [stem[:, start : start + length].astype(np.float32) / 32768.0 for stem in stems]
        missing = length - cut[0].shape[1]
        found.append(np.pad(np.stack(cut), ((0, 0), (0, 0), (0, missing))))
    return found


def main(arguments: argparse.Namespace) -> dict[str, object]:
    """Write the weights with the best sharpness."""
    weights, notes = read_weights(arguments.weights / WEIGHTS_FILE)
    weights, notes = without_heads(weights), {n: v for n, v in notes.items() if n != CONFIGURATION}
    runtime = make_runtime(VARIANTS[arguments.variant], weights, FRAMES, "onnx", "cpu")
    songs = [heard(stems, runtime) for stems in excerpts(arguments.material)]
    scores = {value: float(np.mean([improvement(s, value) for s in songs])) for value in SHARPNESS}
    for value, score in scores.items():
        print(f"  sharpness {value:.2f}: {score:.3f} dB on {len(songs)} validation songs")
    best = max(scores, key=lambda value: scores[value])
    arguments.out.mkdir(parents=True, exist_ok=True)
    said = {**notes, "sharpness": f"{best:g}"}
    write_weights(arguments.out / WEIGHTS_FILE, sharpened(weights, best), said)
    print(f"  sharpness {best:g} is written to {arguments.out}")
    return {"sharpness": best, "scores": scores}
