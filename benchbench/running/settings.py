"""What a run wants of every pipeline that works for it; small, and fit to be sent anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchbench.io.remote import is_url
from benchbench.separation.separator import Limits, ModelSetup

__all__ = ["RunSettings"]


@dataclass(frozen=True)
class RunSettings:
    """Everything beside the batches themselves.

    Parameters
    ----------
    results
        The results' folder, or the address of one that lies elsewhere.
    run_id
        The run's name.
    dataset_hash
        What the data set's tracks hash to.
    setups
        Model name to how it is loaded.
    limits
        Time and memory limits of the separators.
    keep_audio
        Whether stems are kept for listening.
    skip_stored
        Whether cells that another run stored meanwhile are left out.
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
        """Whether results go to another place than this machine's own folders."""
        return is_url(self.results)
