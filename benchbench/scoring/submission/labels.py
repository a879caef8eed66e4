"""Do the stems in the excerpts belong to the targets whose names they bear?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from benchbench.scoring.submission.evidence import Evidence, adapter_of
from benchbench.scoring.submission.findings import Finding
from benchbench.scoring.submission.recomputation import heard
from benchbench.stats.wording import count

__all__ = ["check_labels"]

Floats = npt.NDArray[np.float64]

_REFERENCES_DB: Final = 30.0
_ESTIMATES_DB: Final = 0.0
_GAIN: Final = 0.1
"""How much larger the mean squared correlation must be with other names than with the given ones."""


def check_labels(evidence: Evidence) -> Iterator[Finding]:
    """References add up to the mixture, estimates roughly so, and stems resemble their targets."""
    alike: dict[str, dict[tuple[str, ...], list[Floats]]] = {}
    sums: dict[str, float] = {}
    checked: set[str] = set()
    problems: list[Finding] = []
    for separation in heard(evidence):
        chosen = separation.references.sets(tuple(separation.estimates.stems))[0]
        true, given = separation.targets(chosen)
        mixture = separation.references.stems["mixture"]
        track = separation.excerpt.track
        whole = _sdr(mixture, sum(true.values()))
        clean = not separation.references.clipped.any() and track not in evidence.irregular_tracks
        if track not in checked and clean and whole < _REFERENCES_DB:
            problems.append(
                Finding(
                    "labels",
                    "failed",
                    track,
                    f"The references do not add up to the mixture (an error at {-whole:.1f} dB).",
                )
            )
        checked.add(track)
        if adapter_of(separation.model) in ("mixture", "silence") or len(given) < 2:
            continue
        if set(given) == set(true):
            level = _sdr(mixture, sum(given.values()))
            sums[separation.model] = min(level, sums.get(separation.model, level))
        targets = tuple(given)
        alike.setdefault(separation.model, {}).setdefault(targets, []).append(_alike(true, given))
    problems += _swapped(alike)
    problems += [
        Finding(
            "labels",
            "warning",
            name,
            f"The sum of its stems is {level:.1f} dB from the mixture: a delay, a gain, or a stem "
            "that belongs to another track?",
        )
        for name, level in sums.items()
        if level < _ESTIMATES_DB
    ]
    yield from problems
    if checked and not problems:
        yield Finding(
            "labels",
            "passed",
            "",
            f"Stems resemble their targets on {count(len(checked), 'track')}.",
        )


def _swapped(alike: dict[str, dict[tuple[str, ...], list[Floats]]]) -> Iterator[Finding]:
    for model, by_targets in alike.items():
        for targets, matrices in by_targets.items():
            mean = np.mean(matrices, axis=0)
            rows, columns = linear_sum_assignment(-mean)
            gain = float(mean[rows, columns].mean() - np.trace(mean) / len(targets))
            if gain > _GAIN:
                moved = [
                    f"{targets[row]} resembles {targets[column]}"
                    for row, column in zip(rows, columns, strict=True)
                    if row != column
                ]
                yield Finding(
                    "labels", "failed", model, f"Its stems are swapped: {', '.join(moved)}."
                )


def _alike(true: dict[str, Any], given: dict[str, Any]) -> Floats:
    """Squared correlation of every estimate (rows) with every reference of the same names."""
    names = list(given)
    estimates = np.stack([np.ravel(given[name]).astype(np.float64) for name in names])
    references = np.stack([np.ravel(true[name]).astype(np.float64) for name in names])
    energy = np.outer((estimates**2).sum(axis=1), (references**2).sum(axis=1))
    products = (estimates @ references.T) ** 2
    return np.asarray(np.divide(products, energy, out=np.zeros_like(energy), where=energy > 0))


def _sdr(signal: Any, estimate: Any) -> float:
    error = float(((signal - estimate) ** 2).sum(dtype=np.float64))
    power = float((signal**2).sum(dtype=np.float64))
    return float(10 * np.log10((power + 1e-12) / (error + 1e-12)))
