"""Merge the many small parts of a results folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchbench.errors import UsageError
from benchbench.io.remote import is_url
from benchbench.results.compaction import Compacted
from benchbench.results.compaction import compact as put_together
from benchbench.results.store import open_results

__all__ = ["compact"]


def compact(
    results: Path | str = "results", *, tell: Callable[[str], None] = lambda _: None
) -> Compacted:
    """Merge the parts of a results folder into one per model and data set.

    It may be killed at any moment, and runs may continue meanwhile.

    Parameters
    ----------
    results
        The results folder.
    tell
        Called after each merged folder.

    Raises
    ------
    UsageError
        When the results are not local: copy them to this machine first.
    DamagedResultsError
        When a part is damaged; `bench doctor RESULTS --repair` sets it aside.

    Examples
    --------
    >>> import benchbench
    >>> compacted = benchbench.compact("results")
    """
    if is_url(results):
        raise UsageError(
            f"{results} is not a local folder.",
            hint="Copy it to this machine and compact the copy.",
        )
    return put_together(open_results(Path(results)), tell=tell)
