"""Open-Unmix through its package: its networks, its Wiener filter."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]

SHORTEST = 4096
"""Samples below which a mixture ends in zeros: the transform reflects half a window at each end."""


class Adapter:
    """Separates with one network a stem."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Build the networks without their weights, and read these from the folder."""
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its weights.")
        import torch

        _provide_torchaudio()
        import openunmix
        from openunmix.model import Separator

        gpu = "cuda" if torch.cuda.is_available() else "cpu"
        self.torch, self.device = torch, {"auto": gpu, "gpu": "cuda"}.get(device, device)
        networks = getattr(openunmix, f"{variant}_spec")(pretrained=False)
        for target, network in networks.items():
            (path,) = weights.glob(f"{target}-*.pth")
            # Files carry entries of an older class that the network has no use for.
            network.load_state_dict(torch.load(path, "cpu", weights_only=True), strict=False)
            network.eval()
        self.separator = Separator(
            networks, niter=int(str(options.get("niter", 1))), wiener_win_len=300
        ).to(self.device)
        self.separator.freeze()
        self.parameters = sum(p.numel() for n in networks.values() for p in n.parameters())

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Stems (2, samples) of a mixture (2, samples) at 44.1 kHz."""
        del sample_rate
        samples = mixture.shape[1]
        padded = np.zeros((1, mixture.shape[0], max(samples, SHORTEST)), np.float32)
        padded[0, :, :samples] = mixture
        with self.torch.no_grad():
            stems = self.separator(self.torch.from_numpy(padded).to(self.device))
        return {
            name: audio[0, :, :samples].cpu().numpy()
            for name, audio in self.separator.to_dict(stems).items()
        }


def _provide_torchaudio() -> None:
    """Let the package be imported where torchaudio does not fit PyTorch.

    It imports torchaudio to read files and to resample, neither of which is done here. Its wheels
    are built for CUDA, and fail to load beside a PyTorch without.
    """
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError):
        sys.modules["torchaudio"] = types.ModuleType("torchaudio")
