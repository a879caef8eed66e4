"""Start a cluster for a run: the kinds of cluster, and the arguments of each."""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Mapping
from typing import Any

from benchbench.errors import MissingExtraError, UnknownNameError, UsageError
from benchbench.io.processes.working_directory import without_working_directory

__all__ = ["KINDS", "require_kind", "started"]

KINDS = {
    "local": ("distributed", "LocalCluster"),
    "ssh": ("distributed", "SSHCluster"),
    "slurm": ("dask_jobqueue", "SLURMCluster"),
    "kubernetes": ("dask_kubernetes.operator", "KubeCluster"),
}
"""Kinds of cluster -> the class of each."""

NEEDS = {"ssh": "asyncssh"}
"""Further packages of a kind, which its class imports late."""

PIPELINE = "benchbench.running.executors.dask_worker"
"""The module that workers on this machine have imported when they start."""

FOR_LONG_TASKS: Mapping[str, Any] = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.scheduler.work-stealing-interval": "1s",
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.active-memory-manager.start": False,
}
"""Settings of Dask for batches of minutes.

Longer intervals reduce the cost of a cluster with four idle workers from 10% of a processor to 2%;
with a saturation of 1 a waiting batch goes to the worker that is free first.
"""

EXTRAS = {"kubernetes": "kubernetes"}
"""Extras of benchbench with a kind's packages, where ``cluster`` does not include them."""


def require_kind(description: Mapping[str, Any]) -> None:
    """Refuse a description of a cluster whose kind is unknown.

    Raises
    ------
    UnknownNameError
        The message suggests a similar kind.
    """
    if description["kind"] not in KINDS:
        raise UnknownNameError("kind", str(description["kind"]), KINDS, where=" of cluster")


def started(description: Mapping[str, Any]) -> Any:
    """Start a cluster.

    Parameters
    ----------
    description
        ``kind``, ``workers``, and the arguments of that kind's class.

    Raises
    ------
    MissingExtraError
        If a package is missing.
    UsageError
        If the cluster does not start: an unknown argument, a host that refuses, a missing
        queue.
    """
    options = dict(description)
    kind, workers = str(options.pop("kind")), int(options.pop("workers"))
    if kind == "local":
        _start_fork_server()
    make = _maker(kind)
    try:
        if kind == "local":
            settings = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
            dask = importlib.import_module("dask")
            with dask.config.set(_for_this_machine()):
                return make(n_workers=workers, **{**settings, **options})
        if kind == "ssh":  # one host for the scheduler, and one per worker
            return make(**options)
        if kind == "kubernetes":
            return make(n_workers=workers, **options)
        return _grown(make(**options), workers)
    except Exception as error:  # each kind raises different errors
        what = str(error) or type(error).__name__
        raise UsageError(
            f"The cluster of kind {kind} did not start: {what}",
            hint=f"Its table takes what {'.'.join(KINDS[kind])} takes; see that class's documentation.",
        ) from error


def _for_this_machine() -> dict[str, Any]:
    """Settings of Dask for workers on this machine."""
    settings: dict[str, Any] = dict(FOR_LONG_TASKS)
    if _has_fork_server():
        settings["distributed.worker.multiprocessing-method"] = "forkserver"
    return settings


def _start_fork_server() -> None:
    """Start the process that workers are copies of, where the system has such a process.

    It imports the pipeline and Dask, while this process imports pandas: Dask does that before it
    starts a fork server, which would then import pandas too, although no worker needs it.
    """
    if _has_fork_server():
        forkserver = importlib.import_module("multiprocessing.forkserver")
        forkserver.set_forkserver_preload([PIPELINE])
        with without_working_directory():
            forkserver.ensure_running()


def _has_fork_server() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()


def _grown(cluster: Any, workers: int) -> Any:
    """The cluster, after the jobs of its workers were submitted to the queue.

    Its method ``scale`` would return at once, and only log a job that the queue refuses.
    """
    planned = 0
    while planned < workers:
        jobs = cluster.new_worker_spec()
        cluster.worker_spec.update(jobs)
        planned += sum(len(job.get("group", "1")) for job in jobs.values())

    async def submitted() -> None:
        await cluster

    try:
        cluster.sync(submitted)
    except BaseException:
        from distributed import Status

        for job in cluster.workers.values():  # otherwise closing it fails with an assertion
            job.status = Status.failed
        cluster.close()
        raise
    return cluster


def _maker(kind: str) -> Any:
    module, name = KINDS[kind]
    try:
        if kind in NEEDS:
            importlib.import_module(NEEDS[kind])
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        package = NEEDS.get(kind, module.partition(".")[0]).replace("_", "-")
        extra = EXTRAS.get(kind, "cluster")
        raise MissingExtraError(package, extra, f"A cluster of kind {kind}") from error
