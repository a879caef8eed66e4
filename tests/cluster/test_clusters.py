"""Clusters that a run starts for itself, for real: the scores are those of this machine."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import psutil
import pytest

import benchbench
from benchbench.errors import UsageError
from benchbench.results.store import Results
from benchbench.running.events import Event, Started
from benchmarks.kills import songs, table

from .conftest import answers, ask, free_port, server, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

Make = Callable[..., Path]
MODELS = ["irm", "mixture:4stems", "silence"]


def run(root: Path, out: Path, **options: object) -> benchbench.api.run.RunResult:
    return benchbench.run(
        MODELS, "folder", root=root, out=out, metrics=["usdr", "si"], report=False, threads=1,
        **options,
    )  # type: ignore[arg-type]  # fmt: skip


def processes_with(word: str) -> list[int]:
    """Processes of this user whose command line holds a word."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if process.pid != os.getpid()
        and any(word in part for part in process.info["cmdline"] or ())
    ]


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
    wait_for(lambda: not processes_with(str(tmp_path / "dask")), "no worker is left", 60)


def test_a_host_that_refuses_is_one_clear_error(
    small_songs: Path, tmp_path: Path, sshd: dict[str, object]
) -> None:
    stranger = {**sshd, "username": "nobody-of-that-name"}
    cluster = {"kind": "ssh", "hosts": ["127.0.0.1"] * 2, "connect_options": stranger}
    with pytest.raises(UsageError, match=r"kind ssh did not start: .*Permission denied"):
        run(small_songs, tmp_path / "out", executor="dask", cluster=cluster)
    assert Results(tmp_path / "out").separations().num_rows == 0


def test_workers_that_join_late_get_work(tmp_path: Path, make_adapter: Make) -> None:
    distributed = pytest.importorskip("distributed")
    root = songs(tmp_path / "songs", count=8, seconds=0.5)
    body = f"""
    with open({str(tmp_path / "times")!r}, "a") as file:
        file.write(f"{{time.time()}} 1\\n")
        file.flush()
        time.sleep(3)
        file.write(f"{{time.time()}} -1\\n")
    return {{stem: mixture / 2 for stem in self.stems}}
    """
    place = make_adapter("steady", body)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        joined: list[Event] = []

        def widen(event: Event) -> None:
            if isinstance(event, Started) and not joined:
                joined.append(event)
                wide = {"cls": distributed.Nanny, "options": {"nthreads": 3}}
                cluster.worker_spec["wide"] = wide
                cluster.scale(2)

        benchbench.run(
            ["steady"], "folder", root=root, out=tmp_path / "out", metrics=["usdr"], threads=1,
            report=False, adapter_paths=[place], executor="dask", listener=widen,
            scheduler=cluster.scheduler_address,
        )  # fmt: skip
    lines = sorted((tmp_path / "times").read_text().splitlines())
    at_once = list(accumulate(int(line.split()[1]) for line in lines))
    assert len(lines) == 16
    assert max(at_once) >= 3  # two are as many as one worker's window would be


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


@pytest.mark.filterwarnings("ignore:unclosed cluster:ResourceWarning")  # its own, as it fails
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
    del caught
    gc.collect()


def test_a_scheduler_that_ends_is_one_clear_error(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    port = free_port()
    python = [sys.executable, "-m"]
    words = ["--no-dashboard", "--host", "127.0.0.1"]
    address = f"tcp://127.0.0.1:{port}"
    worker = [*python, "distributed.cli.dask_worker", address, "--nthreads", "1", *words]
    scheduler = [*python, "distributed.cli.dask_scheduler", "--port", str(port), *words]
    body = "time.sleep(20); return {stem: mixture / 2 for stem in self.stems}"
    place = make_adapter("slow", body)
    with (
        server(scheduler, tmp_path / "scheduler.log") as pid,
        server(worker, tmp_path / "worker.log"),
    ):
        wait_for(lambda: answers(port), "the scheduler answers")

        def kill(event: Event) -> None:
            if isinstance(event, Started) and event.model == "slow:plain":
                psutil.Process(pid).kill()

        options = {"models": ["silence:2stems", "slow"], "dataset": "folder", "root": small_songs,
                   "out": tmp_path / "out", "metrics": ["usdr"], "report": False,
                   "adapter_paths": [place]}  # fmt: skip
        with pytest.raises(UsageError, match="is gone") as caught:
            benchbench.run(executor="dask", scheduler=address, listener=kill, **options)
        assert "stored is kept" in str(caught.value)
    assert Results(tmp_path / "out").scores().num_rows > 0
