"""Train a Spleeter U-Net with the Zipformer's training loop, so that only the network differs.

::

    python -m benchmarks.zipformer_unet --material DIR --minutes 40 --out runs/unet [--weights DIR]

The songs, the augmentation, the loss, the optimizer and the running mean of the weights are those of
``bench train zipformer:tiny``; the network is `spleeter:synth`, which has as many parameters. The
masks are the ratios of estimates that Spleeter itself applies. The run can be stopped and resumed;
``weights/`` in its folder is a checkpoint for ``--weights``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

ADAPTERS = Path(__file__).resolve().parents[1] / "adapters"
sys.path[:0] = [str(ADAPTERS / "zipformer"), str(ADAPTERS / "spleeter")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

from spleeter_keras import Separator as Spleeter  # noqa: E402
from spleeter_keras.architecture import VARIANTS, build_network  # noqa: E402
from spleeter_keras.checkpoint import (  # noqa: E402
    assign_weights,
    collect_weights,
    read_checkpoint,
    write_checkpoint,
)
from zipformer_keras.configuration import Cells, Configuration  # noqa: E402
from zipformer_keras.training.augmentation import Library  # noqa: E402
from zipformer_keras.training.loop import Line, Run  # noqa: E402
from zipformer_keras.training.objectives.separation import Separation  # noqa: E402
from zipformer_keras.training.recipe import read_recipe  # noqa: E402
from zipformer_keras.training.validation import gains  # noqa: E402

from benchmarks.material import mapped_songs  # noqa: E402
from benchmarks.zipformer import si_sdr  # noqa: E402

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--material", type=Path, required=True, help="a folder of songs to learn")
    parser.add_argument("--minutes", type=float, default=40.0, help="of processor time, in all")
    parser.add_argument("--out", type=Path, default=Path("runs/unet"))
    parser.add_argument("--mapped", type=Path, help="where raw samples are kept for mapping")
    parser.add_argument("--weights", type=Path, help="a checkpoint to start from")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--steps", type=int, default=100_000, help="for the fall of the rate")
    parser.add_argument("--validate-every", type=int, default=500)
    given = parser.parse_args()
    changes = {
        "learning_rate": given.learning_rate,
        "steps": given.steps,
        "validate_every": given.validate_every,
    }
    recipe = read_recipe("tiny", changes)
    network = unet(recipe.frames)
    if given.weights:
        assign_weights(network.inner, read_checkpoint(given.weights, SPLEETER).items())
    songs = mapped_songs(given.material, given.mapped)
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


if __name__ == "__main__":
    main()
