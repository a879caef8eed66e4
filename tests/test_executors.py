"""Local and Dask executors give the same scores, and the driver computes nothing."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

import benchbench
from benchbench.errors import MissingExtraError, StoppedError, UnknownNameError, UsageError
from benchbench.results.store import Results
from benchbench.running.batches import Batch, batches, model_groups
from benchbench.running.events import Event, ScoresReady, Separated, Skipped, Spent, Started
from benchbench.running.executors import Stop
from benchbench.running.executors.base import shared
from benchbench.running.plan import Plan
from benchbench.separation.identity import Identity

Make = Callable[..., Path]
MODELS = ["irm", "mixture:4stems", "silence"]


def run(root: Path, out: Path, **options: object) -> benchbench.api.run.RunResult:
    options = {"models": MODELS, "metrics": ["usdr", "bsseval-v4"], "report": False,
               "dataset": "folder", **options}  # fmt: skip
    return benchbench.run(root=root, out=out, **options)  # type: ignore[arg-type]


def table(folder: Path) -> pa.Table:
    """All scores but the run's name, in an order of their own."""
    scores = Results(folder).scores().drop_columns(["run_id"])
    return scores.sort_by([(name, "ascending") for name in scores.column_names])


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A scheduler with two workers on this machine, as a company's cluster would run."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        yield cluster.scheduler_address


def test_every_executor_gives_the_same_table(
    small_songs: Path, tmp_path: Path, scheduler: str
) -> None:
    run(small_songs, tmp_path / "one", threads=1)
    run(small_songs, tmp_path / "two", threads=1, jobs=2)
    result = run(small_songs, tmp_path / "dask", threads=1, executor="dask", scheduler=scheduler)
    assert (result.tally.ok, result.tally.failed) == (6, 0)
    one = table(tmp_path / "one")
    assert one.num_rows > 0
    assert table(tmp_path / "two").equals(one)
    assert table(tmp_path / "dask").equals(one)
    assert run(small_songs, tmp_path / "dask").tally.ok == 0


def test_a_worker_of_the_cluster_that_dies_costs_nothing(
    small_songs: Path, tmp_path: Path, make_adapter: Make, scheduler: str
) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    body = f"""
    import pathlib, signal
    if os.path.exists({str(flag)!r}):
        os.unlink({str(flag)!r})
        import psutil
        above = (p for p in psutil.Process().parents() if "supervisor.py" not in " ".join(p.cmdline()))
        os.kill(next(above).pid, signal.SIGKILL)  # the worker that runs this separator
        time.sleep(5)
    return {{stem: mixture / 2 for stem in self.stems}}
    """
    ends: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, ScoresReady | Skipped):
            ends.append(f"{event.model} {event.track}")

    result = run(
        small_songs, tmp_path / "out", models=["mixture", "deadly", "silence"],
        adapter_paths=[make_adapter("deadly", body)], executor="dask", scheduler=scheduler,
        listener=listen,
    )  # fmt: skip
    assert not flag.exists()
    assert len(ends) == len(set(ends)) == 6  # a second attempt tells only what is news
    assert (result.tally.failed, result.tally.ok) in {(0, 6), (0, 5)}  # what was stored, is
    scores = Results(tmp_path / "out").scores(columns=["model", "track"]).to_pylist()
    assert len({(row["model"], row["track"]) for row in scores}) == 6


def test_the_driver_hears_of_a_job_while_its_batch_goes_on(
    small_songs: Path, tmp_path: Path, make_adapter: Make, scheduler: str
) -> None:
    heard = tmp_path / "heard"
    body = f"""
    for _ in range(1200):
        if os.path.exists({str(heard)!r}):
            return {{stem: mixture / 2 for stem in self.stems}}
        time.sleep(0.1)
    raise RuntimeError("nobody heard of the model before")
    """

    def listen(event: Event) -> None:
        if isinstance(event, ScoresReady) and event.model == "mixture:2stems":
            heard.touch()

    result = run(
        small_songs, tmp_path / "out", models=["mixture", "patient"], limit=1, listener=listen,
        adapter_paths=[make_adapter("patient", body)], executor="dask", scheduler=scheduler,
    )  # fmt: skip
    assert (result.tally.ok, result.tally.failed) == (2, 0)


