"""Clusters that a run starts for itself, for real: the scores are those of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

import benchbench
from benchbench.errors import UsageError
from benchbench.events import Event, Started
from benchbench.store import Results

from .conftest import ask, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

MODELS = ["irm", "mixture:4stems", "silence"]


def run(root: Path, out: Path, **options: object) -> benchbench.verbs.run.RunResult:
    return benchbench.run(
        MODELS, "folder", root=root, out=out, metrics=["usdr", "si"], report=False, threads=1,
        **options,
    )  # type: ignore[arg-type]  # fmt: skip


def table(folder: Path) -> pa.Table:
    """All scores but the run's name, in an order of their own."""
    scores = Results(folder).scores().drop_columns(["run_id"])
    return scores.sort_by([(name, "ascending") for name in scores.column_names])


def requests(word: str) -> list[int]:
    """Processes of this user whose command line holds a word."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        if any(word in part for part in process.info["cmdline"] or ()):
            found.append(process.info["pid"])
    return [pid for pid in found if pid != os.getpid()]


def test_hosts_of_ssh_give_the_table_of_this_machine(
    small_songs: Path, tmp_path: Path, sshd: dict[str, object]
) -> None:
    run(small_songs, tmp_path / "here")
    cluster = {
        "kind": "ssh",
        "hosts": ["127.0.0.1"] * 3,
        "connect_options": sshd,
        "worker_options": {"nthreads": 1, "local_directory": str(tmp_path / "dask")},
        "scheduler_options": {"port": 0, "dashboard_address": "127.0.0.1:0"},
    }
    done = run(small_songs, tmp_path / "ssh", executor="dask", cluster=cluster)
    assert (done.tally.ok, done.tally.failed) == (6, 0)
    assert table(tmp_path / "here").num_rows > 0
    assert table(tmp_path / "ssh").equals(table(tmp_path / "here"))
    jobs = Results(tmp_path / "ssh").separations(columns=["jobs"]).column("jobs").to_pylist()
    assert set(jobs) == {2}  # both workers, one host
    wait_for(lambda: not requests(str(tmp_path / "dask")), "no worker is left", 60)


def test_a_host_that_refuses_is_one_clear_error(
    small_songs: Path, tmp_path: Path, sshd: dict[str, object]
) -> None:
    stranger = {**sshd, "username": "nobody-of-that-name"}
    cluster = {"kind": "ssh", "hosts": ["127.0.0.1"] * 2, "connect_options": stranger}
    with pytest.raises(UsageError, match=r"kind ssh did not start: .*Permission denied"):
        run(small_songs, tmp_path / "out", executor="dask", cluster=cluster)
    assert Results(tmp_path / "out").separations().num_rows == 0


def test_jobs_of_slurm_give_the_table_of_this_machine(
    small_songs: Path, tmp_path: Path, slurm: Path
) -> None:
    run(small_songs, tmp_path / "here")
    cluster = {
        "kind": "slurm",
        "workers": 2,
        "queue": "short",
        "cores": 1,
        "processes": 1,
        "memory": "4 GB",
        "walltime": "00:20:00",
        "interface": "lo",
        "log_directory": str(slurm / "jobs"),
        "local_directory": str(tmp_path / "dask"),
    }
    queued: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, Started):
            queued.append(ask("squeue", "-h", "-o", "%P %T %j"))

    done = run(small_songs, tmp_path / "slurm", executor="dask", cluster=cluster, listener=look)
    assert (done.tally.ok, done.tally.failed) == (6, 0)
    assert table(tmp_path / "here").num_rows > 0
    assert table(tmp_path / "slurm").equals(table(tmp_path / "here"))
    assert any("short RUNNING dask-worker" in lines for lines in queued), queued
    wait_for(lambda: not ask("squeue", "-h", "-t", "running"), "no job is left", 120)


def test_a_queue_that_is_not_there_is_one_clear_error(
    small_songs: Path, tmp_path: Path, slurm: Path
) -> None:
    cluster = {"kind": "slurm", "workers": 1, "queue": "gpu", "cores": 1, "memory": "1 GB",
               "interface": "lo", "log_directory": str(slurm / "jobs")}  # fmt: skip
    with pytest.raises(UsageError, match="invalid partition"):
        run(small_songs, tmp_path / "out", executor="dask", cluster=cluster)


def test_no_cluster_of_kubernetes_is_one_clear_error(
    small_songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The class takes what it is given, and then finds nothing to ask."""
    pytest.importorskip("dask_kubernetes")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    cluster = {"kind": "kubernetes", "workers": 2, "name": "bench", "image": "benchbench:1"}
    with pytest.raises(UsageError, match=r"kind kubernetes did not start: .*") as caught:
        run(small_songs, tmp_path / "out", executor="dask", cluster=cluster)
    assert not isinstance(caught.value.__cause__, TypeError), caught.value
