"""Facts about each model besides its scores: cost, training data, failures, licence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from benchbench.io.hashing import short_hash
from benchbench.reporting.data.loading import LoadedResults
from benchbench.reporting.data.track_rows import TrackRows
from benchbench.results.kinds import BASELINES
from benchbench.stats.attempts import newest_separations
from benchbench.stats.costs import real_time_factors, timed_separations

__all__ = ["Badge", "Cost", "ReportModel", "report_models"]


@dataclass(frozen=True, slots=True)
class Badge:
    """A short label beside a model's name, with an explanation."""

    key: str
    label: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Cost:
    """Time and memory that a model needs.

    Parameters
    ----------
    real_time_factor
        Processing time per second of audio, over all tracks. Loading is excluded, and so is the
        first track of a worker, which includes compilation, where there are other tracks.
    peak_bytes
        The highest resident memory of any track.
    parameters
        Trained parameters; None when the model has none or does not report them.
    load_s
        The median time to load.
    tracks
        Tracks that were timed.
    jobs
        Highest number of concurrent jobs; above 1 the times are not comparable.
    """

    real_time_factor: float | None = None
    peak_bytes: int | None = None
    parameters: int | None = None
    load_s: float | None = None
    tracks: int = 0
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class ReportModel:
    """One model as the report shows it.

    Parameters
    ----------
    index
        Its position in every list of the page; determines colour and shape.
    oracle, baseline, published
        Whether it saw the references; does not separate; has imported scores.
    generative
        Whether it synthesizes the target instead of extracting it from the mixture.
    slug
        Its name in a form for file names and anchors.
    """

    index: int
    name: str
    slug: str
    adapter: str
    variant: str
    summary: str
    oracle: bool
    baseline: bool
    published: bool
    trained_on: tuple[str, ...]
    stems: str
    cost: Cost
    failed: int
    attempted: int
    badges: tuple[Badge, ...]
    hashes: dict[str, str] = field(default_factory=dict)
    licence: dict[str, str] = field(default_factory=dict)
    homepage: str | None = None
    generative: bool = False

    @property
    def ranked(self) -> bool:
        """Whether it is ranked."""
        return not (self.oracle or self.baseline)

    @property
    def licence_text(self) -> str:
        """One licence, or that of the code and that of the weights if they differ."""
        if len(set(self.licence.values())) < 2:
            return next(iter(self.licence.values()), "")
        return "; ".join(f"{part}: {licence}" for part, licence in self.licence.items())


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A file name for each name: its ASCII letters and digits.

    Names that would get the same one get a hash of the whole name, so that a link to a page does
    not depend on the order of the names.

    Examples
    --------
    >>> slugs(["net:v1", "irm"])
    {'net:v1': 'net-v1', 'irm': 'irm'}
    """
    bases = {name: re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] for name in names}
    shared = Counter(bases.values())
    return {
        name: base if base and shared[base] == 1 else f"{base or 'x'}-{short_hash(name)[:8]}"
        for name, base in bases.items()
    }


def report_models(
    loaded: LoadedResults, names: Sequence[str], dataset: str, marked: Collection[str] = ()
) -> tuple[ReportModel, ...]:
    """The models in the order of `names`, which is the order of the headline's ranks.

    Models in `marked` (of the run that has just ended) get a badge if the page shows others too.
    """
    fresh = set(marked) if not set(names) <= set(marked) else set()
    declared: dict[str, dict[str, Any]] = {}
    for run in loaded.runs:
        declared.update({str(model.get("name")): model for model in run.get("models", ())})
    anchors = slugs(names)
    own_rows = loaded.separations["dataset"] == dataset
    here = loaded.separations if own_rows.all() else loaded.separations[own_rows]
    latest = newest_separations(here, [str(run.get("run_id")) for run in loaded.runs])
    places = latest.groupby("model", sort=False).indices
    factors, timed = real_time_factors(latest), timed_separations(latest)["model"].value_counts()
    ill = _ill_conditioned(loaded.tracks, dataset)
    return tuple(
        _report_model(
            index,
            name,
            anchors[name],
            declared.get(name, {}),
            latest.iloc[places.get(name, [])],
            Cost(real_time_factor=_speed(factors, name), tracks=int(timed.get(name, 0))),
            ill.get(name, 0.0),
            dataset,
            fresh=name in fresh,
        )
        for index, name in enumerate(names)
    )


def _ill_conditioned(tracks: TrackRows, dataset: str) -> dict[str, float]:
    rows = tracks.where(lambda part: (part["dataset"] == dataset) & (part["ill_conditioned"] > 0))
    return {str(name): 1.0 for name in rows["model"].unique()}


def _report_model(
    index: int,
    name: str,
    anchor: str,
    facts: dict[str, Any],
    rows: pd.DataFrame,
    timed: Cost,
    ill: float,
    dataset: str,
    *,
    fresh: bool,
) -> ReportModel:
    """One model, from the `facts` of its runs and the `rows` of its newest separations.

    `timed` holds the speed and the number of timed tracks.
    """
    adapter, _, variant = name.partition(":")
    stored = rows.iloc[-1] if len(rows) else None
    licence = facts.get("licence") or {}
    model = ReportModel(
        index=index,
        name=name,
        slug=anchor,
        adapter=str(facts.get("adapter") or adapter),
        variant=str(facts.get("variant") or variant),
        summary=str(facts.get("summary") or ""),
        oracle=bool(facts.get("oracle") if stored is None else stored["oracle"]),
        baseline=adapter in BASELINES or bool(facts.get("baseline")),
        published=stored is None,
        trained_on=_trained_on(rows, facts),
        stems="+".join(facts.get("stems") or ()) if stored is None else str(stored["stems"]),
        cost=_cost(rows[rows["status"] == "ok"], timed),
        failed=int((rows["status"] != "ok").sum()) if len(rows) else 0,
        attempted=len(rows),
        badges=(),
        hashes=_hashes(stored),
        licence={str(key): str(value) for key, value in licence.items() if value},
        homepage=facts.get("homepage"),
        generative=bool(facts.get("generative")),
    )
    badges = _badges(model, dataset, ill=ill > 0, live=bool(facts.get("live")), fresh=fresh)
    return replace(model, badges=tuple(badges))


def _trained_on(rows: pd.DataFrame, facts: dict[str, Any]) -> tuple[str, ...]:
    """The training data sets, as stored with the separations, else as declared."""
    if rows.empty:
        return tuple(map(str, facts.get("trained_on") or ()))
    return tuple(dict.fromkeys(" ".join(map(str, rows["trained_on"].unique())).split()))


def _hashes(stored: pd.Series | None) -> dict[str, str]:
    if stored is None:
        return {}
    return {kind: str(stored[f"{kind}_hash"]) for kind in ("adapter", "weights", "options")}


def _badges(
    model: ReportModel, dataset: str, *, ill: bool, live: bool, fresh: bool
) -> Iterator[Badge]:
    if fresh:
        yield Badge("fresh", "this run", "It was part of the run that wrote this page.")
    if model.oracle:
        yield Badge(
            "oracle", "oracle", "It was given the references: an upper bound, not a competitor."
        )
    if model.name.partition(":")[0] in BASELINES:
        yield Badge(
            "baseline", "baseline", "It separates nothing: its score is the level of doing nothing."
        )
    if model.published:
        yield Badge(
            "imported",
            "imported",
            "These scores were imported; nothing was separated here, so no cost is known.",
        )
    if dataset in model.trained_on:
        yield Badge(
            "trained",
            "trained on this data set",
            f"Its training data includes {dataset}, so its scores here say little about new music.",
        )
    if model.failed:
        yield Badge(
            "failures",
            f"{model.failed} of {model.attempted} failed",
            "Tracks on which the separator did not finish have no score and count as missing.",
        )
    if ill:
        yield Badge(
            "ill",
            "ill-conditioned",
            "On some tracks the references are almost linearly dependent; SIR and SAR of BSS Eval "
            "are then unreliable.",
        )
    if model.generative:
        yield Badge(
            "generative",
            "generative",
            "It generates the target; SDR cannot rank it against masking separators.",
        )
    if live:
        yield Badge("live", "live", "It can separate in real time, block by block.")


def _cost(rows: pd.DataFrame, timed: Cost) -> Cost:
    """`timed` with memory and parameters, from the separations that finished."""
    if rows.empty:
        return Cost()
    return replace(
        timed,
        peak_bytes=_whole(rows["peak_rss_bytes"].max()),
        parameters=_whole(rows["parameters"].max()),
        load_s=_number(rows["load_s"][rows["load_s"] > 0].median()),
        jobs=int(rows["jobs"].max()),
    )


def _speed(factors: pd.Series, name: str) -> float | None:
    return float(factors[name]) if name in factors.index else None


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _whole(value: float) -> int | None:
    return None if pd.isna(value) or not np.isfinite(value) else int(value)
