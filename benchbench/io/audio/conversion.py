"""Convert audio to the sampling rate and channels that a separator declares, and back.

Only this module changes a mixture before separation. It works block by block on raw
files, so a long file needs no more memory than a short one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchbench.errors import AudioError
from benchbench.io.audio.audio_files import Audio
from benchbench.io.audio.decoding import BLOCK
from benchbench.io.audio.raw_audio import RawAudio, write_raw

__all__ = ["convert"]


def convert(
    raw: RawAudio, path: Path, rate: int, to_rate: int, channels: int, samples: int | None = None
) -> RawAudio:
    """Convert audio to another sampling rate and other channels, into a file at `path`.

    Several channels are averaged to one; one channel is copied to several. soxr resamples (high
    quality), without delay. Audio that needs no change is returned unchanged.

    Parameters
    ----------
    raw
        The audio to convert.
    path
        The file to write.
    rate, to_rate
        Sampling rates of `raw` and of the result, in hertz.
    channels
        Channels of the result.
    samples
        The exact length of the result; None: the length by the ratio of rates, rounded up.

    Raises
    ------
    AudioError
        For an ambiguous change of channels, such as 6 to 2.
    """
    if samples is None:
        samples = math.ceil(raw.samples * to_rate / rate)
    if rate == to_rate and channels == raw.channels and samples == raw.samples:
        return raw
    if channels != raw.channels and 1 not in (channels, raw.channels):
        raise AudioError(
            f"{raw.channels} channels cannot be converted to {channels}, which the model needs.",
            hint="Mix the tracks down first.",
        )
    blocks = _resampled(_mixed(raw, channels), rate, to_rate, channels)
    return write_raw(path, _fitted(blocks, channels, samples))


def _mixed(raw: RawAudio, channels: int) -> Iterator[Audio]:
    audio = raw.open()
    for start in range(0, raw.samples, BLOCK):
        block = np.asarray(audio[:, start : start + BLOCK])
        if channels == block.shape[0]:
            yield block
        elif channels == 1:
            yield block.mean(axis=0, keepdims=True, dtype=np.float32)
        else:
            yield np.repeat(block, channels, axis=0)


def _resampled(blocks: Iterator[Audio], rate: int, to_rate: int, channels: int) -> Iterator[Audio]:
    if rate == to_rate:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(rate, to_rate, channels, dtype="float32", quality="HQ")
    for block in blocks:
        yield np.asarray(stream.resample_chunk(np.ascontiguousarray(block.T)), np.float32).T
    last = np.zeros((0, channels), np.float32)
    yield np.asarray(stream.resample_chunk(last, last=True), np.float32).T


def _fitted(blocks: Iterator[Audio], channels: int, samples: int) -> Iterator[Audio]:
    """Blocks of exactly `samples` samples in total: the resampler may give one more or less."""
    left = samples
    for block in blocks:
        kept = block[:, :left]
        left -= kept.shape[1]
        yield kept
    yield np.zeros((channels, left), np.float32)
