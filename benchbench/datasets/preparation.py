"""A track's audio, ready to be separated and scored: raw files of its stems and its mixture.

What is odd about a track is written down as a flag and never repaired in silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from benchbench.datasets.dataset import Source, Track
from benchbench.errors import AudioError
from benchbench.io.audio_files import Audio, quantised, require_finite
from benchbench.io.decoding import BLOCK, blocks, info
from benchbench.io.raw_audio import RawAudio, write_raw

__all__ = ["PreparedTrack", "prepare", "summed"]

RESIDUAL_FLOOR_DB = -60.0
"""A shipped mixture that is nearer to the sum of the stems than this carries no flag."""


@dataclass(frozen=True)
class PreparedTrack:
    """A track whose audio lies in raw files, all of the same shape.

    Parameters
    ----------
    track
        What was prepared.
    sample_rate
        In hertz.
    stems, mixture
        Raw audio.
    flags
        What is odd: the data set's errata, ``unequal_lengths``, ``mono_stem:NAME``, ``clipping``, ``residual:-15.4dB``.
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


def prepare(track: Track, folder: Path) -> PreparedTrack:
    """Decode a track into raw files of `folder`.

    Stems are brought to one shape: mono ones are doubled where others are stereo, short ones end
    in zeros, each with a flag.

    Raises
    ------
    AudioError
        When a file cannot be read, holds NaN, or has another sampling rate than the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rate, channels, flags = _formats(track)
    stems = {
        name: write_raw(folder / f"stem-{number}.f32", _decoded(source, channels, track.quantise))
        for number, (name, source) in enumerate(track.stems.items())
    }
    lengths = {raw.samples for raw in stems.values()}
    samples = max(lengths)
    if samples == 0:
        raise AudioError(f"Track {track.name} holds no samples.")
    if len(lengths) > 1:
        flags.append("unequal_lengths")
        stems = {name: _lengthened(raw, samples) for name, raw in stems.items()}
    total = summed(stems, tuple(stems), folder / "sum.f32")
    if _peak(total) > 1.0:
        flags.append("clipping")
    if track.mixture is None:
        return PreparedTrack(track, rate, stems, total, tuple(flags))
    own = write_raw(folder / "mixture.f32", _decoded(track.mixture, channels, track.quantise))
    if own.samples != samples:
        flags.append("mixture_length")
        own = _lengthened(own, samples)
    residual = _residual_db(own, total)
    if residual > RESIDUAL_FLOOR_DB:
        flags.append(f"residual:{residual:.1f}dB")
    Path(total.file).unlink()
    return PreparedTrack(track, rate, stems, own, tuple(flags))


def summed(parts: Mapping[str, RawAudio], names: tuple[str, ...], path: Path) -> RawAudio:
    """The sum of some raw files of one shape; a single one is handed back as it is."""
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
    found = {name: [info(*file) for file in source.files] for name, source in sources.items()}
    rates = {header.sample_rate for headers in found.values() for header in headers}
    if len(rates) > 1:
        listed = ", ".join(f"{name} {own[0].sample_rate} Hz" for name, own in found.items())
        raise AudioError(
            f"The stems of {track.name} differ in sampling rate: {listed}.",
            hint="Bring them to one rate first; a score would depend on how that is done.",
        )
    channels = max(header.channels for headers in found.values() for header in headers)
    odd = [f"mono_stem:{n}" for n, own in found.items() if own[0].channels == 1 < channels]
    return rates.pop(), channels, [*track.flags, *odd]


def _decoded(source: Source, channels: int, quantise: bool) -> Iterator[Audio]:
    """A stem block by block; the files that make it up are added, short ones end in zeros."""
    parts = [_blocks(path, stream, channels) for path, stream in source.files]
    for several in zip_longest(*parts):
        present = [block for block in several if block is not None]
        longest = max(block.shape[1] for block in present)
        block = np.zeros((channels, longest), np.float32) if len(present) > 1 else present[0]
        if len(present) > 1:
            for one in present:
                block[:, : one.shape[1]] += one
        yield quantised(block) if quantise else block


def _blocks(path: Path, stream: int, channels: int) -> Iterator[Audio]:
    """A file in blocks of one length, so that those of several files can be added."""
    held: list[Audio] = []
    position = 0
    for block in blocks(path, stream):
        require_finite(block, str(path), position)
        position += block.shape[1]
        if block.shape[0] == 1 < channels:
            block = np.repeat(block, channels, axis=0)
        elif block.shape[0] != channels:
            raise AudioError(f"{path} has {block.shape[0]} channels, others have {channels}.")
        held.append(block)
        joined = np.concatenate(held, axis=1) if len(held) > 1 else block
        while joined.shape[1] >= BLOCK:
            yield joined[:, :BLOCK]
            joined = joined[:, BLOCK:]
        held = [joined] if joined.shape[1] else []
    if held:
        yield held[0]


def _lengthened(raw: RawAudio, samples: int) -> RawAudio:
    """The raw file with zeros at its end, or cut, so that it has so many samples."""
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
