"""A process that waits for a lock says who holds it, and whether that process lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from benchbench.errors import OutputError
from benchbench.io.processes import locks
from benchbench.io.processes.locks import locked
from tests.faults.conftest import ROOT, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

HOLD = """
import sys
from pathlib import Path
from benchbench.io.processes.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

INHERIT = """
import ctypes, os, sys
from pathlib import Path
from benchbench.io.processes.locks import locked
context = locked(Path(sys.argv[1]))
context.__enter__()
if ctypes.PyDLL(None).fork() == 0:  # a native library that forks
    print("held", flush=True)
    sys.stdin.read()
os._exit(0)
"""


@contextmanager
def holder(target: Path, program: str = HOLD) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(target)], stdin=subprocess.PIPE, text=True,
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "SAID_AFTER_S", 0.05)
    monkeypatch.setattr(locks, "SAID_EVERY_S", 0.05)


@contextmanager
def waiting(target: Path) -> Iterator[list[str]]:
    """Wait for a lock in a thread; yields what is said meanwhile, and ends once it is acquired."""
    said: list[str] = []

    def wait() -> None:
        with locked(target, said.append):
            pass

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    wait_for(lambda: said)
    yield said
    thread.join(10)
    assert not thread.is_alive()


def test_a_living_holder_is_named(tmp_path: Path) -> None:
    target = tmp_path / "weights"
    with holder(target) as process, waiting(target) as said:
        assert said[0] == (
            f"Waiting for weights, which is locked by process {process.pid} for 0 s; it is running."
        )
        process.kill()  # the system releases the lock of whoever ends
    assert not (tmp_path / "weights.holder").exists()


def test_a_stopped_holder_is_told_from_a_running_one(tmp_path: Path) -> None:
    target = tmp_path / "weights"
    with holder(target) as process:
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        with waiting(target) as said:
            assert f"it is stopped (`kill -CONT {process.pid}` continues it)" in said[0]
            process.send_signal(signal.SIGCONT)
            process.kill()


def test_a_dead_holder_whose_child_lives_is_named_as_dead(tmp_path: Path) -> None:
    target = tmp_path / "weights"
    with holder(target, INHERIT) as process:
        process.wait()
        with waiting(target) as said:
            assert f"process {process.pid}, which has ended; one of its children" in said[0]
            assert process.stdin is not None
            process.stdin.close()


def test_a_process_with_the_number_of_the_dead_is_not_taken_for_it(tmp_path: Path) -> None:
    target = tmp_path / "weights"
    with holder(target) as process:
        record = tmp_path / "weights.holder"
        record.write_text(record.read_text().replace('"started": 1', '"started": 2'))
        with waiting(target) as said:
            assert "which has ended" in said[0]
            process.kill()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x"}', "\0", "[" * 100_000])
def test_a_holder_that_cannot_be_read_is_another_process(tmp_path: Path, text: str) -> None:
    target = tmp_path / "weights"
    with holder(target) as process:
        (tmp_path / "weights.holder").write_text(text)
        with waiting(target) as said:
            assert said[0] == "Waiting for weights, which is locked by another process."
            process.kill()


def test_a_record_of_a_killed_holder_does_not_delay(tmp_path: Path) -> None:
    target = tmp_path / "weights"
    with holder(target) as process:
        process.kill()
        process.wait()
        assert (tmp_path / "weights.holder").exists()
    said: list[str] = []
    with locked(target, said.append):
        assert str(os.getpid()) in (tmp_path / "weights.holder").read_text()
    assert not said


def test_a_folder_without_rights_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="Cannot lock"), locked(tmp_path / "file" / "weights"):
        pass
