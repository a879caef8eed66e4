"""Who carries out a plan's batches: processes of this machine, or the workers of a cluster."""

from __future__ import annotations

from benchbench.running.executors.base import Executor, Stop
from benchbench.running.executors.local import LocalExecutor

__all__ = ["Executor", "LocalExecutor", "Stop"]
