"""MoisesDB: ``<provider>/<song>/data.json`` and ``<song>/<stem>/<id>.wav``, several files per stem."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

Found = tuple[str, dict[str, list[Path]], None, tuple[str, ...]]


def tracks(root: Path, split: str) -> Iterator[Found]:
    """Name, files by stem, None for the mixture, and flags of every song.

    Songs are named by identifier, because titles are not unique. ``bleed:STEM``: the publisher
    states that other instruments are audible in the stem; ``missing_file:STEM``: a file is missing.
    """
    del split
    for path in sorted(root.glob("*/*/data.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        stems: dict[str, list[Path]] = {}
        flags: list[str] = []
        for stem in facts["stems"]:
            name = stem["stemName"]
            for part in stem["tracks"]:
                ending = str(part.get("extension") or "wav").lstrip(".")
                file = path.parent / name / f"{part['id']}.{ending}"
                if part.get("has_bleed"):
                    flags.append(f"bleed:{name}")
                if file.is_file():
                    stems.setdefault(name, []).append(file)
                else:
                    flags.append(f"missing_file:{name}")
        yield path.parent.name, stems, None, tuple(dict.fromkeys(flags))
