"""Compute scores again from the excerpts of a bundle and compare them with the stored ones.

Excerpts are 16-bit copies, so a recomputed ratio differs a little from the stored one; the
tolerance follows from the energy of the rounding error. Scores of frames come from the protocol
``windows``, whose frames do not depend on the rest of the track; of an excerpt that is a whole
track, scores of the whole track are compared too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from benchbench import metrics
from benchbench.metrics.base import Series
from benchbench.metrics.references import References
from benchbench.metrics.targets import ReferenceSet
from benchbench.results.bundle.manifest import Excerpt
from benchbench.scoring.score_rows import add, score_set
from benchbench.scoring.submission.evidence import Evidence
from benchbench.scoring.submission.excerpt_audio import (
    ExcerptAudio,
    read_estimates,
    read_references,
)
from benchbench.scoring.submission.findings import Finding

__all__ = ["HeardSeparation", "check_recomputed", "heard"]

_OF_FRAMES: Final = ("windows",)
_OF_TRACKS: Final = ("usdr", "si", "bsseval-v4")
_COMPARED: Final = ("SDR", "SI-SDR")
_EXACT_DB: Final = 0.02
_COARSE_DB: Final = 0.5
"""A value whose tolerance is larger says nothing."""
_STEP: Final = 2.0**-15


@dataclass(frozen=True)
class HeardSeparation:
    """One separation whose references and estimates are among the excerpts."""

    excerpt: Excerpt
    model: str
    separation_id: str
    references: ExcerptAudio
    estimates: ExcerptAudio

    def targets(self, chosen: ReferenceSet) -> tuple[dict[str, Any], dict[str, Any]]:
        """References and estimates by target."""
        true = {
            target: add([self.references.stems[part] for part in parts])
            for target, parts in chosen.references.items()
        }
        given = {
            target: add([self.estimates.stems[part] for part in parts])
            for target, parts in chosen.estimates.items()
        }
        return true, given


def heard(evidence: Evidence) -> Iterator[HeardSeparation]:
    """Every separation that can be heard, excerpt by excerpt.

    Raises
    ------
    DamagedResultsError
        When an excerpt cannot be read.
    """
    root, rows = evidence.bundle.folder, evidence.separations
    sets = evidence.frame["reference_set"].astype("object").unique()
    names = {part for text in sets for part in str(text).split("+") if part}
    for excerpt in evidence.bundle.manifest.excerpts:
        held = {path.stem for path in (root / "excerpts" / "tracks").glob("*/*.flac")}
        references = read_references(root, excerpt, {name for name in names if name in held})
        if references is None:
            continue
        own = rows[(rows["track"] == excerpt.track) & (rows["track_hash"] == excerpt.track_hash)]
        for row in own[own["status"] == "ok"].to_dict("records"):
            stems = tuple(str(row["stems"]).split("+"))
            estimates = read_estimates(root, excerpt, str(row["separation_id"]), stems)
            if estimates is not None:
                yield HeardSeparation(
                    excerpt, str(row["model"]), str(row["separation_id"]), references, estimates
                )


def check_recomputed(evidence: Evidence) -> Iterator[Finding]:
    """Stored scores are those of the excerpts."""
    compared = dict.fromkeys(evidence.models, 0)
    failed: set[str] = set()
    for separation in heard(evidence):
        for line in _lines(evidence, separation):
            compared[separation.model] = compared.get(separation.model, 0) + 1
            if line.excess > 0 and separation.model not in failed:
                failed.add(separation.model)
                yield Finding("recomputed", "failed", separation.model, line.sentence)
    for name, count in compared.items():
        if not count:
            yield Finding(
                "recomputed",
                "warning",
                name,
                "No score could be computed again: there are no excerpts of it, or no scores of the "
                "protocol windows (or, for whole tracks, usdr, si or bsseval-v4).",
            )
        elif name not in failed:
            yield Finding(
                "recomputed", "passed", name, f"{count} scores equal those of its excerpts."
            )


@dataclass(frozen=True, slots=True)
class _Line:
    """One stored value and the value that was computed from the excerpt."""

    place: str
    stored: float
    computed: float
    tolerance: float

    @property
    def excess(self) -> float:
        return abs(self.stored - self.computed) - self.tolerance

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: {self.stored:.3f} dB is stored, {self.computed:.3f} dB follows from the "
            f"excerpt (tolerance {self.tolerance:.3f} dB)."
        )


def _lines(evidence: Evidence, separation: HeardSeparation) -> Iterator[_Line]:
    excerpt = separation.excerpt
    names = _OF_FRAMES + (_OF_TRACKS if excerpt.whole else ())
    stored = _stored(evidence, separation.separation_id, names)
    held = {key[1] for key in stored}
    protocols = [metrics.protocol(name) for name in names if name in held]
    mixture = separation.references.stems["mixture"]
    for chosen in separation.references.sets(tuple(separation.estimates.stems)):
        true, given = separation.targets(chosen)
        if not protocols or not given:
            continue
        rate = separation.references.rate
        prepared = References(true, rate, mixture=mixture, cache_bytes=0)
        for name, every in score_set(prepared, given, chosen, protocols).items():
            for series in every:
                if series.metric in _COMPARED and series.target in given:
                    yield from _of_series(separation, chosen.name, name, series, stored, true)


def _of_series(
    separation: HeardSeparation,
    reference_set: str,
    protocol: str,
    series: Series,
    stored: Mapping[tuple[Any, ...], float],
    true: Mapping[str, Any],
) -> Iterator[_Line]:
    rate, excerpt = separation.references.rate, separation.excerpt
    clipped = separation.references.clipped | separation.estimates.clipped
    files = len(separation.references.stems) + len(separation.estimates.stems)
    for index, value in enumerate(series.values):
        start = None if series.start_s is None else float(series.start_s[index])
        key = (reference_set, protocol, series.target, series.metric,
               None if start is None else round(start + excerpt.start_s, 3))  # fmt: skip
        if key not in stored or np.isnan(value) or series.reasons[index] is not None:
            continue
        first = 0 if start is None else round(start * rate)
        last = (
            len(clipped)
            if series.duration_s is None
            else first + round(float(series.duration_s[index]) * rate)
        )
        tolerance = _tolerance(true[series.target][:, first:last], float(value), files)
        if clipped[first:last].any() or tolerance > _COARSE_DB:
            continue
        place = f"{protocol} {series.metric} of {series.target} on {excerpt.track}"
        if key[-1] is not None:
            place += f" at {key[-1]:g} s"
        yield _Line(place, stored[key], float(value), tolerance)


def _tolerance(reference: Any, value_db: float, files: int) -> float:
    """How far rounding to 16 bit may move a ratio of this size, in decibels."""
    signal = float(np.vdot(reference, reference))
    rounding = files * reference.size * _STEP**2 / 12
    noise = signal * 10 ** (-value_db / 10)
    if signal <= 0 or noise <= 0:
        return float("inf")
    return float(_EXACT_DB + 20 / np.log(10) * 2 * (rounding / min(signal, noise)) ** 0.5)


def _stored(
    evidence: Evidence, separation_id: str, names: tuple[str, ...]
) -> dict[tuple[Any, ...], float]:
    """Values that are neither missing nor doubtful, by reference set, protocol, target, metric, start."""
    scores = evidence.bundle.scores
    own = pc.equal(scores["separation_id"].cast("string"), separation_id)
    chosen = pc.and_(own, pc.is_valid(scores["value"]))
    rows = scores.filter(chosen).select(
        ["reference_set", "protocol", "target", "metric", "start_s", "value", "reason"]
    )
    return {
        (row["reference_set"], row["protocol"], row["target"], row["metric"],
         None if row["start_s"] is None else round(row["start_s"], 3)): row["value"]
        for row in rows.to_pylist()
        if row["protocol"] in names and row["reason"] is None
    }  # fmt: skip
