"""Protocols not computed from references and estimates: listener ratings and symptoms."""

from __future__ import annotations

from benchbench.metrics.base import Metric, Protocol
from benchbench.metrics.catalogue import Lazy
from benchbench.metrics.described.descriptions import imported_protocol

__all__ = ["LISTENING", "ONE_LISTENER", "REFERENCE_FREE"]

ONE_LISTENER = "rating-of:"
"""Prefix of the metric that holds one listener's ratings."""

LISTENING = imported_protocol(
    "listening",
    (
        Metric("rating", "1", 0.0, 100.0, across_kinds=True),
        Metric(ONE_LISTENER.rstrip(":"), "1", 0.0, 100.0, diagnostic=True),
    ),
    summary="Ratings by listeners: the mean for each track, and each listener's own.",
    good_for="Judging quality directly. `bench agreement` compares the other metrics with it.",
    misleads="It holds for these listeners, songs and excerpts. The scale is the test's own (1 to 5, "
    "0 to 100), so ratings of two tests do not share a column unless they were one test.",
    source="A listening test, for instance ITU-R BS.1534-3 (MUSHRA); `bench import webmushra`",
)
"""Ratings of a listening test; imported, never computed."""

_SYMPTOMS = (
    Metric("consistency", "dB", -300.0, 300.0, of_all_targets=True),
    Metric("correlation", "1", 0.0, 1.0, "lower"),
    Metric("bandwidth", "Hz", 0.0, float("inf")),
    Metric("clicks", "1/s", 0.0, float("inf"), "lower"),
    Metric("clipping", "1", 0.0, 1.0, "lower"),
    Metric("silence", "1", 0.0, 1.0, "lower"),
    Metric("agreement", "dB", -300.0, 300.0),
)

REFERENCE_FREE = Protocol(
    "reference-free",
    1,
    _SYMPTOMS,
    "mean over tracks",
    summary="Symptoms of stems without references: consistency with the mixture, correlation between "
    "stems, bandwidth, clicks, clipping, silence, agreement of two separators.",
    good_for="Finding songs and stems that went wrong where no true stems exist.",
    misleads="None of them measures quality: equal shares of the mixture are consistent and correlated, "
    "an empty stem is uncorrelated, two separators may agree on the same mistake.",
    source="Energy ratios, correlation coefficients and counts, as docs/metrics.md defines them",
    evaluate=Lazy("described.reference_free", _SYMPTOMS),
    needs_references=False,
)
"""Symptoms of estimates, computed from the mixture and the stems alone."""
