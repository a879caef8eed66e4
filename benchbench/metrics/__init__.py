"""Metrics: pure functions of arrays, and a catalogue that describes each of them.

One number from two arrays:

    >>> import numpy as np
    >>> from benchbench import metrics
    >>> noise = np.random.default_rng(0).standard_normal((2, 8000)) / 10
    >>> round(metrics.si_sdr(noise[0], noise[0] + noise[1] / 10, 8000), 2)
    20.09

Several protocols on all targets of a track:

    >>> references = {"vocals": noise[0], "drums": noise[1]}
    >>> estimates = {"vocals": noise[0] + noise[1] / 10, "drums": noise[1] * 0.5}
    >>> scores = metrics.evaluate(references, estimates, 8000, "usdr,si")
    >>> scores.to_frame().query("metric == 'SDR'")[["target", "value"]].round(2).values.tolist()
    [['vocals', 20.1], ['drums', 6.02]]

To score several models on one track, pass the references as one
`benchbench.metrics.references.References` object: what depends on them only is computed once.
"""

from __future__ import annotations

from benchbench.metrics.base import Metric, Protocol, Series
from benchbench.metrics.functions import (
    FUNCTIONS,
    MetricFunction,
    bleedless,
    bsseval_sources_sar,
    bsseval_sources_sdr,
    bsseval_sources_sir,
    bsseval_v3_isr,
    bsseval_v3_sar,
    bsseval_v3_sdr,
    bsseval_v3_sir,
    bsseval_v4_isr,
    bsseval_v4_sar,
    bsseval_v4_sdr,
    bsseval_v4_sir,
    fullness,
    l1_freq,
    logwmse,
    lsd,
    mr_stft,
    sd_sdr,
    si_sar,
    si_sdr,
    si_sdr_per_channel,
    si_sir,
    stft,
    usdr,
)
from benchbench.metrics.names import (
    ACROSS_KINDS,
    DIAGNOSTICS,
    GROUPS,
    HEADLINES,
    PROTOCOLS,
    learn,
    metric,
    protocol,
    resolve,
)
from benchbench.metrics.scores import Scores, evaluate

__all__ = [
    "ACROSS_KINDS",
    "DIAGNOSTICS",
    "FUNCTIONS",
    "GROUPS",
    "HEADLINES",
    "PROTOCOLS",
    "Metric",
    "MetricFunction",
    "Protocol",
    "Scores",
    "Series",
    "bleedless",
    "bsseval_sources_sar",
    "bsseval_sources_sdr",
    "bsseval_sources_sir",
    "bsseval_v3_isr",
    "bsseval_v3_sar",
    "bsseval_v3_sdr",
    "bsseval_v3_sir",
    "bsseval_v4_isr",
    "bsseval_v4_sar",
    "bsseval_v4_sdr",
    "bsseval_v4_sir",
    "evaluate",
    "fullness",
    "l1_freq",
    "learn",
    "logwmse",
    "lsd",
    "metric",
    "mr_stft",
    "protocol",
    "resolve",
    "sd_sdr",
    "si_sar",
    "si_sdr",
    "si_sdr_per_channel",
    "si_sir",
    "stft",
    "usdr",
]
