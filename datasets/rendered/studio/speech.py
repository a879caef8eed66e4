"""Analysis of speech: syllables of a recording as WORLD's pitch, envelope and aperiodicity."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from .world import pyworld

__all__ = ["FRAME", "RATE", "Syllable", "syllables"]

Signal = npt.NDArray[np.float64]
RATE = 16000
FRAME = 0.005
"""Seconds per frame of the analysis."""


@dataclass(frozen=True)
class Syllable:
    """One syllable: frames of its envelope (frames, bins), aperiodicity and pitch in Hz (0: unvoiced).

    `vowel` is the frame where the vowel begins, `peak` where it is loudest.
    """

    envelope: Signal
    aperiodicity: Signal
    pitch: Signal
    vowel: int
    peak: int


def syllables(recording: Path) -> list[Syllable]:
    """Return the syllables of a recording in the order in which they are spoken.

    Parameters
    ----------
    recording : raw G.722 at RATE, or any audio file.
    """
    sound = _decoded(recording)
    if sound.size < RATE // 2:
        return []
    sound = sound / (np.max(np.abs(sound)) + 1e-9)
    pitch, times = pyworld.dio(sound, RATE, f0_floor=65.0, f0_ceil=420.0, frame_period=5.0)
    pitch = pyworld.stonemask(sound, pitch, times, RATE)
    envelope = pyworld.cheaptrick(sound, pitch, times, RATE)
    aperiodicity = pyworld.d4c(sound, pitch, times, RATE)
    return _cut(pitch, envelope, aperiodicity)


def _decoded(path: Path) -> Signal:
    """Return a mono file as samples at RATE."""
    if path.suffix != ".g722" and (rate := soundfile.info(path).samplerate) != RATE:
        read, _ = soundfile.read(path, dtype="float64", always_2d=True)
        return np.asarray(soxr.resample(read.mean(axis=1), rate, RATE))
    with av.open(str(path), format="g722" if path.suffix == ".g722" else None) as container:
        pieces = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    if not pieces:
        return np.zeros(0)
    return np.concatenate(pieces).astype(np.float64) / 32768.0


def _cut(pitch: Signal, envelope: Signal, aperiodicity: Signal) -> list[Syllable]:
    """Cut where the voiced energy between two vowels is least."""
    low, high = (int(f / (RATE / 2) * (envelope.shape[1] - 1)) for f in (250.0, 3000.0))
    whole = np.sqrt(envelope[:, 50:].mean(axis=1)) + np.sqrt(envelope.mean(axis=1))
    loud = gaussian_filter1d(np.sqrt(envelope[:, low:high].mean(axis=1)) * (pitch > 0), 4.0)
    if loud.max() <= 0.0:
        return []
    peaks, _ = find_peaks(loud, height=0.08 * loud.max(), distance=20, prominence=0.03 * loud.max())
    silent = gaussian_filter1d(whole, 3.0) < 0.03 * whole.max()
    found = []
    for index, peak in enumerate(peaks):
        first = peaks[index - 1] + int(np.argmin(loud[peaks[index - 1] : peak])) if index else 0
        last = (
            peak + int(np.argmin(loud[peak : peaks[index + 1]]))
            if index + 1 < len(peaks)
            else len(loud)
        )
        first, last = max(first, peak - 50), min(last, peak + 60)
        quiet = np.flatnonzero(silent[first:peak])
        first += int(quiet[-1]) + 1 if quiet.size else 0
        quiet = np.flatnonzero(silent[peak:last])
        last = peak + int(quiet[0]) if quiet.size else last
        span = slice(first, last)
        voiced = pitch[span] > 0
        if last - first < 10 or voiced.sum() < 6:
            continue
        strong = np.flatnonzero((loud[span] > 0.55 * loud[peak]) & voiced)
        found.append(
            Syllable(
                envelope[span],
                aperiodicity[span],
                pitch[span],
                int(strong[0]) if strong.size else 0,
                int(peak - first),
            )
        )
    return found
