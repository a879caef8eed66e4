"""The settings of a run that every pipeline needs; small enough to be sent to workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchbench.io.remote import is_url
from benchbench.separation.separator import Limits, ModelSetup

__all__ = ["RunSettings"]


@dataclass(frozen=True)
class RunSettings:
    """All settings of a run except its batches.

    Parameters
    ----------
    results
        The results folder, or its address if it is remote.
    run_id
        The name of the run.
    dataset_hash
        The hash over the data set's tracks.
    setups
        Model name -> how it is loaded.
    limits
        Time and memory limits of the separators.
    keep_audio
        Whether stems are kept for listening.
    skip_stored
        Whether cells that another run has stored meanwhile are skipped.
    threads
        Threads for each pipeline; None: the machine's processors, shared.
    allow_truncated
        Whether audio files that were cut off are read as far as they go.
    """

    results: str
    run_id: str
    dataset_hash: str
    setups: Mapping[str, ModelSetup]
    limits: Limits
    keep_audio: bool
    skip_stored: bool = True
    threads: int | None = None
    allow_truncated: bool = False

    @property
    def is_remote(self) -> bool:
        """Whether the results are at a remote address."""
        return is_url(self.results)
