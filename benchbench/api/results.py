"""Results in Python: tables, figures and audio of a folder or of one run."""

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
from benchbench.metrics.names import known_protocols
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
    """Tables, figures and audio of some scores; shown as a leaderboard in notebooks."""

    @property
    @abstractmethod
    def root(self) -> Path:
        """The results folder that contains the scores."""

    @abstractmethod
    def scores_frame(
        self, where: pc.Expression | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The score rows as a data frame; text columns are categoricals, missing values NaN."""

    @abstractmethod
    def separations_frame(self) -> pd.DataFrame:
        """Status and cost of every separation, as a data frame."""

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
            Each number is aggregated over frames and tracks as its protocol defines:
            ``benchbench.metrics.protocol(name).aggregation``. Of several runs the newest counts.

        Raises
        ------
        NothingToCompareError
            When there are no scores.
        UnknownNameError
            When there are no scores of that metric.
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
        """The report's audio player for one track, shown in a notebook.

        Parameters
        ----------
        track
            The track's name.
        target
            The target to play; by default the target of the report's headline.
        start_s
            Start of a ten-second excerpt, in seconds; None: the whole track.

        Raises
        ------
        UnknownNameError
            When the track has no scores.
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
    """All results that are stored in a folder.

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
    """The requested results of a run: its scores, its outcome, and its report.

    Its tables hold the requested models, tracks and protocols, whether computed by this run or
    already stored; `results` is the whole folder.

    Parameters
    ----------
    results
        The results folder.
    run_id
        The run's identifier in the folder.
    tally
        Number of successful and failed separations, and the time in seconds.
    present
        Number of cells that were already stored.
    report
        The report page; None if none was written.
    models
        Names of the models in the results.
    separation_ids, cell_ids
        Identifiers of the requested separations and cells in the results.
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
        """The results folder."""
        return self.results.root

    def scores_frame(
        self, where: pc.Expression | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The requested score rows."""
        own = rows_of_cells(self.cell_ids)
        return self.results.scores_frame(own if where is None else own & where, columns)

    def separations_frame(self) -> pd.DataFrame:
        """Status and cost of the requested separations."""
        frame = self.results.separations_frame()
        return frame[frame["separation_id"].isin(self.separation_ids)].reset_index(drop=True)


def aggregations(protocols: Collection[str]) -> dict[str, str]:
    """The default aggregation of each protocol; a general default for unknown protocols."""
    return {str(name): usual_aggregation(str(name)) for name in protocols}


def _known_columns() -> list[str]:
    """Every ``protocol/metric``, in the catalogue's order."""
    return [
        f"{name}/{metric.name}"
        for name, found in known_protocols().items()
        for metric in found.metrics
    ]


def _lower_is_better() -> frozenset[str]:
    return frozenset(
        f"{one.name}/{metric.name}"
        for one in known_protocols().values()
        for metric in one.metrics
        if metric.direction == "lower"
    )


def rows_of_cells(cells: Collection[str]) -> pc.Expression:
    """The condition that a score row belongs to one of these cells."""
    return pc.field("cell_id").isin(pa.array(sorted(cells), pa.string()))
