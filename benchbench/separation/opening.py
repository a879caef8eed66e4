"""Open the separator of a model: a worker process, a folder of stems, or an ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from benchbench.results.store import Results
from benchbench.separation.augmentation import AugmentedSeparator
from benchbench.separation.ensemble import EnsembleSeparator
from benchbench.separation.precomputed import Precomputed
from benchbench.separation.separator import Limits, ModelSetup, WorkerSeparator

__all__ = ["Separator", "open_separator"]

Separator: TypeAlias = WorkerSeparator | Precomputed | EnsembleSeparator


def open_separator(
    setup: ModelSetup,
    limits: Limits,
    log: Path,
    results: Results,
    *,
    allow_truncated: bool = False,
) -> Separator:
    """The separator of a model.

    Parameters
    ----------
    setup, limits, log
        As for `WorkerSeparator`.
    results
        The folder that holds the stems of an ensemble's members.
    allow_truncated
        Whether a folder's files that were cut off are read as far as they go.

    Raises
    ------
    UsageError
        If the model's folder is missing or an option of the engine has an unknown value.
    """
    if setup.model.manifest.kind == "folder":
        return Precomputed(setup, allow_truncated)
    if setup.members:
        return EnsembleSeparator(setup, results)
    if setup.engine_options.get("augment"):
        return AugmentedSeparator(setup, limits, log)
    return WorkerSeparator(setup, limits, log)
