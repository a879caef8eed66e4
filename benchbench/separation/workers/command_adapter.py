"""The adapter of every model of ``kind = "command"``: runs a program on files.

Like the worker that loads it, it is started by path and imports nothing of benchbench. It runs in
the engine's interpreter, which can read and write audio files; the program itself finds the
adapter's environment first on its PATH.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

WAV_BYTES = (1 << 32) - (1 << 16)
"""Bytes of sound that a WAV file holds; RF64 is WAV with 64-bit sizes."""

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")

Audio = npt.NDArray[np.float32]


class Adapter:
    """Writes the mixture, runs the command, reads the stems."""

    def load(
        self, variant: str, weights: Path | None, device: str, options: Mapping[str, Any]
    ) -> None:
        """Remember the command; the program loads its model at every track.

        Parameters
        ----------
        variant, weights, device
            Values for the command's placeholders.
        options
            ``command`` (words), ``files`` (stem to pattern), ``stems``, ``folder`` (where the
            command runs) and ``values`` (the model's own options).
        """
        self.command: list[str] = list(options["command"])
        self.files: dict[str, str] = dict(options["files"])
        self.stems: list[str] = list(options["stems"])
        self.folder: str = options["folder"]
        self.values = {key: str(value) for key, value in options["values"].items()}
        self.values |= {"variant": variant, "weights": str(weights or ""), "device": device}

    def separate(self, mixture: Audio, sample_rate: int) -> dict[str, Audio]:
        """Stems (channels, samples) as the program wrote them."""
        with tempfile.TemporaryDirectory(prefix="benchbench-command-") as scratch:
            source, output = Path(scratch) / "mixture.wav", Path(scratch) / "stems"
            output.mkdir()
            form = "RF64" if mixture.nbytes > WAV_BYTES else "WAV"
            soundfile.write(source, mixture.T, sample_rate, subtype="FLOAT", format=form)
            values = {"input": str(source), "output": str(output), "sample_rate": str(sample_rate)}
            self.run(self.values | values)
            return {stem: self.read(stem, output, sample_rate) for stem in self.stems}

    def run(self, values: Mapping[str, str]) -> None:
        """Run the command with its placeholders filled in; what it prints goes to the log."""
        words = []
        for word in self.command:
            for name, value in values.items():
                word = word.replace("{" + name + "}", value)
            words.append(word)
        print("$", *words, flush=True)
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, cwd=self.folder, check=False)
        except FileNotFoundError as error:
            raise RuntimeError(f"there is no program {words[0]!r}") from error
        if done.returncode:
            raise RuntimeError(f"{words[0]} ended with {done.returncode}")

    def read(self, stem: str, output: Path, sample_rate: int) -> Audio:
        """The file that the program wrote for a stem: ``<stem>.wav`` in any folder, or a pattern."""
        every = sorted(p for p in output.rglob("*") if p.suffix.lower() in SUFFIXES)
        pattern = self.files.get(stem)
        files = sorted(output.glob(pattern)) if pattern else [p for p in every if p.stem == stem]
        if len(files) != 1:
            names = ", ".join(str(p.relative_to(output)) for p in every) or "nothing"
            raise RuntimeError(
                f"{len(files)} files for the stem {stem} ({pattern or stem + '.wav'}); "
                f"the program wrote {names}"
            )
        audio, rate = soundfile.read(files[0], dtype="float32", always_2d=True)
        if rate != sample_rate:
            raise RuntimeError(
                f"{files[0].name} has {rate} Hz, its mixture {sample_rate} Hz; if the program "
                f"always works at {rate} Hz, write sample_rate = {rate} under [audio]"
            )
        stem_audio: Audio = audio.T
        return stem_audio
