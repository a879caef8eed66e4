"""The source of imported numbers, and the result of an import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from benchbench.errors import DISTRIBUTION, UnknownNameError, UsageError
from benchbench.io.names import is_file_name

__all__ = ["Imported", "Roles", "Source", "engine_version"]


LONGEST_NAME: Final = 64
"""Maximum characters of a source's name, which begins the names of folders."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of imported numbers and their licence.

    Parameters
    ----------
    name
        A short name, such as ``sisec18``. Models are stored as ``name:model``, so that an imported
        model neither looks like a local one nor overwrites it.
    licence
        The licence of the numbers, as an SPDX name where there is one; ``unknown`` otherwise.
    citation, url
        What to cite, and where the numbers were found.
    trained_on
        Data sets that the models were trained on, if known for all of them.
    """

    name: str
    licence: str = "unknown"
    citation: str = ""
    url: str = ""
    trained_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not is_file_name(self.name) or " " in self.name or len(self.name) > LONGEST_NAME:
            raise UsageError(
                "A source's name is one word of letters, digits, '.', '_' and '-', of at most "
                f"{LONGEST_NAME} characters, not {self.name[:80]!r}.",
                hint="For instance --source sisec18.",
            )

    def model(self, name: str) -> str:
        """The stored name of one of the source's models, for instance ``sisec18:TAK2``."""
        return f"{self.name}:{name}"


@dataclass(frozen=True, slots=True)
class Roles:
    """Which imported models are oracles, baselines or generative.

    Parameters
    ----------
    oracles
        Models that use the references, by their names in the source.
    baselines
        Models that separate nothing, such as the mixture.
    generative
        Models that generate a target instead of extracting it from the mixture.
    """

    oracles: frozenset[str] = frozenset()
    baselines: frozenset[str] = frozenset()
    generative: frozenset[str] = frozenset()

    def check(self, models: Iterable[str]) -> None:
        """Reject a declared model that the import does not contain.

        Raises
        ------
        UnknownNameError
            Suggests the closest name.
        """
        known = set(models)
        for name in sorted(self.oracles | self.baselines | self.generative):
            if name not in known:
                raise UnknownNameError("model", name, known, where=" among the imported ones")


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import.

    Parameters
    ----------
    run_id
        The run that records the import.
    models
        The names of the models, as stored.
    tracks, rows
        Numbers of tracks and of score rows.
    notes
        Remarks for the reader: rows left out, and why.
    """

    run_id: str
    models: tuple[str, ...]
    tracks: int
    rows: int
    notes: tuple[str, ...] = ()


def engine_version() -> str | None:
    """The version of benchbench, or None in a source tree that was never installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return None
