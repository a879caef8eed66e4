"""Read the excerpts of a bundle: references and estimates of one separation, checked for size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from benchbench.errors import DamagedResultsError
from benchbench.io.names import file_name
from benchbench.metrics.pairing.stem_names import is_mixture, parts_and_sums
from benchbench.metrics.targets import ReferenceSet, reference_sets
from benchbench.results.bundle.layout import stem_excerpt, track_excerpt
from benchbench.results.bundle.manifest import Excerpt

__all__ = ["ExcerptAudio", "read_estimates", "read_references"]

_MOST_CHANNELS: Final = 16
_MOST_RATE: Final = 384_000
Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ExcerptAudio:
    """Stems of one excerpt, each of shape (channels, samples), at one rate in hertz."""

    stems: dict[str, Audio]
    rate: int

    def sets(self, model_stems: tuple[str, ...]) -> list[ReferenceSet]:
        """The sets of references that a model with these stems is scored against."""
        parts, _ = parts_and_sums([name for name in self.stems if not is_mixture(name)])
        return reference_sets(tuple(parts), model_stems)

    @property
    def clipped(self) -> npt.NDArray[np.bool_]:
        """Whether any stem reaches full scale, of shape (samples,): the file may have clipped it."""
        loud = [np.abs(audio).max(axis=0) >= 1 - 2**-14 for audio in self.stems.values()]
        return np.asarray(np.any(loud, axis=0), dtype=np.bool_)


def read_references(root: Path, excerpt: Excerpt, names: set[str]) -> ExcerptAudio | None:
    """The mixture and the references of an excerpt; None if a reference is missing.

    Raises
    ------
    DamagedResultsError
        When a file is no audio, or files differ in rate, channels or length.
    """
    wanted = ["mixture", *sorted(names)]
    return _read({name: track_excerpt(root, excerpt.track_hash, name) for name in wanted}, excerpt)


def read_estimates(
    root: Path, excerpt: Excerpt, separation_id: str, stems: tuple[str, ...]
) -> ExcerptAudio | None:
    """The stems of a separation; None if one is missing. Errors as for `read_references`."""
    return _read({stem: stem_excerpt(root, separation_id, stem) for stem in stems}, excerpt)


def _read(paths: dict[str, Path], excerpt: Excerpt) -> ExcerptAudio | None:
    if not all(path.is_file() for path in paths.values()):
        return None
    read = {name: _samples(path, excerpt) for name, path in paths.items()}
    kinds = {(audio.shape, rate) for audio, rate in read.values()}
    if len(kinds) > 1:
        raise _damaged(next(iter(paths.values())).parent, "its files differ in rate or length")
    return ExcerptAudio({name: audio for name, (audio, _) in read.items()}, kinds.pop()[1])


def _samples(path: Path, excerpt: Excerpt) -> tuple[Audio, int]:
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as sound:
            rate, channels = int(sound.samplerate), int(sound.channels)
            if sound.format != "FLAC" or channels > _MOST_CHANNELS or rate > _MOST_RATE:
                raise _damaged(path, "it is no FLAC file of usual rate and channels")
            if sound.frames > round(excerpt.seconds * rate) + 1:
                raise _damaged(path, f"it is longer than {excerpt.seconds:g} s")
            samples = sound.read(sound.frames, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise _damaged(path, f"it is no audio ({error})") from error
    return np.ascontiguousarray(samples.T), rate


def _damaged(path: Path, why: str) -> DamagedResultsError:
    name = "/".join(path.parts[-3:])
    return DamagedResultsError(
        f"{file_name(name, keep='.')}: {why}.", hint="Make the bundle again with `bench submit`."
    )
