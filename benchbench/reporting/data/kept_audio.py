"""Kept audio: finding the files, measuring loudness, encoding for a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile
from scipy import signal

from benchbench.errors import DamagedResultsError
from benchbench.io.names import file_name
from benchbench.io.plain_files import is_plain_below
from benchbench.results.store import Results

__all__ = ["Library", "encoded", "loudness"]

Floats = npt.NDArray[np.float64]

MOST_FRAMES_PER_BYTE: Final = 1000
"""Frames that a byte of FLAC can hold: a block of 4096 silent frames has 14 bytes."""


@dataclass(frozen=True)
class Library:
    """The audio files stored with the results.

    Parameters
    ----------
    results
        The folders to look in.
    separations
        The newest separation of each model on each track.
    """

    results: tuple[Results, ...]
    separations: pd.DataFrame

    def reference(self, track: str, name: str) -> Path | None:
        """The mixture or a reference of a track."""
        rows = self.separations[self.separations["track"] == track]
        hashes = dict.fromkeys(str(value) for value in rows["track_hash"])
        return _first_sound(
            (results.root, results.track_audio(one) / f"{file_name(name)}.flac")
            for one in hashes
            for results in self.results
        )

    def estimate(self, model: str, track: str, stem: str) -> Path | None:
        """One stem of a model on a track."""
        rows = self.separations[
            (self.separations["track"] == track) & (self.separations["model"] == model)
        ]
        return _first_sound(
            (results.root, results.stem_audio(str(one)) / f"{file_name(stem)}.flac")
            for one in rows["separation_id"]
            for results in self.results
        )


def _first_sound(places: Iterable[tuple[Path, Path]]) -> Path | None:
    """The first of the files, each given with its results folder, that is plain audio.

    Results may come from a stranger: a link is not followed, and a file whose header states more
    samples than it can hold is not read.
    """
    return next((path for root, path in places if is_plain_below(root, path) and _fits(path)), None)


def _fits(path: Path) -> bool:
    try:
        header = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError):
        return False
    return bool(0 < header.frames <= MOST_FRAMES_PER_BYTE * path.stat().st_size)


def read(path: Path, start_s: float = 0.0, length_s: float | None = None) -> tuple[Floats, int]:
    """An excerpt of a file, of shape (samples, channels), and its sample rate in hertz.

    Raises
    ------
    DamagedResultsError
        If it cannot be decoded.
    """
    try:
        with soundfile.SoundFile(path) as file:
            rate = int(file.samplerate)
            first = min(max(0, round(start_s * rate)), file.frames)
            file.seek(first)
            count = file.frames - first if length_s is None else round(length_s * rate)
            samples: Floats = file.read(count, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DamagedResultsError(
            f"{path} cannot be decoded: {error}.", hint="Delete it; scores do not depend on it."
        ) from error
    return samples, rate


def loudness(samples: Floats, rate: int) -> float:
    """Loudness in LUFS by the weighting of ITU-R BS.1770-4, without its gate.

    A gate ignores quiet parts. In a short excerpt it would make a residual with a few bursts
    measure as loud as steady music.
    """
    shelf = _biquad(rate, 1681.974450955533, 0.7071752369554196, 3.999843853973347)
    pass_ = _biquad(rate, 38.13547087602444, 0.5003270373238773, None)
    weighted = signal.sosfilt(np.vstack([shelf, pass_]), samples, axis=0)
    power = float((weighted**2).mean(axis=0).sum())
    return float(-0.691 + 10 * np.log10(max(power, 1e-12)))


def _biquad(rate: int, frequency: float, quality: float, gain_db: float | None) -> Floats:
    """The high shelf of BS.1770 (with a gain) or its high pass (without), at any rate."""
    k = np.tan(np.pi * frequency / rate)
    below = 1 + k / quality + k * k
    poles = [1.0, 2 * (k * k - 1) / below, (1 - k / quality + k * k) / below]
    if gain_db is None:
        return np.array([[1.0, -2.0, 1.0, *poles]])
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    zeros = [
        (high + band * k / quality + k * k) / below,
        2 * (k * k - high) / below,
        (high - band * k / quality + k * k) / below,
    ]
    return np.array([[*zeros, *poles]])


def encoded(samples: Floats, rate: int, *, quality: float = 0.65) -> str:
    """MP3 as a ``data:`` URL: every browser decodes it; all files of a page share one delay."""
    if rate > 48000:
        samples, rate = signal.resample_poly(samples, 1, 2, axis=0), rate // 2
    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        np.clip(samples, -1.0, 1.0),
        rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE",
        compression_level=quality,
    )
    return "data:audio/mpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def same_length(parts: Sequence[Floats]) -> list[Floats]:
    """Cut all parts to the shortest, so that they start and loop together."""
    shortest = min(len(part) for part in parts)
    return [part[:shortest] for part in parts]
