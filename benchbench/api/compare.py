"""Compare two sets of results."""

from benchbench.comparison import compare

__all__ = ["compare"]
