"""Draw the Zipformer's two pictures: how it learned, and one song before and after.

::

    python docs/figures/zipformer.py

The curves come from ``zipformer-learning.json`` beside this file: the histories of the runs that
`adapters/zipformer/README.md` tells of. The song is made by code and was not trained on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "adapters" / "zipformer")]

from zipformer_keras import Separator  # noqa: E402
from zipformer_keras.spectrum import analyse  # noqa: E402

from benchmarks.zipformer.common import RATE, SHIPPED, shipped_songs  # noqa: E402

SONG = "city-of-glass"
SECONDS = slice(6, 14)
COLOURS = {
    "zipformer:tiny": "#0b6e99",
    "spleeter:synth, the same songs": "#b4530a",
}


def learning() -> None:
    """SI-SDR gain on the validation songs against processor time."""
    histories = json.loads((HERE / "zipformer-learning.json").read_text(encoding="utf-8"))
    titles = {
        "mean": "mean of four stems",
        "vocals": "vocals",
        "backed_vocals": "vocals, released music",
    }
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), sharey=True, layout="constrained")
    for axis, (score, title) in zip(axes, titles.items(), strict=True):
        for name, history in histories.items():
            lines = [line for line in history if score in line["scores"]]
            minutes = [line["cpu_s"] / 60 for line in lines]
            axis.plot(
                minutes,
                [line["scores"][score] for line in lines],
                color=COLOURS[name],
                marker="o",
                markersize=3,
                label=name,
            )
        axis.set(title=title, xlabel="minutes of one core")
        axis.grid(alpha=0.3)
    axes[0].set(ylabel="SI-SDR gain, dB", ylim=(-3, None))
    axes[0].legend(frameon=False)
    figure.savefig(ROOT / "docs" / "img" / "zipformer-learning.svg", metadata={"Date": None})


def song() -> None:
    """Spectrograms of a mixture, the singing in it, and what was separated."""
    stems = dict(shipped_songs("synth"))[SONG]
    mixture = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    separated = Separator.from_folder("tiny", SHIPPED).separate(mixture, RATE)
    panels = {
        "mixture": mixture,
        "vocals, as they were": stems["vocals"],
        "vocals, separated": separated["vocals"],
    }
    figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True, layout="constrained")
    for axis, (name, samples) in zip(axes, panels.items(), strict=True):
        cut = samples[:, SECONDS.start * RATE : SECONDS.stop * RATE].mean(axis=0)
        levels = 20 * np.log10(np.abs(analyse(cut, 2048, 512, 372)) + 1e-5)
        axis.imshow(
            levels.T,
            origin="lower",
            aspect="auto",
            extent=(0, SECONDS.stop - SECONDS.start, 0, 8),
            vmin=-90,
            vmax=-20,
            cmap="magma",
        )
        axis.set(title=name, xlabel="s")
    axes[0].set(ylabel="kHz")
    figure.savefig(ROOT / "docs" / "img" / "zipformer-song.png", dpi=72)


if __name__ == "__main__":
    learning()
    song()
