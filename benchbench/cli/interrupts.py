"""The first Ctrl-C during a run lets it finish the current separations."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from benchbench.io.processes.signals import end_at_signal
from benchbench.running.events import Listener, Note

if TYPE_CHECKING:
    from benchbench.running.executors import Stop

__all__ = ["stoppable"]


@contextmanager
def stoppable(listener: Listener) -> Iterator[Stop]:
    """A `Stop` that the first Ctrl-C sets; a second Ctrl-C ends the command at once.

    Parameters
    ----------
    listener
        Receives a note when the run is about to stop.
    """
    from benchbench.running.executors import Stop

    stop = Stop()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield stop
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            end_at_signal(number, frame)
        stop.ask()
        listener(Note("Finishing the current separation. Press Ctrl-C again to quit now."))

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
