"""Fetch files over HTTP: resume, retry, limit size, verify."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchbench.errors import WeightsError
from benchbench.io.download_attempt import Attempt, RefusedError, Retry
from benchbench.io.hashing import digest
from benchbench.io.names import file_name
from benchbench.io.redaction import public_address, redacted

__all__ = ["Progress", "fetch"]

Progress = Callable[[int, int | None], None]
"""Called with the bytes fetched so far and the total, if it is known."""

ATTEMPTS: Final = 4
LONGEST_PAUSE_S: Final = 60.0
UNDECLARED: Final = 64 << 30
"""Maximum bytes of a file without a declared size."""


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: float | None = None,
    progress: Progress | None = None,
    pause: float = 1.0,
) -> Path:
    """Download `url` to `target`, continuing an earlier part, and check its hash.

    An interrupted download stays beside the target as ``<name>.<hash>.part`` (the hash is over the
    address and the expected content) and is resumed if the server still has the same file. The
    target itself appears only when it is complete and verified. Two processes must not fetch to the
    same target at once: callers hold a lock.

    Parameters
    ----------
    url
        ``https:`` or ``http:`` address. A redirection from ``https:`` to anything else is refused.
    target
        The file to write. If it exists with the right hash, nothing is fetched.
    sha256, md5
        Expected hashes; those that are given are checked.
    size
        The declared size in bytes. A body of more than twice that is refused.
    progress
        Called after each chunk.
    pause
        Seconds before the second attempt; doubled for each further one.

    Raises
    ------
    WeightsError
        If the server cannot be reached, is too slow, or answers with an error after all attempts,
        or the hash differs; then the message names both hashes and the content is deleted.
    """
    expected = [(name, value) for name, value in (("sha256", sha256), ("md5", md5)) if value]
    if _is_right(target, expected):
        return target
    key = hashlib.sha256(repr((url, expected)).encode()).hexdigest()[:12]
    part = target.with_name(f"{file_name(target.name, keep='.')}.{key}.part")
    limit = 2 * int(size) + (1 << 20) if size else UNDECLARED
    attempt = Attempt(url, part, limit, bool(expected), progress)
    _retried(attempt, pause)
    for name, value in expected:
        actual = digest(part, name)
        if actual != value:
            attempt.discard()
            raise WeightsError(
                f"{public_address(url)} has {name} {actual}, but {value} is expected; "
                "it was deleted.",
                hint="The file was replaced on the server, or changed on the way. "
                "Do not use it; report it to the adapter's or data set's maintainers.",
            )
    part.replace(target)
    attempt.discard()
    return target


def _is_right(target: Path, expected: list[tuple[str, str]]) -> bool:
    return (
        target.is_file()
        and bool(expected)
        and all(digest(target, name) == value for name, value in expected)
    )


def _retried(attempt: Attempt, pause: float) -> None:
    """Attempts until one succeeds, or the last one fails.

    Raises
    ------
    WeightsError
    """
    for number in range(1, ATTEMPTS + 1):
        try:
            attempt.carry_out()
            return
        except RefusedError as error:
            raise _failed(attempt, str(error)) from error
        except Retry as error:
            if number == (2 if error.unreachable else ATTEMPTS):
                raise _failed(attempt, str(error)) from error
            time.sleep(min(LONGEST_PAUSE_S, error.after_s or pause * 2 ** (number - 1)))


def _failed(attempt: Attempt, why: str) -> WeightsError:
    return WeightsError(
        f"{public_address(attempt.url)} cannot be fetched: {redacted(why.rstrip('.'))}.",
        hint="Check the connection and the proxy settings (HTTPS_PROXY), and try again: "
        "the part already downloaded is kept.",
    )
