"""Recompute stored scores with the peers and report the differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.errors import UsageError
from benchbench.metrics.base import Series
from benchbench.scoring.peer_process import PeerError, peer_scores_apart
from benchbench.scoring.reference_programs import PEERS, peer_scores

__all__ = ["Case", "Difference", "differences", "peer_scores", "tolerance_of", "verify_scores"]

Stems: TypeAlias = Mapping[str, npt.NDArray[Any]]

_EXACT = 1e-6
_PROJECTED = 1e-3
_REFITTED = 1e-4
_ROUNDING_FROM_DB = 100.0
_UNDETERMINED = frozenset({"ill_conditioned", "capped"})


@dataclass(frozen=True, slots=True)
class Case:
    """Scores of one protocol on one track and model, and a function that reads their audio.

    Parameters
    ----------
    name
        Name in the report, for instance ``"spleeter:2stems, demo/track 1"``.
    protocol
        Name of the protocol.
    scores
        The stored series, in the order of frames in which they were computed.
    audio
        Called for references, estimates and the sample rate when the case is verified.
    """

    name: str
    protocol: str
    scores: list[Series]
    audio: Callable[[], tuple[Stems, Stems, int]]


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one metric of a protocol is from its peer, over all targets and frames.

    Attributes
    ----------
    largest
        Largest absolute difference of comparable values; 0 where there are none.
    tolerance
        The allowed difference, see `tolerance_of`.
    compared, set_aside
        Number of values compared, and of values that are numerically undetermined
        (ill-conditioned, capped, or a projection above 100 dB).
    same_gaps
        Whether both have values in exactly the same frames. A ratio to other sources is not
        compared where there is only one source, because peers return a number for it.
    problem
        Why the peer returned no numbers; then our scores neither pass nor fail.
    """

    case: str
    protocol: str
    metric: str
    largest: float
    tolerance: float
    compared: int
    set_aside: int
    same_gaps: bool
    problem: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance and the gaps agree."""
        return self.problem is None and self.same_gaps and self.largest <= self.tolerance

    @property
    def judged(self) -> bool:
        """Whether there were numbers to compare with."""
        return self.problem is None

    @property
    def urgency(self) -> tuple[int, float]:
        """A key that sorts failures first, largest first, then lines that were not judged."""
        rank = 1 if not self.judged else 2 if self.passed else 0
        return rank, -self.largest / self.tolerance


def verify_scores(cases: Iterable[Case]) -> list[Difference]:
    """Compare stored scores with those of the peers, largest excess over the tolerance first.

    Cases of protocols without a peer are skipped. Each peer runs in a separate process; if it
    refuses the stems or crashes, the case gets a line with a `problem`, and the others go on.
    """
    lines: list[Difference] = []
    for case in cases:
        if case.protocol not in PEERS:
            continue
        try:
            theirs = peer_scores_apart(case.protocol, *case.audio())
        except (PeerError, UsageError) as error:
            problem = str(error).splitlines()[0]
            lines.append(Difference(case.name, case.protocol, "", 0.0, 1.0, 0, 0, False, problem))
            continue
        lines.extend(differences(case.scores, theirs, protocol=case.protocol, case=case.name))
    return sorted(lines, key=lambda line: line.urgency)


def differences(
    ours: Iterable[Series], theirs: Iterable[Series], *, protocol: str = "", case: str = ""
) -> list[Difference]:
    """Largest difference by metric, over targets and metrics with values from both."""
    known = {(one.target, one.metric): one for one in ours}
    by_metric: dict[str, list[tuple[Series, Series]]] = {}
    for their in theirs:
        our = known.get((their.target, their.metric))
        if our is not None:
            by_metric.setdefault(their.metric, []).append((our, their))
    return [_difference(pairs, metric, protocol, case) for metric, pairs in by_metric.items()]


def tolerance_of(protocol: str, metric: str) -> float:
    """The largest allowed difference from the peer, in the metric's unit."""
    if protocol in ("usdr", "si", "pitch") or (metric == "SDR" and protocol == "bsseval-v4"):
        return _EXACT
    return _PROJECTED if protocol == "bsseval-v4" else _REFITTED


def _difference(
    pairs: list[tuple[Series, Series]], metric: str, protocol: str, case: str
) -> Difference:
    largest, compared, set_aside, same_gaps = 0.0, 0, 0, True
    for our, their in pairs:
        values = np.broadcast_to(their.values, our.values.shape)
        gaps = np.isnan(values)
        alone = np.array([reason == "single_source" for reason in our.reasons], dtype=bool)
        same_gaps &= bool(np.array_equal(np.isnan(our.values)[~alone], gaps[~alone]))
        doubtful = np.array([reason in _UNDETERMINED for reason in our.reasons], dtype=bool)
        if metric != "SDR":
            doubtful |= np.abs(values) > _ROUNDING_FROM_DB
        usable = ~gaps & ~np.isnan(our.values) & ~doubtful
        compared += int(usable.sum())
        set_aside += int((doubtful & ~gaps).sum())
        if usable.any():
            largest = max(largest, float(np.abs(our.values - values)[usable].max()))
    allowed = tolerance_of(protocol, metric)
    return Difference(case, protocol, metric, largest, allowed, compared, set_aside, same_gaps)
