"""Results in Python: tables, figures and sound of a folder or of one run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from benchbench.errors import NothingToCompareError
from benchbench.io.remote import local_folder
from benchbench.metrics import DIAGNOSTICS, PROTOCOLS
from benchbench.results.interchange.tidy_export import usual_aggregation
from benchbench.results.store import Results as StoredResults
from benchbench.stats.boards import board_of_metrics, board_of_targets
from benchbench.stats.tracks import newest

if TYPE_CHECKING:
    import pandas as pd

    from benchbench.reporting.cell import Player
    from benchbench.reporting.plots import Plots
    from benchbench.running.runner import Tally

__all__ = ["Results", "RunResult", "ScoreView"]


class ScoreView(ABC):
    """Tables, figures and sound of some scores; shown as a leaderboard in notebooks."""

    @property
    @abstractmethod
    def root(self) -> Path:
        """The results folder that the scores lie in."""

    @abstractmethod
    def scores_frame(
        self, where: pc.Expression | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The score rows as a data frame; text columns are categoricals, missing values NaN."""

    @abstractmethod
    def separations_frame(self) -> pd.DataFrame:
        """How every separation ended and what it cost, as a data frame."""

    def leaderboard(self, metric: str | None = None) -> pd.DataFrame:
        """Every model's numbers, best first.

        Parameters
        ----------
        metric
            ``protocol/metric``, such as ``usdr/SDR``: one column per target and their mean. None:
            one column per metric, one row per target and model.

        Returns
        -------
        DataFrame
            Each number is summed up over frames and tracks in its protocol's own way:
            ``benchbench.metrics.protocol(name).aggregation``. Of several runs the newest counts.

        Raises
        ------
        NothingToCompareError
            When there are no scores.
        UnknownNameError
            When there are none by that metric.
        """
        scores = newest(self.scores_frame(pc.field("band_lo_hz").is_null()))
        scores = scores[~scores["metric"].isin(DIAGNOSTICS)]
        if scores.empty:
            raise NothingToCompareError(f"There are no scores in {self.root}.")
        ways = aggregations(scores["protocol"].unique())
        lower = _lower_is_better()
        if metric is None:
            return board_of_metrics(scores, ways, lower, _known_columns())
        return board_of_targets(scores, ways, metric, lower)

    @property
    def plot(self) -> Plots:
        """Figures: ``leaderboard``, ``tracks``, ``differences``, ``frequency``, ``time``, ``cost``."""
        from benchbench.reporting.plots import Plots

        return Plots(
            lambda: newest(self.scores_frame()), self.separations_frame, aggregations(PROTOCOLS)
        )

    def listen(
        self, track: str, target: str | None = None, *, start_s: float | None = None
    ) -> Player:
        """The report's player for one track, shown by a notebook.

        Parameters
        ----------
        track
            The track's name.
        target
            What to hear; by default the target of the report's headline.
        start_s
            Where an excerpt of ten seconds begins; None: the whole track.

        Raises
        ------
        UnknownNameError
            For a track without scores.
        NothingToCompareError
            When no audio was kept, or the data set's licence does not allow excerpts.
        """
        from benchbench.reporting.cell import player

        models = sorted({str(name) for name in self.separations_frame()["model"].unique()})
        return player(self.root, track, target=target, models=models or None, start_s=start_s)

    def _repr_html_(self) -> str:
        try:
            board = self.leaderboard()
        except NothingToCompareError as error:
            return f"<p>{error}</p>"
        html: str = board.to_html(float_format="{:.2f}".format, na_rep="–")
        return html


@dataclass(frozen=True)
class Results(StoredResults, ScoreView):
    """A folder of results: everything that was ever stored in it.

    Parameters
    ----------
    root
        The folder, or an address such as ``s3://bucket/results``.

    Examples
    --------
    >>> benchbench.Results("results").leaderboard("usdr/SDR")  # doctest: +SKIP
    """

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", local_folder(self.root))

    def __repr__(self) -> str:
        return f"Results({str(self.root)!r})"


@dataclass(frozen=True)
class RunResult(ScoreView):
    """What a run was asked for: its scores, how it went, and its page.

    Its tables hold the models, tracks and protocols that the run was asked for, whether this run
    computed them or found them stored; `results` is the whole folder.

    Parameters
    ----------
    results
        The results' folder.
    run_id
        The run's name in it.
    tally
        How many separations went well or failed, and the seconds that they took.
    present
        Cells that were stored before.
    report
        The page; None where none was written.
    models
        The models, as they are named in the results.
    separation_ids, cell_ids
        The names of what was asked for in the results.
    """

    results: Results
    run_id: str
    tally: Tally
    present: int
    report: Path | None
    models: tuple[str, ...]
    separation_ids: frozenset[str] = field(repr=False)
    cell_ids: frozenset[str] = field(repr=False)

    @property
    def root(self) -> Path:
        """The results' folder."""
        return self.results.root

    def scores_frame(
        self, where: pc.Expression | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The score rows that the run was asked for."""
        own = rows_of_cells(self.cell_ids)
        return self.results.scores_frame(own if where is None else own & where, columns)

    def separations_frame(self) -> pd.DataFrame:
        """The separations that the run was asked for: status and cost."""
        frame = self.results.separations_frame()
        return frame[frame["separation_id"].isin(self.separation_ids)].reset_index(drop=True)


def aggregations(protocols: Collection[str]) -> dict[str, str]:
    """The usual aggregation of each protocol; the default for protocols that are not known."""
    return {str(name): usual_aggregation(str(name)) for name in protocols}


def _known_columns() -> list[str]:
    """Every ``protocol/metric``, in the catalogue's order."""
    return [
        f"{name}/{metric.name}" for name, found in PROTOCOLS.items() for metric in found.metrics
    ]


def _lower_is_better() -> frozenset[str]:
    return frozenset(
        f"{one.name}/{metric.name}"
        for one in PROTOCOLS.values()
        for metric in one.metrics
        if metric.direction == "lower"
    )


def rows_of_cells(cells: Collection[str]) -> pc.Expression:
    """The condition that a score row belongs to one of these cells."""
    return pc.field("cell_id").isin(pa.array(sorted(cells), pa.string()))
