"""What all pages of a site share: addresses of its pages, description, card, feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import urljoin

from benchbench.reporting.data.models import slugs
from benchbench.reporting.page import Page
from benchbench.stats.wording import count

__all__ = ["PARTS", "SiteFrame"]

PARTS: Final = ("listening", "targets", "frequency", "time", "tracks")
"""Sections with a page of their own, beside the differences (a page per target) and the history."""


@dataclass(frozen=True)
class SiteFrame:
    """The addresses and texts that templates of a site use.

    Parameters
    ----------
    page
        The content.
    url
        The address at which the site will be published, "" if unknown: then the feed and the card
        are named by relative addresses, which some readers do not accept.
    """

    page: Page
    url: str = ""

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections that the report has."""
        return tuple(name for name, _ in self.page.navigation)

    @property
    def index(self) -> tuple[str, ...]:
        """The sections of the index, which is the page that everybody loads."""
        apart = {*PARTS, "differences", "history"}
        return ("summary", *(name for name in self.sections if name not in apart))

    @property
    def parts(self) -> tuple[str, ...]:
        """The sections with one page of their own."""
        return tuple(name for name in PARTS if name in self.sections)

    @property
    def hrefs(self) -> Mapping[str, str]:
        """The address of every section, relative to the site's root."""
        return {
            name: f"index.html#{name}" if name in self.index else f"{name}.html"
            for name in self.sections
        }

    @cached_property
    def rounds(self) -> dict[int, str]:
        """The page of the differences on each target, by the index of its series."""
        found = self.page.differences
        names = slugs(
            " ".join((one.board.series.dataset, one.board.series.references,
                      one.board.series.target)) for one in found[1:]
        )  # fmt: skip
        pages = ["differences.html", *(f"differences-{name}.html" for name in names.values())]
        return {one.index: name for one, name in zip(found, pages, strict=True)}

    @property
    def description(self) -> str:
        """One sentence for search engines, cards and feeds."""
        board = self.page.board
        answer = "".join(str(part.text) for part in self.page.summary.answer)
        tracks = count(board.rows[0].expected, "track")
        return f"{answer} {board.series.label} of {board.series.target}, {board.aggregation}, {tracks}."

    @property
    def card(self) -> str:
        """The address of the picture that is shown beside a link to the site."""
        return self.address("card.png")

    @property
    def card_text(self) -> str:
        """What the picture shows."""
        return (
            f"The best models by {self.page.board.series.label} of {self.page.board.series.target}."
        )

    def address(self, name: str) -> str:
        """The address of a file of the site; absolute if the site's address is known."""
        return urljoin(self.url.rstrip("/") + "/", name) if self.url else name
