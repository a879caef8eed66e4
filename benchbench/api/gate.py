"""Judge results against a baseline; see `benchbench.comparison.gate` for accept and calibrate."""

from benchbench.comparison.gate import gate

__all__ = ["gate"]
