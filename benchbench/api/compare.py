"""Hold two sets of results against each other."""

from benchbench.comparison import compare

__all__ = ["compare"]
