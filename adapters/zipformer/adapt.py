"""A new stem from a few songs for ``bench adapt zipformer``: hands them to `zipformer_keras`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchbench.io.processes.native_output import load_tensorflow

Song = Callable[[], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]


def adapt(
    variant: str,
    examples: Mapping[str, Song],
    output: Path,
    *,
    stem: str,
    initial: Path,
    options: Mapping[str, object],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Add a stem to a variant, or tune one that it has.

    Parameters
    ----------
    variant
        A name of `zipformer_keras.VARIANTS` with an embedding: ``tiny`` or ``tiny-live``.
    examples
        By name, functions that give the stem and the mixture, float32 (2, samples) at 44.1 kHz.
    output
        Folder for the weights.
    stem
        The stem's name.
    initial
        Folder of the variant's weights.
    options
        ``steps``, ``batch_size``, ``learning_rate``, ``check_every``, ``seed``; ``beside`` (one or more
        stems of the variant to start from, such as ``vocals+other``; by default the one or two
        whose sum is most like the wanted stem).
    tell
        Called with progress messages.

    Returns
    -------
    ``stems``; ``beside``; ``compared``, the variant's stem that is most like the wanted stem; ``steps``;
    ``before`` and ``after``, SI-SDR in dB of every example: of that stem, and with what was learned
    from the other examples. Both are empty of one example.

    Raises
    ------
    ValueError
        The variant cannot grow, or an option is wrong.
    """
    load_tensorflow()
    growing = importlib.import_module("zipformer_keras.training.growing")
    found: dict[str, Any] = growing.grow(
        variant, examples, output, stem=stem, initial=initial, options=options, tell=tell
    )
    return found
