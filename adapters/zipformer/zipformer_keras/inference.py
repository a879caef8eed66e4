"""Separation of a song of any length, chunk by chunk: the room that joins all others.

Offline, chunks overlap and are faded into one another, so that no chunk's edge is heard: a frame
at an edge has seen only one side of its surroundings. The fade acts on the masks, so one short
part of the spectrum is all that is kept between chunks. Live, chunks follow one another and the
network remembers.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from .configuration import CHANNELS, Configuration
from .queries import folded
from .runtime import Numbers, OnnxRuntime, make_runtime
from .sample_rate import Resampler, resample_blocks
from .shapes import weight_shapes
from .spectrum import Analysis, Samples, Spectrum, Synthesis, cells, expanded
from .weights import WEIGHTS_FILE, check, noted, read_weights

RATE = 44_100
Stems = dict[str, Samples]

CHUNK_FRAMES = 512
"""Frames that the network sees at once, 11.9 s."""
OVERLAP_FRAMES = 64
"""Frames, 1.5 s, in which one chunk fades into the next."""


HEARD = np.float32(0.5)
"""How loud the network hears a song: training makes songs softer by 0 to 12 dB, and validation
songs separate best in the middle of that (7.28 dB of gain, against 7.14 as loud as they are)."""


class Separator:
    """A loaded variant.

    Parameters
    ----------
    configuration
        The variant, for instance ``VARIANTS["tiny"]``.
    weights
        Arrays by name, see `weights`.
    device, runtime
        What runs the network, and on which processor; see `runtime.make_runtime`.
    overlap
        Frames in which one chunk fades into the next.
    query
        A singer's `queries.signature`, for networks that take one.

    Attributes
    ----------
    on_notes
        Called with the notes of consecutive frames, see `network.harmonics`; of a song with more than
        two channels with those of the first pair.

    Examples
    --------
    >>> separator = Separator.from_folder("tiny", "weights/tiny")  # doctest: +SKIP
    >>> stems = separator.separate(samples, 44_100)  # doctest: +SKIP
    >>> stems["vocals"].shape == samples.shape  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        configuration: Configuration,
        weights: Mapping[str, Numbers],
        *,
        device: str = "auto",
        runtime: str = "auto",
        overlap: int = OVERLAP_FRAMES,
        query: Numbers | None = None,
    ) -> None:
        check(weights, weight_shapes(configuration))
        self.parameters = sum(array.size for array in weights.values())
        if configuration.query:
            weights = folded(weights, query, configuration)
            configuration = replace(configuration, query=False)
        elif query is not None:
            raise ValueError(
                "This network separates by kind; it cannot look for an example's voice."
            )
        self.configuration = configuration
        self.frames = configuration.chunk or CHUNK_FRAMES
        self.overlap = 0 if configuration.chunk else overlap
        if not 0 <= 2 * self.overlap <= self.frames:
            raise ValueError(f"overlap must be 0 to {self.frames // 2} frames, not {overlap}.")
        self._runtime = make_runtime(configuration, weights, self.frames, runtime, device)
        self.on_notes: Callable[[Numbers], None] | None = None

    @classmethod
    def from_folder(
        cls,
        variant: str,
        folder: str | Path,
        *,
        device: str = "auto",
        runtime: str = "auto",
        query: Numbers | None = None,
    ) -> Separator:
        """Load a variant's weights.

        Parameters
        ----------
        variant
            A name in `variants.VARIANTS`. Weights whose notes hold a configuration, such as those of
            an adapted network, are of that one.
        folder
            Holds ``zipformer.safetensors``.
        device, runtime, query
            See `Separator`.

        Raises
        ------
        WeightsError
            The file is damaged or of another variant.
        ValueError
            There is no such variant, or an option has no such value.
        """
        arrays, notes = read_weights(Path(folder) / WEIGHTS_FILE)
        return cls(noted(notes, variant), arrays, device=device, runtime=runtime, query=query)

    def separate(self, mixture: Samples, sample_rate: int) -> Stems:
        """Separate a song and hold all of it in memory.

        Parameters
        ----------
        mixture
            float32 (channels, samples).
        sample_rate
            In Hz.

        Returns
        -------
        dict
            Stem to float32 (channels, samples), of the mixture's shape and rate.
        """
        stems = {name: np.empty(mixture.shape, np.float32) for name in self.configuration.outputs}
        position = 0
        for block in self.blocks(mixture, sample_rate):
            length = next(iter(block.values())).shape[1]
            for name, samples in block.items():
                stems[name][:, position : position + length] = samples
            position += length
        return stems

    def blocks(self, mixture: Samples, sample_rate: int) -> Iterator[Stems]:
        """Separate a song block by block, in memory that does not depend on its length.

        Parameters
        ----------
        mixture
            float32 (channels, samples), best a memory map. Mono is doubled for the network and
            the two results averaged; more than two channels are taken as stereo pairs in their
            order (a last one alone as mono), so that none is dropped.
        sample_rate
            In Hz. Rates other than 44.1 kHz are resampled on the way in and out.

        Yields
        ------
        dict
            Stem to float32 (channels, samples of this block). The blocks add up to exactly
            the mixture's length.
        """
        if mixture.ndim != 2 or not mixture.shape[0]:
            raise ValueError(f"mixture must be (channels, samples), not {mixture.shape}.")
        if sample_rate <= 0:
            raise ValueError(f"sample_rate must be positive, not {sample_rate}.")
        yield from self._joined(_blocks(mixture), sample_rate, *mixture.shape)

    def stream(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Stems]:
        """Separate sound as it comes in; for live variants.

        Parameters
        ----------
        blocks
            Consecutive float32 (channels, any length).
        sample_rate
            In Hz.

        Yields
        ------
        dict
            Stem to float32 (channels, samples), as soon as they are complete: a sample comes
            out no later than `variants.latency_samples` after it went in (and the delay of the
            resampling, at other rates). At the end the rest comes, so that lengths are equal.

        Raises
        ------
        ValueError
            The variant looks at whole chunks of a song.
        """
        if self.configuration.chunk is None:
            raise ValueError("This variant cannot run live; take one whose name ends in -live.")
        if sample_rate <= 0:
            raise ValueError(f"sample_rate must be positive, not {sample_rate}.")
        rest = iter(blocks)
        first = next(rest, None)
        if first is not None:
            yield from self._joined(_chain(first, rest), sample_rate, len(first), None)

    def _joined(
        self, blocks: Iterable[Samples], sample_rate: int, channels: int, length: int | None
    ) -> Iterator[Stems]:
        """All channels of all blocks, pair by pair."""
        pairs = -(-channels // CHANNELS)
        if pairs > 1:
            yield from self._many(list(blocks), sample_rate, channels)
            return
        if isinstance(self._runtime, OnnxRuntime):
            self._runtime.restart()
        counted = _Counted(blocks)
        source = (block[[0, 0]] if channels == 1 else block for block in counted)
        back = {name: Resampler(RATE, sample_rate, channels) for name in self.configuration.outputs}
        given = 0
        for separated in self._pair(resample_blocks(source, sample_rate, RATE, CHANNELS)):
            limit = (counted.total if length is None else length) - given
            block = {
                name: _kept(back[name].push(_fold(samples, channels)), limit)
                for name, samples in separated.items()
            }
            size = next(iter(block.values())).shape[1]
            given += size
            if size:
                yield block
        if sample_rate != RATE:
            end = np.zeros((channels, 0), np.float32)
            left = counted.total - given
            yield {
                name: _padded(_kept(resampler.push(end, last=True), left), left)
                for name, resampler in back.items()
            }

    def _many(self, blocks: list[Samples], sample_rate: int, channels: int) -> Iterator[Stems]:
        """More than two channels: every pair by itself, then joined in time."""
        whole = np.concatenate(blocks, axis=1)
        listener, parts = self.on_notes, []
        for start in range(0, channels, CHANNELS):
            parts.append(self.separate(whole[start : start + CHANNELS], sample_rate))
            self.on_notes = None
        self.on_notes = listener
        yield {
            name: np.concatenate([part[name] for part in parts])
            for name in self.configuration.outputs
        }

    def _pair(self, blocks: Iterable[Samples]) -> Iterator[Stems]:
        """Stereo at 44.1 kHz in blocks to its stems in blocks, cut to the same length."""
        c = self.configuration
        analysis = Analysis(c.frame, c.step, self.frames, self.overlap)
        outputs = {name: Synthesis(c.frame, c.step) for name in c.outputs}
        fade = np.linspace(0.0, 1.0, self.overlap + 2, dtype=np.float32)[1:-1]
        tail: Numbers | None = None
        for segment in analysis.segments(blocks):
            masks = self._masks(segment.spectrum)
            if tail is not None and self.overlap:
                risen = fade[:, None, None, None]
                masks[: self.overlap] = risen * masks[: self.overlap] + (1 - risen) * tail
            stop = segment.spectrum.shape[1] - (0 if segment.last else self.overlap)
            if self.on_notes and self._runtime.notes is not None:
                sounding = -(-segment.samples.stop // c.step)
                self.on_notes(self._runtime.notes[: min(stop, sounding)])
            if self.overlap:
                tail = masks[-self.overlap :].copy()
            spectrum = segment.spectrum[:, :stop]
            yield {
                name: output.add(self._apply(masks[:stop, stem], spectrum), segment.samples)
                for stem, (name, output) in enumerate(outputs.items())
            }

    def _masks(self, spectrum: Spectrum) -> Numbers:
        """(frames, stems, 2, cells)."""
        return self._runtime.run(cells(spectrum, self.configuration.groups) * HEARD**2)

    def _apply(self, masks: Numbers, spectrum: Spectrum) -> Spectrum:
        """One stem's spectrum (2, frames, bins)."""
        mask = expanded(masks, self.configuration.groups, spectrum.shape[-1])
        separated: Spectrum = mask.transpose(1, 0, 2) * spectrum
        return separated


class _Counted:
    """Blocks on their way in, and how many samples went by."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks = blocks
        self.total = 0

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            self.total += block.shape[1]
            yield block


def _chain(first: Samples, rest: Iterable[Samples]) -> Iterator[Samples]:
    yield first
    yield from rest


def _kept(samples: Samples, limit: int) -> Samples:
    return samples[:, :limit]


def _padded(samples: Samples, length: int) -> Samples:
    return np.pad(samples, ((0, 0), (0, length - samples.shape[1])))


def _fold(samples: Samples, channels: int) -> Samples:
    """A pair that was doubled mono is averaged."""
    return samples.mean(axis=0, keepdims=True) if channels == 1 else samples


def _blocks(mixture: Samples, size: int = RATE * 4) -> Iterator[Samples]:
    for start in range(0, mixture.shape[1], size):
        block = np.array(mixture[:, start : start + size], np.float32)
        _release(mixture)
        yield block


def _release(mixture: Samples) -> None:
    """Give back the pages of a memory map that were read, so that a long song does not pile up.

    They come back from the file if they are asked for again. Writable maps are left alone, as
    changes may live in memory only. A system without ``madvise`` (Windows) trims by itself.
    """
    if mixture.flags.writeable:
        return
    owner: object = mixture
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and hasattr(owner, "madvise"):
        owner.madvise(mmap.MADV_DONTNEED)
