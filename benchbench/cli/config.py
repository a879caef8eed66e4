"""``--config``: a TOML file with options of the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from benchbench.cli.help import HelpGroup
from benchbench.errors import UnknownNameError

__all__ = ["ConfigGroup", "read_config"]

FLAG = "--config"

JOINED = {"models", "metrics"}
"""Flags with comma-separated values, which may be arrays in a configuration file."""


class ConfigGroup(HelpGroup):
    """A group whose option ``--config FILE`` may also stand after the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move ``--config FILE`` to the front, unless the command has such an option itself."""
        name = next((each for each in args if each in self.commands), None)
        options = self.commands[name].params if name else ()
        if not any(FLAG in parameter.opts for parameter in options):
            args = _first(args)
        return super().parse_args(ctx, args)


def _first(args: list[str]) -> list[str]:
    for place, text in enumerate(args):
        if text == "--":
            break
        if text == FLAG or text.startswith(f"{FLAG}="):
            end = place + (2 if text == FLAG else 1)
            return [*args[place:end], *args[:place], *args[end:]]
    return args


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
