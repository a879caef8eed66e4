"""The output of a worker: stored in a file of limited size, without secrets."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import IO, Final

from benchbench.io.redaction import redacted
from benchbench.io.terminal import printable

__all__ = ["WorkerLog", "without_traceback"]

LARGEST: Final = 2 << 20
"""Maximum bytes of a log file; later output is read and dropped."""
TAIL: Final = 4000
"""Number of last characters that are stored in a row."""
_CHUNK: Final = 1 << 16
_RECENT: Final = 4 * TAIL
_PATIENCE_S: Final = 1.0
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_TRACEBACK: Final = "Traceback (most recent call last):"
_FRAME: Final = re.compile(r'^ +File "([^"\n]+)", line (\d+)', re.MULTILINE)


class WorkerLog:
    """Reads a worker's standard error in a thread and writes it to a file.

    Parameters
    ----------
    path
        The file; it is appended to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._recent = b""
        self._rest = b""
        self._reading: tuple[threading.Thread, IO[bytes]] | None = None
        self._lock = threading.Lock()

    def mark(self) -> None:
        """Set the start of `tail` to the current position."""
        self._settle()
        with self._lock:
            self._recent = b""

    def tail(self) -> str | None:
        """The last characters printed since `mark`."""
        self._settle()
        with self._lock:
            recent = self._recent
        if len(recent) == _RECENT:  # it begins in the middle of a line, possibly inside a secret
            recent = recent.partition(b"\n")[2] or recent[-TAIL:]
        return _text(recent)[-TAIL:].strip() or None

    def follow(self, stream: IO[bytes]) -> None:
        """Read a stream to its end, in a thread."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._rest = b""
        thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reading = thread, stream
        thread.start()

    def finish(self) -> None:
        """Wait briefly for the end of the stream: another process may hold it open."""
        if self._reading is not None:
            thread, _ = self._reading
            thread.join(_PATIENCE_S)

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            with contextlib.suppress(OSError), self.path.open("ab", buffering=0) as file:
                size = self.path.stat().st_size
                while chunk := os.read(stream.fileno(), _CHUNK):
                    size = self._take(chunk, file, size)
                if self._rest:
                    self._take(b"\n", file, size)
            with contextlib.suppress(OSError):  # the disk is full: continue reading
                while os.read(stream.fileno(), _CHUNK):
                    pass

    def _take(self, chunk: bytes, file: IO[bytes], size: int) -> int:
        """Write the whole lines while the file is small; returns its size."""
        with self._lock:
            self._recent = (self._recent + chunk)[-_RECENT:]
        if size >= LARGEST:
            return size
        lines, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        if len(self._rest) > _CHUNK:  # an endless line
            lines, newline, self._rest = lines + newline + self._rest, b"\n", b""
        content = _text(lines + newline).encode("utf-8", "replace")
        if size + len(content) > LARGEST:
            content = content[: LARGEST - size] + b"\n[the rest is left out]\n"
        file.write(content)
        return size + len(content)

    def _settle(self) -> None:
        """Wait until the thread has read the pipe."""
        if self._reading is None:
            return
        thread, stream = self._reading
        deadline = time.monotonic() + _PATIENCE_S
        while thread.is_alive() and time.monotonic() < deadline:
            if _waiting(stream) == 0:
                time.sleep(0.002)  # the thread may hold a chunk that it has not written yet
                with self._lock:
                    if _waiting(stream) == 0:
                        return
            time.sleep(0.002)


def without_traceback(printed: str) -> str | None:
    """A log's end for a reader who knows the error already: a traceback becomes the place of its last call.

    Parameters
    ----------
    printed
        The last characters that a worker printed, see `WorkerLog.tail`.

    Returns
    -------
    What was printed before the traceback, and where the error was raised; None if that is nothing.

    Examples
    --------
    >>> without_traceback(
    ...     "loading\\nTraceback (most recent call last):\\n"
    ...     '  File "engine.py", line 8, in answer\\n    return load()\\n'
    ...     '  File "adapter.py", line 3, in load\\n    1 / 0\\nZeroDivisionError'
    ... )
    'loading\\nRaised in adapter.py, line 3.'
    """
    before, found, traceback = printed.partition(_TRACEBACK)
    lines = [before.strip()]
    if found and (places := _FRAME.findall(traceback)):
        file, line = places[-1]
        lines.append(f"Raised in {file}, line {line}.")
    return "\n".join(filter(None, lines)) or None


def _text(content: bytes) -> str:
    text = _LINE_END.sub("\n", content.decode("utf-8", "replace"))
    return printable(redacted(text))


def _waiting(stream: IO[bytes]) -> int:
    """Unread bytes in the pipe."""
    if sys.platform == "win32":
        time.sleep(0.05)
        return 0
    import fcntl
    import struct
    import termios

    try:
        return int(struct.unpack("i", fcntl.ioctl(stream.fileno(), termios.FIONREAD, bytes(4)))[0])
    except (OSError, ValueError):
        return 0
