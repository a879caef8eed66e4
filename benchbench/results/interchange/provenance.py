"""Where imported numbers come from, and what an import reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from benchbench.errors import UnknownNameError, UsageError

__all__ = ["Imported", "Roles", "Source", "engine_version"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where imported numbers come from, and under which terms.

    Parameters
    ----------
    name
        A short name, such as ``sisec18``. Models are stored as ``name:model``, so that an imported
        model neither looks like one that was run here nor overwrites it.
    licence
        The licence of the numbers, as an SPDX name where there is one; ``unknown`` otherwise.
    citation, url
        What to cite, and where the numbers were found.
    trained_on
        Data sets that the models were trained on, where that is known of all of them.
    """

    name: str
    licence: str = "unknown"
    citation: str = ""
    url: str = ""
    trained_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or any(sign in self.name for sign in ":/\\ "):
            raise UsageError(
                f"A source's name is one word without ':' or '/', not {self.name!r}.",
                hint="For instance --source sisec18.",
            )

    def model(self, name: str) -> str:
        """The stored name of one of the source's models, for instance ``sisec18:TAK2``."""
        return f"{self.name}:{name}"


@dataclass(frozen=True, slots=True)
class Roles:
    """Which imported models do not compete, and which are of another kind.

    Parameters
    ----------
    oracles
        Models that saw the references, by their names in the source.
    baselines
        Models that separate nothing, such as the mixture.
    generative
        Models that make a target anew instead of taking it out of the mixture.
    """

    oracles: frozenset[str] = frozenset()
    baselines: frozenset[str] = frozenset()
    generative: frozenset[str] = frozenset()

    def check(self, models: Iterable[str]) -> None:
        """Refuse a declared model that the import does not hold.

        Raises
        ------
        UnknownNameError
            With the closest name that it holds.
        """
        known = set(models)
        for name in sorted(self.oracles | self.baselines | self.generative):
            if name not in known:
                raise UnknownNameError("model", name, known, where=" among the imported ones")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import stored.

    Parameters
    ----------
    run_id
        The run that stands for the import.
    models
        The names of the models, as stored.
    tracks, rows
        Numbers of tracks and of score rows.
    notes
        What a reader must know: rows left out, and why.
    """

    run_id: str
    models: tuple[str, ...]
    tracks: int
    rows: int
    notes: tuple[str, ...] = ()


def engine_version() -> str | None:
    """The version of benchbench, or None in a source tree that was never installed."""
    try:
        return version("benchbench")
    except PackageNotFoundError:
        return None
