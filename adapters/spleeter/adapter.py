"""Spleeter for benchbench: hands a variant of `spleeter_keras` to the worker."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from adapters.spleeter.spleeter_keras import Separator


class Adapter:
    """Separates with the networks of Spleeter, in memory that does not grow with the song."""

    parameters: int
    _separator: Separator

    def load(
        self, variant: str, weights: Path | None, device: str, options: dict[str, object]
    ) -> None:
        """Build the networks and read their weights; once a worker.

        Parameters
        ----------
        variant
            ``2stems``, ``4stems`` or ``5stems``, each also with ``-16kHz``.
        weights
            Folder of the variant's checkpoint.
        device
            ``"auto"``, ``"cpu"`` or ``"gpu"``.
        options
            ``mwf`` (bool), ``mask_extension`` (``"zeros"`` or ``"average"``) and ``runtime``
            (``"auto"``, ``"onnx"`` or ``"keras"``).
        """
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ["KERAS_BACKEND"] = "tensorflow"
        # The worker puts this folder on the path; as a type it is known by its place.
        loaded: type[Separator] = importlib.import_module("spleeter_keras").Separator

        if weights is None:
            raise ValueError(f"Spleeter's variant {variant!r} needs the folder of its weights.")
        known = {"mwf": False, "mask_extension": "zeros", "runtime": "auto"}
        foreign = sorted(set(options) - set(known))
        if foreign:
            raise ValueError(f"Spleeter has no option {foreign[0]!r}; it has {', '.join(known)}.")
        chosen = known | options
        if not isinstance(chosen["mwf"], bool):
            raise ValueError(f"Option mwf must be true or false, not {chosen['mwf']!r}.")
        self._separator = loaded.from_folder(
            variant,
            weights,
            mwf=chosen["mwf"],
            mask_extension=str(chosen["mask_extension"]),
            device=device,
            runtime=str(chosen["runtime"]),
        )
        self.parameters = self._separator.parameters

    def separate(
        self, mixture: npt.NDArray[np.float32], sample_rate: int
    ) -> Iterator[dict[str, npt.NDArray[np.float32]]]:
        """Yield consecutive blocks of all stems, float32 (channels, samples).

        Parameters
        ----------
        mixture
            float32 (channels, samples), best a memory map.
        sample_rate
            In Hz.
        """
        yield from self._separator.stream(mixture, sample_rate)
