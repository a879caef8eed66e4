"""Flags that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchbench.cli.completion import complete_dataset, complete_metrics, complete_models
from benchbench.cli.help import DISPLAY, RESOURCES, RESULTS, SELECTION, SETTINGS

__all__ = [
    "AdapterPath",
    "AllowTruncated",
    "DatasetName",
    "Device",
    "JsonFormat",
    "MemoryLimit",
    "MetricOptions",
    "MetricPath",
    "Metrics",
    "Model",
    "Models",
    "OnlyModels",
    "Options",
    "Quiet",
    "ResultsFolder",
    "Root",
    "Timeout",
    "Verbose",
    "Weights",
]

AdapterPath = Annotated[
    list[Path],
    typer.Option(
        "--adapter-path",
        metavar="FOLDER",
        help="Search this folder for adapters first; repeatable.",
        rich_help_panel=SETTINGS,
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Use these weights, for one model.", rich_help_panel=SETTINGS
    ),
]
Device = Annotated[
    str,
    typer.Option(metavar="auto|cpu|gpu", help="Where models compute.", rich_help_panel=SETTINGS),
]
Options = Annotated[
    list[str],
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="Set an option of the adapter; repeatable.",
        rich_help_panel=SETTINGS,
    ),
]
AllowTruncated = Annotated[
    bool,
    typer.Option(
        "--allow-truncated",
        help="Read truncated files as far as they go, with a note.",
        rich_help_panel=SETTINGS,
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Longest time of one separation.",
        min=0.1,
        rich_help_panel=RESOURCES,
    ),
]
MemoryLimit = Annotated[
    float | None,
    typer.Option(
        metavar="MB",
        help="Largest memory of a separator, without mapped files.",
        min=1,
        rich_help_panel=RESOURCES,
    ),
]
MetricPath = Annotated[
    list[Path],
    typer.Option(
        "--metric-path",
        metavar="FOLDER",
        help="Search this folder for metrics first; repeatable.",
        rich_help_panel=SETTINGS,
    ),
]
MetricOptions = Annotated[
    list[str],
    typer.Option(
        "--metric-option",
        metavar="METRIC.NAME=VALUE",
        help="Set an option of a metric folder; repeatable.",
        rich_help_panel=SETTINGS,
    ),
]
Metrics = Annotated[
    str,
    typer.Option(
        metavar="METRICS",
        help="Protocols or groups, joined by commas; see `bench list metrics`.",
        autocompletion=complete_metrics,
        rich_help_panel=SELECTION,
    ),
]
Models = Annotated[
    str,
    typer.Option(
        metavar="MODELS",
        help="adapter or adapter:variant, joined by commas; see `bench list models`.",
        autocompletion=complete_models,
        rich_help_panel=SELECTION,
    ),
]
Model = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="adapter or adapter:variant; see `bench list models`.",
        autocompletion=complete_models,
        rich_help_panel=SELECTION,
    ),
]
DatasetName = Annotated[
    str,
    typer.Option(
        metavar="DATASET",
        help="A data set; see `bench list datasets`.",
        autocompletion=complete_dataset,
        rich_help_panel=SELECTION,
    ),
]
Root = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="The data set's folder on disk.", rich_help_panel=SELECTION
    ),
]
ResultsFolder = Annotated[
    Path,
    typer.Option(
        "--results", metavar="FOLDER", help="The results folder.", rich_help_panel=RESULTS
    ),
]
OnlyModels = Annotated[
    str | None,
    typer.Option(
        metavar="MODELS", help="Only these models, joined by commas.", rich_help_panel=RESULTS
    ),
]
JsonFormat = Annotated[str, typer.Option("--format", metavar="table|json", help="Output format.")]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Show failures and the result only.", rich_help_panel=DISPLAY
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Show one line per separation.", rich_help_panel=DISPLAY),
]
