"""Calls of installed reference programs (museval, mir_eval, fast_bss_eval), for verification.

This module is not used for scoring.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchbench.errors import UsageError
from benchbench.metrics.base import Series

__all__ = ["CLOSED_FORMS", "PEERS", "TARGETS", "peer_scores"]

Stems: TypeAlias = Mapping[str, npt.NDArray[Any]]
Table: TypeAlias = dict[str, npt.NDArray[np.float64]]
"""Metric -> values of shape (sources, frames)."""


def peer_scores(
    protocol: str, references: Stems, estimates: Stems, sample_rate: int
) -> list[Series]:
    """The scores of these stems by a reference program.

    Parameters
    ----------
    protocol
        A key of `PEERS`.
    references, estimates
        Arrays of shape (channels, samples) by target, equally long; the same names in both.
    sample_rate
        In hertz.

    Returns
    -------
    One series per target and metric, NaN where the program has no number, without reasons

    Raises
    ------
    UsageError
        For a protocol without a reference program, or stems that the program cannot score.
    """
    if protocol not in PEERS:
        raise UsageError(
            f"No reference program computes {protocol!r}.",
            hint=f"There are reference programs for {', '.join(PEERS)}.",
        )
    if set(references) != set(estimates):
        raise UsageError("It needs an estimate of every reference and no other.")
    names = [name for name in references if name in TARGETS.get(protocol, references)]
    if not names:
        return []
    samples = next(iter(references.values())).shape[1]
    stacked = [
        np.stack([_as_float64(stems[name], samples) for name in names])
        for stems in (references, estimates)
    ]
    table = PEERS[protocol](stacked[0], stacked[1], sample_rate)
    return [
        Series(name, metric, row, np.full(row.shape, None, dtype=object))
        for metric, values in table.items()
        for name, row in zip(names, values, strict=True)
    ]


def _as_float64(stem: npt.NDArray[Any], samples: int) -> npt.NDArray[np.float64]:
    audio = stem[:, :samples].astype(np.float64)
    if stem.dtype.kind == "i":
        audio /= 2.0 ** (8 * stem.dtype.itemsize - 1)
    return np.pad(audio, ((0, 0), (0, samples - audio.shape[1])))


def _museval(
    references: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64], rate: int, *, v3: bool
) -> Table:
    silent = not (references.sum(axis=1).any(axis=1) & estimates.sum(axis=1).any(axis=1)).all()
    if silent:  # museval raises an error if a source is silent throughout
        values = [np.full((len(references), 1), np.nan)] * 4
    else:
        *values, _ = _museval_metrics().bss_eval(
            references.transpose(0, 2, 1),
            estimates.transpose(0, 2, 1),
            window=rate,
            hop=rate,
            framewise_filters=v3,
        )
    return dict(zip(("SDR", "ISR", "SIR", "SAR"), values, strict=True))


def _museval_v4(
    references: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64], rate: int
) -> Table:
    return _museval(references, estimates, rate, v3=False)


def _museval_v3(
    references: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64], rate: int
) -> Table:
    return _museval(references, estimates, rate, v3=True)


def _museval_metrics() -> ModuleType:
    """museval's metrics module alone, because the package cannot be imported without ffmpeg."""
    package = importlib.util.find_spec("museval")
    if package is None or package.origin is None:
        raise UsageError("museval is not installed.", hint="pip install museval")
    spec = importlib.util.spec_from_file_location(
        "museval_metrics", Path(package.origin).with_name("metrics.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _mir_eval_sources(
    references: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64], _rate: int
) -> Table:
    with warnings.catch_warnings():
        # mir_eval 0.8 issues a deprecation warning for this module, on import and on every call.
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        from mir_eval import separation

        sdr, sir, sar, _ = separation.bss_eval_sources(
            references.mean(axis=1), estimates.mean(axis=1), compute_permutation=False
        )
    return {"SDR": sdr[:, None], "SIR": sir[:, None], "SAR": sar[:, None]}


def _fast_bss_eval_permuted(
    references: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64], _rate: int
) -> Table:
    import fast_bss_eval

    sdr, sir, sar, _ = fast_bss_eval.bss_eval_sources(
        references.mean(axis=1), estimates.mean(axis=1), compute_permutation=True
    )
    return {"SDR": sdr[:, None], "SIR": sir[:, None], "SAR": sar[:, None]}


def _mir_eval_melody(
    references: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64], rate: int
) -> Table:
    from benchbench.scoring.pitch_peer import melody_measures

    return melody_measures(references, estimates, rate)


def _textbook_usdr(
    references: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64], _rate: int
) -> Table:
    signal = (references**2).sum(axis=(1, 2)) + 1e-7
    noise = ((references - estimates) ** 2).sum(axis=(1, 2)) + 1e-7
    return {"SDR": 10.0 * np.log10(signal / noise)[:, None]}


def _textbook_si(
    references: npt.NDArray[np.float64], estimates: npt.NDArray[np.float64], _rate: int
) -> Table:
    s, e = references.reshape(len(references), -1), estimates.reshape(len(references), -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = ((s * e).sum(axis=1) / (s * s).sum(axis=1))[:, None] * s
        target = (scaled**2).sum(axis=1)
        si_sdr = 10.0 * np.log10(target / ((e - scaled) ** 2).sum(axis=1))
        sd_sdr = 10.0 * np.log10(target / ((e - s) ** 2).sum(axis=1))
    sd_sdr[~e.any(axis=1)] = np.nan  # a silent estimate has no number in this protocol
    return {"SI-SDR": si_sdr[:, None], "SD-SDR": sd_sdr[:, None]}


Peer: TypeAlias = Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64], int], Table]

PEERS: dict[str, Peer] = {
    "bsseval-v4": _museval_v4,
    "bsseval-v3": _museval_v3,
    "bsseval-sources": _mir_eval_sources,
    "bsseval-sources-permuted": _fast_bss_eval_permuted,
    "usdr": _textbook_usdr,
    "si": _textbook_si,
    "pitch": _mir_eval_melody,
}
"""The reference program of each protocol; ``usdr`` and ``si`` are checked against their formulas."""

TARGETS: dict[str, tuple[str, ...]] = {"pitch": ("vocals",)}
"""The only targets of a protocol that does not score all."""

CLOSED_FORMS = frozenset({"usdr", "si"})
"""Protocols whose formulas are evaluated in this module, without another program."""
