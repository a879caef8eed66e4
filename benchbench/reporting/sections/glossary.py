"""The terms of the page in plain words."""

from __future__ import annotations

from typing import Final

from benchbench.errors import BenchbenchError
from benchbench.metrics import protocol as protocol_named

__all__ = ["glossary"]

_TERMS: Final = (
    (
        "oracle",
        "Oracle",
        "A model that is given the true stems, such as irm (an ideal ratio mask). No real separator "
        "can do that: it shows roughly how good masking can be, and has no rank.",
    ),
    (
        "baseline",
        "Baseline",
        "A model that separates nothing: mixture gives the mixture back as every stem, silence gives "
        "zeros. Their numbers show where a metric starts; they have no rank.",
    ),
    (
        "aggregation",
        "Aggregation",
        "How the numbers of a model become one. Median of frame medians: the median over the frames "
        "of a track, then the median over tracks. Mean over tracks: one number per track, then their "
        "mean.",
    ),
    (
        "interval",
        "95% interval",
        "The range in which the number would fall in 95 of 100 repetitions with other tracks of the "
        "same kind (bootstrap over tracks). Two models whose intervals overlap may still differ "
        "clearly: see the differences, which compare them track by track.",
    ),
    (
        "significant",
        "Statistically significant, not distinguishable",
        "A Wilcoxon signed-rank test over tracks, corrected by Holm for the number of pairs, gives "
        "p < 0.05, or does not. Not distinguishable does not mean equal.",
    ),
    (
        "missing",
        "Missing",
        "The share of frames or tracks without a number; the reason is given below the leaderboard.",
    ),
    (
        "speed",
        "Speed",
        "14x: fourteen seconds of music are separated in one second of work, without loading.",
    ),
    (
        "ill-conditioned",
        "Ill-conditioned",
        "Two references are so much alike on some track that BSS Eval cannot say which of them an "
        "error belongs to. SIR and SAR are then unreliable; SDR is not affected.",
    ),
    (
        "residual",
        "Residual",
        "The estimate minus the reference: everything that the separator got wrong.",
    ),
)


def glossary(protocol: str) -> tuple[tuple[str, str, str], ...]:
    """(anchor, term, explanation) of every term, the protocol of the headline first."""
    try:
        facts = protocol_named(protocol)
    except BenchbenchError:
        return _TERMS
    text = f"{facts.summary.rstrip('.')}. Good for: {facts.good_for} Misleads: {facts.misleads}"
    return (("protocol", facts.name, text), *_TERMS)
