"""Untrusted separators: what they start, write or answer affects their own rows only."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import benchbench
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.plugins.catalog import Catalog, Model
from benchbench.separation.separator import (
    Limits,
    ModelSetup,
    SeparationResult,
    WorkerSeparator,
)
from benchbench.separation.workers.worker_answers import read_answer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of POSIX")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lends orphans")
RATE = 8000
Make = Callable[..., Path]
Prepare = Callable[[Model], ModelSetup]


@pytest.fixture
def mixture(tmp_path: Path) -> RawAudio:
    audio = np.random.default_rng(0).standard_normal((2, RATE)).astype(np.float32)
    return write_raw(tmp_path / "mixture.f32", [audio])


def descendants_marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if mark in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def mark() -> Iterator[str]:
    """A word in the command line of all that an adapter starts; nothing with it may stay."""
    word = f"mark{os.getpid()}x{time.monotonic_ns()}"
    yield word
    for process in descendants_marked(word):
        process.kill()


STARTS = {
    "a child": "subprocess.Popen(sleep)",
    "a child that ignores signals": "subprocess.Popen(deaf)",
    "a session of its own": "subprocess.Popen(sleep, start_new_session=True)",
    "a daemon": "subprocess.run([sys.executable, '-c', daemon])",
    "a group of its own": "subprocess.Popen(sleep, process_group=0)",
    "a grandchild that holds the pipes": "subprocess.Popen(sleep, close_fds=False, pass_fds=fds)",
    "a shell in the background": "os.system(f'sleep 600 {mark} &')",
    "a data loader": "multiprocessing.get_context('spawn')",
    "ten children": "[subprocess.Popen(sleep) for _ in range(10)]",
    "a stopped child": "os.kill(subprocess.Popen(sleep).pid, signal.SIGSTOP)",
    "a forked copy": "os.fork() or time.sleep(600)",
}
HOLD_THE_PIPES = ("a grandchild that holds the pipes", "a forked copy")
ENDS = {
    "answers": ("return {s: mixture for s in self.stems}", "ok"),
    "hangs": ("time.sleep(600)", "timeout"),
    "crashes": ("os.kill(os.getpid(), signal.SIGSEGV); time.sleep(600)", "crashed"),
    "exits": ("os._exit(3)", "crashed"),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL); time.sleep(600)", "out_of_memory"),
    "closes its pipes": ("os.closerange(0, 64); time.sleep(600)", "crashed"),
    "raises": ("raise ValueError('no')", "failed"),
}
SCRIPT = """
import multiprocessing, os, signal, subprocess, sys, time
mark = {mark!r}
sleep = [sys.executable, "-c", "import time; time.sleep(600)", mark]
deaf = [sys.executable, "-c", "import signal, time\\nfor n in range(1, 32):\\n    if n not in (9, 19):"
        "\\n        signal.signal(n, signal.SIG_IGN)\\ntime.sleep(600)", mark]
daemon = ("import os, sys, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\nif os.fork(): os._exit(0)\\n"
          "os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(600)', " + repr(mark) + "])")
