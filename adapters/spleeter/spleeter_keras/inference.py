"""Separation of a song, segment by segment: the room that joins all others.

Memory does not grow with the song: blocks are read, one segment is transformed, masked and
transformed back, and what is complete is handed on at once.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import wiener
from .architecture import CHANNELS, FRAMES, VARIANTS, Configuration
from .checkpoint import Variable, iterate_checkpoint
from .engines import make_runtime
from .sample_rate import Resampler, resample_blocks
from .signal_path import ADVANCE, BINS, RATE, Spectrum, Synthesis, analyse, segments

Samples = npt.NDArray[np.float32]
Stems = dict[str, Samples]
Filter = Callable[[Spectrum], list[Spectrum]]

MASK_EXTENSIONS = ("zeros", "average")


class Separator:
    """A loaded variant of Spleeter.

    Parameters
    ----------
    configuration
        The variant, for instance ``VARIANTS["2stems"]``.
    weights
        Variable names and arrays, see `checkpoint.iterate_checkpoint`.
    mwf
        Refine the stems with a multichannel Wiener filter: a second pass over the song, about
        twice the network's time and cleaner spatial images.
    mask_extension
        What happens above the networks' last bin (11 kHz, or 16.5 kHz in the ``-16kHz``
        variants): ``"zeros"`` leaves the stems empty there, as the original does;
        ``"average"`` goes on with each frame's mean mask. The Wiener filter always leaves
        them empty.
    device, runtime
        What runs the networks, and on which processor; see `runtime.make_runtime`.

    Examples
    --------
    >>> separator = Separator.from_folder("2stems", "weights/2stems")  # doctest: +SKIP
    >>> stems = separator.separate(samples, 44_100)  # doctest: +SKIP
    >>> stems["vocals"].shape == samples.shape  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        configuration: Configuration,
        weights: Iterable[Variable],
        *,
        mwf: bool = False,
        mask_extension: str = "zeros",
        device: str = "auto",
        runtime: str = "auto",
    ) -> None:
        if mask_extension not in MASK_EXTENSIONS:
            raise ValueError(
                f"mask_extension must be one of {', '.join(MASK_EXTENSIONS)}, "
                f"not {mask_extension!r}."
            )
        self.configuration = configuration
        self.mwf = mwf
        self.mask_extension = mask_extension
        # The Wiener filter starts from magnitudes; everything else asks for masks alone.
        self._runtime = make_runtime(
            configuration, weights, masks=not mwf, runtime=runtime, device=device
        )
        self.parameters = self._runtime.parameters

    @classmethod
    def from_folder(
        cls,
        variant: str,
        folder: str | Path,
        *,
        mwf: bool = False,
        mask_extension: str = "zeros",
        device: str = "auto",
        runtime: str = "auto",
    ) -> Separator:
        """Load a published variant, or one trained here, from the folder of its checkpoint.

        Parameters
        ----------
        variant
            A name in `architecture.VARIANTS`.
        folder
            Holds ``checkpoint``, ``model.index`` and ``model.data-00000-of-00001``.
        mwf, mask_extension, device, runtime
            See `Separator`.

        Raises
        ------
        CheckpointError
            The checkpoint is missing, damaged, partial or of another network.
        ValueError
            There is no such variant, or an option has no such value.
        """
        if variant not in VARIANTS:
            raise ValueError(f"There is no variant {variant!r}; there are {', '.join(VARIANTS)}.")
        configuration = VARIANTS[variant]
        weights = iterate_checkpoint(Path(folder), configuration)
        return cls(
            configuration,
            weights,
            mwf=mwf,
            mask_extension=mask_extension,
            device=device,
            runtime=runtime,
        )

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
        stems = {name: np.empty(mixture.shape, np.float32) for name in self.configuration.stems}
        position = 0
        for block in self.stream(mixture, sample_rate):
            length = next(iter(block.values())).shape[1]
            for name, samples in block.items():
                stems[name][:, position : position + length] = samples
            position += length
        return stems

    def stream(self, mixture: Samples, sample_rate: int) -> Iterator[Stems]:
        """Separate a song block by block, in memory that does not depend on its length.

        Parameters
        ----------
        mixture
            float32 (channels, samples), best a memory map. Mono is doubled for the networks
            and the two results averaged; more than two channels are taken as stereo pairs in
            their order (a last one alone as mono), so that none is dropped.
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
        filters = self._filters(mixture, sample_rate)
        count, length = mixture.shape
        outputs = {name: _Output(count, length, sample_rate) for name in self.configuration.stems}
        channels = CHANNELS * len(filters)
        for segment in segments(_read(mixture, channels, sample_rate), channels):
            spectrum = analyse(segment.samples)
            separated = [
                apply(spectrum[CHANNELS * pair :][:CHANNELS]) for pair, apply in enumerate(filters)
            ]
            yield {
                name: output.add([pair[index] for pair in separated], segment.complete)
                for index, (name, output) in enumerate(outputs.items())
            }
        if sample_rate != RATE:
            yield {name: output.finish() for name, output in outputs.items()}

    def _filters(self, mixture: Samples, sample_rate: int) -> list[Filter]:
        """For each stereo pair, what turns its spectrum into those of the stems."""
        pairs = -(-mixture.shape[0] // CHANNELS)
        if not self.mwf:
            return [self._mask] * pairs
        bins = self.configuration.bins
        models = [wiener.SpatialModel(len(self.configuration.stems), bins) for _ in range(pairs)]
        channels = CHANNELS * pairs
        for segment in segments(_read(mixture, channels, sample_rate), channels):
            spectrum = analyse(segment.samples)
            for pair, model in enumerate(models):
                part = spectrum[CHANNELS * pair :][:CHANNELS]
                low = part[..., :bins]
                model.observe(self._run(low), low, float(np.abs(part).max()))
        return [self._wiener(model.fit()) for model in models]

    def _mask(self, spectrum: Spectrum) -> list[Spectrum]:
        bins = self.configuration.bins
        low = spectrum[..., :bins]
        masks = self._run(low)
        if self.mask_extension == "zeros":
            return [mask * low for mask in masks]
        separated = []
        for mask in masks:
            full = np.empty((CHANNELS, FRAMES, BINS), np.float32)
            full[..., :bins] = mask
            full[..., bins:] = mask.mean(axis=-1, keepdims=True)
            separated.append(full * spectrum)
        return separated

    def _wiener(self, fitted: wiener.SpatialFilter) -> Filter:
        def apply(spectrum: Spectrum) -> list[Spectrum]:
            low = spectrum[..., : self.configuration.bins]
            return fitted.apply(self._run(low), low)

        return apply

    def _run(self, spectrum: Spectrum) -> npt.NDArray[np.float32]:
        """Networks' answer to a spectrum, float32 (stems, 2, `FRAMES`, bins)."""
        return self._runtime.run(np.abs(spectrum))


