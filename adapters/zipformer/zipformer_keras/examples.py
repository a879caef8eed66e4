"""A sound file with one singer alone: read, checked, and looked for in what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile

from .inference import RATE, Separator
from .queries import QueryError
from .sample_rate import Resampler
from .spectrum import Samples

TOGETHER_DB = 10.0
"""If the softer voice of an example is less than so much softer, it holds two voices."""
ABSENT_DB = 20.0
"""If the singer's stem is so much softer than the mixture, the singer is hardly in the song."""
LONGEST_S = 60

Stems = Mapping[str, Samples]
Tell = Callable[[str], None]


def read_example(path: Path) -> Samples:
    """The first minute of a file, float32 (2, samples) at 44.1 kHz.

    Raises
    ------
    ValueError
        There is no such file, or it is no sound file.
    """
    if not path.is_file():
        raise ValueError(f"The example {path} does not exist.")
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            samples = file.read(LONGEST_S * rate, dtype="float32", always_2d=True).T
    except soundfile.LibsndfileError as error:
        raise ValueError(f"The example {path} cannot be read: {error}") from error
    if not np.isfinite(samples).all():
        raise ValueError(f"The example {path} holds numbers that are not finite.")
    stereo = np.ascontiguousarray(samples[[0, 0]] if len(samples) == 1 else samples[:2])
    if rate == RATE or not stereo.shape[1]:
        return stereo
    return Resampler(rate, RATE, 2).push(stereo, last=True)


def refused(path: Path, error: QueryError) -> ValueError:
    """The error that names the example's file."""
    return ValueError(
        f"The example {path} cannot be used. {error} Take a few seconds of one singer."
    )


def tell_two_voices(separator: Separator, example: Samples, path: Path, tell: Tell) -> None:
    """Say so if an example seems to hold two voices.

    Parameters
    ----------
    separator
        Of two singers, without a query.
    example
        float32 (2, samples).
    path, tell
        The file's name, and what is called with the sentence.
    """
    first, second = (
        float(np.square(sound, dtype=np.float64).sum())
        for name, sound in separator.separate(example, RATE).items()
        if name.startswith("voice-")
    )
    low, high = sorted((first, second))
    if low > high * 10.0 ** (-TOGETHER_DB / 10.0):
        tell(f"The example {path} seems to hold two voices; take one with the singer alone.")


def watched(blocks: Iterable[Stems], stem: str, tell: Tell) -> Iterator[Stems]:
    """Pass on blocks of stems, and say at the end if the singer's stem is nearly silent.

    Parameters
    ----------
    blocks
        Stems of a song, float32 (channels, samples).
    stem
        The singer's.
    tell
        Called with the sentence.
    """
    singer = mixture = 0.0
    for block in blocks:
        singer += float(np.square(block[stem], dtype=np.float64).sum())
        total = np.sum(list(block.values()), axis=0, dtype=np.float64)
        mixture += float(np.square(total).sum())
        yield block
    if singer < mixture * 10.0 ** (-ABSENT_DB / 10.0):
        level = 10.0 * np.log10((singer + 1e-12) / (mixture + 1e-12))
        tell(
            f"{stem} is {-level:.0f} dB softer than the song: the example's singer may not be in it."
        )
