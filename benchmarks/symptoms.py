"""Correlation of reference-free symptoms and metric folders with SI-SDR.

::

    python -m benchmarks symptoms --datasets demo,synth --limit 4

Separates songs with several models, keeps the stems, and prints Spearman's rank correlation between
each number and SI-SDR: over all songs, stems and models, and within each stem.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import benchbench
from benchbench.io.audio.audio_files import read
from benchbench.io.names import file_name
from benchbench.metrics.described.reference_free import reference_free
from benchbench.results.store import Results

MODELS = ("irm", "wiener", "mid-side", "zipformer:tiny", "resynth")
RIVAL = "zipformer:tiny"
"""The separator that the agreement of the others is computed against."""


def measured(dataset: str, limit: int, extra: tuple[str, ...], out: Path) -> pd.DataFrame:
    """One row per song, model and stem: SI-SDR, and every other number."""
    benchbench.run(
        list(MODELS), dataset, metrics=["si", *extra], out=out, limit=limit, keep_stems="yes",
        report=False,
    )  # fmt: skip
    results = Results(out)
    scores = results.scores_frame()
    named = {"SI-SDR": "SI-SDR", **{name: name for name in scores["metric"].unique()}}
    kept = scores[scores["metric"].isin(["SI-SDR"]) | scores["protocol"].isin(extra)]
    wide = kept.assign(metric=kept["metric"].astype(str).map(named)).pivot_table(
        "value", ["model", "track", "target"], "metric", aggfunc="mean", observed=True
    )
    symptoms = pd.DataFrame(_symptoms(results)).set_index(["model", "track", "target"])
    return wide.join(symptoms, how="inner").assign(dataset=dataset)


def _symptoms(results: Results) -> Iterator[dict[str, object]]:
    separations = results.separations().to_pandas()
    for track, rows in separations.groupby("track"):
        mixture, rate = read(results.track_audio(rows.iloc[0]["track_hash"]) / "mixture.flac")
        stems = {str(row["model"]): _stems(results, row) for _, row in rows.iterrows()}
        for model, own in stems.items():
            other = stems[next(name for name in stems if name.startswith(RIVAL))]
            series = reference_free(mixture, own, rate, None if other is own else other)
            consistency = series[0].values[0]
            for target in own:
                values = {one.metric: one.values[0] for one in series if one.target == target}
                yield {"model": model, "track": track, "target": target,
                       "consistency": consistency, **values}  # fmt: skip


def _stems(results: Results, row: pd.Series) -> dict[str, np.ndarray]:
    folder = results.stem_audio(row["separation_id"])
    return {s: read(folder / f"{file_name(s)}.flac")[0] for s in row["stems"].split("+")}


def table(rows: pd.DataFrame) -> str:
    """Spearman's rho of each number with SI-SDR: over all rows, then for each target."""
    targets = sorted(rows.index.get_level_values("target").unique())
    names = [name for name in rows if name not in ("SI-SDR", "dataset")]
    lines = [f"{'number':<20}" + "".join(f"{title:>16}" for title in ("all", *targets))]
    for name in names:
        cells = [_rho(rows, name)]
        cells += [_rho(rows.xs(target, level="target"), name) for target in targets]
        lines.append(f"{name:<20}" + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join([*lines, f"{len(rows)} rows; Spearman's rho with SI-SDR"])


def _rho(rows: pd.DataFrame, name: str) -> str:
    both = rows[["SI-SDR", name]].dropna()
    if len(both) < 8 or both[name].nunique() < 2:
        return "-"
    return f"{stats.spearmanr(both['SI-SDR'], both[name]).statistic:.2f}"


def print_symptoms(datasets: list[str], limit: int, extra: tuple[str, ...]) -> None:
    """Print the table of each data set."""
    for dataset in datasets:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{dataset}\n{table(measured(dataset, limit, extra, Path(folder)))}\n")


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", default="demo")
    parser.add_argument("--limit", type=int, default=9)
    parser.add_argument("--metrics", default="", help="metric folders beside the symptoms")
    given = parser.parse_args()
    chosen = tuple(word for word in given.metrics.split(",") if word)
    print_symptoms(given.datasets.split(","), given.limit, chosen)
