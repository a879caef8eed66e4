"""Signals become errors that no recorder of failures catches."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from benchbench.cli.interrupts import stoppable
from benchbench.errors import StoppedError, TerminatedError
from benchbench.io.processes.signals import signals_as_errors

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.5)


def recorded(number: int, reached: list[object]) -> None:
    """Code that records a failure and continues with the next file."""
    with signals_as_errors():
        try:
            send(number)
        except Exception as error:
            reached.append(error)
        reached.append(None)


@pytest.mark.parametrize(
    ("number", "kind", "code", "words"),
    [
        (signal.SIGINT, StoppedError, 130, "Interrupted."),
        (signal.SIGTERM, TerminatedError, 143, "Ended by SIGTERM."),
        (signal.SIGHUP, TerminatedError, 143, "Ended by SIGHUP."),
    ],
)
def test_a_signal_is_an_error_with_an_exit_code(
    number: int, kind: type[StoppedError], code: int, words: str
) -> None:
    reached: list[object] = []
    with pytest.raises(kind, match=words) as caught:
        recorded(number, reached)
    assert caught.value.exit_code == code
    assert not reached
    assert signal.getsignal(number) is signal.SIG_DFL  # the next one ends the process


def test_handlers_come_back_where_nothing_happened() -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    with signals_as_errors():
        assert [signal.getsignal(number) for number in NUMBERS] != before
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as below nohup
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a shell script
    with signals_as_errors(), stoppable(lambda _: None) as stop:
        send(signal.SIGHUP)
        send(signal.SIGINT)
    assert not stop.asked


def test_the_second_ctrl_c_of_a_run_ends_at_once() -> None:
    said: list[str] = []
    with pytest.raises(StoppedError):
        twice(said)
    assert said == [
        "Finishing the current separation. Press Ctrl-C again to quit now.", "still at work",
    ]  # fmt: skip


def twice(said: list[str]) -> None:
    """A run that is interrupted twice."""
    listener = lambda event: said.append(event.text)  # noqa: E731
    with signals_as_errors(), stoppable(listener) as stop:
        send(signal.SIGINT)
        assert stop.asked
        said.append("still at work")
        send(signal.SIGINT)
        said.append("not reached")
