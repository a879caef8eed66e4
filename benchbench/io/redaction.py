"""Remove personal data and secrets from texts and values, but keep what reproduces a run.

All texts and values are redacted before they are written: addresses lose user, password and query,
values of options named like a token or password are masked, home folders become ``~``, and values
of secret environment variables and this machine's name are masked everywhere.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

__all__ = [
    "MASK",
    "is_secret_name",
    "public_address",
    "redacted",
    "redacted_command",
    "redacted_value",
    "without_folders",
]

MASK: Final = "***"

_SECRET_NAME: Final = re.compile(
    r"(?:^|[-_.])(?:(?:tokens?|secrets?|passwords?|passwd|passphrase|pwd|credentials?|apikeys?|"
    r"authorization|auth|cookies?)(?:$|[-_.])|keys?$)",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"""(?<![\w.-])(?P<name>[\w.-]{1,200})(?P<gap>["']?\s{0,9}[=:]\s{0,9})(?P<quote>["']?)(?P<value>[^\s"',;&]+)"""
)
_FLAG: Final = re.compile(
    r"(?P<name>(?<![\w-])--?[\w-]{1,200})(?P<gap>\s{1,9})(?P<value>[^\s-]\S*)"
)
_ADDRESS: Final = re.compile(
    r"(?P<scheme>(?<![\w+.-])[A-Za-z][\w+.-]{0,30}://)(?P<rest>[^\s\"'<>]+)"
)
_BEARER: Final = re.compile(r"\b(?P<name>Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_KNOWN: Final = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|hf_\w{20,}|pypi-[\w-]{20,}|sk-[\w-]{20,}|"
    r"xox[abprs]-[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|glpat-[\w-]{16,}|"
    r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)
_HOME: Final = re.compile(
    r"(?<![\w.~])(?:/home|/Users|/var/home|[A-Za-z]:[\\/]+Users)[\\/]+[^\\/\s\"':;,]+",
    re.IGNORECASE,
)
_ABSOLUTE: Final = re.compile(
    r"(?<![\w.~/\\:])(?:[A-Za-z]:[\\/]|/|~[\\/])(?:[^\\/\s\"':;,]+[\\/])*(?P<last>[^\\/\s\"':;,]+)[\\/]?"
)
_LEAST_SECRET: Final = 6
"""Minimum length of a masked value; shorter ones would be masked in the middle of words."""


def is_secret_name(name: str) -> bool:
    """Whether a name indicates a secret value: ``token``, ``HF_API_KEY``.

    Examples
    --------
    >>> is_secret_name("aws_secret_access_key"), is_secret_name("keep"), is_secret_name("tokenizer")
    (True, False, False)
    """
    return _SECRET_NAME.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)) is not None


def redacted(text: str) -> str:
    """A text without secrets, home folders and this machine's name.

    Examples
    --------
    >>> redacted("https://me:pw@host/x?sig=1 in /home/me/a, token=abc")
    'https://host/x in ~/a, token=***'
    """
    for value in _known_values():
        text = text.replace(value, MASK)
    text = _ADDRESS.sub(lambda found: found["scheme"] + _cleaned(found["rest"]), text)
    text = _BEARER.sub(lambda found: f"{found['name']} {MASK}", text)
    text = _KNOWN.sub(MASK, text)
    text = _NAMED.sub(_masked, text)
    text = _FLAG.sub(_masked, text)
    for home in _homes():
        text = re.sub(rf"(?<![\w.]){re.escape(home)}(?![\w-])", "~", text)
    text = _HOME.sub("~", text)
    for host in _host_names():
        text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", "HOST", text, flags=re.IGNORECASE)
    return text


def _masked(found: re.Match[str]) -> str:
    """A name and its value, which is masked if the name indicates a secret."""
    if not is_secret_name(found["name"].strip("-")):
        return found[0]
    return found["name"] + found["gap"] + found.groupdict().get("quote", "") + MASK


def public_address(address: str) -> str:
    """An address without user, password, query and fragment.

    Examples
    --------
    >>> public_address("https://me:pw@host:8080/a.zip?sig=1#x")
    'https://host:8080/a.zip'
    """
    return _ADDRESS.sub(lambda found: found["scheme"] + _cleaned(found["rest"]), address)


def _cleaned(rest: str) -> str:
    place, _, _ = rest.partition("?")
    place = place.partition("#")[0] if "?" in rest else rest
    host, slash, path = place.partition("/")
    if "@" in path and ":" in host and not re.fullmatch(r"[^:]*:\d*", host):
        # a password with a slash in it: everything up to the last "@" belongs to it
        _, _, tail = place.rpartition("@")
        return tail
    return host.rpartition("@")[2] + slash + path


def redacted_command(words: Sequence[str]) -> list[str]:
    """A redacted command line, word by word; the value after a secret flag is masked.

    Examples
    --------
    >>> redacted_command(["bench", "--option", "token=abc", "--password", "x", "--out", "/a"])
    ['bench', '--option', 'token=***', '--password', '***', '--out', '/a']
    """
    cleaned: list[str] = []
    masked = False
    for word in words:
        name, equals, _ = word.partition("=")
        if masked and not word.startswith("--"):
            cleaned.append(MASK)
        elif equals and is_secret_name(name.lstrip("-")):
            cleaned.append(f"{name}={MASK}")
        else:
            cleaned.append(redacted(word))
        masked = word.startswith("-") and not equals and is_secret_name(word.lstrip("-"))
    return cleaned


def redacted_value(value: Any) -> Any:
    """Redacted values inside lists and tables; a value whose key indicates a secret is masked.

    Examples
    --------
    >>> redacted_value({"shifts": 2, "hf_token": "abc", "index": ["https://u:p@host/simple"]})
    {'shifts': 2, 'hf_token': '***', 'index': ['https://host/simple']}
    """
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {
            key: MASK if item and is_secret_name(str(key)) else redacted_value(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted_value(item) for item in value]
    return value


def without_folders(value: Any) -> Any:
    """Redacted texts inside lists and tables in which an absolute path keeps only its last part.

    Folders outside a home may name a person or a project too; what is handed to others needs only
    the name of the file.

    Examples
    --------
    >>> without_folders(["--out", "/data/ada/results", "see https://host/a/b", "a/b"])
    ['--out', '.../results', 'see https://host/a/b', 'a/b']
    """
    if isinstance(value, str):
        return _ABSOLUTE.sub(lambda found: f".../{found['last']}", redacted(value))
    if isinstance(value, Mapping):
        return {key: without_folders(item) for key, item in redacted_value(value).items()}
    if isinstance(value, list | tuple):
        return [without_folders(item) for item in value]
    return value


def _known_values() -> Iterable[str]:
    """Values of secret environment variables, the longest first."""
    values = {
        value
        for name, value in os.environ.items()
        if is_secret_name(name) and len(value) >= _LEAST_SECRET and not Path(value).exists()
    }
    return sorted({*values, *map(unquote, values)}, key=len, reverse=True)


@cache
def _homes() -> tuple[str, ...]:
    home = Path.home()
    both = {str(home), str(home.resolve())}
    return tuple(sorted((name for name in both if len(name) > 4), key=len, reverse=True))


@cache
def _host_names() -> tuple[str, ...]:
    name = socket.gethostname()
    names = {name, name.partition(".")[0]}
    # A machine name that is an ordinary word would be masked in the middle of sentences.
    telling = (name for name in names if len(name) >= 5 and re.search(r"[\d.-]", name))
    return tuple(sorted(telling, key=len, reverse=True))