@pytest.mark.parametrize("lost", [set(), {0}, {2}, {4}, {1, 3}, {0, 1, 2, 3, 4}])
def test_lost_messages_change_neither_order_nor_number_of_what_is_told(lost: set[int]) -> None:
    from benchbench.running.executors.dask_executor import _BatchEvents

    batch = small_batch("a", "b")
    whole: list[Event] = [
        Started("a:v", "x"), ScoresReady("a:v", "x", {}), Started("b:v", "x"),
        Separated("b:v", "x", "failed", "no", None, None), Spent(1.0, 1.0, 1.0),
    ]  # fmt: skip
    batch_events = _BatchEvents(batch)
    first = [e for n, e in enumerate(whole[:2]) for e in batch_events.receive("died", n, e)]
    told = [
        e for n, e in enumerate(whole) if n not in lost for e in batch_events.receive("lives", n, e)
    ]
    told += [e for n, e in enumerate(whole) for e in batch_events.receive("lives", n, e)]
    assert first == whole[:2]
    assert told == whole[2:]
    assert not batch_events.remaining.jobs


def test_a_failure_counts_only_if_no_other_attempt_makes_up_for_it() -> None:
    from benchbench.running.executors.dask_executor import _BatchEvents

    failed = Separated("a:v", "x", "failed", "the machine was full", None, None)
    batch_events = _BatchEvents(small_batch("a", "b"))
    told = [
        e
        for n, e in enumerate([Started("a:v", "x"), failed])
        for e in batch_events.receive("died", n, e)
    ]
    again = [Started("a:v", "x"), ScoresReady("a:v", "x", {}), failed, Spent(1.0, 1.0, 1.0)]
    told += [e for n, e in enumerate(again) for e in batch_events.receive("lives", n, e)]
    assert failed not in told
    assert [job.identity.model for job in batch_events.remaining.jobs] == ["b:v"]


def test_a_stop_finishes_what_is_in_hand_and_says_how_to_go_on(
    small_songs: Path, tmp_path: Path
) -> None:
    stop, seen = Stop(), []

    def stop_at_first(event: Event) -> None:
        seen.append(event)
        if isinstance(event, Started):
            stop.ask()

    with pytest.raises(StoppedError, match="after 1 of 6") as caught:
        run(small_songs, tmp_path / "out", listener=stop_at_first, stop=stop,
            command=["bench", "run", "--models", "irm,silence"])  # fmt: skip
    assert "bench run --models irm,silence" in str(caught.value)
    assert len([event for event in seen if isinstance(event, ScoresReady)]) == 1
    (facts,) = Results(tmp_path / "out").runs()
    assert facts["finished"]
    assert facts["counts"] == {"ok": 1, "failed": 0}
    assert run(small_songs, tmp_path / "out").tally.ok == 5


def test_a_stop_reaches_the_cluster(
    small_songs: Path, tmp_path: Path, make_adapter: Make, scheduler: str
) -> None:
    stop = Stop()
    place = make_adapter("steady", "time.sleep(1); return {s: mixture for s in self.stems}")
    models = ["steady", "mixture", "silence", "irm"]

    def stop_at_once(event: Event) -> None:
        stop.ask()

    with pytest.raises(StoppedError):
        run(small_songs, tmp_path / "out", models=models, adapter_paths=[place], stop=stop,
            executor="dask", scheduler=scheduler, listener=stop_at_once)  # fmt: skip
    stored = Results(tmp_path / "out").separations().num_rows
    assert stored < 8
    again = run(small_songs, tmp_path / "out", models=models, adapter_paths=[place])
    assert again.tally.ok == 8 - stored


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGINT, 130, "Run the same command again to resume: bench run"),
        (signal.SIGTERM, 143, "Everything that was stored is kept"),
    ],
)
def test_signals_end_a_run_that_can_go_on(
    small_songs: Path, tmp_path: Path, make_adapter: Make, number: int, code: int, words: str
) -> None:
    place = make_adapter("steady", "time.sleep(1.5); return {s: mixture for s in self.stems}")
    command = [
        sys.executable, "-m", "benchbench", "run", "--models", "steady,mixture,silence",
        "--dataset", "folder", "--root", str(small_songs), "--out", str(tmp_path / "out"),
        "--metrics", "usdr", "--no-report", "--adapter-path", str(place),
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: started(process.pid, "worker.py"))
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert words in errors
    assert "Traceback" not in errors
    assert not psutil.wait_procs(children, timeout=10)[1]
    stored = set(Results(tmp_path / "out").scores().column("model").to_pylist())
    assert stored == ({"steady:plain"} if number == signal.SIGINT else set())
    models = ["steady", "mixture", "silence"]
    again = run(small_songs, tmp_path / "out", models=models, metrics=["usdr"],
                adapter_paths=[place])  # fmt: skip
    assert again.tally.ok == 6 - len(stored)


