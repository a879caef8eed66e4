"""Whole signals: read, check, round, resample, write.

Arrays are float32 of shape (channels, samples), full scale at 1.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchbench.errors import AudioError
from benchbench.io.atomic import replacing
from benchbench.io.audio.decoding import BLOCK, Audio, Tell, blocks, info

__all__ = [
    "Audio",
    "quantised",
    "read",
    "require_finite",
    "resample",
    "write_flac",
    "write_w64",
    "write_wav",
]


WAV_BYTES = (1 << 32) - (1 << 16)
"""Bytes of audio above which a file is written as RF64, because WAV has 32-bit sizes."""


def read(path: Path, stream: int = 0, *, on_truncated: Tell | None = None) -> tuple[Audio, int]:
    """Read a whole file.

    Parameters
    ----------
    path, stream, on_truncated
        As for `benchbench.io.audio.decoding.blocks`.

    Returns
    -------
    float32 (channels, samples), sampling rate in hertz

    Raises
    ------
    AudioError
        If the file is missing, empty, truncated, not audio, or holds NaN or infinity.
    """
    rate = info(path, stream).sample_rate
    parts = list(blocks(path, stream, on_truncated=on_truncated))
    audio = np.concatenate(parts, axis=1) if parts else np.zeros((1, 0), np.float32)
    if audio.shape[1] == 0:
        raise AudioError(f"{path} holds no samples.", hint="Check how it was written.")
    require_finite(audio, str(path))
    return audio, rate


def require_finite(audio: npt.NDArray[np.floating], what: str, start: int = 0) -> None:
    """Refuse NaN and infinity; the error gives the time of the first one.

    Parameters
    ----------
    audio
        A block of shape (channels, samples).
    what
        The file, for the error.
    start
        Position of the block in the file, in samples.

    Raises
    ------
    AudioError
    """
    finite = np.isfinite(audio)
    if not finite.all():
        sample = int(np.argmin(finite.all(axis=0)))
        channel = int(np.argmin(finite[:, sample]))
        raise AudioError(
            f"{what} holds {audio[channel, sample]} at channel {channel}, sample {start + sample}.",
            hint="Repair the file or leave it out; its score would be meaningless.",
        )


def quantised(audio: Audio) -> Audio:
    """Audio rounded to 16 bits, as musdb decodes stems for the published evaluations."""
    steps = np.clip(np.rint(audio * np.float32(32768)), -32768, 32767)
    rounded: Audio = (steps / np.float32(32768)).astype(np.float32)
    return rounded


def resample(audio: Audio, source: int, target: int, samples: int | None = None) -> Audio:
    """Audio at another sampling rate (soxr, high quality), of exactly `samples` if given."""
    if source != target:
        import soxr

        moved: Audio = np.asarray(
            soxr.resample(audio.T, source, target, quality="HQ"), np.float32
        ).T
        audio = moved
    if samples is not None and audio.shape[1] != samples:
        fitted = np.zeros((audio.shape[0], samples), np.float32)
        kept = min(samples, audio.shape[1])
        fitted[:, :kept] = audio[:, :kept]
        audio = fitted
    return audio


def write_wav(path: Path, audio: npt.NDArray[np.float32], sample_rate: int) -> None:
    """Write 32-bit float WAV, block by block, atomically through a temporary file.

    Files over 4 GiB are written as RF64, which is WAV with 64-bit sizes, under the same name.
    """
    _write(path, audio, sample_rate, "RF64" if 4 * audio.size > WAV_BYTES else "WAV", "FLOAT")


def write_w64(path: Path, audio: npt.NDArray[np.float32], sample_rate: int) -> None:
    """Write 32-bit float W64, atomically; equal audio gives equal files.

    A float WAV file contains the time of writing.
    """
    _write(path, audio, sample_rate, "W64", "FLOAT")


def write_flac(path: Path, audio: npt.NDArray[np.float32], sample_rate: int) -> None:
    """Write 16-bit FLAC for listening; samples above full scale are clipped."""
    _write(path, audio, sample_rate, "FLAC", "PCM_16")


def _write(
    path: Path, audio: npt.NDArray[np.float32], sample_rate: int, container: str, subtype: str
) -> None:
    import soundfile

    limits = (-1.0, 1.0) if container == "FLAC" else (None, None)
    with replacing(path) as temporary:
        try:
            with soundfile.SoundFile(
                str(temporary), "w", sample_rate, audio.shape[0], subtype, format=container
            ) as sound:
                for start in range(0, audio.shape[1], BLOCK):
                    sound.write(np.clip(audio[:, start : start + BLOCK].T, *limits))
        except (soundfile.LibsndfileError, AssertionError) as error:
            # libsndfile does not report why it wrote fewer samples.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
