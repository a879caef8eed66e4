"""Deezer's Spleeter 2.4.2 as it is, in the environment that it is pinned to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]


class Adapter:
    """Hands arrays to ``spleeter.separator.Separator``."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Point the package at the weights and build its separator.

        The package looks for ``<MODEL_PATH>/<variant>`` with a file ``.probe`` in it, and
        downloads what it does not find, so the files are put there.
        """
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its weights.")
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        if device == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        self._models = tempfile.TemporaryDirectory(prefix="benchbench-spleeter-original-")
        folder = Path(self._models.name) / variant
        shutil.copytree(weights, folder)
        (folder / ".probe").write_text("OK")
        os.environ["MODEL_PATH"] = self._models.name
        from spleeter.separator import Separator  # after MODEL_PATH: it is read at import

        mwf = bool(options.get("mwf", False))
        self.separator: Any = Separator(f"spleeter:{variant}", MWF=mwf, multiprocess=False)
        self.separator._params["MWF"] = mwf  # for arrays it forgets what its constructor was given

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Stems (2, samples) of a mixture (2, samples) at 44.1 kHz."""
        del sample_rate
        stems = self.separator.separate(np.array(mixture.T))
        return {name: np.asarray(audio, np.float32).T for name, audio in stems.items()}
