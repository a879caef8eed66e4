"""A record beside separated stems, by which a repeated command recognises finished inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchbench.io.atomic import write_whole
from benchbench.io.hashing import digest, short_hash
from benchbench.io.plain_files import read_plain
from benchbench.separation.identity import Identity

__all__ = ["recorded_stems", "separation_key", "write_stem_record"]

RECORD: Final = ".separation.json"
LONGEST: Final = 1 << 20
"""Maximum bytes of a record that is read."""


def separation_key(identity: Identity, device: str, source: Path, *, truncated: bool) -> str:
    """A hash over everything that determines the stems of a file.

    Parameters
    ----------
    identity
        The model, by content.
    device
        The device that was asked for.
    source
        The audio file; its content counts, not its name.
    truncated
        Whether a truncated file is read up to its end.
    """
    return short_hash(*asdict(identity).values(), device, truncated, digest(source))


def write_stem_record(
    folder: Path, key: str, identity: Identity, stems: Mapping[str, Path]
) -> None:
    """Record that a folder holds all stems of one separation; called after the last stem.

    Raises
    ------
    OutputError
        If the record cannot be written.
    """
    facts = {
        "key": key,
        **asdict(identity),
        "stems": {stem: {"file": path.name, **_state(path)} for stem, path in stems.items()},
    }
    write_whole(folder / RECORD, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def recorded_stems(folder: Path) -> tuple[str, dict[str, Path]] | None:
    """The key of the separation in a folder, and its stems.

    None if there is no record, or if a stem was changed or removed since it was recorded.
    """
    try:
        facts = json.loads(read_plain(folder / RECORD, LONGEST))
        stems = {}
        for stem, stated in facts["stems"].items():
            path = folder / Path(stated["file"]).name
            if _state(path) != {name: stated[name] for name in ("bytes", "mtime_ns")}:
                return None
            stems[str(stem)] = path
        return str(facts["key"]), stems
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _state(path: Path) -> dict[str, Any]:
    facts = path.stat()
    return {"bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns}
