"""How validation songs are scored during training: as users would separate them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..spectrum import Samples
from .augmentation import ACCOMPANIMENT, RATE, VOCALS, Song

Score = Callable[[Mapping[str, Samples], Mapping[str, Samples]], dict[str, float]]
"""From references and estimates to SI-SDR in dB, by stem."""

VALIDATED_S = 20
"""Seconds from the middle of a validation song that are scored."""
VOICES = ("voice-1", "voice-2")


class Separates(Protocol):
    """Anything that separates."""

    def separate(self, mixture: Samples, sample_rate: int) -> Mapping[str, Samples]:
        """Stems of a mixture, float32 (2, samples)."""


def gains(
    separator: Separates,
    stems: Sequence[str],
    songs: Sequence[Song],
    score: Score,
) -> dict[str, float]:
    """Mean SI-SDR gain over the mixture in dB.

    Returns
    -------
    dict
        The gain of each of `stems`; ``mean``, of these; and, where there are songs of which vocals and
        accompaniment alone are known, ``backed_vocals`` and ``backed_accompaniment``.
    """
    if not songs:
        return {}
    found: dict[str, list[float]] = {}
    for references in _excerpts(songs, stems):
        mixture: Samples = np.sum(list(references.values()), axis=0, dtype=np.float32)
        estimates = separator.separate(mixture, RATE)
        prefix = ""
        if ACCOMPANIMENT in references:
            prefix = "backed_"
            rest = [sound for name, sound in estimates.items() if name != VOCALS]
            estimates = {VOCALS: estimates[VOCALS], ACCOMPANIMENT: np.sum(rest, axis=0)}
        before = score(references, dict.fromkeys(references, mixture))
        after = score(references, estimates)
        for name in before.keys() & after.keys():
            found.setdefault(prefix + name, []).append(after[name] - before[name])
    means = {name: float(np.mean(found[name])) for name in sorted(found)}
    whole = [means[name] for name in stems if name in means]
    return means | ({"mean": float(np.mean(whole))} if whole else {})


def duet_gains(separator: Separates, songs: Sequence[Song], score: Score) -> dict[str, float]:
    """Mean SI-SDR gain over the mixture in dB of both voices of songs, in each song's better order.

    Returns
    -------
    dict
        ``voices``; empty if no song has two voices.
    """
    found = []
    for song in songs:
        stems = song()
        if not set(VOICES) <= set(stems):
            continue
        sounds = _excerpt(stems, list(stems))
        mixture: Samples = np.sum(list(sounds.values()), axis=0, dtype=np.float32)
        references = {voice: sounds[voice] for voice in VOICES}
        estimates = separator.separate(mixture, RATE)
        before = score(references, dict.fromkeys(VOICES, mixture))
        after = [
            score(references, {v: estimates[e] for v, e in zip(VOICES, order, strict=True)})
            for order in (VOICES, VOICES[::-1])
        ]
        gain = [np.mean([reached[v] - before[v] for v in VOICES]) for reached in after]
        found.append(float(max(gain)))
    return {"voices": float(np.mean(found))} if found else {}


def _excerpts(songs: Sequence[Song], names: Sequence[str]) -> Iterator[dict[str, Samples]]:
    for song in songs:
        stems = song()
        known = names if set(names) <= set(stems) else (VOCALS, ACCOMPANIMENT)
        yield _excerpt(stems, known)


def _excerpt(stems: Mapping[str, npt.NDArray[Any]], names: Sequence[str]) -> dict[str, Samples]:
    """The middle of these stems, float32."""
    length = min(stems[name].shape[1] for name in names)
    start = max(length - VALIDATED_S * RATE, 0) // 2
    excerpt = {}
    for name in names:
        part: npt.NDArray[Any] = np.asarray(stems[name][:, start : start + VALIDATED_S * RATE])
        scale = 1 / 32768 if part.dtype == np.int16 else 1.0
        excerpt[name] = part.astype(np.float32) * np.float32(scale)
    return excerpt
