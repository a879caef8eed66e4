"""Executors run the batches of a plan: in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

from benchbench.running.executors.base import Executor, Stop
from benchbench.running.executors.local import LocalExecutor

__all__ = ["Executor", "LocalExecutor", "Stop"]
