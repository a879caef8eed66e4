"""Aggregations of frames to one number per model, each with the name that outputs print.

Rankings depend on the aggregation: in SiSEC 2018 the best vocals by median of frame medians are
third by mean of frame means. So every number is shown with its aggregation, and readers may switch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from benchbench.errors import UnknownNameError

__all__ = ["AGGREGATIONS", "DEFAULT", "Aggregation", "Summary", "aggregation_named"]

Summary: TypeAlias = Literal["median", "mean"]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Summary of frames to one value per track, and of tracks to one value per model.

    Parameters
    ----------
    name
        The readable name, as printed.
    frames
        How the frames of a track are summarised; None for numbers of whole tracks, which have one
        value per track.
    tracks
        How the tracks of a model are summarised.
    description, source
        Its strengths and weaknesses; who uses it.
    """

    name: str
    frames: Summary | None
    tracks: Summary
    description: str
    source: str


_ALL = (
    Aggregation(
        "median of frame medians",
        "median",
        "median",
        "The median over tracks of each track's median over frames. Robust against bad frames and "
        "bad tracks, so it does not show them.",
        "museval and SiSEC 2018 (Stöter, Liutkus and Ito 2018); the numbers of most papers on "
        "MUSDB18.",
    ),
    Aggregation(
        "mean of frame medians",
        "median",
        "mean",
        "The mean over tracks of each track's median over frames. A bad track counts, a bad frame "
        "does not.",
        "museval's EvalStore with tracks_agg='mean'.",
    ),
    Aggregation(
        "mean of frame means",
        "mean",
        "mean",
        "The mean over tracks of each track's mean over frames. Every frame counts; a few very "
        "bad ones can dominate.",
        "museval's EvalStore with frames_agg='mean' and tracks_agg='mean'.",
    ),
    Aggregation(
        "median of frame means",
        "mean",
        "median",
        "The median over tracks of each track's mean over frames.",
        "museval's EvalStore with frames_agg='mean'.",
    ),
    Aggregation(
        "mean over tracks",
        None,
        "mean",
        "The mean of one number per track. Every track counts the same; a broken track shows.",
        "The Music Demixing Challenge 2021 and the Sound Demixing Challenge 2023 (Mitsufuji et "
        "al. 2022, Fabbro et al. 2024).",
    ),
    Aggregation(
        "median over tracks",
        None,
        "median",
        "The median of one number per track: a few extreme tracks do not change it.",
        "Used beside the mean where a few tracks are extreme.",
    ),
)

AGGREGATIONS: Final[Mapping[str, Aggregation]] = MappingProxyType(
    {aggregation.name: aggregation for aggregation in _ALL}
)
"""Every aggregation by its readable name."""

DEFAULT: Final = "median of frame medians"


def aggregation_named(name: str) -> Aggregation:
    """The aggregation of that name.

    Raises
    ------
    UnknownNameError
        For an unknown name; the message lists the known ones.
    """
    try:
        return AGGREGATIONS[name]
    except KeyError:
        raise UnknownNameError("aggregation", name, AGGREGATIONS) from None
