"""Every error that benchbench raises on purpose.

Each has an exit code for the command line, and a message that states what went wrong, where, and
what to do next.

::

    BenchbenchError
    ├── UsageError               2  the request is invalid
    │   ├── UnknownNameError     2  no model, data set, metric or key of that name
    │   ├── ManifestError        2  an adapter.toml, dataset.toml or configuration file is wrong
    │   ├── AudioError           2  a file cannot be read as audio, or holds NaN or infinity
    │   ├── OutputError          2  a result cannot be written (permission, full disk)
    │   └── MissingExtraError    2  an optional package is missing
    ├── NothingToCompareError    3  nothing, or too little, to compare
    ├── SeparatorError           4  an adapter crashed, hung or returned invalid output
    │   ├── AdapterEnvironmentError 4  the interpreter or the requirements of an adapter are missing
    │   └── WeightsError         4  weights cannot be fetched, or are not the declared ones
    ├── DamagedResultsError      5  stored results cannot be read
    └── StoppedError           130  the user interrupted
        └── TerminatedError    143  the system asked the process to end
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

__all__ = [
    "DISTRIBUTION",
    "AdapterEnvironmentError",
    "AudioError",
    "BenchbenchError",
    "DamagedResultsError",
    "ManifestError",
    "MissingExtraError",
    "NothingToCompareError",
    "OutputError",
    "SeparatorError",
    "StoppedError",
    "TerminatedError",
    "UnknownNameError",
    "UsageError",
    "WeightsError",
    "closest",
]

DISTRIBUTION = "benchbench-audio"
"""The distribution name. `benchbench` on the package index is another project."""


LISTED = 40
"""With more known names than this, an error gives the closest one only."""


class BenchbenchError(Exception):
    """Base of all errors that benchbench raises on purpose.

    Parameters
    ----------
    message
        What went wrong and where, in one or two sentences.
    hint
        The next step for the reader, often a command.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all attributes, independent of the subclass's constructor."""
        return _restored, (type(self), self.__dict__)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


def _restored(kind: type[BenchbenchError], state: dict[str, object]) -> BenchbenchError:
    error = kind.__new__(kind)
    Exception.__init__(error, state["message"])
    error.__dict__.update(state)
    return error


class UsageError(BenchbenchError):
    """The request is invalid."""

    exit_code = 2


class UnknownNameError(UsageError):
    """No model, data set, metric or key has that name; lists the known ones, unless there are many.

    Parameters
    ----------
    kind
        The kind of the name, for instance ``"model"``.
    name
        The unknown name.
    known
        The names that exist, for the suggestion.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        names = sorted(known)
        guess = closest(name, names)
        hint = f"Did you mean {guess!r}? " if guess else ""
        if len(names) <= LISTED or not guess:
            hint += f"Known: {', '.join(names) or 'none'}."
        else:
            hint += f"{len(names)} names are known."
        super().__init__(f"Unknown {kind} {name!r}{where}.", hint=hint)
        self.name = name
        self.known = names


class ManifestError(UsageError):
    """An ``adapter.toml``, ``dataset.toml`` or configuration file is wrong."""


class AudioError(UsageError):
    """A file cannot be read as audio, or holds samples that are not finite."""


class OutputError(UsageError):
    """A result cannot be written: no permission, a full disk, a file in the way."""


class MissingExtraError(UsageError):
    """An optional package is missing.

    Parameters
    ----------
    package
        The package.
    extra
        The extra of benchbench that installs it.
    what
        The feature that needs it, as the beginning of a sentence.
    """

    def __init__(self, package: str, extra: str, what: str) -> None:
        super().__init__(
            f"{what} needs the package {package}, which is not installed.",
            hint=f"Install it with: pip install '{DISTRIBUTION}[{extra}]'",
        )


class NothingToCompareError(BenchbenchError):
    """There is nothing, or too little, to compare."""

    exit_code = 3


class SeparatorError(BenchbenchError):
    """An adapter crashed, hung, ran out of memory or returned invalid output."""

    exit_code = 4


class AdapterEnvironmentError(SeparatorError):
    """The interpreter or the requirements of an adapter are missing."""


class WeightsError(SeparatorError):
    """Weights cannot be fetched, or they are not the declared ones."""


class DamagedResultsError(BenchbenchError):
    """Stored results cannot be read."""

    exit_code = 5


class StoppedError(BenchbenchError):
    """The user interrupted; what was stored is kept."""

    exit_code = 130


class TerminatedError(StoppedError):
    """The system asked the process to end; what was stored is kept."""

    exit_code = 143


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most similar to `name`, or None if none is similar."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
