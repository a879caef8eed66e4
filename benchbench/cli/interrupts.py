"""Ctrl-C and SIGTERM during a run: finish the current separation, or end at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from benchbench.errors import StoppedError, TerminatedError
from benchbench.running.events import Listener, Note

if TYPE_CHECKING:
    from benchbench.running.executors import Stop

__all__ = ["interruptible", "stoppable"]


@contextmanager
def interruptible() -> Iterator[None]:
    """Convert Ctrl-C to a message that says how to resume."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError(
            "Interrupted. Everything that was stored is kept.",
            hint="Run the same command again to resume.",
        ) from None


@contextmanager
def stoppable(listener: Listener) -> Iterator[Stop]:
    """A `Stop` that Ctrl-C sets; a second Ctrl-C, or SIGTERM, ends at once.

    Parameters
    ----------
    listener
        Receives a note when the run is about to stop.
    """
    from benchbench.running.executors import Stop

    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            signal.default_int_handler(number, frame)
        stop.ask()
        listener(Note("Finishing the current separation. Press Ctrl-C again to quit now."))

    def terminated(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise TerminatedError(
            "Ended by SIGTERM. Everything that was stored is kept.",
            hint="Run the same command again to resume.",
        )

    before = [
        (number, signal.signal(number, handler))
        for number, handler in ((signal.SIGINT, interrupted), (signal.SIGTERM, terminated))
    ]
    try:
        with interruptible():
            yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)
