"""End the process at a signal: Ctrl-C, SIGTERM and SIGHUP become errors with an exit code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from benchbench.errors import StoppedError, TerminatedError

__all__ = ["SignalReceived", "end_at_signal", "signals_as_errors"]

_HINT: Final = "Run the same command again to resume."


class SignalReceived(BaseException):
    """Unwinds the stack up to `signals_as_errors`.

    It is no `Exception`, so that code which records a failure and goes on does not catch it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def end_at_signal(number: int, _: FrameType | None) -> None:
    """A signal handler that ends the command; a second signal of the kind ends the process at once.

    Raises
    ------
    SignalReceived
    """
    if number != signal.SIGINT:  # an impatient Ctrl-C may interrupt the cleaning up, too
        signal.signal(number, signal.SIG_DFL)
    raise SignalReceived(number)


@contextmanager
def signals_as_errors() -> Iterator[None]:
    """Convert signals that ask the process to end into errors of benchbench.

    A signal that was ignored when the process started, as SIGHUP is below ``nohup``, stays so.

    Raises
    ------
    StoppedError
        After Ctrl-C.
    TerminatedError
        After SIGTERM or SIGHUP.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        numbers.append(signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    for number, handler in handlers.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end_at_signal)
    try:
        yield
    except (SignalReceived, KeyboardInterrupt) as received:
        number = getattr(received, "number", signal.SIGINT)
        signal.signal(number, signal.SIG_DFL)
        raise _ended(number) from None
    finally:
        for number, handler in handlers.items():
            if signal.getsignal(number) is end_at_signal:
                signal.signal(number, handler)


def _ended(number: int) -> StoppedError:
    if number == signal.SIGINT:
        return StoppedError("Interrupted. Everything that was stored is kept.", hint=_HINT)
    name = signal.Signals(number).name
    return TerminatedError(f"Ended by {name}. Everything that was stored is kept.", hint=_HINT)
