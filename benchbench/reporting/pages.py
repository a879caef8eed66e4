"""Everything that a page shows, worked out before any template runs."""

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
from benchbench.reporting import origins, spectra
from benchbench.reporting.boards import Board, Boards, boards
from benchbench.reporting.contests import Contest, contest
from benchbench.reporting.cubes import Cube, cube
from benchbench.reporting.entrants import Entrant, entrants, newest_separations
from benchbench.reporting.histories import Line, histories
from benchbench.reporting.leaks import Leak, leaks
from benchbench.reporting.listening import Excerpt, chosen_places, excerpts
from benchbench.reporting.moments import Moments, Place, moments
from benchbench.reporting.payload import payload
from benchbench.reporting.readings import Reading
from benchbench.reporting.rendering import data_block
from benchbench.reporting.sounds import Library
from benchbench.reporting.timelines import Timeline, timeline
from benchbench.reporting.tracks import Swing, TrackTable, swings, track_table
from benchbench.reporting.verdicts import Verdict, verdict
from benchbench.reporting.yardsticks import Yardstick, advice, yardsticks
from benchbench.store import Results

__all__ = ["Page", "assemble"]

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

STRIPS: Final = 10
"""Models in a drawing over time."""


@dataclass(frozen=True)
class Page:
    """What the templates may use.

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

    @cached_property
    def library(self) -> Library | None:
        """The kept audio, when it may be taken over."""
        if self.audio == "none" or not self.dataset.get("audio_excerpts", False):
            return None
        own = self.reading.separations
        own = own[own["dataset"] == self.board.series.dataset]
        newest = newest_separations(own, [str(run.get("run_id")) for run in self.runs])
        return Library(tuple(Results(root) for root in self.reading.roots), newest)

    @cached_property
    def moments(self) -> Moments | None:
        """The headline's target by frame."""
        series = self.board.series
        return moments(self.reading.frames, series.dataset, series.references, series.target)

    @property
    def rivals(self) -> tuple[str, ...]:
        """Who is worth hearing against one another."""
        ranked = tuple(row.model for row in self.board.rows if self.entrants[row.model].ranked)
        others = tuple(
            row.model for row in self.board.rows if not self.entrants[row.model].baseline
        )
        return ranked if len(ranked) > 1 else others

    @property
    def leader(self) -> str:
        """The best that competes, or the best at all."""
        return self.verdict.leader or self.board.rows[0].model

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The moments worth hearing."""
        return chosen_places(self.moments, self.leader, self.rivals) if self.moments else ()

    @cached_property
    def excerpts(self) -> tuple[Excerpt, ...]:
        """What there is to hear of them."""
        if self.library is None:
            return ()
        target = self.board.series.target
        full = self.audio == "full"
        return excerpts(self.library, self.places, target, self.entrants, full=full)

    @cached_property
    def timelines(self) -> tuple[Timeline, ...]:
        """Drawings of the tracks that the places lie on."""
        if self.moments is None:
            return ()
        heard = {excerpt.track: excerpt for excerpt in self.excerpts}
        tracks = list(dict.fromkeys(place.track for place in self.places))
        names = [name for name in self.entrants if not self.entrants[name].baseline][:STRIPS]
        target = self.board.series.target
        return tuple(
            timeline(
                self.moments.tracks[track],
                names,
                self.entrants,
                target,
                self.library,
                heard.get(track),
                f"strip-{place}",
            )
            for place, track in enumerate(tracks)
        )

    @cached_property
    def worst(self) -> tuple[tuple[str, tuple[Place, ...]], ...]:
        """The five worst moments of the models that compete."""
        if self.moments is None:
            return ()
        names = [self.leader, *(name for name in self.rivals if name != self.leader)][:6]
        return tuple((name, self.moments.worst(name)) for name in names)

    @cached_property
    def bands(self) -> tuple[spectra.BandTable, ...]:
        """SDR by band, a table a target."""
        series = self.board.series
        names = {k: v for k, v in self.entrants.items() if not v.baseline}
        found = spectra.reference_spectra(
            self.library, self.cube.tracks[series.dataset], self.stems
        )
        table = self.reading.tracks
        return spectra.band_tables(table, series.dataset, series.references, names, found)

    @property
    def stems(self) -> tuple[str, ...]:
        """The references of the headline."""
        return tuple(self.board.series.references.split("+"))

    @cached_property
    def leaks(self) -> tuple[Leak, ...]:
        """Bleed matrices."""
        series = self.board.series
        names = tuple(name for name in self.entrants if self.entrants[name].adapter != "silence")
        return leaks(self.reading.tracks, series.dataset, series.references, names)

    @cached_property
    def tracks(self) -> TrackTable:
        """The headline on every track."""
        return track_table(self.cube.grids[self.board.series], self.board)

    @cached_property
    def swings(self) -> Swing | None:
        """Where the leader beats the next, and where it loses."""
        names = [name for name in self.rivals if name != self.leader]
        if not names:
            return None
        return swings(self.cube.grids[self.board.series], self.board, self.leader, names[0])

    @cached_property
    def history(self) -> tuple[Line, ...]:
        """Models that were run more than once."""
        reading = self.reading
        return histories(
            reading.history, reading.separations, reading.runs, self.board, self.entrants
        )


def assemble(reading: Reading, *, baseline: str | None = None, audio: str = "excerpts") -> Page:
    """Work out what the page shows."""
    data = cube(reading.tracks)
    made = boards(data)
    board = made.headline
    names = [row.model for row in board.rows]
    names += sorted(set(data.models) - set(names))
    competing = {found.name: found for found in entrants(reading, names, board.series.dataset)}
    duel = contest(
        data.grids[board.series], board, [name for name, one in competing.items() if one.ranked]
    )
    said = verdict(board, duel, competing)
    return Page(
        reading=reading,
        cube=data,
        boards=made,
        board=board,
        entrants=competing,
        contest=duel,
        verdict=said,
        run=_run_of(reading, board.series.dataset),
        audio=audio,
        baseline=baseline or said.leader or names[0],
    )


def board_axis(board: Board) -> Axis:
    """An axis that holds every value and interval of a board."""
    return linear(_bounds(board), 6, 234, count=4)


def _bounds(board: Board) -> list[float]:
    return [
        value for row in board.rows for value in (row.value, row.low, row.high) if value is not None
    ]


def _run_of(reading: Reading, dataset: str) -> dict[str, Any]:
    """The newest run on that data set, or the newest at all."""
    own = [run for run in reading.runs if (run.get("dataset") or {}).get("name") == dataset]
    return (own or list(reading.runs) or [{}])[-1]
