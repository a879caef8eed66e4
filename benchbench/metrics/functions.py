"""One function per metric: arrays in, a number out.

A function scores one estimate against its reference. Metrics that distinguish interference from
other errors also take the other sources of the mixture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchbench.errors import UsageError
from benchbench.metrics.references import References
from benchbench.metrics.scores import evaluate
from benchbench.metrics.signals import ArrayLike, as_audio

__all__ = ["MetricFunction"]

TARGET = "target"


@dataclass(frozen=True, slots=True)
class MetricFunction:
    """One metric of one protocol as a function of arrays.

    Parameters
    ----------
    protocol, metric
        Names as in `benchbench.metrics.PROTOCOLS`.
    needs_others
        Whether the metric needs the other sources of the mixture.

    Examples
    --------
    >>> import numpy as np
    >>> from benchbench import metrics
    >>> noise = np.random.default_rng(0).standard_normal((2, 44100)) / 10
    >>> round(metrics.usdr(noise, 0.9 * noise, 44100), 1)
    20.0
    """

    protocol: str
    metric: str
    needs_others: bool = False

    def __call__(
        self,
        reference: ArrayLike,
        estimate: ArrayLike,
        sample_rate: int,
        *,
        others: Iterable[ArrayLike] = (),
    ) -> float:
        """The metric's value for one estimate.

        Parameters
        ----------
        reference, estimate
            Arrays of shape (channels, samples), or (samples,) for mono, full scale at 1: NumPy,
            PyTorch, TensorFlow, JAX or lists.
        sample_rate
            In hertz.
        others
            References of the other sources of the mixture, of the same shape.

        Returns
        -------
        float
            In the metric's unit; the median over frames for a metric that works in frames. NaN
            where the metric has no value, such as a ratio to silence; `benchbench.metrics.evaluate`
            gives the reason.

        Raises
        ------
        AudioError
            For arrays whose shapes do not agree, or that hold NaN or infinity.
        UsageError
            When the metric needs `others` and none are passed.
        """
        stems = {f"other-{number}": as_audio(other) for number, other in enumerate(others)}
        if self.needs_others and not stems:
            raise UsageError(
                f"{self.metric} compares an estimate with the other sources too.",
                hint="Pass them as others=[drums, bass].",
            )
        held = References({TARGET: as_audio(reference), **stems}, sample_rate, cache_bytes=0)
        found = evaluate(held, {TARGET: as_audio(estimate)}, [self.protocol])
        values = next(
            series.values
            for series in found[self.protocol]
            if series.target == TARGET and series.metric == self.metric
        )
        finite = values[np.isfinite(values)]
        return float(np.median(finite)) if finite.size else float("nan")

    def __repr__(self) -> str:
        return f"<{self.metric} by {self.protocol}: (reference, estimate, sample_rate) -> float>"


usdr: Final = MetricFunction("usdr", "SDR")
si_sdr: Final = MetricFunction("si", "SI-SDR")
si_sir: Final = MetricFunction("si", "SI-SIR", needs_others=True)
si_sar: Final = MetricFunction("si", "SI-SAR", needs_others=True)
sd_sdr: Final = MetricFunction("si", "SD-SDR")
si_sdr_per_channel: Final = MetricFunction("si", "SI-SDR-per-channel")
bsseval_v4_sdr: Final = MetricFunction("bsseval-v4", "SDR")
bsseval_v4_isr: Final = MetricFunction("bsseval-v4", "ISR", needs_others=True)
bsseval_v4_sir: Final = MetricFunction("bsseval-v4", "SIR", needs_others=True)
bsseval_v4_sar: Final = MetricFunction("bsseval-v4", "SAR", needs_others=True)
bsseval_v3_sdr: Final = MetricFunction("bsseval-v3", "SDR")
bsseval_v3_isr: Final = MetricFunction("bsseval-v3", "ISR", needs_others=True)
bsseval_v3_sir: Final = MetricFunction("bsseval-v3", "SIR", needs_others=True)
bsseval_v3_sar: Final = MetricFunction("bsseval-v3", "SAR", needs_others=True)
bsseval_sources_sdr: Final = MetricFunction("bsseval-sources", "SDR", needs_others=True)
bsseval_sources_sir: Final = MetricFunction("bsseval-sources", "SIR", needs_others=True)
bsseval_sources_sar: Final = MetricFunction("bsseval-sources", "SAR", needs_others=True)
bleedless: Final = MetricFunction("spectral", "bleedless")
fullness: Final = MetricFunction("spectral", "fullness")
l1_freq: Final = MetricFunction("spectral", "L1-freq")
stft: Final = MetricFunction("spectral", "STFT")
mr_stft: Final = MetricFunction("spectral", "MR-STFT")
lsd: Final = MetricFunction("spectral", "LSD")
logwmse: Final = MetricFunction("logwmse", "logWMSE", needs_others=True)

FUNCTIONS: Final = {
    name: value for name, value in globals().items() if isinstance(value, MetricFunction)
}
"""Every function by its name."""
