"""Notes of a song as a CSV file: pitch and voicing of the voice, activity of every stem, by frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .configuration import Configuration
from .pitches import PITCHES, RATE, frequencies

Numbers = npt.NDArray[np.float32]

VOICED = 0.5
"""Where the voicing is lower, the pitch is left empty."""
NEAR = 2
"""Pitches to both sides of the most likely one that its mean is taken over."""


class NotesFile:
    """Writes a song's notes as they come.

    Parameters
    ----------
    path
        The file; an existing one is replaced.
    configuration
        Names the stems, and gives the times of frames.
    """

    def __init__(self, path: Path, configuration: Configuration) -> None:
        self._path, self._configuration, self._frame = path, configuration, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        names = ("time_s", "f0_hz", "voicing", *configuration.stems)
        path.write_text(",".join(names) + "\n", encoding="utf-8")

    def add(self, notes: Numbers) -> None:
        """Append frames, (frames, pitches + 1 + stems), see `network.harmonics`; those before the song are left out."""
        c = self._configuration
        hertz, voicing = melody(notes)
        lines = []
        for index, row in enumerate(notes):
            # A song is led in by silence, so that the first frames lie before it.
            time = ((self._frame + index) * c.step + c.frame / 2 - (c.frame - c.step)) / RATE
            if time >= 0:
                sung = f"{hertz[index]:.2f}" if voicing[index] >= VOICED else ""
                heard: Sequence[str] = [f"{value:.3f}" for value in row[PITCHES + 1 :]]
                lines.append(",".join((f"{time:.4f}", sung, f"{voicing[index]:.3f}", *heard)))
        self._frame += len(notes)
        if lines:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")


def melody(notes: Numbers) -> tuple[Numbers, Numbers]:
    """Fundamental frequency in Hz and voicing, 0 to 1, of every frame.

    Parameters
    ----------
    notes
        float32 (frames, pitches + 1 or more), see `network.harmonics`.
    """
    chances = notes[:, :PITCHES]
    best = chances.argmax(axis=1)
    places = best[:, None] + np.arange(-NEAR, NEAR + 1)
    inside = (places >= 0) & (places < PITCHES)
    places = np.clip(places, 0, PITCHES - 1)
    weights = np.take_along_axis(chances, places, axis=1) * inside
    logs = np.log2(frequencies())[places]
    hertz = 2.0 ** ((weights * logs).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12))
    return hertz.astype(np.float32), (1.0 - notes[:, PITCHES]).astype(np.float32)
