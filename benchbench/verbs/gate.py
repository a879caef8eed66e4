"""Judge results against a baseline; accept and calibrate stand in `benchbench.gating`."""

from benchbench.gating import gate

__all__ = ["gate"]
