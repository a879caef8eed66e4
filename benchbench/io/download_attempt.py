"""One attempt to fetch a file over HTTP; resumes the partial file of an earlier attempt."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchbench.errors import OutputError

if TYPE_CHECKING:
    import httpx

__all__ = ["Attempt", "RefusedError", "Retry"]

_RETRIED: Final = frozenset({408, 425, 429})
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
WINDOW_S: Final = 30.0
LEAST_SPEED: Final = 1000.0
"""Bytes per second, over `WINDOW_S`, below which a connection counts as broken."""


class RefusedError(Exception):
    """The file cannot be fetched, and another attempt would fail too."""


class Retry(Exception):  # noqa: N818 - it is a request, not an error
    """This attempt failed; another one may succeed.

    Parameters
    ----------
    why
        What happened.
    after_s
        Seconds that the server asks to wait; 0: not stated.
    unreachable
        Whether there was no connection at all.
    """

    def __init__(self, why: str, after_s: float = 0.0, *, unreachable: bool = False) -> None:
        super().__init__(why)
        self.after_s = after_s
        self.unreachable = unreachable


@dataclass(frozen=True)
class Attempt:
    """An attempt to fetch an address into a partial file.

    Parameters
    ----------
    url
        The address.
    part
        The partial file; the identification of the server's file is stored beside it.
    limit
        Maximum bytes of the body.
    checked
        Whether a hash is compared later, so that a part may be resumed without validation.
    progress
        Called after each chunk.
    """

    url: str
    part: Path
    limit: int
    checked: bool
    progress: Callable[[int, int | None], None] | None = None

    def carry_out(self) -> None:
        """Fetch the missing bytes.

        Raises
        ------
        Retry, RefusedError, OutputError
        """
        import httpx

        try:
            with httpx.Client(
                timeout=httpx.Timeout(60, connect=10),
                follow_redirects=True,
                max_redirects=10,
                event_hooks={"request": [self._require_same_scheme]},
            ) as client:
                if not self._continued(client):
                    self._started(client)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Retry(_reason(error), unreachable=True) from error
        except (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise RefusedError(_reason(error)) from error
        except httpx.HTTPError as error:
            raise Retry(_reason(error)) from error

    def discard(self) -> None:
        """Remove the part and its identification."""
        self.part.unlink(missing_ok=True)
        self._facts.unlink(missing_ok=True)

    def _require_same_scheme(self, request: httpx.Request) -> None:
        wanted = self.url.partition(":")[0].lower()
        if request.url.scheme not in ("https", wanted):
            raise RefusedError(f"it redirects to an address of {request.url.scheme}:")

    def _continued(self, client: httpx.Client) -> bool:
        """Resume the part; False if the download must start again."""
        have = self.part.stat().st_size if self.part.exists() else 0
        known = self._validator()
        if not have or not (known or self.checked):
            return False
        headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
        if known:
            headers["If-Range"] = known
        with client.stream("GET", self.url, headers=headers) as answer:
            if answer.status_code == 416:
                return str(answer.headers.get("Content-Range", "")).endswith(f"/{have}")
            if answer.status_code != 206:
                _require_success(answer)
                self._write(answer, 0)  # the file has changed, and the server sends all of it
                return True
            stated = _RANGE.fullmatch(answer.headers.get("Content-Range", f"bytes {have}-0/*"))
            changed = known and _validator_of(answer) not in ("", known)
            if stated is None or int(stated[1]) != have or changed:
                return False
            self._write(answer, have)
            return True

    def _started(self, client: httpx.Client) -> None:
        with client.stream("GET", self.url, headers={"Accept-Encoding": "identity"}) as answer:
            _require_success(answer)
            if answer.status_code != 200:
                raise Retry(f"the server answered {answer.status_code} to a plain request")
            self._write(answer, 0)

    def _write(self, answer: httpx.Response, have: int) -> None:
        """Append the body to the part, or start the part with it."""
        import httpx

        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        if total is not None and total > self.limit:
            raise RefusedError(f"it has {total} bytes, far more than the {self.limit} allowed")
        if not have:
            self._remember(answer)
        window, at_start = time.monotonic(), have
        try:
            with self.part.open("ab" if have else "wb") as file:
                for chunk in answer.iter_raw():
                    have += len(chunk)
                    if have > self.limit:
                        raise RefusedError(f"it is longer than the {self.limit} bytes allowed")
                    file.write(chunk)
                    if self.progress:
                        self.progress(have, total)
                    if time.monotonic() - window > WINDOW_S:
                        if have - at_start < LEAST_SPEED * WINDOW_S:
                            raise Retry(f"fewer than {LEAST_SPEED:.0f} bytes per second arrive")
                        window, at_start = time.monotonic(), have
        except RefusedError:
            self.discard()
            raise
        except OSError as error:
            raise OutputError(
                f"Cannot write {self.part}: {error.strerror or error}.",
                hint="Free space, or name another folder in BENCHBENCH_CACHE; "
                "the part already downloaded is kept.",
            ) from error
        if total is not None and have < total:
            raise httpx.ReadError(f"the connection ended after {have} of {total} bytes")

    def _remember(self, answer: httpx.Response) -> None:
        facts = {"url": _without_query(self.url), "validator": _validator_of(answer)}
        self._facts.write_text(json.dumps(facts), encoding="utf-8")

    def _validator(self) -> str:
        try:
            facts: Any = json.loads(self._facts.read_text(encoding="utf-8"))
            same = facts["url"] == _without_query(self.url)
            return str(facts["validator"]) if same else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    @property
    def _facts(self) -> Path:
        return self.part.with_name(self.part.name + ".json")


def _validator_of(answer: httpx.Response) -> str:
    """The validator of the server's file; weak tags are not used."""
    tag: str = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _require_success(answer: httpx.Response) -> None:
    code = answer.status_code
    if code < 400:
        return
    said = f"the server answered {code} {answer.reason_phrase}".strip()
    if code in _RETRIED or code >= 500:
        after = answer.headers.get("Retry-After", "")
        raise Retry(said, float(after) if after.isdecimal() else 0.0)
    raise RefusedError(said)


def _without_query(url: str) -> str:
    return url.partition("?")[0].rpartition("@")[2]


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0] or type(error).__name__
