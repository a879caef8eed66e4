"""The table of `bench verify`: differences between stored scores and reference programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchbench.cli.terminal import cut
from benchbench.io.text_table import aligned
from benchbench.scoring.verification import Difference

__all__ = ["difference_facts", "differences_table"]


def difference_facts(difference: Difference) -> dict[str, Any]:
    """A difference for JSON: its fields, and whether it passed; null if nothing was compared."""
    return asdict(difference) | {"passed": difference.passed if difference.judged else None}


def differences_table(differences: Sequence[Difference], columns: int | None = None) -> str:
    """The largest difference from the reference programs for each protocol and metric.

    The name of the place is cut where a line is longer than `columns`, by default the terminal.
    """
    grouped: dict[tuple[str, str], list[Difference]] = {}
    lines = []
    problems = [line for line in differences if not line.judged]
    differences = [line for line in differences if line.judged]
    for difference in differences:
        grouped.setdefault((difference.protocol, difference.metric), []).append(difference)
    for (protocol, metric), every in sorted(grouped.items()):
        worst = min(every, key=lambda item: (item.passed, -item.largest))
        lines.append(
            [
                protocol,
                metric,
                f"{worst.largest:.1e}",
                f"{worst.tolerance:.0e}",
                str(sum(item.compared for item in every)),
                str(sum(item.set_aside for item in every)),
                "ok" if worst.passed else "DIFFERS" if worst.same_gaps else "GAPS DIFFER",
                worst.case,
            ]
        )
    header = ["protocol", "metric", "largest", "allowed", "compared", "set aside", "", "where"]
    table = aligned(header, lines)
    notes = [
        f"{line.protocol}, {line.case}: no numbers to compare with, {line.problem}"
        for line in problems
    ]
    lines_of_table = [cut(line, columns) for line in table.splitlines()]
    return "\n".join([*lines_of_table, *notes])
