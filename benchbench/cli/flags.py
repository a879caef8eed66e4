"""Shared by the commands: types of flags, and parsers of their values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchbench.cli.completion import complete_dataset, complete_metrics, complete_models
from benchbench.errors import UnknownNameError, UsageError
from benchbench.plugins.model_names import listed, parsed_value

if TYPE_CHECKING:
    from benchbench.cli.progress import Verbosity

__all__ = [
    "AdapterPath",
    "AllowTruncated",
    "DatasetName",
    "Device",
    "MemoryLimit",
    "MetricOptions",
    "MetricPath",
    "Metrics",
    "Model",
    "Models",
    "Options",
    "Quiet",
    "Root",
    "Timeout",
    "Verbose",
    "Weights",
    "limits",
    "one_of",
    "parse_cluster",
    "parse_metric_options",
    "parse_options",
    "verbosity",
    "words",
]

AdapterPath = Annotated[
    list[Path], typer.Option("--adapter-path", help="Search this folder for adapters first.")
]
Weights = Annotated[
    Path | None, typer.Option(help="A folder with weights of your own, for one model.")
]
Device = Annotated[str, typer.Option(help="auto, cpu or gpu.")]
Options = Annotated[
    list[str], typer.Option("--option", help="An adapter's option, as name=value; repeatable.")
]
AllowTruncated = Annotated[
    bool,
    typer.Option(
        "--allow-truncated", help="Read files that were cut off as far as they go, with a note."
    ),
]
Timeout = Annotated[
    float | None, typer.Option(help="Seconds that one separation may take.", min=0.1)
]
MemoryLimit = Annotated[
    float | None,
    typer.Option(help="Megabytes that a separator may hold; mapped files do not count.", min=1),
]
MetricPath = Annotated[
    list[Path], typer.Option("--metric-path", help="Search this folder for metrics first.")
]
MetricOptions = Annotated[
    list[str],
    typer.Option("--metric-option", help="Of a metric that is a folder: name.option=value."),
]
Metrics = Annotated[
    str,
    typer.Option(help="Protocols or groups, joined by commas.", autocompletion=complete_metrics),
]
Models = Annotated[
    str,
    typer.Option(
        help="adapter or adapter:variant, joined by commas.", autocompletion=complete_models
    ),
]
Model = Annotated[
    str, typer.Option(help="adapter or adapter:variant.", autocompletion=complete_models)
]
DatasetName = Annotated[str, typer.Option(help="A data set.", autocompletion=complete_dataset)]
Root = Annotated[Path | None, typer.Option(help="The data set's folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show failures and the result only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show a line per separation.")]


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
            raise UsageError(f"--option {pair}: name=value is needed.")
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


def parse_cluster(given: Any) -> dict[str, Any]:
    """The description of a cluster: a table of a configuration file, or a separate file."""
    if isinstance(given, dict):
        return given
    from benchbench.plugins.manifest import read_toml

    return read_toml(Path(given))


def limits(timeout: float | None, memory_mb: float | None) -> Any:
    """`benchbench.separation.separator.Limits` from ``--timeout`` and ``--memory-limit``."""
    from benchbench.separation.separator import Limits

    memory = None if memory_mb is None else int(memory_mb * 1e6)
    if timeout is None:
        return Limits(memory_bytes=memory)
    return Limits(base_s=timeout, seconds_per_second=0.0, memory_bytes=memory)


def parse_metric_options(pairs: list[str]) -> dict[str, dict[str, bool | int | float | str]]:
    """``metric.option=value`` pairs, by metric."""
    found: dict[str, dict[str, bool | int | float | str]] = {}
    for pair in pairs:
        name, dot, option = pair.partition(".")
        if not dot or "=" in name:
            raise UsageError(f"--metric-option {pair}: metric.option=value is needed.")
        found.setdefault(name, {}).update(parse_options([option]))
    return found
