r"""Energies of the BSS Eval decomposition.

An estimate is projected onto the references delayed by 0 to L - 1 samples: onto those of its own
source (P_j) and onto all (P_all). Both are filtered sums of references, and so are their
differences from each other and from the reference itself. The energy of a filtered sum in a frame
is a quadratic form in the frame's lag statistics,

.. math:: \|a * x\|^2 = \sum_{l, i, k} w_l\, R_{ik}(l) \sum_{m, c} a_{ic}(m + l)\, a_{kc}(m),

with weight 1 at lag zero and 2 elsewhere. One matrix product gives it for all frames. Like every
sum with cancelling terms it has a rounding floor; frames near it are projected in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy import fft

from benchbench.metrics.arrays.fast_length import fast_length
from benchbench.metrics.bsseval.toeplitz import ToeplitzSystem
from benchbench.metrics.signals import Float64

__all__ = ["Energies", "Filters", "form_energies", "projected_energies", "solve_filters"]

_EPS = float(np.finfo(np.float64).eps)
_TRUSTED = 1e-6
"""Largest share of rounding error in an energy from a quadratic form: 4e-6 dB."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The projection filters of one target's estimate.

    Attributes
    ----------
    own, every
        Shape (lags, reference signals, channels): from the target's own reference, with zeros
        for the signals of other references, and from all references.
    signals
        Indices of the target's own signals among the reference signals.
    """

    own: Float64
    every: Float64
    signals: slice

    @property
    def decomposition(self) -> tuple[Float64, Float64, Float64, Float64]:
        """Filters whose outputs are P_j, P_j - s, P_all - P_j and P_all."""
        spatial = self.own.copy()
        channels = np.arange(self.own.shape[2])
        spatial[0, self.signals.start + channels, channels] -= 1.0
        return self.own, spatial, self.every - self.own, self.every


@dataclass(frozen=True, slots=True)
class Energies:
    """Energies of one target's decomposition, each of shape (frames,).

    Attributes
    ----------
    own, spatial, interference, every, artifacts
        Energies of P_j, P_j - s, P_all - P_j, P_all and e - P_all.
    """

    own: Float64
    spatial: Float64
    interference: Float64
    every: Float64
    artifacts: Float64

    @classmethod
    def joined(cls, parts: Sequence[Energies]) -> Energies:
        """The frames of `parts` one after the other."""
        return cls(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__)
        )

    def put(self, frame: int, exact: Energies) -> None:
        """Overwrite one frame with the single frame of `exact`."""
        for name in self.__slots__:
            getattr(self, name)[frame] = getattr(exact, name)[0]


def solve_filters(
    every: ToeplitzSystem, own: ToeplitzSystem, cross: Float64, rows: Sequence[int]
) -> list[list[Filters]]:
    """Projection filters of each target, for a stack of S systems.

    Parameters
    ----------
    every
        S systems of all references.
    own
        J S systems of single references, S for the first reference, then S for the next.
    cross
        Lag statistics of references with estimates, shape (S, lags, reference signals, estimate
        signals).
    rows
        Index of the reference that each estimate belongs to.

    Returns
    -------
    For each of the S systems the filters of each target
    """
    stack, lags, signals, outputs = cross.shape
    channels = outputs // len(rows)
    spans = [slice(row * channels, (row + 1) * channels) for row in rows]
    outs = [slice(i * channels, (i + 1) * channels) for i in range(len(rows))]
    together = every.solve(cross)
    right = np.zeros((signals // channels, stack, lags, channels, channels))
    for row, span, out in zip(rows, spans, outs, strict=True):
        right[row] = cross[:, :, span, out]
    alone = own.solve(right.reshape(-1, *right.shape[2:])).reshape(right.shape)
    padded = np.zeros((len(rows), stack, lags, signals, channels))
    for index, (row, span) in enumerate(zip(rows, spans, strict=True)):
        padded[index, :, :, span] = alone[row]
    return [
        [
            Filters(padded[index, at], together[at][:, :, out], span)
            for index, (span, out) in enumerate(zip(spans, outs, strict=True))
        ]
        for at in range(stack)
    ]


def form_energies(
    filters: Filters, references: Float64, cross: Float64, estimate: Float64
) -> tuple[Energies, npt.NDArray[np.bool_]]:
    """Energies as quadratic forms, and which frames need `projected_energies` instead.

    Parameters
    ----------
    filters
        The projection filters of this target.
    references, cross
        Lag statistics of the frames: references with references, shape (frames, lags, signals,
        signals), and with the channels of this estimate, shape (frames, lags, signals, channels).
    estimate
        Energy of the estimate in each frame, shape (frames,).
    """
    frames, _, signals, _ = references.shape
    forms = np.stack([autocorrelation(one) for one in filters.decomposition])
    energies = references.reshape(frames, -1) @ forms.reshape(len(forms), -1).T
    power = references[:, 0, np.arange(signals), np.arange(signals)]
    amplitude = np.sqrt(power)
    size = np.sqrt((forms**2).sum(axis=1))
    rounding = _EPS * np.einsum("ti,fik,tk->tf", amplitude, size, amplitude)

    overlap = cross.reshape(frames, -1) @ filters.every.ravel()
    artifacts = estimate - 2.0 * overlap + energies[:, 3]
    gain = np.sqrt((filters.every**2).sum(axis=(0, 2)))
    slack = rounding[:, 3] + 2.0 * _EPS * np.sqrt(estimate) * (amplitude @ gain)
    values = np.column_stack([energies, artifacts])
    doubtful = np.column_stack([rounding, slack]) > _TRUSTED * values
    return Energies(*values.T.copy()), np.asarray(doubtful.any(axis=1))


def autocorrelation(filters: Float64) -> Float64:
    """The quadratic form of a filtered sum: products of filters at each lag, nonzero lags twice.

    Parameters
    ----------
    filters
        Shape (lags, signals, channels).

    Returns
    -------
    float64 array of shape (lags, signals, signals), summed over channels
    """
    lags = len(filters)
    spectra = fft.rfft(filters, 2 * lags, axis=0)
    form = fft.irfft(spectra @ np.conj(spectra.swapaxes(1, 2)), 2 * lags, axis=0)[:lags]
    form[1:] *= 2.0
    return np.asarray(form)


def projected_energies(filters: Filters, references: Float64, estimate: Float64) -> Energies:
    """Energies of one frame, computed from its filtered signals.

    Parameters
    ----------
    references
        The frame of all reference signals, shape (signals, samples).
    estimate
        The frame of the estimate, shape (channels, samples).
    """
    lags, samples = len(filters.own), references.shape[1]
    full = samples + lags - 1
    size = fast_length(full)
    spectra = fft.rfft(references, size)

    def filtered(taps: Float64, signals: slice) -> Float64:
        response = fft.rfft(taps[:, signals], size, axis=0)
        product = np.einsum("fsc,sf->cf", response, spectra[signals])
        return np.asarray(fft.irfft(product, size)[:, :full])

    own = filtered(filters.own, filters.signals)
    every = filtered(filters.every, slice(None))
    spatial = own.copy()
    spatial[:, :samples] -= references[filters.signals]
    artifacts = -every
    artifacts[:, :samples] += estimate
    parts = (own, spatial, every - own, every, artifacts)
    return Energies(*(np.array([np.vdot(part, part)]) for part in parts))
