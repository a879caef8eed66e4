"""The report's audio player for one excerpt of one track, shown in a notebook cell."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from benchbench.errors import NothingToCompareError, UnknownNameError
from benchbench.reporting.data.frames import Place
from benchbench.reporting.data.loading import read
from benchbench.reporting.page import assemble
from benchbench.reporting.sections.listening import excerpts
from benchbench.reporting.templates import render

__all__ = ["Player", "player"]

HEIGHT = 620


@dataclass(frozen=True)
class Player:
    """A page with one player; a notebook shows it in a frame.

    Parameters
    ----------
    page
        A complete HTML page without external resources.
    """

    page: str

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="Player" srcdoc="{html.escape(self.page)}" width="100%" '
            f'height="{HEIGHT}" style="border:0" allow="autoplay"></iframe>'
        )

    def save(self, path: Path | str) -> Path:
        """Write the page to a file."""
        target = Path(path)
        target.write_text(self.page, encoding="utf-8")
        return target


def player(
    root: Path,
    track: str,
    *,
    target: str | None = None,
    models: list[str] | None = None,
    start_s: float | None = None,
) -> Player:
    """The player for one track of a results folder.

    Parameters
    ----------
    root
        The results folder.
    track
        The track's name.
    target
        The target to play; by default the target of the report's headline.
    models
        Only these models.
    start_s
        Start of the excerpt in seconds; by default the whole track is played.

    Raises
    ------
    UnknownNameError
        When the track has no scores.
    NothingToCompareError
        When no audio of the track was kept, or its licence does not allow excerpts.
    """
    page = assemble(read([root], models))
    dataset = page.board.series.dataset
    known = page.arrays.tracks[dataset]
    if track not in known:
        raise UnknownNameError("track", track, known, where=f" of {dataset}")
    if page.in_time.library is None:
        raise NothingToCompareError(
            f"The licence of {dataset} does not allow its audio on a page.",
            hint="Open the stems that --keep-stems yes leaves in the results folder.",
        )
    place = Place(track, start_s or 0.0, None, None, "")
    chosen = target or page.board.series.target
    found = excerpts(
        page.in_time.library, [place], chosen, page.report_models, full=start_s is None
    )
    if not found:
        raise NothingToCompareError(
            f"No audio of {chosen} on {track} is kept in {root}.",
            hint="`bench run --keep-stems yes` keeps it.",
        )
    return Player(render("cell.html", page=page, excerpt=found[0]))
