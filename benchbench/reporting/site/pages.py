"""The content of the site's pages of single models and single tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchbench.reporting.data.frames import Place
from benchbench.reporting.data.leaderboards import Leaderboard, Row, usual
from benchbench.reporting.data.models import ReportModel, slugs
from benchbench.reporting.data.pairwise import Pair
from benchbench.reporting.data.score_arrays import Series
from benchbench.reporting.page import Page
from benchbench.reporting.sections.listening import Excerpt, excerpts
from benchbench.reporting.sections.time import Timeline, timeline

__all__ = ["ModelPage", "TrackPage", "model_pages", "track_pages", "track_slugs"]


@dataclass(frozen=True, slots=True)
class ModelPage:
    """The content of a model's page: its boards, its pairs, its failures."""

    report_model: ReportModel
    leaderboards: tuple[tuple[Leaderboard, Row, str], ...]
    pairs: tuple[Pair, ...]
    worst: tuple[Place, ...]
    failures: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class TrackPage:
    """The content of a track's page: every model's numbers, its figure, an excerpt."""

    track: str
    slug: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    timeline: Timeline | None
    excerpts: tuple[Excerpt, ...]


def track_slugs(page: Page) -> dict[str, str]:
    """A file name for every track of the headline's data set."""
    return slugs(page.arrays.tracks[page.board.series.dataset])


def model_pages(page: Page) -> Iterator[ModelPage]:
    """One page per model, in leaderboard order."""
    for name, report_model in page.report_models.items():
        rows = page.loaded.separations
        failed = rows[(rows["model"] == name) & (rows["status"] != "ok")]
        pairs = (page.tests.pair(name, other) for other in page.tests.models if other != name)
        yield ModelPage(
            report_model,
            tuple(_standings(page, name)),
            tuple(pair for pair in pairs if pair is not None),
            page.in_time.moments.worst(name, 10) if page.in_time.moments else (),
            tuple(
                {str(key): value for key, value in row.items()} for row in failed.to_dict("records")
            ),
        )


def _standings(page: Page, name: str) -> Iterator[tuple[Leaderboard, Row, str]]:
    """The model's row of each board, and its place among the ranked models, such as ``2 of 4``."""
    for ways in page.leaderboards.by_series.values():
        board = usual(ways)
        for row in board.rows:
            if row.model == name:
                ranked = [
                    other.model
                    for other in board.rows
                    if other.value is not None
                    and other.kind == row.kind
                    and page.report_models[other.model].ranked
                ]
                place = f"{ranked.index(name) + 1} of {len(ranked)}" if name in ranked else ""
                yield board, row, place


def track_pages(page: Page, slugs: dict[str, str]) -> Iterator[TrackPage]:
    """One page per track of the headline's data set."""
    columns = _columns(page)
    names = list(page.report_models)
    for place, (track, anchor) in enumerate(slugs.items()):
        rows = tuple((name, tuple(_values(page, columns, name, place))) for name in names)
        heard = _heard(page, track)
        drawn = None
        if page.in_time.moments is not None and track in page.in_time.moments.tracks:
            shown = [name for name in names if not page.report_models[name].baseline]
            drawn = timeline(
                page.in_time.moments.tracks[track],
                shown,
                page.report_models,
                page.board.series.target,
                page.in_time.library,
                heard[0] if heard else None,
                "strip",
            )
        labels = tuple(f"{one.target} {one.label}" for one in columns)
        yield TrackPage(track, anchor, labels, rows, drawn, heard)


def _columns(page: Page) -> list[Series]:
    """SDR and SI-SDR of every target of the headline's references."""
    head = page.board.series
    return [
        series
        for series in page.leaderboards.by_series
        if (series.dataset, series.references) == (head.dataset, head.references)
        and series.metric in {"SDR", "SI-SDR"}
    ]


def _values(page: Page, columns: list[Series], name: str, place: int) -> Iterator[float | None]:
    for series in columns:
        grid = page.arrays.grids[series]
        value = grid.medians[grid.models.index(name), place]
        yield None if np.isnan(value) else float(value)


def _heard(page: Page, track: str) -> tuple[Excerpt, ...]:
    if (
        page.in_time.library is None
        or page.in_time.moments is None
        or track not in page.in_time.moments.tracks
    ):
        return ()
    wide = page.in_time.moments.widest(page.rivals, len(page.in_time.moments.tracks))
    words = "Largest gap between separators on this track."
    place = next((one for one in wide if one.track == track), None)
    chosen = Place(track, place.start_s if place else 0.0, None, None, words if place else "")
    target = page.board.series.target
    return excerpts(
        page.in_time.library, [chosen], target, page.report_models, full=page.audio == "full"
    )
