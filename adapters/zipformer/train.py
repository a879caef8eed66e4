"""Training for ``bench train zipformer``: hands songs and a recipe to `zipformer_keras`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchbench.io.processes.native_output import load_tensorflow

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
    unlabelled: Sequence[Song] = (),
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
    unlabelled
        Functions that give {"mixture": float32 (channels, samples)} at 44.1 kHz: songs without
        stems. An objective that needs no stems learns from these and from the mixtures of `songs`;
        a teacher, `options` ``teacher``, makes stems of them.

    Returns
    -------
    The folder of the averaged weights, for ``--weights``.

    Raises
    ------
    ValueError
        The recipe learns from songs that are not there, or the songs do not fit it.
    """
    load_tensorflow()
    recipes = importlib.import_module("zipformer_keras.training.recipe")
    teachers = importlib.import_module("zipformer_keras.training.teacher")
    teaching = importlib.import_module("zipformer_keras.training.train")
    changes = dict(options)
    logs = bool(changes.pop("logs", True))
    default = "musdb18-hq" if variant.startswith("base") else "tiny"
    recipe = recipes.read_recipe(str(changes.pop("recipe", default)), changes)
    about: dict[str, str] = {}
    if recipe.objective != recipes.SEPARATION:
        songs = [*unlabelled, *(_mixed(song) for song in songs)]
    elif recipe.teacher:
        if not unlabelled:
            raise ValueError("The recipe has a teacher, so it needs songs without stems (--songs).")
        songs = [*songs, *teachers.taught(unlabelled, recipe.teacher, output / "teacher", tell)]
        about = {"teacher": recipe.teacher, "teacher_songs": str(len(unlabelled))}
    elif unlabelled:
        raise ValueError(
            "The recipe learns from songs with stems only; with --songs take recipe=pretrain or "
            "recipe=selftrain."
        )
    kind = "SI-SDR gain in dB" if recipe.objective == recipes.SEPARATION else "hidden frames"

    def report(line: Line) -> None:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in line.scores.items())
        tell(
            f"step {line.step} of {recipe.steps}, {line.cpu_s / 60:.1f} min of processor: "
            f"loss {line.loss:.2f}" + (f"; {kind}: {scores}" if scores else "")
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
        about=about,
    )
    return weights


def _mixed(song: Song) -> Song:
    """A song's mixture: the sum of its stems."""

    def mixture() -> Mapping[str, npt.NDArray[np.float32]]:
        return {"mixture": np.sum(list(song().values()), axis=0, dtype=np.float32)}

    return cache(mixture)


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
