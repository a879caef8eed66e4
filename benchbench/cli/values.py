"""Parse the values of flags."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbench.errors import UnknownNameError, UsageError
from benchbench.plugins.model_names import listed, parsed_value

if TYPE_CHECKING:
    from benchbench.cli.progress import Verbosity

__all__ = [
    "limits",
    "one_of",
    "parse_cluster",
    "parse_metric_options",
    "parse_options",
    "parse_renames",
    "verbosity",
    "words",
]


def words(text: str) -> list[str]:
    """Words joined by commas; commas inside brackets do not separate."""
    return listed(text)


def one_of(flag: str, value: str, known: tuple[str, ...]) -> Any:
    """The value, if the flag accepts it.

    Raises
    ------
    UnknownNameError
        When it does not; the error suggests the closest one.
    """
    if value not in known:
        raise UnknownNameError("value", value, known, where=f" of {flag}")
    return value


def parse_options(pairs: list[str]) -> dict[str, bool | int | float | str]:
    """Parse ``name=value`` pairs; values are parsed as TOML, else taken as text.

    Raises
    ------
    UsageError
        When a pair has no value, or a name is given twice.
    """
    options: dict[str, bool | int | float | str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"--option {pair} must have the form name=value.")
        if name in options:
            raise UsageError(
                f"--option {name} is given twice.",
                hint=f"To compare settings: --models 'MODEL[{name}={options[name]},{text}]'.",
            )
        options[name] = parsed_value(text)
    return options


def verbosity(quiet: bool, verbose: bool) -> Verbosity:
    """The verbosity from ``--quiet`` and ``--verbose``."""
    if quiet and verbose:
        raise UsageError("--quiet and --verbose exclude each other.")
    return "quiet" if quiet else "verbose" if verbose else "normal"


def parse_cluster(value: Any) -> dict[str, Any]:
    """The description of a cluster: a table of a configuration file, or a separate file."""
    if isinstance(value, dict):
        return value
    from benchbench.io.toml_files import read_toml

    return read_toml(Path(value))


def limits(timeout: float | None, memory_mb: float | None) -> Any:
    """`benchbench.separation.separator.Limits` from ``--timeout`` and ``--memory-limit``."""
    from benchbench.separation.separator import Limits

    memory = None if memory_mb is None else int(memory_mb * 1e6)
    if timeout is None:
        return Limits(memory_bytes=memory)
    return Limits(base_s=timeout, seconds_per_second=0.0, memory_bytes=memory)


def parse_metric_options(pairs: list[str]) -> dict[str, dict[str, bool | int | float | str]]:
    """``metric.option=value`` pairs, by metric."""
    options: dict[str, dict[str, bool | int | float | str]] = {}
    for pair in pairs:
        name, dot, option = pair.partition(".")
        if not dot or "=" in name:
            raise UsageError(f"--metric-option {pair} must have the form metric.option=value.")
        options.setdefault(name, {}).update(parse_options([option]))
    return options


def parse_renames(pairs: list[str]) -> dict[str, str]:
    """Parse ``old=new`` pairs of names.

    Raises
    ------
    UsageError
        When a name is missing, or renamed twice.
    """
    renames: dict[str, str] = {}
    for pair in pairs:
        old, _, new = (part.strip() for part in pair.partition("="))
        if not old or not new:
            raise UsageError(f"--rename {pair} must have the form estimate=reference.")
        if old in renames:
            raise UsageError(f"--rename {old} is given twice.")
        renames[old] = new
    return renames
