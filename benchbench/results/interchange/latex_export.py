"""The leaderboard as a LaTeX table with booktabs rules."""

from __future__ import annotations

import pandas as pd

from benchbench.errors import NothingToCompareError
from benchbench.metrics.targets import in_order
from benchbench.stats.aggregations import aggregation_named
from benchbench.stats.wording import count

__all__ = ["latex_table"]

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def latex_table(
    leaders: pd.DataFrame,
    *,
    metric: str = "SDR",
    oracles: frozenset[str] = frozenset(),
    baselines: frozenset[str] = frozenset(),
    intervals: bool = False,
    digits: int = 2,
    label: str = "tab:separation",
) -> str:
    """A table of models by targets.

    Parameters
    ----------
    leaders
        Rows of `benchbench.stats.leaderboard` for one data set and protocol.
    metric
        The metric to show.
    oracles
        Models that use the references: the last block, never printed bold.
    baselines
        Models that separate nothing: a block above the oracles.
    intervals
        Whether to print the 95% interval under each number.
    digits, label
        Decimals, and the table's label.

    Returns
    -------
    str
        A ``table`` environment; it needs ``\\usepackage{booktabs}``. The best number of every column
        is bold, and the caption names protocol, data set, aggregation and number of tracks.

    Raises
    ------
    NothingToCompareError
        When there is no such row, or rows mix data sets or protocols.
    """
    rows = leaders[(leaders["metric"] == metric) & leaders["band_lo_hz"].isna()]
    mixed = [name for name in ("dataset", "protocol", "metric_version", "aggregation")
             if rows[name].nunique() != 1]  # fmt: skip
    if mixed:
        raise NothingToCompareError(
            f"A table needs rows of {metric} that share one {', one '.join(mixed)}.",
            hint="Choose the protocol and the data set; numbers of several never share a column.",
        )
    columns = [
        (str(reference_set), target)
        for reference_set, group in rows.groupby("reference_set", sort=True)
        for target in in_order(group["target"].unique())
    ]
    cells = {
        (str(row["model"]), row["reference_set"], row["target"]): row for _, row in rows.iterrows()
    }
    best = {column: _best(rows, column, oracles) for column in columns}
    blocks = {
        name: 2 if name in oracles else 1 if name in baselines else 0 for name in rows["model"]
    }
    models = sorted(blocks, key=lambda name: (blocks[name], str(name)))
    lines: list[str] = []
    for before, model in zip([models[0], *models], models, strict=False):
        if blocks[before] != blocks[model]:
            lines.append(r"\midrule")
        values = [_cell(cells.get((model, *column)), best[column] == model, intervals, digits)
                  for column in columns]  # fmt: skip
        lines.append(" & ".join([_escaped(str(model)), *values]) + r" \\")
    return _table(rows, columns, lines, metric, label)


def _table(
    rows: pd.DataFrame,
    columns: list[tuple[str, str]],
    lines: list[str],
    metric: str,
    label: str,
) -> str:
    first = rows.iloc[0]
    caption = (
        f"{metric} ({first['protocol']}) on {first['dataset']}: "
        f"{str(first['aggregation']).removesuffix(' over tracks')} over {_tracks(rows)}. "
        f"{aggregation_named(str(first['aggregation'])).description}"
    )
    sets: list[tuple[str, int]] = []
    for reference_set, _ in columns:
        if sets and sets[-1][0] == reference_set:
            sets[-1] = (reference_set, sets[-1][1] + 1)
        else:
            sets.append((reference_set, 1))
    head = " & ".join(["", *(rf"\multicolumn{{{size}}}{{c}}{{{_escaped(name)}}}"
                             for name, size in sets)])  # fmt: skip
    rules, start = [], 2
    for _, size in sets:
        rules.append(rf"\cmidrule(lr){{{start}-{start + size - 1}}}")
        start += size
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escaped(caption)}}}",
            rf"\label{{{label}}}",
            rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
            r"\toprule",
            head + r" \\",
            "".join(rules),
            " & ".join(["Model", *(_escaped(target) for _, target in columns)]) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _best(rows: pd.DataFrame, column: tuple[str, str], oracles: frozenset[str]) -> str | None:
    from benchbench.metrics import PROTOCOLS
    from benchbench.metrics import metric as metric_named

    here = rows[(rows["reference_set"] == column[0]) & (rows["target"] == column[1])]
    here = here[~here["model"].isin(oracles)].dropna(subset=["value"])
    if here.empty:
        return None
    first = here.iloc[0]
    lower = (
        str(first["protocol"]) in PROTOCOLS
        and metric_named(str(first["protocol"]), str(first["metric"])).direction == "lower"
    )
    place = here["value"].argmin() if lower else here["value"].argmax()
    return str(here["model"].iloc[int(place)])


def _tracks(rows: pd.DataFrame) -> str:
    """``9 tracks``, or ``8 to 9 tracks`` where models lack values on some."""
    counts = sorted({int(number) for number in rows["tracks"]} - {0}) or [0]
    fewest = "" if counts[0] == counts[-1] else f"{counts[0]} to "
    return fewest + count(counts[-1], "track")


def _cell(row: pd.Series | None, bold: bool, intervals: bool, digits: int) -> str:
    if row is None or pd.isna(row["value"]):
        return "--"
    text = f"{row['value']:.{digits}f}".replace("-", "$-$")
    if bold:
        text = rf"\textbf{{{text}}}"
    if intervals and pd.notna(row["lo"]):
        bounds = f"{row['lo']:.{digits}f}, {row['hi']:.{digits}f}".replace("-", "$-$")
        text += rf" {{\scriptsize [{bounds}]}}"
    return text


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(sign, sign) for sign in text)
