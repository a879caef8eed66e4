"""Spleeter's and UVR's ONNX files through sherpa-onnx."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]

MARGIN = 8192
"""Zeros before and after a mixture: where only one window of the inverse transform lies, the
runtime divides by next to nothing, and its first and last samples explode."""


class Adapter:
    """Separates vocals from the rest."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Open the network, or the two of Spleeter."""
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its weights.")
        import sherpa_onnx

        if variant.startswith("spleeter"):
            networks = {
                "spleeter": sherpa_onnx.OfflineSourceSeparationSpleeterModelConfig(
                    str(weights / "vocals.onnx"), str(weights / "accompaniment.onnx")
                )
            }
        else:
            (path,) = weights.glob("*.onnx")
            networks = {"uvr": sherpa_onnx.OfflineSourceSeparationUvrModelConfig(str(path))}
        model = sherpa_onnx.OfflineSourceSeparationModelConfig(
            **networks,
            num_threads=int(str(options.get("threads", 2))),
            provider="cuda" if device == "gpu" else "cpu",
        )
        config = sherpa_onnx.OfflineSourceSeparationConfig(model)
        if not config.validate():
            raise ValueError(f"sherpa-onnx does not accept the files in {weights}.")
        self.separator = sherpa_onnx.OfflineSourceSeparation(config)

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Vocals and accompaniment (2, samples) of a mixture (2, samples) at 44.1 kHz."""
        padded = np.ascontiguousarray(np.pad(mixture, ((0, 0), (MARGIN, MARGIN))))
        stems = self.separator.process(sample_rate, padded).stems
        inner = slice(MARGIN, MARGIN + mixture.shape[1])
        return {
            name: np.asarray(stem.data, np.float32)[:, inner]
            for name, stem in zip(("vocals", "accompaniment"), stems, strict=True)
        }
