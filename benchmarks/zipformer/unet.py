"""Train a Spleeter U-Net with the Zipformer's training loop, so that only the network differs.

The songs, the augmentation, the loss, the optimizer and the running mean of the weights are those of
``bench train zipformer:tiny``; the network is `spleeter:synth`, which has as many parameters. The
masks are the ratios of estimates that Spleeter itself applies. The run can be stopped and resumed;
``weights/`` in its folder is a checkpoint.
"""

from __future__ import annotations

import argparse
from typing import Any

from spleeter_keras import Separator as Spleeter
from spleeter_keras.architecture import VARIANTS, build_network
from spleeter_keras.checkpoint import (
    assign_weights,
    collect_weights,
    read_checkpoint,
    write_checkpoint,
)
from zipformer_keras.configuration import Cells, Configuration
from zipformer_keras.training.augmentation import Library
from zipformer_keras.training.loop import Line, Run
from zipformer_keras.training.objectives.separation import Separation
from zipformer_keras.training.recipe import read_recipe
from zipformer_keras.training.validation import gains

from benchmarks.material import mapped_songs
from benchmarks.zipformer.common import si_sdr

SPLEETER = VARIANTS["synth"]
SCALE = 1024.0
"""Spleeter's magnitudes are not divided by a quarter of the frame, as the Zipformer's are."""

CELLS = Configuration(
    width=0,
    heads=0,
    query_width=0,
    feedforward=0,
    stacks=(),
    groups=(Cells(SPLEETER.bins),),
    embed=(1,),
    stems=SPLEETER.stems,
)
"""Every bin that the U-Net sees is a cell; the Zipformer's other sizes are unused here."""


def unet(frames: int) -> Any:
    """The U-Net with the interface that the loop expects: from cells to masks."""
    import keras
    from keras import ops

    class Masks(keras.Model):
        """Ratios of the squared estimates of all stems."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = build_network(SPLEETER, initializer="he_uniform", frames=frames)

        def call(self, cells: Any, training: bool = False) -> Any:
            """(batch, frames, 3, bins) to (batch, frames, stems, 2, bins)."""
            magnitudes = SCALE * ops.sqrt(ops.maximum(cells[:, :, :2], 0.0))
            estimates = self.inner(ops.transpose(magnitudes, (0, 1, 3, 2)), training=training)
            power = ops.square(estimates) + 1e-10
            return ops.transpose(power / ops.sum(power, axis=0), (1, 2, 0, 4, 3))

        def adapt(self, cells: Any) -> None:
            """Does nothing: batch normalization needs no statistics beforehand."""

    return Masks()


def main(given: argparse.Namespace) -> dict[str, object]:
    """Train for so many minutes of processor time, in all."""
    changes = {"learning_rate": given.learning_rate, "steps": given.steps, "validate_every": 500}
    recipe = read_recipe("tiny", changes)
    network = unet(recipe.frames)
    if given.unet:
        assign_weights(network.inner, read_checkpoint(given.unet, SPLEETER).items())
    songs = mapped_songs(given.material)
    kept = [song for name, song in songs.items() if name.startswith("validation")]
    learned = [song for name, song in songs.items() if not name.startswith("validation")]

    def validate() -> dict[str, float]:
        weights = collect_weights(network.inner, SPLEETER)
        write_checkpoint(given.out / "weights", weights)
        separator = Spleeter.from_folder("synth", given.out / "weights")
        return gains(separator, SPLEETER.stems, kept, si_sdr)

    def report(line: Line) -> None:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in line.scores.items())
        print(
            f"step {line.step}, {line.cpu_s / 60:.1f} min: loss {line.loss:.2f}; {scores}",
            flush=True,
        )

    library = Library.of(learned, SPLEETER.stems)
    task = Separation(library, CELLS, recipe)
    run = Run(recipe, CELLS, network, task, given.out, validate)
    run.run(report, cpu_limit_s=60.0 * given.minutes)

    return run.history[-1].scores if run.history else {}
