"""Convert names from data to file names that cannot leave their folder."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterable
from typing import Final

__all__ = ["file_name", "file_names", "is_file_name"]

_LONGEST: Final = 160
"""Maximum bytes of a name; file systems allow 255, and suffixes and temporary names need some."""
_KEPT: Final = frozenset("-_ ")
_NOT_AT_ENDS: Final = " ."
"""Characters that Windows drops at the end; a leading dot hides a file on other systems."""
_RESERVED: Final = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)
"""Names that Windows reserves for devices, with any suffix."""


def file_name(name: str, *, keep: str = "") -> str:
    """A name as the name of one file or folder.

    Letters and digits of any alphabet, ``-``, ``_`` and single spaces stay; every other character
    becomes ``_``. So the result holds no separator, drive letter, NUL or control character, is
    neither ``.`` nor ``..``, is no Windows device name, and is at most 160 bytes long.

    Parameters
    ----------
    name
        Any text.
    keep
        Further characters to keep, such as ``"."``; never at the beginning or at the end. A
        separator, a colon or a control character cannot be kept.

    Examples
    --------
    >>> file_name("spleeter:2stems"), file_name("../../etc/passwd"), file_name("NUL")
    ('spleeter_2stems', '______etc_passwd', 'NUL_')
    """
    name = unicodedata.normalize("NFC", name)
    kept = _KEPT | {sign for sign in keep if sign.isprintable() and sign not in '/\\:*?"<>|'}
    text = "".join(sign if sign.isalnum() or sign in kept else "_" for sign in name)
    stripped = text.strip(_NOT_AT_ENDS)
    lead = len(text) - len(text.lstrip(_NOT_AT_ENDS))
    text = "_" * lead + stripped + "_" * (len(text) - lead - len(stripped)) if stripped else ""
    if len(text.encode("utf-8", "surrogatepass")) > _LONGEST:
        text = f"{_cut(text, _LONGEST - 13)}-{_digest(name)}"
    if text.partition(".")[0].strip().lower() in _RESERVED:
        text += "_"
    return text or "_"


def file_names(names: Iterable[str], *, keep: str = "") -> dict[str, str]:
    """Convert several names to distinct file names for one folder.

    If names differ only in characters that file names cannot hold, in case, or in the Unicode
    form of the same letters, the later ones end with a hash of the name.

    Examples
    --------
    >>> sorted(file_names(["AC/DC", "AC_DC"]).values())
    ['AC_DC', 'AC_DC-b6f990339c45']
    """
    taken: set[str] = set()
    chosen: dict[str, str] = {}
    for name in dict.fromkeys(names):
        text = file_name(name, keep=keep)
        if _folded(text) in taken:
            text = f"{_cut(text, _LONGEST - 13)}-{_digest(name)}"
        taken.add(_folded(text))
        chosen[name] = text
    return chosen


def is_file_name(name: str) -> bool:
    """Whether a name is a valid file name, with dots inside: a run's or a cell's name, for instance."""
    return len(name) > 0 and name == file_name(name, keep=".") and os.sep not in name


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "ignore")[:size].decode("utf-8", "ignore")