def test_a_cluster_of_our_own_fits_the_machine_and_imports_no_file_of_its_folder(
    small_songs: Path, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    from benchbench.running.machine import processors

    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("random", "socket", "selectors", "signal"):
        (folder / f"{name}.py").write_text(f"open('ran-{name}', 'w')")
    script = tmp_path / "bench.py"
    script.write_text(
        "if __name__ == '__main__':\n    from benchbench.__main__ import main\n    main()\n"
    )
    command = [
        sys.executable, str(script), "run", "--models", "silence", "--dataset", "folder",
        "--root", str(small_songs), "--out", str(tmp_path / "out"), "--metrics", "usdr",
        "--no-report", "--executor", "dask", "--jobs", str(processors() + 1),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not list(folder.glob("ran-*"))
    jobs = Results(tmp_path / "out").separations().column("jobs").to_pylist()
    assert jobs == [processors()] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_ctrl_c_reaches_a_cluster_of_our_own_through_the_driver(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    pytest.importorskip("distributed")
    place = make_adapter("steady", "time.sleep(2); return {s: mixture for s in self.stems}")
    command = [
        sys.executable, "-m", "benchbench", "run", "--models", "steady,mixture,silence",
        "--dataset", "folder", "--root", str(small_songs), "--out", str(tmp_path / "out"),
        "--metrics", "usdr", "--no-report", "--adapter-path", str(place), "--executor", "dask",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: started(process.pid, "worker.py"))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Run the same command again to resume: bench run" in errors
    assert Results(tmp_path / "out").scores().column("model").to_pylist()


def started(pid: int, name: str) -> bool:
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may have ended meanwhile
            if name in " ".join(child.cmdline()):
                return True
    return False


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_separator_that_kills_its_pipeline_twice_is_given_up(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    body = """
    import signal
    import psutil
    above = (p for p in psutil.Process().parents() if "supervisor.py" not in " ".join(p.cmdline()))
    os.kill(next(above).pid, signal.SIGKILL)
    time.sleep(5)
    """
    events: list[Event] = []
    result = run(
        small_songs, tmp_path / "out", models=["deadly", "mixture"], limit=1,
        adapter_paths=[make_adapter("deadly", body)], listener=events.append,
    )  # fmt: skip
    assert (result.tally.ok, result.tally.failed) == (1, 1)
    (bad,) = [e for e in events if isinstance(e, Separated) and e.status != "ok"]
    assert "died 2 times" in str(bad.error)


def test_two_runs_at_once_into_one_folder_share_the_work(small_songs: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "benchbench", "run", "--models", ",".join(MODELS),
        "--dataset", "folder", "--root", str(small_songs), "--out", str(tmp_path / "out"),
        "--metrics", "usdr", "--no-report",
    ]  # fmt: skip
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    run(small_songs, tmp_path / "alone", metrics=["usdr"])
    assert table(tmp_path / "out").equals(table(tmp_path / "alone"))
    assert Results(tmp_path / "out").separations().num_rows == 6


def test_a_plan_is_divided_by_track_and_by_memory() -> None:
    needs = {"a": 400.0, "b": 500.0, "c": 2000.0, "d": 100.0}
    assert model_groups(needs, 1000.0) == [("a", "b"), ("c",), ("d",)]
    tracks = tuple(make_track(name) for name in "xyz")
    identities = tuple(Identity(name, "1", "2", "3") for name in needs)
    plan = Plan(identities, tracks, (protocol(),), frozenset(), frozenset())
    wide = [job.identity.model for b in batches(plan, needs, 1e9, 2) for job in b.jobs]
    assert wide == list("abcd") * 3
    tight = list(batches(plan, needs, 1000.0, 2))
    assert [len(batch.jobs) for batch in tight] == [2, 2, 2, 1, 1, 1, 1, 1, 1]
    assert all(len({job.track.name for job in batch.jobs}) == 1 for batch in tight)
    few = list(batches(Plan(identities, tracks[:1], (protocol(),), frozenset(), frozenset()),
                       needs, 1e9, 2))  # fmt: skip
    assert [len(batch.jobs) for batch in few] == [2, 2]
    assert len({job.separation_id for batch in tight for job in batch.jobs}) == 12


def small_batch(*models: str) -> Batch:
    identities = tuple(Identity(f"{name}:v", "1", "2", "3") for name in models)
    tracks = (make_track("x"),)
    small = Plan(identities, tracks, (protocol(),), frozenset(), frozenset())  # type: ignore[arg-type]
    (batch,) = batches(small, {f"{name}:v": 1.0 for name in models}, 1e9, 1)
    return batch


def make_track(name: str) -> benchbench.datasets.dataset.Track:
    from benchbench.datasets.dataset import Track

    return Track(name, "d", "", {}, None, False, name)


def protocol() -> object:
    from benchbench.metrics import protocol as find

    return find("usdr")


def test_threads_never_exceed_the_processors() -> None:
    from benchbench.running.machine import processors

    for pipelines in (1, 2, processors()):
        assert shared(pipelines).threads * pipelines <= max(processors(), pipelines)


def test_requests_for_a_cluster_are_checked_first(small_songs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="executor is local"):
        run(small_songs, tmp_path / "out", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(UnknownNameError, match="Did you mean 'slurm'"):
        run(small_songs, tmp_path / "out", executor="dask", cluster={"kind": "slurn"})
    with pytest.raises(UsageError, match="leave out one"):
        run(small_songs, tmp_path / "out", executor="dask", scheduler="x", cluster={"kind": "ssh"})
    assert not (tmp_path / "out").exists()


def test_a_package_that_is_missing_is_named_with_its_extra(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["distributed"] = None
sys.argv = ["bench", "run", "--models", "silence", "--executor", "dask", "--out", "x"]
from benchbench.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "pip install 'benchbench-audio[cluster]'" in done.stderr


@pytest.mark.parametrize(
    ("kind", "module", "words"),
    [
        ("ssh", "asyncssh", r"package asyncssh.*\n.*benchbench-audio\[cluster\]"),
        ("slurm", "dask_jobqueue", r"package dask-jobqueue.*\n.*benchbench-audio\[cluster\]"),
        (
            "kubernetes",
            "dask_kubernetes.operator",
            r"dask-kubernetes.*\n.*benchbench-audio\[kubernetes\]",
        ),
    ],
)
def test_a_kind_of_cluster_names_the_package_that_it_lacks(
    monkeypatch: pytest.MonkeyPatch, kind: str, module: str, words: str
) -> None:
    pytest.importorskip("distributed")
    from benchbench.running.executors.dask_clusters import started as start

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=words):
        start({"kind": kind, "workers": 1})


def test_a_configuration_file_describes_a_cluster(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from benchbench.cli import app

    text = """
    [run]
    executor = "dask"
    models = ["silence"]
    out = "{out}"
    [run.cluster]
    kind = "slrum"
    workers = 2
    """
    config = tmp_path / "bench.toml"
    config.write_text(text.format(out=tmp_path / "out"))
    done = CliRunner().invoke(app, ["--config", str(config), "run"])
    assert isinstance(done.exception, UnknownNameError)
    assert "slrum" in str(done.exception)
    assert "Did you mean 'slurm'" in str(done.exception)
    own = tmp_path / "cluster.toml"
    own.write_text('kind = "sssh"')
    words = ["run", "--models", "silence", "--executor", "dask", "--cluster", str(own)]
    done = CliRunner().invoke(app, words)
    assert "Did you mean 'ssh'" in str(done.exception)


FAULTS = """
import os
import resource
import sys
import numpy as np
from benchbench.running.machine import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
    assert "MALLOC_TRIM_THRESHOLD_" not in os.environ  # nor do separators inherit it
np.ones(1_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    np.ones(1_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that gives memory back")
def test_a_station_uses_freed_memory_again_where_dask_gives_it_back() -> None:
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    given, kept = (
        int(subprocess.run([sys.executable, "-c", FAULTS, word], env=environment, check=True,
                           capture_output=True, text=True).stdout)
        for word in ("give", "keep")
    )  # fmt: skip
    assert given > 50
    assert kept < given / 10
