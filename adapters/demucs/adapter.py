"""Demucs 4 through its package: its bags, its way of cutting a song, its own classes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]

SHORTEST = 44100
"""Samples below which a mixture ends in zeros: its deviation, by which it is scaled, is defined."""


class Adapter:
    """Separates with a bag of models as ``demucs.api.Separator`` does."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Read the bag's networks.

        The weights are pickles. Only those classes are let in that such a file is made of, so
        that a file cannot run code.
        """
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its weights.")
        import torch
        from demucs.api import Separator
        from demucs.pretrained import REMOTE_ROOT
        from demucs.repo import BagOnlyRepo, LocalRepo
        from demucs.states import load_model

        class Repository(LocalRepo):  # type: ignore[misc]
            def get_model(self, sig: str) -> Any:
                with torch.serialization.safe_globals(_classes()):
                    return load_model(torch.load(self._models[sig], "cpu", weights_only=True))

        class Local(Separator):  # type: ignore[misc]
            def _load_model(self) -> None:
                self._model = BagOnlyRepo(REMOTE_ROOT, Repository(weights)).get_model(variant)
                self._model.eval()
                self._audio_channels = self._model.audio_channels
                self._samplerate = self._model.samplerate

        gpu = "cuda" if torch.cuda.is_available() else "cpu"
        self.torch = torch
        self.separator = Local(
            variant,
            device={"auto": gpu, "gpu": "cuda"}.get(device, device),
            shifts=int(str(options.get("shifts", 1))),
            overlap=float(str(options.get("overlap", 0.25))),
        )
        self.parameters = sum(p.numel() for p in self.separator.model.parameters())

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Stems (2, samples) of a mixture (2, samples) at 44.1 kHz."""
        del sample_rate
        samples = mixture.shape[1]
        padded = np.zeros((mixture.shape[0], max(samples, SHORTEST)), np.float32)
        padded[:, :samples] = mixture
        random.seed(0)  # the shifts are drawn; the same song gives the same stems
        with self.torch.no_grad():
            _, stems = self.separator.separate_tensor(self.torch.from_numpy(padded))
        return {name: audio[:, :samples].cpu().numpy() for name, audio in stems.items()}


def _classes() -> list[Any]:
    """What a file of Demucs' weights may hold beside tensors and plain values."""
    from demucs.demucs import Demucs
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    return [Demucs, HDemucs, HTDemucs, Fraction]
