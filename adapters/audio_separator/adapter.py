"""Networks of Ultimate Vocal Remover through the package ``audio-separator``, which takes files."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]

KINDS = {".ckpt": "MDXC", ".onnx": "MDX", ".pth": "VR"}
"""The package's word for an architecture, by the ending of its file."""

SHORTEST = 44100
"""Samples below which a mixture ends in zeros: transforms reflect half a window at each end."""

STEMS = {"Vocals": "vocals", "Instrumental": "accompaniment"}


class Adapter:
    """Writes the mixture, lets the package separate it, reads the stems."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, object]
    ) -> None:
        """Load the network from the folder of weights; the package would look for it online."""
        del options
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its weights.")
        os.environ["AUDIO_SEPARATOR_MODEL_DIR"] = str(weights)  # goes before what it is told
        os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"  # so that no file runs code
        (file,) = [path for path in weights.iterdir() if path.suffix in KINDS]
        settings = next((path.name for path in weights.glob("*.yaml")), None)
        self.kind = KINDS[file.suffix]
        if self.kind == "MDX":
            _provide_onnx2torch()
        from audio_separator.separator import Separator

        class Local(Separator):  # type: ignore[misc]
            def check_ffmpeg_installed(self) -> None:
                """WAV is read and written without that program."""

            def setup_torch_device(self, system_info: Any) -> None:
                super().setup_torch_device(system_info)
                if device == "cpu":
                    self.torch_device, self.torch_device_mps = self.torch_device_cpu, None
                    self.onnx_execution_provider = ["CPUExecutionProvider"]

            def download_model_files(
                self, model_filename: str
            ) -> tuple[str, str, str, str, str | None]:
                return model_filename, KINDS[file.suffix], variant, str(file), settings

        self._folder = tempfile.TemporaryDirectory(prefix="benchbench-audio-separator-")
        self.folder = Path(self._folder.name)
        self.separator = Local(
            log_level=logging.WARNING,
            model_file_dir=str(weights),
            output_dir=str(self.folder),
            output_format="WAV",
            normalization_threshold=1.0,
            use_soundfile=True,  # the other way goes through 16 bit and an ffmpeg program
        )
        self.separator.load_model(file.name)
        network = self.separator.model_instance
        network.normalization_threshold = np.inf  # else a stem above full scale is weakened
        network.input_subtype = "FLOAT"  # else VR's stems are rounded to 16 bit

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Vocals and accompaniment (2, samples) of a mixture (2, samples) at 44.1 kHz.

        The package multiplies what an MDX network finds by the mixture's peak, without having
        divided by it: such a mixture is brought to a peak of one before, and the stems are brought
        back. Other networks get a mixture as it is, unless it exceeds full scale.
        """
        import soundfile

        if not np.any(mixture):  # the package refuses silence
            return {stem: np.zeros_like(mixture) for stem in STEMS.values()}
        peak = float(np.abs(mixture).max())
        scale = peak if self.kind == "MDX" else max(1.0, peak)
        source = self.folder / "mixture.wav"
        room = max(0, SHORTEST - mixture.shape[1])
        padded = np.pad(mixture / scale, ((0, 0), (0, room)))
        soundfile.write(source, padded.T, sample_rate, subtype="FLOAT")
        self.separator.separate(str(source), dict(STEMS))
        stems = {}
        for stem in STEMS.values():
            path = self.folder / f"{stem}.wav"
            made = soundfile.read(path, dtype="float32", always_2d=True)[0].T
            path.unlink()
            stems[stem] = np.zeros_like(mixture)
            kept = min(made.shape[1], mixture.shape[1])
            stems[stem][:, :kept] = scale * made[:, :kept]
        return stems


def _provide_onnx2torch() -> None:
    """Let MDX networks be imported where torchvision does not fit PyTorch.

    The package imports onnx2torch, and this torchvision, for networks of unusual length; the
    others, those of the manifest among them, run in ONNX Runtime. Torchvision's wheels are built
    for CUDA, and fail to load beside a PyTorch without.
    """
    try:
        import onnx2torch  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        sys.modules["onnx2torch"] = types.ModuleType("onnx2torch")
