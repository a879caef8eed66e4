"""Read one side of a comparison: a results folder, a run, a model or a baseline file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.compute as pc

from benchbench.comparison.costs import costs_of
from benchbench.comparison.side import Side, full_name
from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.io.redaction import redacted
from benchbench.io.remote import is_url
from benchbench.metrics import DIAGNOSTICS
from benchbench.metrics.names import LISTENING, ONE_LISTENER
from benchbench.results.kinds import generative_models
from benchbench.results.rated_models import renamed, scored_models
from benchbench.results.store import Results, open_results
from benchbench.scoring.metric_descriptions import describe_folders
from benchbench.stats import per_track
from benchbench.stats.aggregations import Summary
from benchbench.stats.attempts import newest_separations
from benchbench.stats.tracks import KEYS

__all__ = ["open_side", "results_side"]

_SEPARATION_COLUMNS: Final = [
    *("run_id", "model", "dataset", "dataset_hash", "track", "status"),
    *("adapter_hash", "weights_hash", "options_hash"),
    *("wall_s", "audio_s", "peak_rss_bytes", "first_in_worker", "jobs"),
]
_SCORE_COLUMNS: Final = [*KEYS, "run_id", "start_s", "duration_s", "value", "reason"]


def open_side(
    spec: str | Path,
    *,
    results: Path | str | None = None,
    frames: Summary = "median",
    keep_scores: bool = False,
) -> Side:
    """Read one side of a comparison.

    Parameters
    ----------
    spec
        A results folder; ``FOLDER@NAME`` for one run or model of it; a baseline file; or the
        bare name of a run or a model in the folder `results`.
    results
        Where bare names are looked up.
    frames
        How the frames of each track are aggregated.
    keep_scores
        Also keep the score rows, which a comparison on common frames needs.

    Raises
    ------
    UsageError
        When nothing has that name, or a baseline was aggregated in another way.
    NothingToCompareError
        When it holds no scores and no separations.
    """
    from benchbench.comparison.baselines import read_baseline

    path, text = Path(spec), str(spec)
    if is_url(text):
        folder, _, name = text.rpartition("@")
        place = folder or text
        return results_side(
            open_results(place), text, name if folder else None, frames, keep_scores
        )
    if path.is_file():
        side = read_baseline(path)
        if side.tracks.attrs.get("frames", frames) != frames:
            raise UsageError(
                f"{path} holds the {side.tracks.attrs['frames']} over frames, not the {frames}.",
                hint="Compare with the same summary, or accept a new baseline.",
            )
        return side
    if path.is_dir():
        return results_side(open_results(path), text, None, frames, keep_scores)
    folder, _, name = text.rpartition("@")
    if folder and Path(folder).is_dir():
        return results_side(open_results(Path(folder)), text, name, frames, keep_scores)
    if results is not None and Path(results).is_dir():
        return results_side(open_results(Path(results)), text, text, frames, keep_scores)
    raise UsageError(
        f"{text} is not a results folder, a baseline file, a run or a model.",
        hint="Name a folder, a .parquet baseline, FOLDER@MODEL or FOLDER@RUN.",
    )


def results_side(
    results: Results, label: str, name: str | None, frames: Summary, keep_scores: bool
) -> Side:
    """The whole of a results folder, or the run or model called `name`."""
    separations = results.separations_frame()[list(_SEPARATION_COLUMNS)]
    runs = results.runs()
    describe_folders(runs=runs)
    where, chosen = _selection(results, runs, separations, name)
    if chosen is not None:
        separations = separations[separations[chosen[0]].astype("object") == chosen[1]]
    scores = _read_scores(results, where)
    if chosen is not None and chosen[0] == "model":
        scores = _with_ratings(results, scores, chosen[1])
    if scores.empty and separations.empty:
        raise NothingToCompareError(
            f"{label} holds no scores.", hint="Run `bench run` or `bench score` first."
        )
    latest = newest_separations(separations)
    used = set(map(str, scores["run_id"].unique())) | set(map(str, latest["run_id"].unique()))
    facts = [run for run in runs if run.get("run_id") in used]
    return Side(
        label=redacted(label),
        tracks=per_track(scores, frames),
        hashes=_hashes(latest, facts),
        failed=_failed(latest),
        costs=costs_of(latest),
        machine=facts[-1].get("machine", {}) if facts else {},
        origin={
            "kind": "results",
            "path": str(results.root),
            "runs": sorted(used),
            "models": _model_hashes(latest),
        },
        scores=scores if keep_scores else None,
        generative=generative_models(facts),
    )


def _read_scores(results: Results, where: pc.Expression | None) -> pd.DataFrame:
    compared = ~pc.field("metric").isin(sorted(DIAGNOSTICS))
    chosen = compared if where is None else where & compared
    scores = results.scores_frame(chosen, _SCORE_COLUMNS)
    of_one_listener = [
        name for name in scores["metric"].cat.categories if name.startswith(ONE_LISTENER)
    ]
    return scores[~scores["metric"].isin(of_one_listener)] if of_one_listener else scores


def _with_ratings(results: Results, scores: pd.DataFrame, model: str) -> pd.DataFrame:
    """The scores of a model with the listeners' ratings of its stems, joined as in the report."""
    heard = results.scores(where=pc.field("protocol") == LISTENING.name, columns=["cell_id"])
    if not heard.num_rows:
        return scores
    every = _read_scores(results, None)
    joined = renamed(every, scored_models(every))
    of_model = joined["model"].isin([model]) & joined["protocol"].isin([LISTENING.name])
    if not of_model.any() or scores["protocol"].isin([LISTENING.name]).any():
        return scores
    text = [name for name, kind in scores.dtypes.items() if kind == "category"]
    both = pd.concat([scores, joined.loc[of_model, scores.columns]], ignore_index=True)
    return both.astype(dict.fromkeys(text, "category"))


