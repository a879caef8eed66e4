"""One model's estimates with the references, and values that several protocols share.

A protocol's function takes an `Evaluation`. It scores the targets that have an estimate; rows for
missing estimates and the reasons of padded ones are added here, for all protocols alike.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from benchbench.errors import UnknownNameError, UsageError
from benchbench.metrics.base import ALL_TARGETS, Metric, Series
from benchbench.metrics.references import References
from benchbench.metrics.signals import Float64, Signals

__all__ = ["Errors", "Evaluation", "completed", "out_of_range"]

T = TypeVar("T")


class Evaluation(Mapping[str, npt.NDArray[Any]]):
    """References and the estimates of one model, aligned.

    Parameters
    ----------
    references
        The track's references.
    estimates
        Arrays of shape (channels, samples) by target. A target without one is missing; an
        estimate of another length is padded with zeros or cut, as museval does.
    asked
        Names of the protocols that will be computed, so that one pass can serve several of them.

    Raises
    ------
    UnknownNameError
        For an estimate without a reference in the track.
    AudioError
        For a wrong number of channels, NaN or infinity.
    """

    def __init__(
        self,
        references: References,
        estimates: Mapping[str, npt.NDArray[Any]],
        asked: Iterable[str] = (),
    ) -> None:
        for name in estimates if isinstance(estimates, Mapping) else ():
            if name not in references.names:
                raise UnknownNameError(
                    "target", name, references.names, where=" among the estimates"
                )
        if not isinstance(estimates, Mapping):
            raise UsageError(
                f"The estimates are a {type(estimates).__name__}, not arrays by target.",
                hint='For instance {"vocals": vocals}.',
            )
        self.references = references
        self.asked = frozenset(asked)
        self.targets = tuple(name for name in references.names if name in estimates)
        self.missing = tuple(name for name in references.names if name not in estimates)
        self._given = {name: estimates[name] for name in self.targets}
        self.estimates = Signals(
            self._given, "estimate", like=references, samples=references.samples
        )
        self.rows = np.array([references.names.index(name) for name in self.targets], dtype=int)
        self._kept: dict[Hashable, Any] = {}

    def __getitem__(self, target: str) -> npt.NDArray[Any]:
        return self._given[target]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def kept(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of `compute`, from the store if another protocol already computed it."""
        if key not in self._kept:
            self._kept[key] = compute()
        value: T = self._kept[key]
        return value

    @property
    def extreme(self) -> bool:
        """Whether the energies of any stem overflow or underflow float64."""
        mixture = self.references.mixture
        return (
            self.references.extreme
            or self.estimates.extreme
            or (mixture is not None and mixture.extreme)
        )

    def block(self, start: int, stop: int) -> tuple[Float64, Float64]:
        """References and estimates from sample `start` to `stop`.

        Returns
        -------
        float64 arrays of shapes (references, channels, n) and (targets, channels, n)
        """
        return self.references.block(start, stop), self.estimates.block(start, stop)

    @property
    def errors(self) -> Errors:
        """Estimates minus their references, to be read by block."""
        return Errors(self)

    def length_reason(self, target: str) -> str | None:
        """The reason for a target whose estimate has another length; None if it has not."""
        if target == ALL_TARGETS and target not in self._given:
            reasons = map(self.length_reason, self.targets)
            return next((reason for reason in reasons if reason is not None), None)
        length = self.estimates.lengths.get(target)
        if length is None or length == self.references.samples:
            return None
        return "estimate_padded" if length < self.references.samples else "estimate_trimmed"


@dataclass(frozen=True, slots=True)
class Errors:
    """Estimates minus references of all targets."""

    evaluation: Evaluation

    @property
    def samples(self) -> int:
        """Length of the track in samples."""
        return self.evaluation.references.samples

    def block(self, start: int, stop: int) -> Float64:
        """float64 array of shape (targets, channels, stop - start)."""
        evaluation = self.evaluation
        out = evaluation.estimates.block(start, stop)
        for error, row in zip(out, evaluation.rows, strict=True):
            error -= evaluation.references.stem(int(row), start, stop)
        return out


def completed(
    series: list[Series], evaluation: Evaluation, metrics: tuple[Metric, ...]
) -> list[Series]:
    """Series of all references, with a reason where the length differs, NaN without an estimate.

    Parameters
    ----------
    series
        The series that a protocol computed for the targets that have an estimate.
    metrics
        The protocol's metrics, for the rows of a model without any estimate.
    """
    marked = [_marked(_finite(one), evaluation.length_reason(one.target)) for one in series]
    shapes: dict[str, Series] = {}  # the first series of each metric, in the protocol's order
    for one in marked:
        if one.target != ALL_TARGETS:
            shapes.setdefault(one.metric, one)
    shapes = shapes or {
        metric.name: _whole_track(metric.name) for metric in metrics if not metric.of_all_targets
    }
    scored = {one.target for one in series}
    missing = [name for name in evaluation.references.names if name not in scored]
    return marked + [_absent(like, target) for target in missing for like in shapes.values()]


def _finite(series: Series) -> Series:
    """The series with a reason for every missing value, and without infinite values."""
    missing = ~np.isfinite(series.values)
    if not missing.any():
        return series
    bare = np.array([reason is None for reason in series.reasons], dtype=bool)
    return replace(
        series,
        values=np.where(missing, np.nan, series.values),
        reasons=np.where(missing & bare, "out_of_range", series.reasons),
    )


def _marked(series: Series, reason: str | None) -> Series:
    if reason is None:
        return series
    bare = np.array([given is None for given in series.reasons], dtype=bool)
    return replace(series, reasons=np.where(bare, reason, series.reasons))


def out_of_range(evaluation: Evaluation, metrics: tuple[Metric, ...]) -> list[Series]:
    """Missing values for all targets, because the energies of a stem do not fit float64."""
    reasons = np.full(1, "out_of_range", dtype=object)
    return [
        replace(_whole_track(metric.name), target=target, reasons=reasons)
        for metric in metrics
        for target in ([ALL_TARGETS] if metric.of_all_targets else evaluation.targets)
    ]


def _whole_track(metric: str) -> Series:
    return Series("", metric, np.full(1, np.nan), np.full(1, None, dtype=object))


def _absent(like: Series, target: str) -> Series:
    return replace(
        like,
        target=target,
        values=np.full(like.values.shape, np.nan),
        reasons=np.full(like.values.shape, "missing_estimate", dtype=object),
    )
