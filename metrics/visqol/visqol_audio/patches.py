"""Patches of the reference, each matched to the most similar patch of the estimate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from . import gammatone
from .alignment import cut_alike
from .similarity import Patches, similarity_map

__all__ = ["PATCH", "Match", "matched", "realigned"]

Float64 = npt.NDArray[np.float64]

PATCH = 30
"""Patch length in frames: 0.6 s."""

FRAME_S = gammatone.HOP / gammatone.SAMPLE_RATE
PATCH_S = FRAME_S * PATCH


@dataclass(frozen=True, slots=True)
class Match:
    """A patch of the reference and the matching patch of the estimate.

    Attributes
    ----------
    bands
        Mean similarity by band, shape (bands,); zeros where nothing matched.
    reference, estimate
        First frame of each patch; `estimate` is None where nothing matched.
    """

    bands: Float64
    reference: int
    estimate: int | None


def matched(reference: Float64, estimate: Float64) -> list[Match]:
    """Match patches of two prepared spectrograms, keeping their order in time.

    Parameters
    ----------
    reference, estimate
        Shape (bands, frames).

    Raises
    ------
    ValueError
        When the reference has no room for a patch, or the estimate ends before the first one.
    """
    starts = _starts(reference.shape[1], estimate.shape[1])
    offsets = estimate.shape[1]
    beyond = np.pad(estimate, ((0, 0), (0, PATCH)))
    windows = np.lib.stride_tricks.sliding_window_view(beyond, PATCH, axis=1)[:, :offsets]
    candidates = Patches.of(np.ascontiguousarray(windows.transpose(1, 0, 2)))
    totals = np.empty((len(starts), offsets))
    before = np.full((len(starts), offsets), -1)
    maps = []
    for place, start in enumerate(starts):
        own = Patches.of(reference[:, start : start + PATCH][None])
        bands = similarity_map(own, candidates).mean(axis=2)
        maps.append(bands)
        totals[place] = bands.mean(axis=1)
        if place:
            totals[place], before[place] = _chained(totals[place], totals[place - 1])
    return _path(starts, totals, before, maps)


def _starts(frames: int, estimate_frames: int) -> list[int]:
    if frames < PATCH + PATCH // 2:
        raise ValueError(f"{frames} frames hold no patch; {PATCH + PATCH // 2} are needed")
    starts = [place - 1 for place in range(PATCH // 2, frames - PATCH, PATCH)] or [PATCH // 2 - 1]
    within = [start for start in starts if start - PATCH // 2 <= estimate_frames]
    if not within:
        raise ValueError("the estimate ends before the first patch of the reference")
    return within


def _chained(own: Float64, last: Float64) -> tuple[Float64, npt.NDArray[np.int64]]:
    """Totals with the best earlier offset added, or without this patch where that is better."""
    offsets = len(own)
    best = np.concatenate([[-np.inf], np.maximum.accumulate(last)[:-1]])
    newest = np.where(last >= np.maximum.accumulate(last), np.arange(offsets), 0)
    origin = np.concatenate([[-1], np.maximum.accumulate(newest)[:-1]])
    totals = own + best
    passed = last > totals
    return np.where(passed, last, totals), np.where(passed, np.arange(offsets), origin)


def _path(
    starts: list[int], totals: Float64, before: npt.NDArray[np.int64], maps: list[Float64]
) -> list[Match]:
    offset = int(np.argmax(totals[-1]))
    found = []
    for place in range(len(starts) - 1, -1, -1):
        origin = int(before[place, offset])
        if origin == offset:
            found.append(Match(np.zeros(maps[place].shape[1]), starts[place], None))
        else:
            found.append(Match(maps[place][offset], starts[place], offset))
        offset = origin
    return found[::-1]


def realigned(match: Match, reference: Float64, estimate: Float64) -> Match:
    """The match after sample-accurate alignment, if that is better.

    Parameters
    ----------
    reference, estimate
        The whole signals, shape (samples,).
    """
    if match.estimate is None:
        return match
    parts = cut_alike(_slice(reference, match.reference), _slice(estimate, match.estimate))
    if min(map(len, parts)) <= gammatone.FRAME:
        return match
    spectrograms = gammatone.prepared(*map(gammatone.levels, parts))
    first, second = map(Patches.of, spectrograms)
    bands = similarity_map(first, second).mean(axis=1)
    return match if bands.mean() < match.bands.mean() else replace(match, bands=bands)


def _slice(signal: Float64, frame: int) -> Float64:
    """The samples of a patch; past the end, zeros are added in front, as in ViSQOL."""
    start_s = frame * FRAME_S
    stop_s = start_s + PATCH_S
    first, last = (int(seconds * gammatone.SAMPLE_RATE) for seconds in (start_s, stop_s))
    missing = int(max(0.0, stop_s * gammatone.SAMPLE_RATE - len(signal)))
    return np.concatenate([np.zeros(missing), signal[first : min(len(signal) - 1, last)]])
