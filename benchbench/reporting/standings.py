"""What a page says of models as wholes: ranks, differences, cost, and where the numbers come from."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from benchbench.plots import pictures
from benchbench.plots.axes import Axis, linear
from benchbench.plots.ranks import rank_diagram
from benchbench.plots.scatter import Point, front, scatter
from benchbench.reporting import origins
from benchbench.reporting.boards import Board, Boards
from benchbench.reporting.contests import Contest
from benchbench.reporting.cubes import Cube
from benchbench.reporting.entrants import Entrant
from benchbench.reporting.payload import payload
from benchbench.reporting.readings import Reading
from benchbench.reporting.rendering import data_block
from benchbench.reporting.verdicts import Verdict
from benchbench.reporting.yardsticks import Yardstick, advice, yardsticks

__all__ = ["Standing", "board_axis"]

NAVIGATION: Final = (
    ("leaderboard", "Leaderboard"),
    ("believe", "Which number"),
    ("differences", "Differences"),
    ("cost", "Cost"),
    ("frequency", "Frequency"),
    ("time", "Time"),
    ("listening", "Listening"),
    ("tracks", "Tracks"),
    ("history", "History"),
    ("reproduce", "Reproduce"),
)


@dataclass(frozen=True)
class Standing:
    """The part of a page that needs no single track.

    Parameters
    ----------
    reading, cube, boards, entrants, contest
        The tables, and what was worked out from them.
    board
        The headline.
    audio
        ``none``, ``excerpts`` or ``full``.
    baseline
        The model that differences are shown against.
    """

    reading: Reading
    cube: Cube
    boards: Boards
    board: Board
    entrants: dict[str, Entrant]
    contest: Contest
    verdict: Verdict
    run: dict[str, Any]
    audio: str
    baseline: str

    navigation = NAVIGATION

    @property
    def title(self) -> str:
        """Of the window."""
        return f"{len(self.entrants)} separators on {self.board.series.dataset}"

    @property
    def dataset(self) -> dict[str, Any]:
        """The facts of the headline's data set."""
        found: dict[str, Any] = self.run.get("dataset") or {"name": self.board.series.dataset}
        return found

    @property
    def runs(self) -> tuple[dict[str, Any], ...]:
        """Every run, oldest first."""
        return self.reading.runs

    @property
    def command(self) -> str:
        """What started the newest run."""
        return origins.command_of(self.run)

    def again(self, metrics: str) -> str:
        """The command that adds scores by a protocol to the newest run's."""
        words = [str(word) for word in self.run.get("command") or ("bench", "run")]
        if "--metrics" in words[:-1]:
            place = words.index("--metrics") + 1
            words[place] = f"{words[place]},{metrics}"
        else:
            words += ["--metrics", f"standard,{metrics}"]
        return shlex.join(words)

    @cached_property
    def ramp(self) -> str:
        """The colours of the strips from worst to best, as a picture."""
        return pictures.strip(np.linspace(pictures.LOW_DB, pictures.HIGH_DB, 60)[None, :])

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Versions and machine of the newest run."""
        return origins.facts(self.run)

    @property
    def packages(self) -> tuple[tuple[str, str], ...]:
        """The packages of the newest run."""
        return origins.packages(self.run)

    @cached_property
    def downloads(self) -> tuple[origins.Download, ...]:
        """The rows behind the tables."""
        return origins.downloads(self.reading.tracks, self.reading.separations)

    @cached_property
    def data(self) -> Markup:
        """The numbers that the page's script works with."""
        return data_block(payload(self.cube, self.boards, self.entrants))

    @property
    def axis(self) -> Axis:
        """An axis that holds every value and interval of the headline."""
        return board_axis(self.board)

    @cached_property
    def ranks(self) -> dict[str, str]:
        """The rank of every model; models that are no rivals have none."""
        answer, place = {}, 0
        for row in self.board.rows:
            ranked = row.value is not None and self.entrants[row.model].ranked
            place += ranked
            answer[row.model] = str(place) if ranked else "–"
        return answer

    @cached_property
    def targets(self) -> tuple[tuple[Board, Axis], ...]:
        """The headline's metric for every target, all on one scale."""
        found = [self.boards.by_series[one] for one in self.boards.beside(self.board.series)]
        same = [ways[self.board.aggregation] for ways in found]
        axis = linear([value for board in same for value in _bounds(board)], 6, 174, count=3)
        return tuple((board, axis) for board in same)

    @cached_property
    def yardsticks(self) -> tuple[Yardstick, ...]:
        """Every metric of the headline's target."""
        return yardsticks(self.boards, self.entrants)

    @property
    def advice(self) -> str:
        """Which of them to read."""
        return advice(self.yardsticks)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The models of the pairwise matrix: those with a value, the best first."""
        return tuple(name for name in self.contest.models if not self.entrants[name].baseline)

    @cached_property
    def rank_figure(self) -> Markup | None:
        """The critical-difference diagram of the models that compete."""
        found = self.contest.ranks
        if found is None or len(found.ranks) < 3 or len(found.ranks) > 30:
            return None
        ranks = {str(name): float(rank) for name, rank in found.ranks.items()}
        index = {name: self.entrants[name].index for name in ranks}
        words = (
            f"Models whose average ranks over {found.tracks} tracks differ by less than "
            f"{found.cd:.2f} are joined by a bar."
        )
        return rank_diagram(ranks, found.groups, found.cd, index, words)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Cost and quality of the models that have both."""
        made = []
        for row in self.board.rows:
            entrant = self.entrants[row.model]
            factor = entrant.cost.real_time_factor
            if row.value is not None and factor and not entrant.baseline and not entrant.oracle:
                made.append(Point(row.model, entrant.index, factor, row.value, row.low, row.high))
        return tuple(made)

    @property
    def front(self) -> list[str]:
        """The models that none beats in both quality and cost, the cheapest first."""
        return [point.name for point in front(self.points)]

    @property
    def cost_figure(self) -> Markup:
        """Quality against cost."""
        series = self.board.series
        words = "Up is better, left is cheaper; the line joins the models that none beats in both."
        return scatter(
            self.points,
            f"{series.label} of {series.target} against time",
            words,
            "seconds of work for a second of music",
            f"{series.metric} of {series.target}, {self.board.unit}",
        )


def board_axis(board: Board) -> Axis:
    """An axis that holds every value and interval of a board."""
    return linear(_bounds(board), 6, 234, count=4)


def _bounds(board: Board) -> list[float]:
    return [
        value for row in board.rows for value in (row.value, row.low, row.high) if value is not None
    ]
