"""Excerpts of kept audio: which tracks and which part of them, and copies of those samples.

The rule depends on the names and hashes of the tracks alone, so a submitter cannot choose the
excerpts, and every submission of the same tracks holds the same part of the same references.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchbench.errors import DamagedResultsError
from benchbench.io.atomic import replacing
from benchbench.io.hashing import short_hash

__all__ = ["copy_excerpt", "excerpt_span", "sampled_tracks"]


def sampled_tracks(tracks: Iterable[str], count: int) -> list[str]:
    """The `count` tracks whose excerpts belong to a bundle, by a hash of their names.

    Examples
    --------
    >>> sampled_tracks(["a", "b", "c"], 2) == sampled_tracks(["c", "b", "a"], 2)
    True
    """
    return sorted(set(tracks), key=lambda name: (short_hash("excerpt", name), name))[:count]


def excerpt_span(track_hash: str, track_s: float, seconds: float) -> tuple[int, float, bool]:
    """Start and length in seconds of a track's excerpt, and whether it is the whole track.

    The start is a whole second, so that the frames of the excerpt are frames of the track.

    Examples
    --------
    >>> excerpt_span("a1", 8.5, 10.0)
    (0, 8.5, True)
    """
    if track_s <= seconds:
        return 0, track_s, True
    starts = int(track_s - seconds) + 1
    return int(short_hash("start", track_hash), 16) % starts, seconds, False


def copy_excerpt(sources: Sequence[Path], targets: Sequence[Path], track_hash: str,
                 seconds: float) -> tuple[int, float, bool]:  # fmt: skip
    """Copy one part of several FLAC files of the same track, sample by sample.

    Parameters
    ----------
    sources, targets
        Files of one sampling rate and length, and where their excerpts go.
    track_hash, seconds
        Decide the part, see `excerpt_span`.

    Returns
    -------
    Start and length in seconds, and whether it is the whole track

    Raises
    ------
    DamagedResultsError
        If a file cannot be decoded.
    """
    import soundfile

    span = 0, seconds, False
    for source, target in zip(sources, targets, strict=True):
        try:
            with soundfile.SoundFile(str(source)) as sound:
                rate = int(sound.samplerate)
                span = excerpt_span(track_hash, sound.frames / rate, seconds)
                sound.seek(span[0] * rate)
                samples = sound.read(round(span[1] * rate), dtype="int16", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise DamagedResultsError(
                f"{source} cannot be decoded: {error}.",
                hint="Delete it, or submit without excerpts (--excerpts 0).",
            ) from error
        with replacing(target) as temporary:
            soundfile.write(
                str(temporary), np.ascontiguousarray(samples), rate, "PCM_16", format="FLAC"
            )
    return span