def _selection(
    results: Results, runs: list[dict[str, Any]], separations: pd.DataFrame, name: str | None
) -> tuple[pc.Expression | None, tuple[str, str] | None]:
    """The rows that `name` selects: a filter for the scores, a column and value for the others."""
    if name is None:
        return None, None
    known_runs = [str(run["run_id"]) for run in runs if "run_id" in run]
    matching = [run for run in known_runs if run == name] or [
        run for run in known_runs if len(name) >= 4 and run.startswith(name)
    ]
    if len(matching) > 1:
        raise UsageError(f"{name!r} matches {len(matching)} runs: {', '.join(matching[:5])}.")
    if matching:
        return pc.field("run_id") == matching[0], ("run_id", matching[0])
    models = set(map(str, separations["model"].unique()))
    models |= set(results.models())
    model = full_name(name, models)
    if model in models:
        return pc.field("model") == model, ("model", model)
    raise UnknownNameError(
        "run or model", name, {*known_runs, *models}, where=f" in {results.root}"
    )


def _failed(separations: pd.DataFrame) -> frozenset[tuple[str, str, str]]:
    bad = separations[separations["status"].astype("object") != "ok"]
    columns = (bad[name].astype("object") for name in ("model", "dataset", "track"))
    return frozenset(zip(*columns, strict=True))


def _hashes(
    separations: pd.DataFrame, runs: Sequence[Mapping[str, Any]]
) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    unique = separations[["dataset", "dataset_hash"]].astype("object").drop_duplicates()
    for dataset, digest in unique.itertuples(index=False):
        found.setdefault(str(dataset), set()).add(str(digest))
    if not found:
        for run in runs:
            facts = run.get("dataset", {})
            if facts.get("name") and facts.get("version_hash"):
                found.setdefault(str(facts["name"]), set()).add(str(facts["version_hash"]))
    return {dataset: frozenset(digests) for dataset, digests in found.items()}


def _model_hashes(separations: pd.DataFrame) -> dict[str, dict[str, str]]:
    columns = ["adapter_hash", "weights_hash", "options_hash"]
    last = separations.astype({"model": "object"}).drop_duplicates("model", keep="last")
    return {
        str(row["model"]): {name: str(row[name]) for name in columns} for _, row in last.iterrows()
    }
