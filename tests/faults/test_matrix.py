"""Every command meets every fault: one sentence, nothing lost, no litter, and it can be repeated."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.commands import COMMANDS, Command, Server, left, prepare, serving
from tests.faults import hold
from tests.faults.conftest import family, start, survivors, wait_for
from tests.faults.matrix import CLOCK, PAGE, QUICK, SLOW, TWICE, Fault, cells, with_table

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="mounts and signals as Linux has them"),
    pytest.mark.network,
]

FAKETIME = "libfaketime.so.1"
LONGEST_HELD_S = 20.0
"""How long the first command is held if the second waits for it."""
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    """The input of all commands, and the module that holds a command before a rename."""
    place = tmp_path_factory.mktemp("template")
    prepare(place, server)
    shutil.copyfile(hold.__file__, place / "sitecustomize.py")
    return place


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, tuple[Any, set[str]]]:
    """Command name -> what it writes and leaves undisturbed; filled when it is first needed."""
    return {}


class Disturbed:
    """A command in a folder of its own."""

    def __init__(self, command: Command, template: Path, server: Server, place: Path) -> None:
        self.command, self.template, self.server, self.place = command, template, server, place
        shutil.copytree(template, place)
        self.hold = place / "hold"

    @property
    def target(self) -> Path:
        return self.place / self.command.writes

    def start(
        self,
        words: tuple[str, ...] = (),
        *,
        held: bool = False,
        before: Sequence[str] = (),
        **more: str,
    ) -> subprocess.Popen[str]:
        if held:
            self.hold.touch()
        environment = {
            "BENCHBENCH_CACHE": str(self.place / "cache"), "TMPDIR": str(self.place / "tmp"),
            "FAULTS_HOLD": str(self.hold), "NO_PROXY": "127.0.0.1", "BENCHBENCH_NO_COLOUR": "1",
            **more,
        }  # fmt: skip
        return start(
            words or self.command.words, self.place, environment, self.place, before=before
        )

    def reach(self, process: subprocess.Popen[str]) -> None:
        """Wait until the command is about to rename a file."""
        reached = self.hold.with_suffix(".reached")
        wait_for(lambda: reached.exists() or process.poll() is not None, 240)
        assert process.poll() is None, process.communicate()
        reached.unlink()

    def release(self) -> None:
        self.hold.unlink()

    def repeat(self) -> None:
        """Run the same command undisturbed."""
        self.hold.unlink(missing_ok=True)
        process = self.start()
        output, errors = process.communicate(timeout=180)
        assert process.returncode == 0, (output, errors)

    def outcome(self) -> tuple[Any, set[str]]:
        return self.command.content(self.place), left(self.place)


def ended(process: subprocess.Popen[str], fault: Fault, command: Command) -> str:
    """Wait for the disturbed command; it ends as promised, with one sentence."""
    output, errors = process.communicate(timeout=180)
    assert process.returncode == fault.expected(command), (output[-500:], errors[-3000:])
    assert "Traceback" not in errors, errors[-3000:]
    assert "Exception ignored" not in errors, errors[-3000:]
    if process.returncode > 0:
        programs = command.name == "install (environment)"  # uv's own message is quoted
        said = [line for line in errors.splitlines() if line.startswith("error: ")]
        assert len(said) == 1 or programs, errors
    return errors


def by_signal(fault: Fault, run: Disturbed) -> None:
    process = run.start(held=True)
    run.reach(process)
    everybody = family(process)
    match fault.name:
        case "process killed":
            process.kill()
        case "group killed":
            os.killpg(process.pid, signal.SIGKILL)
        case "SIGTERM":
            process.terminate()
        case "SIGHUP":
            process.send_signal(signal.SIGHUP)
        case "Ctrl-C twice":
            os.killpg(process.pid, signal.SIGINT)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
        case "stopped and continued":
            os.killpg(process.pid, signal.SIGSTOP)
            wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
            os.killpg(process.pid, signal.SIGCONT)
            run.release()
    errors = ended(process, fault, run.command)
    if fault.expected(run.command) > 0:
        assert "Everything that was stored is kept." in errors
    assert not survivors(everybody)


def started_twice(fault: Fault, run: Disturbed) -> None:
    """The same command runs while the first is about to rename a file, or waits for its lock."""
    first = run.start(held=True)
    run.reach(first)
    second = run.start(FAULTS_HOLD="")
    with contextlib.suppress(subprocess.TimeoutExpired):
        second.wait(LONGEST_HELD_S)
    run.release()
    later = first if first.wait(180) else second
    for process in (first, second):
        refused = process is later and run.command.name == "adapt"
        errors = ended(process, Fault(TWICE, 2) if refused else fault, run.command)
        assert refused == ("out/guitar exists already" in errors)


def separator_killed(fault: Fault, run: Disturbed) -> None:
    words = ("separate", "inputs/song-0.wav", "--model", "slow", "--adapter-path", "adapters",
             "--out", "out")  # fmt: skip
    process = run.start(words)

    def workers() -> list[psutil.Process]:
        return [p for p in family(process) if "worker.py" in " ".join(_words(p))]

    wait_for(workers)
    everybody = family(process)
    for worker in workers():
        worker.kill()
    assert "could not separate" in ended(process, fault, run.command)
    assert not survivors(everybody)


def _words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return list(process.cmdline())
    return []


def full_disk(fault: Fault, run: Disturbed) -> None:
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root may mount a small disk")
    kept = run.place / "kept"
    run.target.rename(kept)
    run.target.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", run.target], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no mounts here")
    try:
        shutil.copytree(kept, run.target, dirs_exist_ok=True)
        before = left(run.place)
        with contextlib.suppress(OSError), (run.target / "filler").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        errors = ended(run.start(), fault, run.command)
        assert "No space left" in errors or "os error 28" in errors or "full" in errors, errors
        assert "scratch" not in errors, errors  # it is another folder that is full
        (run.target / "filler").unlink()
        assert before <= left(run.place)
        kept_now = run.place / "kept-now"
        shutil.copytree(run.target, kept_now, symlinks=True)
    finally:
        subprocess.run(["umount", run.target], check=True)
    run.target.rmdir()
    kept_now.rename(run.target)
    shutil.rmtree(kept)


def read_only(fault: Fault, run: Disturbed) -> None:
    if not os.geteuid() and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere")
    folders = [path for path in (run.target, *run.target.rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        errors = ended(run.start(before=() if os.geteuid() else UNPRIVILEGED), fault, run.command)
        assert "ermission denied" in errors, errors
    finally:
        for path in folders:
            path.chmod(0o755)


def vanished(fault: Fault, run: Disturbed) -> None:
    process = run.start(held=True)
    run.reach(process)
    shutil.rmtree(run.target)
    run.release()
    errors = ended(process, fault, run.command)
    assert "No such file or directory" in errors, errors
    shutil.rmtree(run.target, ignore_errors=True)
    shutil.copytree(run.template / run.command.writes, run.target)


def clock_jumps(fault: Fault, run: Disturbed) -> None:
    library = next(Path("/usr/lib").rglob(FAKETIME), None)
    if library is None:
        pytest.skip("needs faketime")
    clock = run.place / "clock"
    clock.write_text("+20y\n")
    variables = {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    if fault.expected(run.command):  # it ends before it renames anything
        assert "certificate" in ended(run.start(**variables), fault, run.command)
        return
    process = run.start(held=True, **variables)
    run.reach(process)
    clock.write_text("-20y\n")
    run.release()
    ended(process, fault, run.command)


def no_network(fault: Fault, run: Disturbed) -> None:
    nobody = "http://127.0.0.1:9"
    for manifest in run.place.rglob("*.toml"):
        text = manifest.read_text()
        manifest.write_text(text.replace("http://127.0.0.1:", f"{nobody}/"))
    index = {"UV_DEFAULT_INDEX": nobody, "UV_NO_CACHE": "1", "UV_HTTP_TIMEOUT": "2", "UV_HTTP_RETRIES": "0",
             "PIP_INDEX_URL": nobody, "PIP_RETRIES": "0"}  # fmt: skip
    ended(run.start(**index), fault, run.command)
    for name in ("adapters", "datasets"):
        shutil.rmtree(run.place / name)
        shutil.copytree(run.template / name, run.place / name)
    for path in (run.place / "cache").rglob("*"):  # the addresses name the folders of other servers
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def lying_server(fault: Fault, run: Disturbed) -> None:
    run.server.lies = True
    try:
        errors = ended(run.start(), fault, run.command)
    finally:
        run.server.lies = False
    assert "is expected" in errors, errors


ACTS = {
    "separator killed": separator_killed, "full disk": full_disk, "read-only folder": read_only,
    "vanished folder": vanished, TWICE: started_twice, CLOCK: clock_jumps, "no network": no_network,
    "lying server": lying_server,
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        pytest.param(
            c, f, id=f"{c.name}-{f.name}".replace(" ", "_"),
            marks=[] if (c.name, f.name) in QUICK else pytest.mark.faults,
        )
        for c, f in cells()
    ],
)  # fmt: skip
def test_a_command_meets_a_fault(
    command: Command,
    fault: Fault,
    template: Path,
    server: Server,
    undisturbed: dict[str, tuple[Any, set[str]]],
    tmp_path: Path,
) -> None:
    if command.name not in undisturbed:
        calm = Disturbed(command, template, server, tmp_path / "calm")
        calm.repeat()
        undisturbed[command.name] = calm.outcome()
    run = Disturbed(command, template, server, tmp_path / "disturbed")
    ACTS.get(fault.name, by_signal)(fault, run)
    if fault.expected(command):
        run.repeat()
    content, names = run.outcome()
    expected, expected_names = undisturbed[command.name]
    assert content == expected
    assert names == expected_names  # no litter, nothing lost


def test_the_page_shows_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_table(text), "run: python -m tests.faults.matrix"
    assert {name for name, _ in QUICK} == {command.name for command in COMMANDS} - SLOW