fds = tuple(n for n in range(1, 16) if os.path.exists(f"/proc/self/fd/{{n}}"))
{start}
time.sleep(0.3)
{end}
"""


def separated(
    place: Path, name: str, setup_of: Prepare, mixture: RawAudio, limits: Limits, log: Path
) -> SeparationResult:
    setup = setup_of(Catalog((place,)).model(name))
    with WorkerSeparator(setup, limits, log) as worker:
        return worker.separate(mixture, RATE, place)


def check(
    start: str, end: str, make_adapter: Make, setup_of: Prepare, mixture: RawAudio, mark: str
) -> None:
    body, status = ENDS[end]
    if end == "closes its pipes" and start in HOLD_THE_PIPES:
        status = "timeout"  # the pipe of the answers is still open, so only the time limit ends it
    place = make_adapter("stranger", SCRIPT.format(mark=mark, start=STARTS[start], end=body))
    began = time.monotonic()
    limits = Limits(base_s=3.0, seconds_per_second=0.0)
    outcome = separated(place, "stranger", setup_of, mixture, limits, place / "log")
    assert outcome.status == status, (outcome.error, outcome.log_tail)
    assert time.monotonic() - began < 30
    assert descendants_marked(mark) == []


@LINUX
@pytest.mark.parametrize("start", ["a daemon", "a grandchild that holds the pipes"])
@pytest.mark.parametrize("end", ["hangs", "crashes"])
def test_what_an_adapter_starts_does_not_outlive_it(
    start: str, end: str, make_adapter: Make, setup_of: Prepare, mixture: RawAudio, mark: str
) -> None:
    check(start, end, make_adapter, setup_of, mixture, mark)


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("end", ENDS)
def test_whatever_an_adapter_starts_and_however_it_ends(
    start: str, end: str, make_adapter: Make, setup_of: Prepare, mixture: RawAudio, mark: str
) -> None:
    check(start, end, make_adapter, setup_of, mixture, mark)


FLOODS = {
    "stdout": ("for _ in range(2000): print('x' * 100_000)", "ok"),
    "the answers' pipe": (
        "for n in range(3, 12):\n    try: os.write(n, b'{' * 50_000_000)\n    except OSError: pass",
        None,
    ),
    "broken answers": (
        "for n in range(3, 12):\n    try: os.write(n, b'{\"ok\": true}\\n' * 5)\n    except OSError: pass",
        "invalid_output",
    ),
    "bytes that are no text": ("os.write(1, bytes(range(256)) * 1000)", "ok"),
    "a line without end": ("os.write(2, b'x' * 50_000_000)", "ok"),
    "escape sequences": ("print('\\x1b[2J\\x1b]0;x\\x07' * 1000)", "ok"),
    "an error of 50 MB": ("raise ValueError('x' * 50_000_000)", "failed"),
    "an error with a NUL": ("raise ValueError('a\\x00\\x1b[2Jb')", "failed"),
    "an error that cannot be shown": (
        "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E",
        "failed",
    ),
    "a lone surrogate": ("print('\\ud800'); raise ValueError('\\ud800')", "failed"),
    "an endless stem": (
        "while True: yield {s: mixture for s in self.stems}",
        "invalid_output",
    ),
    "parameters that are no number": ("self.parameters = object()", "ok"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_whatever_an_adapter_writes_is_bounded(
    name: str, make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    body, status = FLOODS[name]
    place = make_adapter("floods", f"{body}\nreturn {{s: mixture for s in self.stems}}")
    limits = Limits(base_s=20.0, seconds_per_second=0.0)
    log = place / "log"
    outcome = separated(place, "floods", setup_of, mixture, limits, log)
    if status is None:
        assert outcome.status in ("invalid_output", "timeout", "crashed")
    else:
        assert outcome.status == status, (outcome.error, outcome.log_tail)
    assert log.stat().st_size < 2_200_000
    content = log.read_text(encoding="utf-8")
    assert not set(content) & {"\x1b", "\x00", "\x07"}
    error = outcome.error or ""
    assert len(error) < 2100
    assert error.isprintable()
    assert sum(path.stat().st_size for path in place.glob("*.f32")) < 50_000_000


LIES: dict[str, Any] = {
    "a file elsewhere": {"file": "/etc/hostname"},
    "a link": None,
    "more samples than there are": {"samples": 10**6},
    "10^18 samples": {"samples": 10**18},
    "negative samples": {"samples": -1},
    "other channels": {"channels": 1},
    "text for a number": {"samples": "many"},
}


@pytest.mark.parametrize("name", LIES)
def test_an_answer_that_lies_is_refused(
    name: str, make_adapter: Make, setup_of: Prepare, mixture: RawAudio
) -> None:
    change = LIES[name]
    body = f"""
    main = sys.modules["__main__"]
    def close(writer, close=main.StemWriter.close, change={change!r}):
        stems = close(writer)
        for stem in stems.values():
            if change is None:
                os.rename(stem["file"], stem["file"] + ".moved")
                os.symlink(stem["file"] + ".moved", stem["file"])
            else:
                stem.update(change)
        return stems
    main.StemWriter.close = close
    return {{s: mixture for s in self.stems}}
    """
    place = make_adapter("lies", body)
    outcome = separated(place, "lies", setup_of, mixture, Limits(base_s=20), place / "log")
    assert outcome.status == "invalid_output", outcome


@pytest.mark.parametrize(
    "line",
    [b"", b"null", b"[]", b"5", b'"x"', b"{}", b'{"ok": 1}', b'{"ok": true}', b'{"ok": false}',
     b"[" * 100_000, b'{"ok": true, "wall_s": NaN, "stems": {}}', b"\xff\xfe",
     b'{"ok": true, "wall_s": -1, "stems": {}}', b'{"ok": true, "wall_s": 1e400, "stems": {}}',
     b'{"ok": true, "wall_s": 1, "stems": {"a": 5}}', b'{"ok": false, "kind": 5, "error": []}'],
)  # fmt: skip
def test_a_line_that_is_no_answer_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's own
        read_answer(line, "separate")


@pytest.mark.slow
def test_a_run_goes_on_after_all_of_them(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    names = []
    for number, end in enumerate(ENDS):
        body = SCRIPT.format(mark="x", start=STARTS["a daemon"], end=ENDS[end][0])
        names.append(f"bad{number}")
        place = make_adapter(names[-1], body)
    result = benchbench.run(
        [*names, "mixture"], "folder", root=small_songs, out=tmp_path / "out", metrics=["usdr"],
        adapter_paths=[place], limits=Limits(base_s=3, seconds_per_second=0), limit=1, report=False,
    )  # fmt: skip
    rows = {row["model"]: row["status"] for row in result.results.separations().to_pylist()}
    assert rows["mixture:default"] == "ok" if "mixture:default" in rows else "ok" in rows.values()
    assert len(rows) == len(names) + 1


@LINUX
@pytest.mark.parametrize("victim", ["the caller", "the supervisor"])
def test_a_killed_caller_or_supervisor_leaves_nothing(
    victim: str, make_adapter: Make, tmp_path: Path, mark: str
) -> None:
    import subprocess

    ready = tmp_path / "ready"
    start = STARTS["a daemon"] if victim == "the caller" else STARTS["a child"]
    body = SCRIPT.format(
        mark=mark, start=start, end=f"open({str(ready)!r}, 'w').close(); time.sleep(600)"
    )
    place = make_adapter("stranger", body)
    program = textwrap.dedent(f"""
    import sys, numpy as np
    from pathlib import Path
    from benchbench.io.audio.raw_audio import write_raw
    from benchbench.plugins.catalog import Catalog
    from benchbench.separation.separator import Limits, ModelSetup, WorkerSeparator
    place = Path({str(place)!r})
    audio = write_raw(place / "mixture.f32", [np.ones((2, 100), np.float32)])
    setup = ModelSetup(Catalog((place,)).model("stranger"), Path(sys.executable))
    with WorkerSeparator(setup, Limits(base_s=60), place / "log") as worker:
        print(worker.separate(audio, 8000, place).status)
    """)
    caller = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert descendants_marked(mark)
    process = psutil.Process(caller.pid)
    if victim == "the supervisor":
        process = next(
            child for child in process.children() if "supervisor.py" in " ".join(child.cmdline())
        )
    process.kill()
    out, _ = caller.communicate(timeout=60)
    if victim == "the supervisor":
        assert out.strip() == "out_of_memory"
    while descendants_marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert descendants_marked(mark) == []
