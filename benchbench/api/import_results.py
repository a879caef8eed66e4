"""Import results written by other tools or published by others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchbench.errors import UnknownNameError, UsageError
from benchbench.results.interchange import (
    SISEC18,
    SISEC18_ROLES,
    STEMSPLIT,
    Imported,
    Roles,
    Source,
    held,
    import_benchbench,
    import_msst,
    import_museval,
    import_ratings,
    import_sisec18,
    import_stemsplit,
    import_table,
    import_webmushra,
    read_mapping,
)

__all__ = ["KINDS", "import_results", "source_of"]

KINDS: Final = {
    "museval": "a folder of museval's JSON files, METHOD/test/TRACK.json, or one such file",
    "table": "a Parquet or CSV table of model, track, target, metric, value, with --mapping",
    "msst": "the log of a verbose validation of Music-Source-Separation-Training",
    "benchbench": "the results folder of somebody else",
    "ratings": "a table of listeners' ratings, with --mapping",
    "webmushra": "the answers of a listening test that bench export webmushra wrote",
    "sisec18": "the repository of SiSEC 2018's submissions; licence, citation, oracles are filled in",
    "stemsplit": "the Parquet table of StemSplit's benchmark; licence and citation are filled in",
}

_NAMED: Final = {"sisec18": SISEC18, "stemsplit": STEMSPLIT}
"""Kinds that are one known source."""

_TAKES: Final = {
    "museval": {"dataset", "protocol", "oracle", "baseline", "generative"},
    "table": {"mapping", "oracle", "baseline", "generative"},
    "msst": {"dataset", "model", "oracle", "baseline", "generative"},
    "ratings": {"mapping", "oracle", "baseline", "generative"},
    "webmushra": {"dataset", "generative"},
}
"""Options of each kind."""


def import_results(
    kind: str,
    path: Path | str,
    results: Path | str = "results",
    *,
    source: Source | None = None,
    dataset: str | None = None,
    protocol: str | None = None,
    model: str | None = None,
    mapping: Path | str | None = None,
    oracle: Sequence[str] = (),
    baseline: Sequence[str] = (),
    generative: Sequence[str] = (),
) -> Imported:
    """Import results from elsewhere into a results folder.

    Parameters
    ----------
    kind
        A key of `KINDS`.
    path
        The file or folder to import.
    results
        The results folder to import into.
    source
        Origin and licence of the numbers; built in for ``sisec18`` and ``stemsplit``.
    dataset, protocol, model
        Used where the files do not state them.
    mapping
        For a table: the file that describes its columns.
    oracle, baseline
        Models, by their names in the source, that saw the references or that do not separate: they
        are shown separately and not ranked. Those of SiSEC 2018 are built in.
    generative
        Models that synthesize a target: no SDR ranks them against the others.

    Returns
    -------
    Imported
        The names of the imported models, and the amount of data.

    Raises
    ------
    UnknownNameError
        When the kind does not exist.
    UsageError
        When `path` is missing or is not of that kind, or an option does not apply to the kind.

    Examples
    --------
    Scores written by museval, one file per track:

    >>> import benchbench
    >>> from benchbench.results.interchange import Source
    >>> imported = benchbench.import_results(
    ...     "museval", "museval-scores", "imported",
    ...     source=Source("paper", licence="CC-BY-4.0"), dataset="musdb18")
    >>> benchbench.compare("imported", "imported").rows["target"].unique().tolist()
    ['vocals']
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of results", kind, KINDS)
    path = Path(path)
    if not path.exists():
        raise UsageError(f"There is no {path}.")
    if source is None:
        if kind not in _NAMED:
            raise UsageError(f"An import of {kind} needs the source's name: --source NAME.")
        source = _NAMED[kind]
    options: dict[str, object] = {
        "dataset": dataset,
        "protocol": protocol,
        "model": model,
        "mapping": mapping,
        "oracle": oracle or None,
        "baseline": baseline or None,
        "generative": generative or None,
    }
    for name, value in options.items():
        if value is not None and name not in _TAKES.get(kind, set()):
            raise UsageError(f"--{name} cannot be used with {kind}.")
    roles = Roles(frozenset(oracle), frozenset(baseline), frozenset(generative))
    if kind == "museval" and source.name == SISEC18.name:
        known = held(SISEC18_ROLES, path)
        roles = replace(
            roles,
            oracles=roles.oracles | known.oracles,
            baselines=roles.baselines | known.baselines,
        )
    stated = {
        name: str(options[name])
        for name in ("dataset", "protocol", "model")
        if options[name] is not None
    }
    importers: dict[str, Callable[[], Imported]] = {
        "museval": lambda: import_museval(path, results, source, roles=roles, **stated),
        "table": lambda: import_table(
            path, results, source, read_mapping(mapping) if mapping else None, roles=roles
        ),
        "msst": lambda: import_msst(path, results, source, roles=roles, **stated),
        "benchbench": lambda: import_benchbench(path, results, source),
        "ratings": lambda: import_ratings(path, results, source, mapping, roles=roles),
        "webmushra": lambda: import_webmushra(path, results, source, roles=roles, **stated),
        "sisec18": lambda: import_sisec18(path, results, source),
        "stemsplit": lambda: import_stemsplit(path, results, source),
    }
    return importers[kind]()


def source_of(
    kind: str,
    name: str | None = None,
    licence: str | None = None,
    citation: str | None = None,
    url: str | None = None,
    trained_on: tuple[str, ...] = (),
) -> Source | None:
    """The source of an import: the built-in facts of its kind, overridden by the arguments.

    Returns
    -------
    Source or None
        None when there are neither built-in facts nor arguments.

    Raises
    ------
    UsageError
        When a licence, a citation, an address or training data is given without a name.
    """
    stated = {
        "licence": licence,
        "citation": citation,
        "url": url,
        "trained_on": trained_on or None,
    }
    changes: dict[str, Any] = {key: value for key, value in stated.items() if value is not None}
    known = _NAMED.get(kind)
    if known is None and name is None:
        if changes:
            raise UsageError(f"An import of {kind} needs the source's name: --source NAME.")
        return None
    base = known or Source(str(name))
    return replace(base, name=name or base.name, **changes)
