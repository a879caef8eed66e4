"""HT Demucs in ONNX Runtime, through the package ``demucs-onnx`` and its way of cutting a song."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]


class Adapter:
    """Runs one graph for all stems, or one for each."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Open the graphs in the folder of weights; the package would fetch them by itself."""
        del options
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its weights.")
        import demucs_onnx.inference as inference
        from demucs_onnx._hub import MODEL_REGISTRY
        from demucs_onnx.providers import resolve_providers

        kind = {"auto": "auto", "gpu": "cuda"}.get(device, device)
        providers, pool = resolve_providers(kind), inference.session_pool()
        self.package: Any = inference
        self.sources = MODEL_REGISTRY[variant].sources
        self.together = (
            pool.get(weights / f"{variant}.onnx", providers)
            if MODEL_REGISTRY[variant].kind == "single"
            else None
        )
        self.apart = {} if self.together else {
            stem: pool.get(weights / f"{variant}_{stem}.onnx", providers) for stem in self.sources
        }  # fmt: skip

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Stems (2, samples) of a mixture (2, samples) at 44.1 kHz."""
        del sample_rate
        if self.together is None:
            made = self.package._chunked_separate_specialists(self.apart, mixture, progress=False)
        else:
            made = self.package._chunked_separate_single(
                self.together, self.sources, mixture, progress=False
            )
        stems: dict[str, Audio] = made
        return stems
