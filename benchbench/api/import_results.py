"""Take over results that other tools wrote or other people published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchbench.errors import UnknownNameError, UsageError
from benchbench.results.interchange import (
    Imported,
    Source,
    import_benchbench,
    import_msst,
    import_museval,
    import_table,
    read_mapping,
)

__all__ = ["KINDS", "import_results"]

KINDS: Final = {
    "museval": "a folder of museval's JSON files: METHOD/test/TRACK.json, as of SiSEC 2018",
    "table": "a Parquet or CSV table of model, track, target, metric, value, with --mapping",
    "msst": "the log of a verbose validation of Music-Source-Separation-Training",
    "benchbench": "the results folder of somebody else",
}


def import_results(
    kind: str,
    path: Path | str,
    results: Path | str = "results",
    *,
    source: Source,
    dataset: str | None = None,
    protocol: str | None = None,
    model: str | None = None,
    mapping: Path | str | None = None,
) -> Imported:
    """Import results of others into a results folder.

    Parameters
    ----------
    kind
        A key of `KINDS`.
    path
        The file or folder to import.
    results
        The results folder to import into.
    source
        Where the numbers come from, and their licence.
    dataset, protocol, model
        What the files do not say themselves.
    mapping
        For a table: the file that says which column is what.

    Returns
    -------
    Imported
        The models, as they are called from now on, and how much there was.

    Raises
    ------
    UnknownNameError
        For a kind that does not exist.
    UsageError
        When `path` is missing, is not of that kind, or an option does not go with it.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of results", kind, KINDS)
    path = Path(path)
    if not path.exists():
        raise UsageError(f"There is no {path}.")
    given = {"dataset": dataset, "protocol": protocol, "model": model, "mapping": mapping}
    takes = {"museval": {"dataset", "protocol"}, "table": {"mapping"}, "msst": {"dataset", "model"}}
    for name, value in given.items():
        if value is not None and name not in takes.get(kind, set()):
            raise UsageError(f"--{name} does not go with {kind}.")
    stated = {name: str(value) for name, value in given.items() if value is not None}
    importers: dict[str, Callable[[], Imported]] = {
        "museval": lambda: import_museval(path, results, source, **stated),
        "table": lambda: import_table(
            path, results, source, read_mapping(mapping) if mapping else None
        ),
        "msst": lambda: import_msst(path, results, source, **stated),
        "benchbench": lambda: import_benchbench(path, results, source),
    }
    return importers[kind]()
