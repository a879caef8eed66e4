"""The content of a page, computed before any template is rendered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchbench.reporting.data.leaderboards import leaderboards
from benchbench.reporting.data.loading import LoadedResults
from benchbench.reporting.data.models import report_models
from benchbench.reporting.data.pairwise import pairwise_tests
from benchbench.reporting.data.score_arrays import score_arrays
from benchbench.reporting.overview import Overview
from benchbench.reporting.sections import frequency as spectra
from benchbench.reporting.sections.bleed import BLEED, Bleed, bleeds
from benchbench.reporting.sections.history import Line, histories
from benchbench.reporting.sections.in_time import InTime
from benchbench.reporting.sections.summary import summary
from benchbench.reporting.sections.tracks import Swing, TrackTable, swings, track_table
from benchbench.results.kinds import generative_models

__all__ = ["Page", "assemble"]


@dataclass(frozen=True)
class Page(Overview):
    """The template context: `Overview` plus figures and audio of single tracks."""

    @cached_property
    def in_time(self) -> InTime:
        """Audio and figures of single tracks over time."""
        shared = bool(self.dataset.get("audio_excerpts", False))
        return InTime(
            self.loaded,
            self.board,
            self.report_models,
            self.leader,
            self.rivals,
            self.audio,
            shared,
        )

    @property
    def rivals(self) -> tuple[str, ...]:
        """The models that are compared by listening."""
        ranked = tuple(row.model for row in self.board.rows if self.report_models[row.model].ranked)
        others = tuple(
            row.model for row in self.board.rows if not self.report_models[row.model].baseline
        )
        return ranked if len(ranked) > 1 else others

    @property
    def leader(self) -> str:
        """The best competing model, or the best of all if none competes."""
        return self.summary.leader or self.board.rows[0].model

    @cached_property
    def bands(self) -> tuple[spectra.BandTable, ...]:
        """SDR by band, one table per target."""
        series = self.board.series
        names = {k: v for k, v in self.report_models.items() if not v.baseline}
        found = spectra.reference_spectra(
            self.in_time.library, self.arrays.tracks[series.dataset], self.stems
        )
        rows = self.loaded.tracks.where(lambda part: part["band_lo_hz"].notna())
        return spectra.band_tables(rows, series.dataset, series.references, names, found)

    @property
    def stems(self) -> tuple[str, ...]:
        """The references of the headline."""
        return tuple(self.board.series.references.split("+"))

    @cached_property
    def bleeds(self) -> tuple[Bleed, ...]:
        """Bleed matrices."""
        series = self.board.series
        names = tuple(
            name for name in self.report_models if self.report_models[name].adapter != "silence"
        )
        rows = self.loaded.tracks.where(lambda part: part["protocol"] == BLEED)
        return bleeds(rows, series.dataset, series.references, names)

    @cached_property
    def tracks(self) -> TrackTable:
        """The headline's values on every track."""
        return track_table(self.arrays.grids[self.board.series], self.board)

    @cached_property
    def swings(self) -> Swing | None:
        """Tracks where the leader beats the second model most, and where it loses most."""
        names = [name for name in self.rivals if name != self.leader]
        if not names or not self.board.series.ranks:
            return None
        return swings(self.arrays.grids[self.board.series], self.board, self.leader, names[0])

    @cached_property
    def history(self) -> tuple[Line, ...]:
        """Models that were run more than once."""
        loaded = self.loaded
        return histories(
            loaded.history, loaded.separations, loaded.runs, self.board, self.report_models
        )


def assemble(
    loaded: LoadedResults,
    *,
    baseline: str | None = None,
    audio: str = "excerpts",
    dataset: str | None = None,
    marked: Collection[str] = (),
) -> Page:
    """Compute the content of the page."""
    data = score_arrays(loaded.tracks)
    boards = leaderboards(data, dataset, generative_models(loaded.runs))
    board = boards.headline
    names = [row.model for row in board.rows]
    names += sorted(set(data.models) - set(names))
    competing = {
        found.name: found for found in report_models(loaded, names, board.series.dataset, marked)
    }
    duel = pairwise_tests(
        data.grids[board.series], board, [name for name, one in competing.items() if one.ranked]
    )
    said = summary(board, duel, competing, baseline)
    return Page(
        loaded=loaded,
        arrays=data,
        leaderboards=boards,
        board=board,
        report_models=competing,
        tests=duel,
        summary=said,
        run=_run_of(loaded, board.series.dataset),
        audio=audio,
        baseline=baseline or said.leader or names[0],
    )


def _run_of(loaded: LoadedResults, dataset: str) -> dict[str, Any]:
    """The newest run on the data set, else the newest of all; imports only if there is no run."""
    own = [run for run in loaded.runs if (run.get("dataset") or {}).get("name") == dataset]
    measured = [run for run in own if not run.get("imported")]
    return (measured or own or list(loaded.runs) or [{}])[-1]
