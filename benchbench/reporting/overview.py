"""The page content about whole models: ranks, differences, cost, provenance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from benchbench.reporting.data.gaps import gap_notes
from benchbench.reporting.data.leaderboards import Leaderboard, Leaderboards
from benchbench.reporting.data.listening_tests import listening_tests
from benchbench.reporting.data.loading import LoadedResults
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.data.pairwise import PairwiseTests
from benchbench.reporting.data.score_arrays import ScoreArrays, Series
from benchbench.reporting.figures import pictures
from benchbench.reporting.figures.axes import Axis, linear
from benchbench.reporting.script_data import payload
from benchbench.reporting.sections.agreement import AgreementTable, agreement_tables
from benchbench.reporting.sections.citations import Citations, citations
from benchbench.reporting.sections.differences import Difference, differences
from benchbench.reporting.sections.glossary import glossary
from benchbench.reporting.sections.headline import Cost, Headline, board_bounds
from benchbench.reporting.sections.live import LiveTable, live_tables
from benchbench.reporting.sections.metric_choice import MetricChoice, advice, metric_choices
from benchbench.reporting.sections.reproduce import Provenance
from benchbench.reporting.sections.summary import Summary
from benchbench.reporting.sections.targets import WideTable, dataset_table, target_tables
from benchbench.reporting.templates import data_block
from benchbench.results.kinds import generative_models

__all__ = ["Overview"]

NAVIGATION: Final[tuple[tuple[str, str], ...]] = (
    ("leaderboard", "Leaderboard"),
    ("listening", "Listening"),
    ("targets", "Targets"),
    ("believe", "Which metric"),
    ("differences", "Differences"),
    ("cost", "Cost"),
    ("live", "Live"),
    ("frequency", "Frequency"),
    ("time", "Time"),
    ("tracks", "Tracks"),
    ("history", "History"),
    ("reproduce", "Reproduce"),
    ("glossary", "Glossary"),
)


RANKING: Final = frozenset({"differences", "cost"})
"""Sections that are left out where the headline ranks no separators."""


@dataclass(frozen=True)
class Overview:
    """The part of a page that does not depend on single tracks.

    Parameters
    ----------
    loaded, arrays, leaderboards, report_models, tests
        The tables, and what was computed from them.
    board
        The headline's leaderboard.
    audio
        ``none``, ``excerpts`` or ``full``.
    baseline
        The model that the others are compared with.
    """

    loaded: LoadedResults
    arrays: ScoreArrays
    leaderboards: Leaderboards
    board: Leaderboard
    report_models: dict[str, ReportModel]
    tests: PairwiseTests
    summary: Summary
    run: dict[str, Any]
    audio: str
    baseline: str

    @property
    def navigation(self) -> tuple[tuple[str, str], ...]:
        """Anchors and titles of the page's sections."""
        hidden = set() if self.live else {"live"}
        if not self.board.series.ranks:
            hidden |= RANKING
        return tuple(part for part in NAVIGATION if part[0] not in hidden)

    @cached_property
    def live(self) -> tuple[LiveTable, ...]:
        """Measurements of the live models."""
        return live_tables(self.loaded.roots, self.report_models)

    @cached_property
    def provenance(self) -> Provenance:
        """Provenance of the numbers."""
        return Provenance(self.run, self.loaded, list(self.report_models))

    @cached_property
    def headline(self) -> Headline:
        """The leaderboard's axis, ranks, gaps and published figures."""
        return Headline(self.board, self.report_models, self.citations, self.gaps)

    @cached_property
    def cost(self) -> Cost:
        """Quality against cost."""
        return Cost(self.board, self.report_models)

    @property
    def title(self) -> str:
        """The title of the browser window."""
        return f"{len(self.report_models)} separators on {self.board.series.dataset}"

    @property
    def dataset(self) -> dict[str, Any]:
        """Facts about the headline's data set."""
        found: dict[str, Any] = self.run.get("dataset") or {"name": self.board.series.dataset}
        return found

    @property
    def runs(self) -> tuple[dict[str, Any], ...]:
        """All runs, oldest first."""
        return self.loaded.runs

    @cached_property
    def ramp(self) -> str:
        """An image of the strips' colour scale, worst to best."""
        return pictures.strip(np.linspace(pictures.LOW_DB, pictures.HIGH_DB, 60)[None, :])

    @cached_property
    def data(self) -> Markup:
        """The data that the page's script reads."""
        return data_block(
            payload(
                self.arrays,
                self.leaderboards,
                self.report_models,
                self.differences,
                self.citations,
                self.gaps,
            )
        )

    @cached_property
    def gaps(self) -> dict[Series, dict[str, str]]:
        """Reasons for missing numbers, by series and model."""
        found = {
            series: gap_notes(self.loaded.gaps, series) for series in self.leaderboards.by_series
        }
        return {series: notes for series, notes in found.items() if notes}

    @cached_property
    def target_tables(self) -> tuple[WideTable, ...]:
        """The headline's metric on every target, with the mean."""
        return target_tables(self.leaderboards)

    @cached_property
    def dataset_table(self) -> WideTable | None:
        """The headline's metric and target on every data set, with the mean."""
        return dataset_table(self.leaderboards, self.report_models)

    @property
    def glossary(self) -> tuple[tuple[str, str, str], ...]:
        """The terms that the page links to: (anchor, term, explanation)."""
        return glossary(self.board.series.protocol)

    @cached_property
    def citations(self) -> Citations:
        """Published figures beside the boards."""
        return citations(self.leaderboards)

    @cached_property
    def targets(self) -> tuple[tuple[Leaderboard, Axis], ...]:
        """The headline's metric for every target, all on one scale."""
        found = [
            self.leaderboards.by_series[one] for one in self.leaderboards.beside(self.board.series)
        ]
        same = [ways[self.board.aggregation] for ways in found]
        axis = linear([value for board in same for value in board_bounds(board)], 6, 174, count=3)
        return tuple((board, axis) for board in same)

    @cached_property
    def metric_choices(self) -> tuple[MetricChoice, ...]:
        """All metrics of the headline's target."""
        return metric_choices(self.leaderboards, self.report_models)

    @cached_property
    def agreement_tables(self) -> tuple[AgreementTable, ...]:
        """The agreement of the metrics with the listeners of each stored test."""
        tests = listening_tests(self.loaded.tracks, generative_models(self.loaded.runs))
        return agreement_tables(tests, self.board.series.label)

    @property
    def advice(self) -> str:
        """Which of these metrics to read."""
        return advice(self.metric_choices)

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """The tests on every target of the headline's metric, the headline first."""
        return differences(
            self.arrays, self.leaderboards, self.tests, self.report_models, self.baseline
        )
