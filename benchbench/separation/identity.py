"""Identity of a model by content: hashes of its code, weights and options name its separations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchbench.datasets.dataset import Track
from benchbench.io.hashing import short_hash
from benchbench.io.redaction import is_secret_name
from benchbench.plugins.catalog import Adapter
from benchbench.plugins.manifest_schema import AnyValue


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of a model by content."""

    model: str
    adapter_hash: str
    weights_hash: str
    options_hash: str

    def separation_id(self, track: Track) -> str:
        """The identifier of this model's separation of a track."""
        return short_hash(
            self.model, self.adapter_hash, self.weights_hash, self.options_hash,
            track.dataset, track.name, track.fingerprint,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """A model whose kept stems an ensemble combines."""

    identity: Identity
    stems: tuple[str, ...]


def options_hash(options: Mapping[str, AnyValue]) -> str:
    """A hash over options in any order; secrets do not change results and are left out."""
    public = {key: value for key, value in options.items() if not is_secret_name(key)}
    return short_hash(json.dumps(public, sort_keys=True))


def adapter_hash(adapter: Adapter) -> str:
    """A hash over the code and the manifest of an adapter; of both folders if it extends another."""
    if adapter.base is None:
        return folder_hash(adapter.folder)
    return short_hash(folder_hash(adapter.folder), folder_hash(adapter.base.folder))


def folder_hash(folder: Path) -> str:
    """A hash over the code and the manifest in a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".toml") and "__pycache__" not in path.parts:
            text = path.read_bytes().replace(b"\r\n", b"\n")
            total.update(path.relative_to(folder).as_posix().encode() + b"\0" + text + b"\0")
    return total.hexdigest()[:16]
