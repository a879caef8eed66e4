"""``--config``: a TOML file with options of the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from benchbench.errors import UnknownNameError

__all__ = ["read_config"]

JOINED = {"models", "metrics"}
"""Flags with comma-separated values, which may be arrays in a configuration file."""


def read_config(path: Path, context: typer.Context) -> dict[str, dict[str, Any]]:
    """The defaults of each command's flags from a configuration file."""
    from benchbench.io.toml_files import read_toml

    commands = getattr(context.command, "commands", {})
    defaults: dict[str, dict[str, Any]] = {}
    for verb, flags in read_toml(path).items():
        if verb not in commands or not isinstance(flags, dict):
            raise UnknownNameError("verb", verb, commands, where=f" in {path}")
        known = {parameter.name for parameter in commands[verb].params}
        for flag, value in flags.items():
            name = flag.replace("-", "_")
            if name not in known:
                raise UnknownNameError("key", flag, known, where=f" in [{verb}] of {path}")
            joined = (
                ",".join(map(str, value)) if isinstance(value, list) and name in JOINED else value
            )
            if name == "tracks" and isinstance(value, str):
                joined = [value]
            defaults.setdefault(verb, {})[name] = joined
    return defaults
