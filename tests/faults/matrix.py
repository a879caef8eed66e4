"""The table of commands and faults: what is promised in each cell, as a test holds it.

``python -m tests.faults.matrix`` writes the table into ``docs/faults.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import COMMANDS, Command

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- table of tests/faults -->", "<!-- end of the table -->"


@dataclass(frozen=True)
class Fault:
    """A fault, and the exit code of the disturbed command.

    Parameters
    ----------
    name
        Its column in the table.
    code
        The exit code; a negative one is a signal; None: that of a command whose disk is full.
    network
        Whether it concerns commands that fetch something only.
    separators
        Whether it concerns commands that start a separator only.
    """

    name: str
    code: int | None
    network: bool = False
    separators: bool = False

    def concerns(self, command: Command) -> bool:
        """Whether the command can meet the fault."""
        if self.network and not command.network:
            return False
        return not self.separators or command.name == "separate"

    def expected(self, command: Command) -> int:
        """The exit code of the disturbed command."""
        if self.name == CLOCK and command.full != 2:
            return command.full  # no certificate of a package index is valid then
        return command.full if self.code is None else self.code

    def cell(self, command: Command) -> str:
        """The cell of the table."""
        if not self.concerns(command):
            return ""
        code = self.expected(command)
        if self.name == TWICE and command.name == "adapt":
            return "equal; the later one 2"  # the name is taken then
        return "equal" if code == 0 else "repeat" if code < 0 else f"{code}, repeat"


CLOCK = "clock jumps 40 years"
TWICE = "started twice"

FAULTS = (
    Fault("process killed", -9),
    Fault("group killed", -9),
    Fault("separator killed", 4, separators=True),
    Fault("SIGTERM", 143),
    Fault("SIGHUP", 143),
    Fault("Ctrl-C twice", 130),
    Fault("stopped and continued", 0),
    Fault(TWICE, 0),
    Fault("full disk", None),
    Fault("read-only folder", 2),
    Fault("vanished folder", 2),
    Fault(CLOCK, 0),
    Fault("no network", 4, network=True),
    Fault("lying server", 4, network=True),
)

QUICK = {
    ("export", "process killed"), ("import", "group killed"), ("gate --accept", "SIGTERM"),
    ("compact", "Ctrl-C twice"), ("report", "vanished folder"), ("score", "SIGHUP"),
    ("install (weights)", "lying server"), ("install (data set)", "no network"),
    ("separate", "separator killed"), ("train", "stopped and continued"),
    ("submit", "process killed"),
}  # fmt: skip
"""The cells that run with every test; all others need ``tox -e faults``."""

SLOW = {"install (environment)", "pretrain", "adapt"}
"""Commands without such a cell: each takes more than ten seconds of a processor."""


def cells() -> list[tuple[Command, Fault]]:
    """Every cell that a command can meet; renaming has no part in the building of environments."""
    return [(c, f) for c in COMMANDS for f in FAULTS if f.concerns(c) and (c, f) not in _EXCEPT]


_BY_NAME = {command.name: command for command in COMMANDS}
_EXCEPT = {
    (_BY_NAME["install (environment)"], fault) for fault in FAULTS if fault.name == "lying server"
}  # pip and uv judge what an index sends


def table() -> str:
    """The table in Markdown: commands in rows, faults in columns."""
    run = set(cells())
    lines = ["| command | " + " | ".join(fault.name for fault in FAULTS) + " |"]
    lines.append("|---" * (len(FAULTS) + 1) + "|")
    for command in COMMANDS:
        row = [fault.cell(command) if (command, fault) in run else "" for fault in FAULTS]
        lines.append(f"| `{command.name}` | " + " | ".join(row) + " |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    """The page with the current table."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
