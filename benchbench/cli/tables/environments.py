"""The environments that `bench install` has built, as a table and as facts for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchbench.cli.terminal import cut
from benchbench.io.text_table import aligned

if TYPE_CHECKING:
    from benchbench.separation.environments import InstalledEnvironment

__all__ = ["environment_facts", "environments_table"]


def environments_table(environments: Sequence[InstalledEnvironment]) -> str:
    """The installed environments: their adapters, sizes and packages."""
    if not environments:
        return "No environment is installed yet; `bench install MODEL` installs one."
    rows = [
        [
            ", ".join(each.adapters) or "no adapter",
            f"{each.interpreter.size_bytes / 1e6:.0f}",
            each.interpreter.version,
            each.interpreter.installer,
            each.interpreter.folder.name if each.interpreter.folder else "",
            ", ".join(each.interpreter.requirements),
        ]
        for each in environments
    ]
    header = ["used by", "MB", "python", "built with", "environment", "requirements"]
    return "\n".join(cut(line) for line in aligned(header, rows).splitlines())


def environment_facts(environment: InstalledEnvironment) -> dict[str, Any]:
    """One environment for JSON; the size is in bytes."""
    built = environment.interpreter
    return {
        "adapters": list(environment.adapters),
        "size_bytes": built.size_bytes,
        "python": built.version,
        "built_with": built.installer,
        "folder": str(built.folder) if built.folder else None,
        "requirements": list(built.requirements),
    }
