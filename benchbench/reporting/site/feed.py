"""A feed of new models: one entry per model, at the time of the first run that contains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

from benchbench.io.xml_text import clean_xml
from benchbench.plugins.templates import environment
from benchbench.reporting.formatting import decibels
from benchbench.reporting.site.frame import SiteFrame

__all__ = ["Entry", "entries", "feed"]

_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that is new: name, address of its page, time, and a sentence."""

    name: str
    address: str
    time: str
    sentence: str


def entries(frame: SiteFrame) -> list[Entry]:
    """The newest models first; models without a run's record have no time and no entry."""
    page = frame.page
    began = first_runs(page.runs)
    values = {row.model: row for row in page.board.rows}
    found = sorted(
        (name for name in page.report_models if name in began), key=lambda name: began[name]
    )
    made = []
    for name in reversed(found[-_MOST:]):
        row = values.get(name)
        number = "no number" if row is None or row.value is None else (
            f"{decibels(row.value)} {page.board.unit}"
        )  # fmt: skip
        address = frame.address(f"models/{page.report_models[name].slug}.html")
        sentence = (
            f"{page.board.series.label} of {page.board.series.target} on "
            f"{page.board.series.dataset}: {number}."
        )
        made.append(
            Entry(clean_xml(name), address, format_datetime(began[name]), clean_xml(sentence))
        )
    return made


def first_runs(runs: Sequence[Mapping[str, Any]]) -> dict[str, datetime]:
    """The start of the first run that contains each model."""
    found: dict[str, datetime] = {}
    for run in runs:
        try:
            began = datetime.fromisoformat(str(run.get("started")))
        except ValueError:
            continue
        began = began if began.tzinfo else began.replace(tzinfo=UTC)
        for model in run.get("models") or ():
            name = str(model.get("name"))
            found[name] = min(began, found.get(name, began))
    return found


def feed(frame: SiteFrame) -> str:
    """The feed as RSS 2.0."""
    return environment().get_template("site/feed.xml").render(
        title=clean_xml(frame.page.title),
        description=clean_xml(frame.description),
        address=frame.address("index.html"),
        entries=entries(frame),
    )  # fmt: skip
