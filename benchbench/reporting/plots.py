"""Figures of scores for notebooks and papers, drawn with seaborn.

Each method returns a matplotlib figure that belongs to the caller: nothing is shown and no global
state of matplotlib changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchbench.errors import NothingToCompareError, UnknownNameError
from benchbench.stats import leaderboard, per_track
from benchbench.stats.attempts import newest_separations
from benchbench.stats.costs import real_time_factors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Plots"]

OCTAVES = "bands-octave"
SECONDS = "windows"
SIZE = (7.0, 4.0)


class Plots:
    """Figures of one set of scores.

    Parameters
    ----------
    scores
        Returns score rows of schema `benchbench.results.schema.SCORES` as a data frame.
    separations
        Returns the rows of the separations that the scores belong to.
    aggregation
        Name of the aggregation by protocol.
    """

    def __init__(
        self,
        scores: Callable[[], pd.DataFrame],
        separations: Callable[[], pd.DataFrame],
        aggregation: Mapping[str, str],
    ) -> None:
        self._scores, self._separations, self._aggregation = scores, separations, aggregation

    def __dir__(self) -> list[str]:
        return ["cost", "differences", "frequency", "leaderboard", "time", "tracks"]

    def leaderboard(self, metric: str = "usdr/SDR") -> Figure:
        """Every model's value on every target, with its 95% interval over tracks.

        Parameters
        ----------
        metric
            ``protocol/metric``.
        """
        rows = self._of(metric)
        board = leaderboard(rows, dict(self._aggregation))
        figure, axes = _axes()
        targets = list(dict.fromkeys(board["target"]))
        order = list(board.groupby("model")["value"].mean().sort_values().index)
        for place, target in enumerate(targets):
            part = board[board["target"] == target].set_index("model").reindex(order)
            height = np.arange(len(order)) + 0.15 * (place - (len(targets) - 1) / 2)
            errors = np.abs(part[["lo", "hi"]].to_numpy() - part[["value"]].to_numpy()).T
            axes.errorbar(part["value"], height, xerr=errors, fmt="o", capsize=2, label=target)
        axes.set_yticks(np.arange(len(order)), order)
        aggregation = board["aggregation"].iloc[0]
        axes.set_xlabel(f"{_label(metric)}, {aggregation}, 95% interval")
        axes.legend(title="target", frameon=False)
        return _finished(figure)

    def tracks(self, metric: str = "usdr/SDR") -> Figure:
        """The distribution over tracks: one dot per track, the median and the quartiles."""
        import seaborn as sns

        table = per_track(self._of(metric))
        figure, axes = _axes()
        shared: dict[str, Any] = {"data": table, "x": "value", "y": "model", "hue": "target"}
        sns.stripplot(**shared, ax=axes, dodge=True, size=3, alpha=0.5, legend=False)
        sns.pointplot(
            **shared, ax=axes, estimator="median", errorbar=("pi", 50), dodge=0.4, linestyle="none"
        )
        axes.set(xlabel=_label(metric), ylabel="")
        return _finished(figure)

    def differences(self, baseline: str, metric: str = "usdr/SDR") -> Figure:
        """Each track's difference from a baseline model, by model and target.

        Raises
        ------
        UnknownNameError
            When the baseline has no such scores.
        """
        import seaborn as sns

        table = per_track(self._of(metric)).astype({"model": "object"})
        models = list(dict.fromkeys(table["model"]))
        if baseline not in models:
            raise UnknownNameError("model", baseline, models, where=" in these scores")
        wide = table.pivot_table(
            index=["dataset", "reference_set", "track", "target"], columns="model", values="value",
            observed=True,
        )  # fmt: skip
        if len(models) < 2:
            raise NothingToCompareError("A difference needs a second model.")
        paired = wide.drop(columns=baseline).sub(wide[baseline], axis=0)
        tidy = paired.reset_index().melt(
            id_vars=["dataset", "reference_set", "track", "target"], value_name="difference"
        )
        figure, axes = _axes()
        axes.axvline(0.0, color="0.6", linewidth=1)
        sns.stripplot(data=tidy, x="difference", y="model", hue="target", ax=axes, dodge=True)
        axes.set(xlabel=f"{_label(metric)} minus that of {baseline}", ylabel="")
        return _finished(figure)

    def frequency(self, target: str = "vocals", metric: str = f"{OCTAVES}/SDR") -> Figure:
        """A line per model over frequency: mean over tracks with its 95% interval.

        Raises
        ------
        NothingToCompareError
            When there are no scores by frequency band.
        """
        import seaborn as sns

        rows = self._of(metric)
        rows = rows[(rows["target"] == target) & rows["start_s"].isna()]
        _require(rows, f"scores of {target} by {metric}", "--metrics bands-octave")
        centre = np.sqrt(rows["band_lo_hz"] * rows["band_hi_hz"])
        rows = rows.assign(frequency=centre, model=rows["model"].astype("str"))
        figure, axes = _axes()
        sns.lineplot(data=rows, x="frequency", y="value", hue="model", marker="o", ax=axes)
        axes.set_xscale("log")
        axes.set(xlabel="frequency in Hz", ylabel=f"{_label(metric)} of {target}")
        return _finished(figure)

    def time(self, track: str, target: str = "vocals", metric: str = f"{SECONDS}/SDR") -> Figure:
        """A line per model over the seconds of one track.

        Raises
        ------
        UnknownNameError
            When the track has no scores.
        NothingToCompareError
            When there are no scores by second.
        """
        import seaborn as sns

        rows = self._of(metric)
        known = [str(name) for name in rows["track"].unique()]
        if track not in known:
            raise UnknownNameError("track", track, known, where=" in these scores")
        rows = rows[(rows["track"] == track) & (rows["target"] == target)]
        _require(rows, f"scores of {target} on {track} by {metric}", "--metrics windows")
        figure, axes = _axes()
        sns.lineplot(
            data=rows.astype({"model": "str"}), x="start_s", y="value", hue="model", ax=axes
        )
        axes.set(xlabel="seconds", ylabel=f"{_label(metric)} of {target}", title=track)
        return _finished(figure)

    def cost(self, metric: str = "usdr/SDR", target: str = "vocals") -> Figure:
        """Quality against speed; variants of one model are joined by a line.

        Raises
        ------
        NothingToCompareError
            When no separation was timed.
        """
        import seaborn as sns

        rows = self._of(metric)
        board = leaderboard(rows[rows["target"] == target], dict(self._aggregation))
        points = board[["model", "value"]].merge(_speeds(self._separations()), on="model")
        _require(points, "timed separations", "bench run")
        points["family"] = points["model"].str.partition("[")[0]
        figure, axes = _axes()
        sns.lineplot(
            data=points.sort_values("speed"), x="speed", y="value", hue="family", marker="o",
            ax=axes, legend=False, estimator=None,
        )  # fmt: skip
        for name, speed, value in zip(
            points["model"], points["speed"], points["value"], strict=True
        ):
            axes.annotate(name, (speed, value), (4, 4), textcoords="offset points")
        axes.set_xscale("log")
        axes.set(xlabel="times faster than real time", ylabel=f"{_label(metric)} of {target}")
        return _finished(figure)

    def _of(self, metric: str) -> pd.DataFrame:
        """The rows of ``protocol/metric``."""
        scores = self._scores()
        protocol, _, name = metric.partition("/")
        rows = scores[(scores["protocol"] == protocol) & (scores["metric"] == name)]
        if rows.empty:
            pairs = scores[["protocol", "metric"]].drop_duplicates().astype(str)
            known = [f"{one.protocol}/{one.metric}" for one in pairs.itertuples()]
            raise UnknownNameError("metric", metric, known, where=" in these scores")
        text = ["model", "target", "reference_set", "dataset", "track", "protocol", "metric"]
        return rows.astype(dict.fromkeys(text, "str"))


def _speeds(separations: pd.DataFrame) -> pd.DataFrame:
    """Seconds of audio per second of work, by model."""
    factors = real_time_factors(newest_separations(separations))
    return (1 / factors).rename("speed").reset_index()


def _label(metric: str) -> str:
    protocol, _, name = metric.partition("/")
    return name if protocol in name.lower() else f"{name} ({protocol})"


def _require(rows: pd.DataFrame, what: str, how: str) -> None:
    if rows.empty:
        raise NothingToCompareError(f"There are no {what}.", hint=f"Make some with {how}.")


def _axes() -> tuple[Figure, Axes]:
    """A figure that pyplot does not keep, so that a notebook shows it once."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
    plt.close(figure)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    return figure, axes


def _finished(figure: Figure) -> Figure:
    for axes in figure.axes:
        legend = axes.get_legend()
        if legend is not None:
            legend.set_frame_on(False)
    return figure
