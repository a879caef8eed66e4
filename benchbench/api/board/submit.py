"""Write one's own results as a bundle that others can check and put on a leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchbench.errors import UsageError
from benchbench.io.paths import AnyPath, path_of
from benchbench.io.processes.scratch import scratch_folder
from benchbench.results.bundle.opening import open_bundle
from benchbench.results.bundle.selection import select
from benchbench.results.bundle.writing import (
    EXCERPT_SECONDS,
    EXCERPT_TRACKS,
    Submission,
    write_bundle,
)
from benchbench.results.store import open_results

__all__ = ["submit"]


def submit(
    results: AnyPath,
    out: AnyPath,
    *,
    dataset: str | None = None,
    models: Sequence[str] = (),
    submitter: str = "",
    licence: str = "CC-BY-4.0",
    note: str = "",
    excerpts: int = EXCERPT_TRACKS,
    seconds: float = EXCERPT_SECONDS,
    sign: AnyPath | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the newest results of some models on one data set as a bundle.

    A bundle holds scores, separations, records of runs, hashes of adapter, weights, options and
    data set, the declared training data, and, where the data set's licence allows it and stems
    were kept, short excerpts of audio. Homes, folders, secrets, this machine's name and what
    separators printed are left out. Imported results are not submitted.

    Parameters
    ----------
    results
        The results folder.
    out
        A folder, or a file whose name ends in ``.zip``.
    dataset
        The data set; may be left out if there is only one.
    models
        Only these models; by default all.
    submitter, licence, note
        A name to show beside the rows, the licence of the numbers, and a remark.
    excerpts, seconds
        Number of tracks with excerpts, and the length of an excerpt in seconds.
    sign
        A private SSH key (``ssh-keygen -Y sign``).
    tell
        Called with each remark.

    Returns
    -------
    Path
        The bundle.

    Raises
    ------
    UsageError, UnknownNameError
        When an argument does not fit the results, `out` holds something else, or the key fails.
    NothingToCompareError
        When there is nothing to submit.
    DamagedResultsError, OutputError
        When results cannot be read, or the bundle cannot be written.

    Examples
    --------
    >>> import benchbench
    >>> benchbench.submit("results", "bundle")
    PosixPath('bundle')
    """
    if excerpts < 0 or not 1 <= seconds <= 600:
        raise UsageError(
            f"{excerpts} excerpts of {seconds:g} s cannot be cut.",
            hint="The number is 0 or more, the length 1 to 600 seconds.",
        )
    selection = select(open_results(Path(results)), dataset, models)
    submission = Submission(submitter, licence, note, excerpts, seconds, path_of(sign))
    written = write_bundle(selection, path_of(out), submission, tell)
    with scratch_folder() as scratch:
        unpacked = scratch / "unpacked"
        unpacked.mkdir()
        open_bundle(written, unpacked)  # a bundle that a check would refuse is no bundle
    return written
