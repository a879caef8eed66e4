"""The schema of ``bundle.json``: what a bundle holds, who submits it, and the hash of every file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec

from benchbench.errors import DamagedResultsError
from benchbench.io.plain_files import read_plain

__all__ = [
    "FORMAT",
    "MANIFEST",
    "SIGNATURE",
    "BundleFile",
    "BundleManifest",
    "BundledModel",
    "Excerpt",
    "read_manifest",
]

FORMAT: Final = 1
"""Version of the format; a check refuses bundles of a later one."""
MANIFEST: Final = "bundle.json"
SIGNATURE: Final = "bundle.json.sig"
LARGEST: Final = 8 << 20
"""Maximum bytes of ``bundle.json``."""
_HASH: Final = r"^[0-9a-f]{64}$"

Text = Annotated[str, msgspec.Meta(max_length=1000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class BundleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the bundle: path with ``/`` between its parts, size, and SHA-256."""

    path: Text
    bytes: Count
    sha256: Annotated[str, msgspec.Meta(pattern=_HASH)]


class Excerpt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a track that lies in ``excerpts/``.

    `whole` says that it is the whole track, so that scores of whole tracks can be computed again.
    """

    track: Text
    track_hash: Text
    start_s: Annotated[float, msgspec.Meta(ge=0, le=1e6)]
    seconds: Annotated[float, msgspec.Meta(gt=0, le=1e4)]
    whole: bool


class BundledModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model: hashes of what computed the stems, and the declared training data."""

    name: Text
    adapter_hash: Text = ""
    weights_hash: Text = ""
    options_hash: Text = ""
    trained_on: tuple[Text, ...] = ()
    oracle: bool = False
    generative: bool = False


class BundleManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``bundle.json``."""

    format: Annotated[int, msgspec.Meta(ge=1)]
    benchbench: Text
    created: Text
    submitter: Text
    licence: Text
    """The licence of the numbers."""
    dataset: Text
    dataset_hash: Text
    dataset_licence: Text
    tracks: Count
    models: Annotated[tuple[BundledModel, ...], msgspec.Meta(max_length=1000)]
    protocols: Annotated[dict[str, int], msgspec.Meta(max_length=1000)]
    excerpts: Annotated[tuple[Excerpt, ...], msgspec.Meta(max_length=10_000)]
    files: Annotated[tuple[BundleFile, ...], msgspec.Meta(max_length=100_000)]
    note: Text = ""

    def encoded(self) -> bytes:
        """The text of the file, indented, with a line end."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def read_manifest(folder: Path) -> BundleManifest:
    """Read and check ``bundle.json``.

    Raises
    ------
    DamagedResultsError
        When it is missing, no plain file, too large, of another type or format, or holds
        characters that cannot be shown.
    """
    path = folder / MANIFEST
    try:
        content = read_plain(path, LARGEST)
        manifest = msgspec.json.decode(content, type=BundleManifest)
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise DamagedResultsError(
            f"{MANIFEST} cannot be read: {error}.", hint="Make the bundle with `bench submit`."
        ) from error
    if manifest.format > FORMAT:
        raise DamagedResultsError(
            f"{MANIFEST} has format {manifest.format}; this version reads up to {FORMAT}.",
            hint="Check it with a newer version of benchbench.",
        )
    for text in _texts(manifest):
        if not text.isprintable():
            raise DamagedResultsError(
                f"{MANIFEST} holds {text[:40]!r}, with characters that cannot be shown.",
                hint="Make the bundle with `bench submit`.",
            )
    return manifest


def _texts(manifest: BundleManifest) -> list[str]:
    waiting: list[object] = [msgspec.to_builtins(manifest)]
    texts: list[str] = []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple):
            waiting += value
    return texts
