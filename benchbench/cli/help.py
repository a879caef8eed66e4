"""Help texts in plain sections that fit 80 columns: groups of commands and of options, examples.

Typer's panels (`rich_help_panel`) give the sections; Rich's boxes are not used, because they break the
names of long options at 80 columns and are read aloud by screen readers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

__all__ = [
    "DISPLAY",
    "RESOURCES",
    "RESULTS",
    "SELECTION",
    "SETTINGS",
    "HelpCommand",
    "HelpGroup",
    "add_command",
]

SELECTION: Final = "What to compute"
SETTINGS: Final = "Settings of models and metrics"
RESULTS: Final = "Results"
RESOURCES: Final = "Time, memory and machines"
DISPLAY: Final = "Display"

SECTIONED: Final = 12
"""Commands with fewer options list them in one section."""

UNBROKEN: Final = "\N{NON-BREAKING HYPHEN}"


class HelpCommand(TyperCommand):
    """A command whose options stand in sections, with examples below them."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one section per group of options."""
        options = [each for each in self.get_params(ctx) if each.param_type_name == "option"]
        one_section = len(options) < SECTIONED
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "argument":
                title = "Arguments"
                record = parameter.metavar or parameter.name or "", record[1]
            elif one_section:
                title = "Options"
            else:
                last = DISPLAY if DISPLAY in sections else "Options"
                title = getattr(parameter, "rich_help_panel", None) or last
            sections.setdefault(title, []).append(record)
        _write_sections(formatter, sections.items())

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Write required arguments without braces."""
        pieces = super().collect_usage_pieces(ctx)
        return [piece.replace("{", "").replace("}", "") for piece in pieces]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, one per line."""
        del ctx
        if not self.epilog:
            return
        examples = self.epilog.splitlines()
        with formatter.section("Example" if len(examples) == 1 else "Examples"):
            for example in examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")


class HelpGroup(TyperGroup):
    """A group whose commands stand in sections, above its options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one section per group of commands, then the options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                record = name, command.get_short_help_str(limit=200)
                sections.setdefault(command.rich_help_panel or "Commands", []).append(record)
        _write_sections(formatter, sections.items())
        records = [parameter.get_help_record(ctx) for parameter in self.get_params(ctx)]
        _write_sections(formatter, [("Options", [each for each in records if each])])


def add_command(
    app: typer.Typer,
    function: Callable[..., None],
    *examples: str,
    section: str,
    name: str | None = None,
) -> None:
    """Add a function to the command line as a command.

    Parameters
    ----------
    app
        The command line.
    function
        The command; its name and docstring become the command's name and help.
    examples
        Command lines that show its use.
    section
        The section in the list of commands.
    name
        The command's name, if it differs from the function's.
    """
    add = app.command(
        name, cls=HelpCommand, epilog="\n".join(examples) or None, rich_help_panel=section
    )
    add(function)


def _write_sections(formatter: Any, sections: Iterable[tuple[str, list[tuple[str, str]]]]) -> None:
    """Write records; lines break at spaces only, so that values such as only-missing stay whole."""
    for title, records in sections:
        with formatter.section(title):
            formatter.write_dl([(name, text.replace("-", UNBROKEN)) for name, text in records])
    formatter.buffer[:] = [part.replace(UNBROKEN, "-") for part in formatter.buffer]
