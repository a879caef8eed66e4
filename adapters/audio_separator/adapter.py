"""Networks of Ultimate Vocal Remover through the package ``audio-separator``, which takes files."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

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
        del device, options
        if weights is None:
            raise ValueError(f"{variant} needs the folder of its weights.")
        from audio_separator.separator import Separator

        (file,) = [path for path in weights.iterdir() if path.suffix in KINDS]
        settings = next((path.name for path in weights.glob("*.yaml")), None)

        class Local(Separator):  # type: ignore[misc]
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

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Vocals and accompaniment (2, samples) of a mixture (2, samples) at 44.1 kHz.

        The package weakens what exceeds full scale and does not say so; the mixture is weakened
        before, and the stems are brought back.
        """
        import soundfile

        if not np.any(mixture):  # the package refuses silence
            return {stem: np.zeros_like(mixture) for stem in STEMS.values()}
        scale = max(1.0, float(np.abs(mixture).max()))
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
