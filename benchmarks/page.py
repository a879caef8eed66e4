"""The suite's figures as one page: a table, plots, and ratios against the last release."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

RELEASED = Path(__file__).parent / "released"
KEY = ["suite", "name", "x"]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td, th { padding: .2rem .6rem; text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums } tr { border-bottom: 1px solid #ddd }
.missed { color: #a00; font-weight: 600 } img { max-width: 100% }
"""


def last_release() -> Path | None:
    """The file with the figures of the last release, if there is one."""

    def numbers(path: Path) -> tuple[int, ...]:
        return tuple(int(part) for part in path.stem.split(".") if part.isdecimal())

    return max(RELEASED.glob("*.parquet"), key=numbers, default=None)


def with_ratios(figures: pd.DataFrame, released: pd.DataFrame | None) -> pd.DataFrame:
    """The figures, with ``before`` and ``ratio`` where the release has the same figure."""
    if released is None:
        return figures.assign(before=float("nan"), ratio=float("nan"))
    old = released[[*KEY, "value"]].rename(columns={"value": "before"})
    joined = figures.merge(old, on=KEY, how="left")
    return joined.assign(ratio=joined["value"] / joined["before"])


def write_page(source: Path, release: Path | None, target: Path) -> Path:
    """Write the self-contained page."""
    figures = pq.read_table(source).to_pandas()
    old = None if release is None else pq.read_table(release).to_pandas()
    table = with_ratios(figures, old)
    first = figures.iloc[0]
    against = "no release has figures yet" if release is None else f"against {release.stem}"
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Benchmarks</title><style>{STYLE}</style>",
        f"<h1>benchbench {html.escape(str(first['version']))}: benchmarks</h1>",
        f"<p>{html.escape(str(first['cpu']))}, {first['cores']} cores, Python {first['python']}, "
        f"{first['measured']}; ratios {html.escape(against)}.</p>",
    ]
    for suite, part in table.groupby("suite", sort=False):
        parts.append(f"<h2>{html.escape(str(suite))}</h2>{_rows(part)}")
        parts += (
            [f'<img alt="{html.escape(str(suite))}" src="{_plot(part)}">'] if _curves(part) else []
        )
    target.write_text("\n".join(parts), encoding="utf-8")
    return target


def _rows(part: pd.DataFrame) -> str:
    lines = ["<table><tr><th>figure<th>at<th>value<th>bar<th>before<th>ratio</tr>"]
    for row in part.itertuples():
        bar = "" if pd.isna(row.bar) else f"{row.bar:g}"
        worse = row.value > row.bar if row.better == "lower" else row.value < row.bar
        kind = "number missed" if bar and worse else "number"
        before = "" if pd.isna(row.before) else f"{row.before:.3g}"
        ratio = "" if pd.isna(row.ratio) else f"{row.ratio:.2f}"
        lines.append(
            f"<tr><td>{html.escape(row.name)}<td>{row.x:g} {html.escape(row.x_unit)}"
            f'<td class="{kind}">{row.value:.3g} {html.escape(row.unit)}<td class=number>{bar}'
            f"<td class=number>{before}<td class=number>{ratio}</tr>"
        )
    return "".join([*lines, "</table>"])


def _curves(part: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name), one) for name, one in part.groupby("name", sort=False) if len(one) > 1]


def _plot(part: pd.DataFrame) -> str:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    units = list(dict.fromkeys(one["unit"].iloc[0] for _, one in _curves(part)))
    figure, axes = plt.subplots(1, len(units), figsize=(6 * len(units), 4), squeeze=False)
    for axis, unit in zip(axes[0], units, strict=True):
        for name, one in _curves(part):
            if one["unit"].iloc[0] == unit:
                axis.plot(one["x"], one["value"], marker="o", label=name)
        axis.set_xlabel(str(part["x_unit"].iloc[0]))
        axis.set_ylabel(unit)
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=6)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", bbox_inches="tight")
    plt.close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()
