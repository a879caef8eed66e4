"""Songs in which one stem is known, for `bench adapt`: read, checked, ready to learn from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbench.api.training.unlabelled import RATE, SILENT, peak
from benchbench.datasets.dataset import Track
from benchbench.datasets.preparation import prepare
from benchbench.errors import AudioError, UsageError
from benchbench.io.audio.audio_files import Audio
from benchbench.io.audio.conversion import convert
from benchbench.io.audio.decoding import BLOCK
from benchbench.io.audio.raw_audio import RawAudio
from benchbench.metrics.pairing.stem_names import canonical, name_key

__all__ = ["Example", "read_examples"]

LEAST_S = 5.0
"""Least total length of the examples, in seconds."""
MOST = 10
"""Greatest number of examples; with more songs, training a network is better."""
SAME = 0.99
"""Correlation from which a stem and its mixture count as the same sound."""
LOUDER_DB = 20.0
"""A stem that is so much louder than its mixture is not a part of it."""
CHANGED_LENGTH = {"unequal_lengths", "mixture_length"}


@dataclass(frozen=True)
class Example:
    """A song in which one stem is known.

    Parameters
    ----------
    name
        Of the track.
    stem, mixture
        Raw audio, stereo at `RATE`, equally long.
    """

    name: str
    stem: RawAudio
    mixture: RawAudio

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.stem.samples / RATE

    @property
    def sha256(self) -> str:
        """Hash of the samples of stem and mixture."""
        total = hashlib.sha256()
        for raw in (self.stem, self.mixture):
            audio = raw.open()
            for start in range(0, raw.samples, BLOCK):
                total.update(np.ascontiguousarray(audio[:, start : start + BLOCK]).tobytes())
        return total.hexdigest()

    def __call__(self) -> tuple[Audio, Audio]:
        """Stem and mixture, float32 (2, samples), memory-mapped."""
        return self.stem.open(), self.mixture.open()


def read_examples(
    tracks: Sequence[Track], stem: str, scratch: Path, tell: Callable[[str], None]
) -> list[Example]:
    """Decode and check the examples of a stem.

    Tracks without the stem, and tracks in which it is silent, are reported and left out.

    Parameters
    ----------
    tracks
        Each with the stem and a mixture, or with the stem and all others.
    stem
        The stem's name.
    scratch
        Folder for the decoded samples, which are kept.
    tell
        Called with a sentence about each track that is left out.

    Raises
    ------
    UsageError
        When no track has the stem, or it is silent in all; when stem and mixture differ in
        length, are the same sound, or do not belong together; when the examples are shorter than
        `LEAST_S` together or more than `MOST`.
    """
    examples, without, silent = [], [], []
    for number, track in enumerate(tracks):
        name = _spelled(track, stem)
        if name is None:
            without.append(track.name)
            tell(f"{track.name} has no {stem} and is left out.")
            continue
        example = _read(track, name, scratch / str(number))
        if peak(example.stem) < SILENT:
            silent.append(track.name)
            tell(f"In {track.name} the {stem} is silent; it is left out.")
            continue
        _require_part(example, stem)
        examples.append(example)
    _require_enough(examples, stem, without, silent)
    return examples


def _spelled(track: Track, stem: str) -> str | None:
    """The track's name of the stem, in any spelling."""
    wanted = name_key(canonical(stem))
    return next((name for name in track.stems if name_key(canonical(name)) == wanted), None)


def _read(track: Track, stem: str, folder: Path) -> Example:
    if track.mixture is None and len(track.stems) == 1:
        raise UsageError(
            f"{track.name} holds {stem} and nothing else, so there is no mixture to take it out of.",
            hint="Put the song beside it as mixture.wav, or its other stems.",
        )
    prepared = prepare(track, folder)
    if CHANGED_LENGTH & set(prepared.flags):
        raise UsageError(
            f"The files of {track.name} differ in length; the longest has "
            f"{prepared.seconds:.2f} s.",
            hint="Export stem and mixture from the same start to the same end.",
        )
    both = (prepared.stems[stem], prepared.mixture)
    try:
        stereo = [
            convert(raw, folder / f"converted-{number}.f32", prepared.sample_rate, RATE, 2)
            for number, raw in enumerate(both)
        ]
    except AudioError as error:
        raise UsageError(f"{track.name}: {error.message}", hint=error.hint) from error
    return Example(track.name, stereo[0], stereo[1])


def _require_part(example: Example, stem: str) -> None:
    """Refuse a stem that is the mixture, or no part of it."""
    part, whole = example()
    inner = energy = mixture = 0.0
    for start in range(0, example.stem.samples, BLOCK):
        x = part[:, start : start + BLOCK].astype(np.float64)
        y = whole[:, start : start + BLOCK].astype(np.float64)
        inner, energy, mixture = (
            inner + (x * y).sum(),
            energy + (x * x).sum(),
            mixture + (y * y).sum(),
        )
    if mixture == 0.0 or energy > 10.0 ** (LOUDER_DB / 10.0) * mixture:
        raise UsageError(
            f"In {example.name} the {stem} is more than {LOUDER_DB:.0f} dB louder than the mixture, "
            "so it is no part of it.",
            hint="Are the files of the same song and of the same level?",
        )
    if inner > SAME * np.sqrt(energy * mixture):
        raise UsageError(
            f"In {example.name} the {stem} and the mixture are the same sound "
            f"(correlation {inner / np.sqrt(energy * mixture):.3f}).",
            hint="The mixture must hold other instruments too.",
        )


def _require_enough(
    examples: Sequence[Example], stem: str, without: Sequence[str], silent: Sequence[str]
) -> None:
    if not examples and silent:
        raise UsageError(f"The {stem} is silent in every example: {', '.join(silent)}.")
    if not examples:
        raise UsageError(
            f"No example has a stem {stem}: {', '.join(without)}.",
            hint=f"Each example is a folder with {stem}.wav and mixture.wav, or {stem}.wav and the "
            "other stems.",
        )
    if len(examples) > MOST:
        raise UsageError(
            f"{len(examples)} examples are more than the {MOST} that are used.",
            hint="Take the most different ones; with many songs, `bench train` learns more.",
        )
    seconds = sum(example.seconds for example in examples)
    if seconds < LEAST_S:
        raise UsageError(
            f"The examples are {seconds:.1f} s long together.",
            hint=f"At least {LEAST_S:.0f} s are needed; a minute or more is better.",
        )
