"""The checks of `bench doctor` as lines, and as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchbench.separation.conformance import Check

__all__ = ["check_facts", "check_line"]


def check_line(check: Check) -> str:
    """``ok   name: detail``; further lines of the detail are indented."""
    word = "skip" if check.skipped else "ok  " if check.ok else "BAD "
    detail = check.detail.replace("\n", "\n     ")
    return f"{word} {check.name}" + (f": {detail}" if detail else "")


def check_facts(check: Check) -> dict[str, Any]:
    """A check for JSON: its name, ``ok``, ``bad`` or ``skipped``, and the detail."""
    status = "skipped" if check.skipped else "ok" if check.ok else "bad"
    return {"check": check.name, "status": status, "detail": check.detail}
