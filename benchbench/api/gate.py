"""Judge results against a baseline; accept and calibrate stand in `benchbench.comparison.gate`."""

from benchbench.comparison.gate import gate

__all__ = ["gate"]
