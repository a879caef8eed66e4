"""The table at the end of a run: one block per target, one line per model, and its speed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchbench.cli.run_notes import (
    Footnotes,
    aggregation_note,
    kinds_note,
    names_note,
    usual_aggregation,
)
from benchbench.cli.terminal import width, wrapped
from benchbench.errors import BenchbenchError
from benchbench.io.text_table import aligned
from benchbench.metrics import metric as metric_named
from benchbench.metrics.names import REFERENCE_FREE, known_protocols
from benchbench.results.kinds import generative_models
from benchbench.results.store import Results
from benchbench.stats import leaderboard
from benchbench.stats.attempts import newest_separations
from benchbench.stats.costs import real_time_factors
from benchbench.stats.tracks import KEYS
from benchbench.stats.wording import speed

__all__ = ["RunTable", "summary"]

SHOWN: Final = (("usdr", "SDR"), ("bsseval-v4", "SDR"), ("si", "SI-SDR"))
"""Protocol and metric of the columns; those without stored scores are left out."""

SYMPTOMS: Final = tuple(
    (REFERENCE_FREE.name, name)
    for name in ("consistency", "agreement", "correlation", "clicks", "silence")
)
"""The columns where no other protocol has scores: songs without references."""

MOST_COLUMNS: Final = 5

_READ: Final = [*KEYS, "run_id", "start_s", "duration_s", "value", "reason"]

Column = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RunTable:
    """The table as text; whether any score has a value, and the reason if not."""

    text: str
    scored: bool
    why: str = ""


def summary(
    results: Results,
    *,
    models: Sequence[str],
    dataset: str,
    metrics: Sequence[str] = (),
    columns: int | None = None,
) -> RunTable:
    """The headline numbers of every model and target, and each model's speed.

    Parameters
    ----------
    results
        The results.
    models
        ``adapter`` or ``adapter:variant``; others in the folder are left out.
    dataset
        The data set's name.
    metrics
        The requested metrics: protocols named here are shown beside the usual ones.
    columns
        Characters per line; by default the width of the terminal.
    """
    chosen = _stored(results, models)
    scores = _scores(results, chosen, dataset)
    if scores.empty:
        return RunTable("No scores are stored.", False)
    ways = {name: usual_aggregation(name) for name in map(str, scores["protocol"].unique())}
    board = leaderboard(scores, ways, resamples=2)  # its intervals are not shown here
    shown = _columns(board, [Path(name).name for name in metrics])
    footnotes = Footnotes(scores)
    separations = results.separations_frame()
    speeds = _speeds(separations[separations["dataset"].isin([dataset])])
    room = columns or width()
    alone = len(shown) > 1 and len({protocol for protocol, _ in shown}) == 1
    titles = [metric if alone else f"{protocol} {metric}" for protocol, metric in shown]
    name_width = room - sum(max(6, len(title)) + 2 for title in titles) - 8
    lines = list(_lines(board, shown, speeds, footnotes, name_width))
    header = ["", *titles, "speed"]
    notes = [*aggregation_note(shown, ways), "Speed: times faster than real time."]
    notes += kinds_note(chosen, generative_models(results.runs()), shown)
    parts = [aligned(header, lines), wrapped(notes, room), wrapped(footnotes.sentences(), room)]
    scored = bool(board["value"].notna().any())
    return RunTable(
        "\n".join(part for part in parts if part), scored, "" if scored else names_note(scores)
    )


def _stored(results: Results, models: Sequence[str]) -> list[str]:
    names = {name for name in models if ":" in name}
    adapters = {name for name in models if ":" not in name}
    return [
        model for model in results.models() if model in names or model.partition(":")[0] in adapters
    ]


def _scores(results: Results, models: Sequence[str], dataset: str) -> pd.DataFrame:
    """Broadband scores of each protocol's first metric, and of the usual columns."""
    field = pc.field
    known = known_protocols()
    wanted = {(name, protocol.metrics[0].name) for name, protocol in known.items()} | {*SHOWN}
    wanted |= {*SYMPTOMS}
    shown = reduce(or_, ((field("protocol") == p) & (field("metric") == m) for p, m in wanted))
    return results.scores_frame(
        shown
        & (field("dataset") == dataset)
        & field("band_lo_hz").is_null()
        & field("model").isin(pa.array(models, pa.string())),
        _READ,
    )


def _columns(board: pd.DataFrame, metrics: Sequence[str]) -> list[Column]:
    """The usual columns, and those of protocols requested by name; all columns if there are none."""
    held = list(
        dict.fromkeys(zip(board["protocol"].astype(str), board["metric"].astype(str), strict=True))
    )
    if {protocol for protocol, _ in held} == {REFERENCE_FREE.name}:
        return [column for column in SYMPTOMS if column in held]
    shown = [column for column in SHOWN if column in held]
    shown += [column for column in held if column[0] in metrics and column not in shown]
    return (shown or held)[:MOST_COLUMNS]


def _lines(
    board: pd.DataFrame,
    shown: Sequence[Column],
    speeds: Mapping[str, str],
    footnotes: Footnotes,
    room: int,
) -> Iterator[list[str]]:
    """One line per target, followed by one line per model, whose name has `room` characters."""
    for target, part in _blocks(board):
        yield [target, *[""] * (len(shown) + 1)]
        values = {
            (str(row["model"]), (str(row["protocol"]), str(row["metric"]))): row["value"]
            for row in part.to_dict("records")
        }
        for model in _ranked(part, shown):
            name = f"  {model}" if len(model) + 2 <= room else f"  {model[: max(8, room - 3)]}…"
            cells = [
                _number(values.get((model, column)), footnotes, (model, target, *column))
                for column in shown
            ]
            yield [name, *cells, speeds.get(model, "")]


def _blocks(board: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """One board per target, starting with the reference set that most models share.

    Another reference set gets a separate block if it has a model that the first lacks.
    """
    for target, of_target in board.groupby("target", sort=False, observed=True):
        sizes = of_target.groupby("reference_set", sort=False, observed=True)["model"].nunique()
        seen: set[str] = set()
        for references in sizes.sort_values(ascending=False, kind="stable").index:
            part = of_target[of_target["reference_set"] == references]
            names = set(map(str, part["model"].unique()))
            if not names <= seen:
                alone = "" if not seen else f" (against {str(references).replace('+', ', ')})"
                yield f"{target}{alone}", part
            seen |= names


def _ranked(part: pd.DataFrame, shown: Sequence[Column]) -> list[str]:
    """The models, best by the first column first; models without a value last."""
    protocol, metric = shown[0]
    if protocol == REFERENCE_FREE.name:  # symptoms rank no separator
        return sorted(map(str, part["model"].unique()))
    first = part[(part["protocol"] == protocol) & (part["metric"] == metric)]
    ordered = first.sort_values("value", ascending=not _higher(protocol, metric), kind="stable")
    return list(dict.fromkeys([*map(str, ordered["model"]), *map(str, part["model"])]))


def _higher(protocol: str, metric: str) -> bool:
    try:
        return metric_named(protocol, metric).direction == "higher"
    except BenchbenchError:
        return True


def _number(value: Any, footnotes: Footnotes, key: tuple[str, str, str, str]) -> str:
    if value is None or pd.isna(value):
        return footnotes.mark(*key)
    return f"{value:.2f}"


def _speeds(separations: pd.DataFrame) -> dict[str, str]:
    factors = real_time_factors(newest_separations(separations))
    return {str(model): speed(float(factor)) for model, factor in factors.items()}
