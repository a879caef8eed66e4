"""The request for a run, in groups: music and models, how to separate, what to store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchbench.datasets.dataset import Dataset
from benchbench.errors import UsageError
from benchbench.io.remote import is_url
from benchbench.metrics.base import Protocol
from benchbench.plugins.catalog import Model
from benchbench.running.plan import Resume
from benchbench.separation.separator import Limits

__all__ = ["Comparison", "KeepStems", "Separating", "Storing"]

KeepStems = Literal["auto", "yes", "no"]
"""Whether stems are kept for listening; ``auto``: where the data set's licence allows excerpts."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Models, music and metrics.

    Parameters
    ----------
    models
        The models, with the requested options.
    data_set
        The opened data set, with the chosen tracks.
    protocols
        The protocols that the stems are scored under.
    allow_truncated
        Whether audio files that were cut off are read as far as they go.
    """

    models: tuple[Model, ...]
    data_set: Dataset
    protocols: tuple[Protocol, ...]
    allow_truncated: bool = False


@dataclass(frozen=True, slots=True)
class Separating:
    """How the models are run.

    Parameters
    ----------
    weights
        A folder of the user's own weights, for the one model that has weights.
    device
        ``auto``, ``cpu`` or ``gpu``.
    limits
        Time and memory limits of each separation.
    threads
        Numeric threads of each process; None: the processors are shared equally.
    """

    weights: Path | None
    device: str
    limits: Limits
    threads: int | None

    def require_sane(self, models: Sequence[Model], jobs: int) -> None:
        """Refuse a request that cannot be executed.

        Raises
        ------
        UsageError
            If there is no model or no job, or if weights fit several models or none.
        """
        if not models:
            raise UsageError("No model is named.", hint="`bench list models` lists them.")
        if jobs < 1:
            raise UsageError(f"--jobs {jobs}: at least one is needed.")
        with_weights = [model.name for model in models if model.variant.weights]
        if self.weights is not None and len(with_weights) != 1:
            names = ", ".join(with_weights) or "none"
            raise UsageError(
                f"--weights is for one model with weights; named are {names}.",
                hint="Run the models one by one into the same --out.",
            )


@dataclass(frozen=True, slots=True)
class Storing:
    """Where results are stored and what is computed again.

    Parameters
    ----------
    out
        The results folder, or an address such as ``s3://bucket/results``.
    resume
        ``only-missing``, ``always`` or ``only-cache``.
    retry_failed
        Whether failed separations are tried again.
    keep_stems
        Whether stems are kept for listening.
    facts
        Facts of the request that are copied to the run's record.
    """

    out: Path | str
    resume: Resume
    retry_failed: bool
    keep_stems: KeepStems
    facts: dict[str, Any]

    @property
    def is_remote(self) -> bool:
        """Whether the results are at a remote address."""
        return is_url(self.out)

    def keeps_audio(self, data_set: Dataset) -> bool:
        """Whether the stems of this data set are kept."""
        if self.keep_stems == "auto":
            return data_set.manifest.licence.audio_excerpts
        return self.keep_stems == "yes"
