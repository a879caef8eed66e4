"""Render the report of stored results."""

from benchbench.reporting import report

__all__ = ["report"]
