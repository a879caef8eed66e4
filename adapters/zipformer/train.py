"""Training for ``bench train zipformer``: hands songs and a recipe to `zipformer_keras`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from adapters.zipformer.zipformer_keras.training.loop import Line

Song = Callable[[], Mapping[str, npt.NDArray[np.float32]]]
RATE = 44_100


def train(
    variant: str,
    songs: Sequence[Song],
    output: Path,
    *,
    validation: Sequence[Song],
    initial: Path | None,
    options: Mapping[str, object],
    tell: Callable[[str], None],
) -> Path:
    """Train a variant, or go on with the run that `output` holds.

    Parameters
    ----------
    variant
        A name of `zipformer_keras.VARIANTS`.
    songs, validation
        Functions that give {stem: float32 (channels, samples)} at 44.1 kHz.
    output
        Folder of the run. It gets ``weights/`` (the running mean of the weights, for
        ``--weights``), ``history.json``, ``training-state.npz`` and TensorBoard's ``logs/``.
    initial
        Folder of weights to start from; None: from drawn ones.
    options
        ``recipe`` (a name in ``recipes/``, or a .toml file; by default the variant's), ``logs``
        (bool), and any value of a recipe, such as ``steps``.
    tell
        Told the loss and the scores at each validation.

    Returns
    -------
    The folder of the averaged weights, for ``--weights``.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    recipes = importlib.import_module("zipformer_keras.training.recipe")
    teaching = importlib.import_module("zipformer_keras.training.train")
    changes = dict(options)
    logs = bool(changes.pop("logs", True))
    default = "musdb18-hq" if variant.startswith("base") else "tiny"
    recipe = recipes.read_recipe(str(changes.pop("recipe", default)), changes)

    def report(line: Line) -> None:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in line.scores.items())
        tell(
            f"step {line.step} of {recipe.steps}, {line.cpu_s / 60:.1f} min of processor: "
            f"loss {line.loss:.2f}" + (f"; SI-SDR gain in dB: {scores}" if scores else "")
        )

    weights: Path = teaching.teach(
        variant,
        recipe,
        songs,
        output,
        validation=validation,
        initial=initial,
        score=_si_sdr,
        report=report,
        logs=logs,
    )
    return weights


def _si_sdr(
    references: Mapping[str, npt.NDArray[np.float32]],
    estimates: Mapping[str, npt.NDArray[np.float32]],
) -> dict[str, float]:
    """The engine's own SI-SDR of every stem, in dB; silent stems are left out."""
    from benchbench import metrics
    from benchbench.metrics.references import References

    known = References(dict(references), sample_rate=RATE)
    found = metrics.evaluate(known, dict(estimates), ["si"])["si"]
    return {
        series.target: float(series.values[0])
        for series in found
        if series.metric == "SI-SDR" and np.isfinite(series.values[0])
    }
