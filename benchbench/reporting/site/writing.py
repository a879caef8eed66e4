"""Write all files of a site."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from benchbench.io.atomic import write_whole
from benchbench.reporting.data.leaderboards import Leaderboards
from benchbench.reporting.page import Page
from benchbench.reporting.script_data import payload, series_data
from benchbench.reporting.site.badges import badges
from benchbench.reporting.site.card import card
from benchbench.reporting.site.data_files import pairs_file, tracks_file
from benchbench.reporting.site.feed import feed
from benchbench.reporting.site.frame import SiteFrame
from benchbench.reporting.site.pages import model_pages, track_pages, track_slugs
from benchbench.reporting.templates import data_block, render

__all__ = ["write_site"]

_BOARDS: Final = "data/boards/"
_ON_TRACKS: Final = ("SDR", "SI-SDR")
"""Metrics that the page of tracks can show, beside that of the headline."""


def write_site(page: Page, folder: Path, url: str = "") -> Path:
    """Write all pages and return the index.

    Parameters
    ----------
    page
        The content.
    folder
        Where the files go.
    url
        The address at which the folder will be published, for the feed and for link previews.
    """
    frame = SiteFrame(page, url)
    shared = {"page": page, "site_page": frame, "track_slugs": track_slugs(page), "site": True}
    for name, text in _pages(page, frame, shared):
        write_whole(folder / name, text)
    for name, content in _files(page, frame):
        write_whole(folder / name, content)
    return folder / "index.html"


def _pages(page: Page, frame: SiteFrame, shared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    top = {"root": "index.html", "up": "", **shared}
    yield (
        "index.html",
        render("page.html", **{**top, "root": ""}, parts=frame.index, script_data=_index_data(page),
               fetches=True),
    )  # fmt: skip
    for part in frame.parts:
        held = _tracks_data(page) if part == "tracks" else Markup("")
        yield f"{part}.html", render("page.html", **top, parts=(part, "glossary"), script_data=held)
    for one in page.differences if "differences" in frame.sections else ():
        yield (
            frame.rounds[one.index],
            render("page.html", **top, parts=("differences", "glossary"), script_data=Markup(""),
                   rounds=(one,)),
        )  # fmt: skip
    if not page.differences and "differences" in frame.sections:
        yield "differences.html", render("page.html", **top, parts=("differences", "glossary"),
                                         script_data=Markup(""))  # fmt: skip
    yield "history.html", render("history.html", **top)
    below = {**top, "root": "../index.html", "up": "../"}
    for model in model_pages(page):
        yield f"models/{model.report_model.slug}.html", render("model.html", **below, model=model)
    for track in track_pages(page, shared["track_slugs"]):
        yield f"tracks/{track.slug}.html", render("track.html", **below, track=track)


def _files(page: Page, frame: SiteFrame) -> Iterator[tuple[str, str | bytes]]:
    for file in page.provenance.downloads:
        yield f"data/{file.name}", file.content
    yield "data/tracks.parquet", tracks_file(page)
    yield "data/pairs.parquet", pairs_file(page)
    for index, (series, ways) in enumerate(page.leaderboards.by_series.items()):
        content = series_data(ways, page.report_models, page.gaps.get(series))
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        yield f"{_BOARDS}{index}.json", text
    for name, picture in badges(page):
        yield f"badges/{name}", picture
    yield "card.png", card(page)
    yield "feed.xml", feed(frame)
    # GitHub Pages would otherwise leave out files whose names begin with an underscore.
    yield ".nojekyll", ""


def _index_data(page: Page) -> Markup:
    """What the leaderboard needs: no values of tracks, and the usual board of every series."""
    return data_block(
        payload(
            page.arrays,
            page.leaderboards,
            page.report_models,
            page.differences,
            page.citations,
            page.gaps,
            values=False,
            more=_BOARDS,
        )
    )


def _tracks_data(page: Page) -> Markup:
    """The values on every track for the usual ratios and the headline's metric."""
    head = page.board.series
    chosen = {
        series: ways
        for series, ways in page.leaderboards.by_series.items()
        if series.metric in _ON_TRACKS or (series.protocol, series.metric) == (head.protocol, head.metric)
    }  # fmt: skip
    boards = Leaderboards(chosen, page.leaderboards.headline)
    return data_block(payload(page.arrays, boards, page.report_models))
