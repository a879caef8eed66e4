"""`report`: read results folders, write one page or a static site."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from benchbench.errors import UnknownNameError
from benchbench.io.atomic import write_whole
from benchbench.io.paths import AnyPath, path_of
from benchbench.io.remote import local_folder
from benchbench.metrics.arrays.parallel import single_threaded_blas
from benchbench.reporting.data.loading import read
from benchbench.reporting.page import assemble
from benchbench.reporting.site import write_site
from benchbench.reporting.templates import render

__all__ = ["report"]

Audio = Literal["none", "excerpts", "full"]


def report(
    results: AnyPath | Sequence[AnyPath],
    out: AnyPath,
    *,
    audio: Audio = "excerpts",
    models: Sequence[str] | None = None,
    baseline: str | None = None,
    dataset: str | None = None,
    marked: Sequence[str] = (),
    url: str = "",
) -> Path:
    """Write the report of one or several results folders.

    Parameters
    ----------
    results
        Folders written by `bench run`, `bench score` or `bench import`; several are read as one.
    out
        A file name gives one self-contained page; a folder (an existing one, or a name without
        ``.html``) gives a static site.
    audio
        ``"none"``, ``"excerpts"`` where models differ most, or ``"full"`` tracks. Only audio that
        the data set's licence allows is included.
    models
        The models to show; all by default.
    baseline
        The model that the others are compared with; the best by default.
    dataset
        The data set of the first screen; by default the one that most models share.
    marked
        Models that get the badge "this run" if the page shows others too.
    url
        The address at which a site will be published, for its feed and for link previews.

    Returns
    -------
    Path
        The page to open.

    Raises
    ------
    NothingToCompareError
        When there are no scores.
    UnknownNameError
        When a model has no scores.
    DamagedResultsError, OutputError
        When results cannot be read, or the page cannot be written.

    Examples
    --------
    >>> import benchbench
    >>> benchbench.report("results", "page.html", audio="none").stat().st_size > 10_000
    True
    """
    places = [results] if isinstance(results, Path | str) else results
    target = path_of(out)
    with single_threaded_blas():  # idle threads that wait for the next product use the processor
        loaded = read([local_folder(place) for place in places], models)
        names = loaded.tracks.present("model")
        if baseline is not None and baseline not in names:
            raise UnknownNameError("model", baseline, names, where=" in these results")
        page = assemble(loaded, baseline=baseline, audio=audio, dataset=dataset, marked=marked)
        if target.suffix.lower() not in {".html", ".htm"}:
            return write_site(page, target, url)
        return write_whole(target, render("page.html", page=page))
