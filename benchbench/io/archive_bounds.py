"""Limits for archives: plain files with safe names, not many times larger than the archive."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

from benchbench.errors import WeightsError
from benchbench.io.names import file_name

__all__ = ["Bounds"]

MOST_MEMBERS: Final = 200_000
RATIO: Final = 100
"""Maximum ratio of unpacked to archive size; audio and weights reach 20 at most."""
ALWAYS: Final = 64 << 20
"""Unpacked bytes that are always allowed."""
DEEPEST: Final = 32
_USUAL: Final = "".join(chr(code) for code in range(33, 127)) + "\u2019\u2013\u2026"


class Bounds:
    """Counts the contents of an archive and refuses it if they exceed the limits.

    Parameters
    ----------
    archive
        The file.
    size
        Its declared size in bytes, if there is one.
    """

    def __init__(self, archive: Path, size: float | None = None) -> None:
        self.archive = archive
        actual = archive.stat().st_size if archive.is_file() else 0
        self._most = ALWAYS + RATIO * min(actual, int(2 * size) if size else actual)
        self._names: set[str] = set()
        self._declared = self._taken = 0

    def admit(self, name: str, size: int, *, plain: bool) -> None:
        """Check a member before it is unpacked.

        Raises
        ------
        WeightsError
            If it is not a regular file or folder, has an unsafe name, or the total is too large.
        """
        if not plain:
            self._refuse(f"its member {name[:80]!r} is a link or device")
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
            self._refuse(f"its member {name[:80]!r} points outside the folder")
        if len(path.parts) > DEEPEST or any(map(_is_odd, path.parts)):
            self._refuse(f"its member {name[:80]!r} has a name that some systems cannot hold")
        folded = str(path).casefold()
        if folded in self._names and not name.endswith("/"):
            self._refuse(f"it holds {name[:80]!r} twice")
        self._names.add(folded)
        self._declared += size
        if len(self._names) > MOST_MEMBERS:
            self._refuse(f"it holds more than {MOST_MEMBERS} members")
        if self._declared > self._most:
            self._refuse(f"its stated unpacked size is more than {self._most} bytes")

    def take(self, size: int) -> None:
        """Count unpacked bytes.

        Raises
        ------
        WeightsError
            If there are too many, even if the archive states smaller sizes.
        """
        self._taken += size
        if self._taken > self._most:
            self._refuse(f"it unpacks to more than {self._most} bytes")

    def _refuse(self, why: str) -> None:
        raise WeightsError(
            f"{self.archive} is refused: {why}.",
            hint="Get the archive from its publisher.",
        )


def _is_odd(part: str) -> bool:
    kept = part.removeprefix(".")  # hidden files are allowed
    return not kept.isprintable() or file_name(kept, keep=_USUAL) != _composed(kept)


def _composed(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", text)
