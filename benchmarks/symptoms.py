"""Rank correlation of the reference-free symptoms and of metric folders with SI-SDR.

::

    python -m benchmarks.symptoms --datasets demo,synth
    python -m benchmarks.symptoms --songs build/rendered/test --seconds 30

Separates songs whose stems are known with several separators, keeps the stems, and prints Spearman's
rank correlation between each symptom and SI-SDR in two ways: over all songs, stems and separators,
and within each separator and stem over the songs (the mean of those correlations), which is the
question of a user who looks for the songs on which one separator failed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile
from scipy import stats

import benchbench
from benchbench.io.audio.audio_files import read
from benchbench.io.names import file_name
from benchbench.metrics.described.reference_free import reference_free
from benchbench.results.store import Results

MODELS = ("spleeter:2stems", "zipformer:tiny", "hpss", "repet-sim", "mid-side", "mixture")
BASELINES = ("mixture",)
"""Separators that are scored, but that the agreement of the others is not computed against."""

INDEX = ("model", "track", "target")
FEWEST = 8
"""Fewest rows of a rank correlation."""

Stems = Mapping[str, npt.NDArray[np.float32]]


def measured(
    dataset: str, root: Path | None, limit: int | None, extra: Sequence[str], out: Path
) -> pd.DataFrame:
    """One row per song, separator and stem: SI-SDR, the symptoms, and the metrics of `extra`."""
    benchbench.run(
        list(MODELS), dataset, root=root, metrics=["si", *extra], out=out, limit=limit,
        keep_stems="yes", report=False,
    )  # fmt: skip
    results = Results(out)
    scores = results.scores_frame()
    scores = scores[(scores["metric"] == "SI-SDR") | scores["protocol"].isin(list(extra))]
    wide = scores.assign(metric=scores["metric"].astype(str)).pivot_table(
        "value", list(INDEX), "metric", aggfunc="mean", observed=True
    )
    symptoms = pd.DataFrame(_symptoms(results)).set_index(list(INDEX))
    return wide.join(symptoms, how="inner")


def _symptoms(results: Results) -> Iterator[dict[str, object]]:
    separations = results.separations().to_pandas()
    for track, rows in separations[separations["status"] == "ok"].groupby("track"):
        mixture, rate = read(results.track_audio(rows.iloc[0]["track_hash"]) / "mixture.flac")
        stems = {str(row["model"]): _stems(results, row) for _, row in rows.iterrows()}
        for model, estimates in stems.items():
            series = reference_free(mixture, estimates, rate, _others(model, stems))
            consistency = series[0].values[0]
            for target in estimates:
                values = {one.metric: one.values[0] for one in series if one.target == target}
                yield {
                    "model": model,
                    "track": track,
                    "target": target,
                    "consistency": consistency,
                    **values,
                }


def _others(model: str, stems: Mapping[str, Stems]) -> Stems:
    """The mean of the other separators' estimates of each stem of a model."""
    rivals = [
        estimates
        for name, estimates in stems.items()
        if name != model and name.partition(":")[0] not in BASELINES
    ]
    return {
        stem: np.mean([r[stem] for r in rivals if stem in r], axis=0, dtype=np.float32)
        for stem in stems[model]
        if any(stem in r for r in rivals)
    }


def _stems(results: Results, row: pd.Series) -> Stems:
    folder = results.stem_audio(row["separation_id"])
    return {s: read(folder / f"{file_name(s)}.flac")[0] for s in row["stems"].split("+")}


def table(rows: pd.DataFrame) -> str:
    """Spearman's rho with SI-SDR: over all rows, for each target, and within separator and stem."""
    targets = sorted(rows.index.get_level_values("target").unique())
    symptoms = [name for name in rows if name != "SI-SDR"]
    titles = ("all", *targets, "within")
    lines = [f"{'symptom':<20}" + "".join(f"{title:>15}" for title in titles)]
    for name in symptoms:
        values = [_rho(rows, name)]
        values += [_rho(rows.xs(target, level="target"), name) for target in targets]
        values.append(_within(rows, name))
        cells = ("-" if np.isnan(value) else f"{value:.2f}" for value in values)
        lines.append(f"{name:<20}" + "".join(f"{cell:>15}" for cell in cells))
    songs = rows.index.get_level_values("track").nunique()
    lines.append(f"{songs} songs, {len(rows)} rows; Spearman's rho with SI-SDR")
    return "\n".join(lines)


def _within(rows: pd.DataFrame, name: str) -> float:
    """The mean over separators and stems of the correlation over songs; NaN if it has none."""
    groups = rows.groupby(level=["model", "target"], observed=True)
    found = [rho for _, part in groups if not np.isnan(rho := _rho(part, name))]
    return float(np.mean(found)) if found else float("nan")


def _rho(rows: pd.DataFrame, name: str) -> float:
    both = rows[["SI-SDR", name]].dropna()
    if len(both) < FEWEST or both[name].nunique() < 2 or both["SI-SDR"].nunique() < 2:
        return float("nan")
    return float(stats.spearmanr(both["SI-SDR"], both[name]).statistic)


def excerpts(songs: Path, seconds: float, out: Path) -> Path:
    """Write the middle of each song of a folder of stems; returns the folder."""
    for song in sorted(path for path in songs.iterdir() if any(path.glob("*.flac"))):
        for path in sorted(song.glob("*.flac")):
            header = soundfile.info(path)
            length = min(header.frames, round(seconds * header.samplerate))
            start = (header.frames - length) // 2
            audio, rate = soundfile.read(path, length, start, dtype="int16", always_2d=True)
            (out / song.name).mkdir(parents=True, exist_ok=True)
            soundfile.write(out / song.name / path.name, audio, rate, subtype="PCM_16")
    return out


def main() -> None:
    """Print the table of each data set and of the folder of songs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", default="")
    parser.add_argument("--songs", type=Path, help="a folder of songs, each a folder of stems")
    parser.add_argument("--seconds", type=float, default=30.0, help="length taken of each of them")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--metrics", default="", help="metric folders beside the symptoms")
    parser.add_argument("--keep", type=Path, help="write the rows of each table here, as CSV")
    arguments = parser.parse_args()
    extra = [word for word in arguments.metrics.split(",") if word]
    with tempfile.TemporaryDirectory() as scratch:
        sources = {name: (name, None) for name in arguments.datasets.split(",") if name}
        if arguments.songs:
            folder = excerpts(arguments.songs, arguments.seconds, Path(scratch, "songs"))
            sources[str(arguments.songs)] = ("folder", folder)
        for number, (title, (dataset, root)) in enumerate(sources.items()):
            out = Path(scratch, f"results-{number}")
            rows = measured(dataset, root, arguments.limit, extra, out)
            print(f"{title}\n{table(rows)}\n", flush=True)
            if arguments.keep:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                rows.to_csv(arguments.keep / f"{dataset}.csv")


if __name__ == "__main__":
    main()
