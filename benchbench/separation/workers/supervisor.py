"""Start a program, and end all its descendants when it ends or when the caller has ended.

Linux only. The supervisor adopts orphans among its descendants, in any session
(``PR_SET_CHILD_SUBREAPER``), so that a daemon that a separator started cannot outlive it. Like the
worker it is started by path and imports the standard library only::

    python -I -S supervisor.py LIFELINE program arguments...

LIFELINE is the number of a pipe's reading end. Its writing end belongs to the caller: when it is
closed, on purpose or because the caller was killed, everything ends. The supervisor ends as the
program did, with its exit code or by its signal.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from pathlib import Path

_SUBREAPER = 36
_PATIENCE_S = 5.0


def main() -> None:
    """Run the program until it or the caller ends."""
    lifeline, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(lifeline, False)
    adopt_orphans()
    wake, wakes = os.pipe()
    for end in (wake, wakes):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    asked = []
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: asked.append(True))
    child = start(command)
    release_pipes()
    status = supervise(child, lifeline, wake, asked)
    end_descendants()
    end_like(status)


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants."""
    import ctypes

    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def start(command: list[str]) -> int:
    """Start the program with this process's pipes; returns its process ID."""
    child = os.fork()
    if child:
        return child
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(2, f"{command[0]} cannot be started: {error}\n".encode())
    os._exit(127)


def release_pipes() -> None:
    """Close the pipes, which belong to the program and the caller."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def supervise(child: int, lifeline: int, wake: int, asked: list[bool]) -> int | None:
    """Wait; returns the program's status, or None if it must be ended."""
    poll = select.poll()
    poll.register(lifeline, select.POLLIN | select.POLLHUP)
    poll.register(wake, select.POLLIN)
    while not asked:
        status = reap(child)
        if status is not None:
            return status
        for number, _ in poll.poll(1000):
            if number == lifeline:
                return None
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 512)
    return None


def reap(child: int) -> int | None:
    """Collect ended processes; returns the status of the program if it is among them."""
    found = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if ended == 0:
            return found
        if ended == child:
            found = status


def end_descendants() -> None:
    """Kill all remaining descendants."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        left = descendants()
        if not left:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped processes cannot start others
            for process in descendants() if number == signal.SIGKILL else left:
                with contextlib.suppress(OSError):
                    os.kill(process, number)
        time.sleep(0.005)
        reap(-1)


def descendants() -> set[int]:
    """The processes that descend from this one."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError, ValueError, IndexError):
                facts = (folder / "stat").read_bytes().rpartition(b") ")[2].split()
                children.setdefault(int(facts[1]), []).append(int(folder.name))
    found: set[int] = set()
    pending = [os.getpid()]
    while pending:
        for process in children.get(pending.pop(), ()):
            if process not in found:
                found.add(process)
                pending.append(process)
    return found


def end_like(status: int | None) -> None:
    """End with the program's exit code, or by the signal that ended it."""
    if status is None:
        os._exit(0)
    if os.WIFSIGNALED(status):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main()
