"""Training for ``bench train spleeter``: hands songs and options to `spleeter_keras.training`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchbench.io.processes.native_output import load_tensorflow

if TYPE_CHECKING:
    from adapters.spleeter.spleeter_keras.training import Validation

Song = Callable[[], Mapping[str, npt.NDArray[np.float32]]]


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
        ``2stems``, ``4stems`` or ``5stems``, each also with ``-16kHz``.
    songs, validation
        Functions that give {stem: float32 (channels, samples)} at 44.1 kHz.
    output
        Folder of the run.
    initial
        Folder of weights to start from; None: from drawn ones.
    options
        Numbers of `spleeter_keras.training.TrainingConfig`: steps, batch_size, ...
    tell
        Told the losses at each validation.

    Returns
    -------
    The folder of the best weights, for ``--weights``.
    """
    load_tensorflow()
    training = importlib.import_module("spleeter_keras.training")
    known = {f.name for f in fields(training.TrainingConfig)} - {"network", "augmentation"}
    unknown = set(options) - known
    if unknown:
        raise ValueError(
            f"Training has no option {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}."
        )

    def report(line: Validation) -> None:
        tell(f"step {line.step}: loss {line.loss:.5f}, validation loss {line.validation_loss:.5f}")

    result = training.train(
        training.variant_config(variant, **options),
        songs,
        output,
        validation=validation,
        initial=initial,
        report=report,
    )
    weights: Path = result.weights
    return weights
