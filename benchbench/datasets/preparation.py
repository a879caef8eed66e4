"""Decode a track into raw files of its stems and its mixture.

Every irregularity of a track is recorded as a flag, also when it is repaired.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from benchbench.datasets.dataset import Source, Track
from benchbench.errors import AudioError
from benchbench.io.audio.audio_files import Audio, quantised, require_finite
from benchbench.io.audio.decoding import BLOCK, blocks, info
from benchbench.io.audio.raw_audio import RawAudio, write_raw

__all__ = ["PreparedTrack", "prepare", "summed"]

RESIDUAL_FLOOR_DB = -60.0
"""A shipped mixture that is closer to the sum of the stems than this gets no flag."""


@dataclass(frozen=True)
class PreparedTrack:
    """A track decoded into raw files of one shape.

    Parameters
    ----------
    track
        What was prepared.
    sample_rate
        In hertz.
    stems, mixture
        Raw audio.
    flags
        Irregularities: the data set's errata, ``unequal_lengths``, ``mono_stem:NAME``, ``clipping``, ``residual:-15.4dB``,
        ``left_out:NAME`` (a sum beside its parts), ``truncated:NAME``.
    """

    track: Track
    sample_rate: int
    stems: Mapping[str, RawAudio]
    mixture: RawAudio
    flags: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.mixture.samples / self.sample_rate


def prepare(track: Track, folder: Path, *, allow_truncated: bool = False) -> PreparedTrack:
    """Decode a track into raw files of `folder`.

    Of a track without stems only the mixture is decoded. All stems get the same shape: mono stems are duplicated to stereo if others are stereo, short
    ones are padded with zeros, each with a flag.

    Parameters
    ----------
    track
        The track.
    folder
        The folder for the raw files.
    allow_truncated
        Whether truncated files are read up to their end, with a flag.

    Raises
    ------
    AudioError
        When a file cannot be read, holds NaN, or has another sampling rate than the others.
    """
    if track.problem:
        raise AudioError(track.problem)
    folder.mkdir(parents=True, exist_ok=True)
    rate, channels, flags = _formats(track)
    decoder = _Decoder(channels, track.quantise, allow_truncated)
    if not track.stems:
        return _without_references(track, folder, rate, decoder, flags)
    stems = {
        name: write_raw(folder / f"stem-{number}.f32", decoder.stem(name, source))
        for number, (name, source) in enumerate(track.stems.items())
    }
    lengths = {raw.samples for raw in stems.values()}
    samples = max(lengths)
    if samples == 0:
        raise AudioError(f"Track {track.name} holds no samples.")
    if len(lengths) > 1:
        stems = {name: _lengthened(raw, samples) for name, raw in stems.items()}
    if len(decoder.lengths) > 1:
        flags.append("unequal_lengths")
    total = summed(stems, tuple(stems), folder / "sum.f32")
    if _peak(total) > 1.0:
        flags.append("clipping")
    if track.mixture is None:
        return PreparedTrack(track, rate, stems, total, (*flags, *decoder.flags))
    mixture = write_raw(folder / "mixture.f32", decoder.stem("mixture", track.mixture))
    if mixture.samples != samples:
        flags.append("mixture_length")
        mixture = _lengthened(mixture, samples)
    if len(stems) > 1:  # a single stem need not equal the mixture
        residual = _residual_db(mixture, total)
        if residual > RESIDUAL_FLOOR_DB:
            flags.append(f"residual:{residual:.1f}dB")
        Path(total.file).unlink()
    return PreparedTrack(track, rate, stems, mixture, (*flags, *decoder.flags))


def _without_references(
    track: Track, folder: Path, rate: int, decoder: _Decoder, flags: list[str]
) -> PreparedTrack:
    """A track of which only the mixture exists."""
    if track.mixture is None:
        raise AudioError(f"Track {track.name} has neither stems nor a mixture.")
    mixture = write_raw(folder / "mixture.f32", decoder.stem("mixture", track.mixture))
    if _peak(mixture) > 1.0:
        flags.append("clipping")
    return PreparedTrack(track, rate, {}, mixture, (*flags, *decoder.flags))


def summed(parts: Mapping[str, RawAudio], names: tuple[str, ...], path: Path) -> RawAudio:
    """The sum of raw files of the same shape; a single file is returned unchanged."""
    if len(names) == 1:
        return parts[names[0]]
    chosen = [parts[name].open() for name in names]
    samples = chosen[0].shape[1]
    return write_raw(
        path,
        (
            np.sum([part[:, start : start + BLOCK] for part in chosen], axis=0, dtype=np.float32)
            for start in range(0, samples, BLOCK)
        ),
    )


def _formats(track: Track) -> tuple[int, int, list[str]]:
    sources = dict(track.stems)
    if track.mixture:
        sources["mixture"] = track.mixture
    headers = {name: [info(*file) for file in source.files] for name, source in sources.items()}
    rates = {header.sample_rate for every in headers.values() for header in every}
    if len(rates) > 1:
        listed = ", ".join(f"{name} {every[0].sample_rate} Hz" for name, every in headers.items())
        raise AudioError(
            f"The stems of {track.name} differ in sampling rate: {listed}.",
            hint="Resample them to one rate first; benchbench does not, since the method changes scores.",
        )
    channels = max(header.channels for every in headers.values() for header in every)
    odd = [f"mono_stem:{n}" for n, every in headers.items() if every[0].channels == 1 < channels]
    return rates.pop(), channels, [*track.flags, *odd]


class _Decoder:
    """Decodes the files of a track block by block.

    `lengths` holds the lengths of all stems' files in samples, `flags` the truncated files.
    """

    def __init__(self, channels: int, quantise: bool, allow_truncated: bool) -> None:
        self.channels = channels
        self.quantise = quantise
        self.allow_truncated = allow_truncated
        self.lengths: set[int] = set()
        self.flags: list[str] = []

    def stem(self, name: str, source: Source) -> Iterator[Audio]:
        """Decode a stem: the sum of its files, short ones padded with zeros."""
        parts = [self._blocks(name, path, stream) for path, stream in source.files]
        for several in zip_longest(*parts):
            present = [block for block in several if block is not None]
            longest = max(block.shape[1] for block in present)
            total = present[0]
            if len(present) > 1:
                total = np.zeros((self.channels, longest), np.float32)
                for block in present:
                    total[:, : block.shape[1]] += block
            yield quantised(total) if self.quantise else total

    def _blocks(self, name: str, path: Path, stream: int) -> Iterator[Audio]:
        """A file in blocks of equal length, so that the blocks of several files can be added."""
        rest = np.zeros((self.channels, 0), np.float32)
        position = 0
        for block in blocks(path, stream, on_truncated=self._on_truncated(name)):
            require_finite(block, str(path), position)
            position += block.shape[1]
            rest = np.concatenate([rest, self._widened(path, block)], axis=1)
            while rest.shape[1] >= BLOCK:
                yield rest[:, :BLOCK]
                rest = rest[:, BLOCK:]
        if position == 0:
            raise AudioError(f"{path} holds no samples.", hint="Check how it was written.")
        if name != "mixture":
            self.lengths.add(position)
        if rest.shape[1]:
            yield rest

    def _widened(self, path: Path, block: Audio) -> Audio:
        if block.shape[0] == 1 < self.channels:
            return np.repeat(block, self.channels, axis=0)
        if block.shape[0] != self.channels:
            raise AudioError(f"{path} has {block.shape[0]} channels, others have {self.channels}.")
        return block

    def _on_truncated(self, name: str) -> Callable[[str], None] | None:
        if not self.allow_truncated:
            return None
        return lambda _: self.flags.append(f"truncated:{name}")


def _lengthened(raw: RawAudio, samples: int) -> RawAudio:
    """The raw file, padded with zeros or cut to the given number of samples."""
    with Path(raw.file).open("r+b") as file:
        file.truncate(samples * raw.channels * 4)
    return RawAudio(raw.file, raw.channels, samples)


def _chunks(raw: RawAudio) -> Iterator[Audio]:
    audio = raw.open()
    for start in range(0, raw.samples, BLOCK):
        yield audio[:, start : start + BLOCK]


def _peak(raw: RawAudio) -> float:
    return max(float(np.abs(chunk).max()) for chunk in _chunks(raw))


def _residual_db(mixture: RawAudio, total: RawAudio) -> float:
    """Energy of mixture minus sum of stems, in dB below the mixture."""
    energy = residual = 0.0
    for mixed, added in zip(_chunks(mixture), _chunks(total), strict=True):
        energy += float(np.square(mixed, dtype=np.float64).sum())
        residual += float(np.square(mixed - added, dtype=np.float64).sum())
    return 10 * math.log10((residual + 1e-12) / (energy + 1e-12))