class _Output:
    """One stem on its way out: joined, cropped, folded and resampled back.

    Parameters
    ----------
    channels, length, sample_rate
        Of the mixture, which the stem has to match.
    """

    def __init__(self, channels: int, length: int, sample_rate: int) -> None:
        self._channels = channels
        self._left = length
        self._synthesis = [Synthesis(CHANNELS) for _ in range(0, channels, CHANNELS)]
        self._resampler = Resampler(RATE, sample_rate, channels)

    def add(self, pairs: list[Spectrum], complete: slice) -> Samples:
        """Add a segment, one spectrum a stereo pair; take the samples that are complete."""
        joined = [
            synthesis.add(spectrum)[:, complete]
            for synthesis, spectrum in zip(self._synthesis, pairs, strict=True)
        ]
        return self._limit(self._resampler.push(_fold(joined, self._channels)))

    def finish(self) -> Samples:
        """What the resampler still held, to the sample as long as the mixture asks for."""
        rest = self._limit(
            self._resampler.push(np.zeros((self._channels, 0), np.float32), last=True)
        )
        return np.pad(rest, ((0, 0), (0, self._left)))

    def _limit(self, samples: Samples) -> Samples:
        kept = samples[:, : self._left]
        self._left -= kept.shape[1]
        return kept


def _fold(pairs: list[Samples], channels: int) -> Samples:
    """Stereo pairs to the mixture's channels; a pair that was doubled mono is averaged."""
    if channels % CHANNELS:
        pairs = [*pairs[:-1], pairs[-1].mean(axis=0, keepdims=True)]
    return pairs[0] if len(pairs) == 1 else np.concatenate(pairs)


def _read(mixture: Samples, channels: int, sample_rate: int) -> Iterator[Samples]:
    """A mixture as blocks at 44.1 kHz of stereo pairs, float32 (channels, samples)."""
    return resample_blocks(_blocks(mixture, channels), sample_rate, RATE, channels)


def _blocks(mixture: Samples, channels: int) -> Iterator[Samples]:
    for start in range(0, mixture.shape[1], ADVANCE):
        block = np.array(mixture[:, start : start + ADVANCE], np.float32)
        _release(mixture)
        yield block if len(block) == channels else np.concatenate([block, block[-1:]])


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
