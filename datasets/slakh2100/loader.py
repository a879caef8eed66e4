"""Slakh2100: one folder per song, numbered files, their instruments in ``metadata.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

Found = tuple[str, dict[str, list[Path]], Path | None, tuple[str, ...]]

ENDINGS = (".flac", ".wav")


def tracks(root: Path, split: str) -> Iterator[Found]:
    """Name, files by class of instrument, mixture and flags of every song of a split.

    The metadata also lists stems that were never rendered, which have no file; a rendered stem
    without a file is flagged ``missing_file:SNN``.
    """
    for folder in sorted((root / split).glob("Track*")):
        metadata = folder / "metadata.yaml"
        if not metadata.is_file():
            continue
        facts = yaml.safe_load(metadata.read_text(encoding="utf-8"))
        stems: dict[str, list[Path]] = {}
        flags = []
        for number, stem in sorted(facts["stems"].items()):
            file = _existing(folder / "stems" / number)
            if file is not None:
                kind = "Drums" if stem.get("is_drum") else str(stem["inst_class"])
                stems.setdefault(kind, []).append(file)
            elif stem.get("audio_rendered"):
                flags.append(f"missing_file:{number}")
        yield folder.name, stems, _existing(folder / "mix"), tuple(flags)


def _existing(path: Path) -> Path | None:
    return next((f for end in ENDINGS if (f := path.with_name(path.name + end)).is_file()), None)
