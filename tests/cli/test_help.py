"""Help texts: lines of 80 characters, sections, placeholders of values, examples that parse."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from benchbench.cli import app

COMMANDS = (
    "run", "separate", "score", "train", "report", "compare", "gate", "agreement", "list", "show",
    "doctor", "verify", "install", "new", "compact", "import", "export", "adapt", "submit", "check",
)  # fmt: skip


def help_of(*words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}, prog_name="bench")
    assert result.exit_code == 0
    return result.output


def test_all_commands_are_listed_in_sections_and_none_is_cut() -> None:
    text = help_of()
    assert ".." not in text.replace("[ARGS]...", "").replace("= ...", "")
    assert all(f"  {name} " in text for name in COMMANDS)
    sections = [line for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    assert sections == [
        "Separate and score:", "Judge results:", "Look and check:", "Install and extend:",
        "Exchange results:", "Options:",
    ]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_fits_and_names_its_values(name: str) -> None:
    text = help_of(name)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(f"Usage: bench {name} ")
    for placeholder in ("{", "list[", "┃", "╭"):
        assert placeholder not in text
    assert not re.search(r"<\w", text)  # as typer writes types
    options = [line for line in text.splitlines() if line.startswith("  --")]
    assert not [line for line in text.splitlines() if line.endswith("-")]
    assert all(len(line.split()) == 1 or line.split()[1][0].isalpha() for line in options), options


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_a_command_parses(name: str) -> None:
    heading, _, examples = help_of(name).partition("\nExample:\n")
    assert heading
    (line,) = examples.strip().splitlines()
    program, command, *words = shlex.split(line)
    assert (program, command) == ("bench", name)
    group: Any = typer.main.get_command(app)
    parsed = group.commands[name].make_context(name, list(words))
    assert not parsed.args


def test_the_options_of_run_stand_in_sections() -> None:
    text = help_of("run")
    order = [
        "What to compute:", "Results:", "Settings of models and metrics:",
        "Time, memory and machines:", "Display:", "Example:",
    ]  # fmt: skip
    places = [text.index(f"\n{title}\n") for title in order]
    assert places == sorted(places)
    assert places[0] < text.index("--limit N") < places[1] < text.index("--resume MODE") < places[2]
    assert "\nOptions:" not in text
