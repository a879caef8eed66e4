"""Find adapters and data sets by name, and read their manifests.

A plug-in is a folder with an ``adapter.toml`` or ``dataset.toml``. The places are searched in
this order: folders given by the caller, the shipped ones, ``./adapters`` or ``./datasets`` of the
working directory. So a folder in the working directory never replaces a shipped plug-in; its
other plug-ins are used when they are named. Nothing here imports a plug-in's code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from benchbench.errors import ManifestError, UnknownNameError, UsageError
from benchbench.io.redaction import is_secret_name, redacted_value
from benchbench.plugins.bundled import folder
from benchbench.plugins.manifest import read_adapter, read_dataset
from benchbench.plugins.manifest_schema import (
    AdapterManifest,
    AnyValue,
    DatasetManifest,
    Variant,
)
from benchbench.plugins.model_names import ModelName, expanded, setting, written_settings

__all__ = [
    "Catalog",
    "DatasetPlugin",
    "Model",
    "Origin",
    "plugin_folders",
    "require_same_name",
]

Origin = Literal["given", "working directory", "shipped"]

NAME_LINE = re.compile(r"""^name\s*=\s*["']([^"']+)["']""", re.MULTILINE)


@dataclass(frozen=True)
class Adapter:
    """An adapter's folder and manifest."""

    folder: Path
    origin: Origin
    manifest: AdapterManifest


@dataclass(frozen=True)
class Model:
    """A separator that can be run: an adapter, one of its variants, and option settings.

    Parameters
    ----------
    settings
        Options that differ from the variant's.
    members
        The models whose stems an ensemble combines, in the order of its manifest.
    """

    adapter: Adapter
    variant_name: str
    settings: Mapping[str, AnyValue] = field(default_factory=dict)
    members: tuple[Model, ...] = ()

    @property
    def name(self) -> str:
        """``adapter:variant``, with ``[option=value]`` where options differ from the variant's.

        Options whose names indicate secrets are left out.
        """
        plain = f"{self.adapter.manifest.name}:{self.variant_name}"
        shown = {key: value for key, value in self.settings.items() if not is_secret_name(key)}
        return plain + written_settings(redacted_value(shown))

    @property
    def options(self) -> dict[str, AnyValue]:
        """The variant's and the engine's options, updated with the settings."""
        return {**self._defaults, **self.settings}

    @property
    def _defaults(self) -> dict[str, AnyValue]:
        return {**engine_options(self.manifest), **self.manifest.options, **self.variant.options}

    def with_settings(self, options: Mapping[str, AnyValue]) -> Model:
        """The model with some options set; existing settings take precedence.

        Raises
        ------
        UnknownNameError
            For an option that the model does not have.
        UsageError
            For a value of the wrong type.
        """
        chosen = {**options, **self.settings}
        defaults = self._defaults
        for key in chosen:
            if key not in defaults:
                raise UnknownNameError("option", key, defaults, where=f" of {self.name}")
        set_ = {k: setting(k, v, defaults[k], self.name) for k, v in chosen.items()}
        return replace(self, settings={k: v for k, v in set_.items() if v != defaults[k]})

    @property
    def manifest(self) -> AdapterManifest:
        """The adapter's manifest."""
        return self.adapter.manifest

    @property
    def variant(self) -> Variant:
        """The variant's entry in the manifest."""
        return self.adapter.manifest.variants[self.variant_name]


@dataclass(frozen=True)
class DatasetPlugin:
    """A data set's folder and manifest."""

    folder: Path
    origin: Origin
    manifest: DatasetManifest


@dataclass(frozen=True)
class Catalog:
    """All adapters and data sets that can be found.

    Parameters
    ----------
    adapter_paths
        Folders searched before all others; each holds adapter folders, or is one.
    working_directory
        Its ``adapters`` and ``datasets`` folders are searched last; None: not searched, for names
        that do not come from the user.
    """

    adapter_paths: tuple[Path, ...] = ()
    working_directory: Path | None = Path()

    @cached_property
    def _adapter_folders(self) -> dict[str, tuple[Path, Origin]]:
        given: list[tuple[Path, Origin]] = [(path, "given") for path in self.adapter_paths]
        return plugin_folders(self._places("adapters", given), "adapter.toml")

    @cached_property
    def _dataset_folders(self) -> dict[str, tuple[Path, Origin]]:
        return plugin_folders(self._places("datasets", []), "dataset.toml")

    def _places(
        self, kind: Literal["adapters", "datasets"], given: list[tuple[Path, Origin]]
    ) -> Iterator[tuple[Path, Origin]]:
        yield from given
        shipped = folder(kind)
        yield shipped, "shipped"
        if self.working_directory is None:
            return
        local = self.working_directory / kind
        if local.is_dir() and not (shipped.is_dir() and local.samefile(shipped)):
            yield local, "working directory"

    def adapter_names(self) -> list[str]:
        """Every adapter, by name."""
        return sorted(self._adapter_folders)

    def dataset_names(self) -> list[str]:
        """Every data set, by name."""
        return sorted(self._dataset_folders)

    def adapter(self, name: str) -> Adapter:
        """The adapter of that name.

        Raises
        ------
        UnknownNameError, ManifestError
        """
        if name not in self._adapter_folders:
            raise UnknownNameError("model", name, self._adapter_folders)
        path, origin = self._adapter_folders[name]
        manifest = read_adapter(path / "adapter.toml")
        require_same_name(path, manifest.name)
        return Adapter(path, origin, manifest)

    def model(self, name: str) -> Model:
        """``adapter``, ``adapter:variant`` or ``adapter:variant[option=value]``.

        An adapter's name alone means its default variant.

        Raises
        ------
        UnknownNameError, ManifestError
        UsageError
            When the name expands to several models.
        """
        every = expanded(name)
        if len(every) > 1:
            raise UsageError(f"{name!r} stands for {len(every)} models where one is needed.")
        return self._model(every[0])

    def models(self, names: Sequence[str]) -> list[Model]:
        """Several models in the given order without duplicates; ``a[x=1,2]`` means two models."""
        every = [self._model(one) for name in names for one in expanded(name)]
        return list({model.name: model for model in every}.values())

    def _model(self, name: ModelName) -> Model:
        adapter = self.adapter(name.adapter)
        variant = name.variant or adapter.manifest.default_variant
        if variant not in adapter.manifest.variants:
            raise UnknownNameError(
                "variant", variant, adapter.manifest.variants, where=f" of {name.adapter}"
            )
        members = self._members(adapter.manifest)
        return Model(adapter, variant, members=members).with_settings(name.settings)

    def _members(self, manifest: AdapterManifest) -> tuple[Model, ...]:
        members = []
        for name in manifest.ensemble.members if manifest.ensemble else ():
            if self.adapter(expanded(name)[0].adapter).manifest.kind == "ensemble":
                raise ManifestError(f"{manifest.name}: the member {name} is an ensemble itself.")
            members.append(self.model(name))
            if members[-1].manifest.oracle and not manifest.oracle:
                raise ManifestError(
                    f"{manifest.name}: its member {name} sees the references.",
                    hint="Write oracle = true.",
                )
        return tuple(members)

    def dataset(self, name: str) -> DatasetPlugin:
        """The data set of that name.

        Raises
        ------
        UnknownNameError, ManifestError
        """
        if name not in self._dataset_folders:
            raise UnknownNameError("data set", name, self._dataset_folders)
        path, origin = self._dataset_folders[name]
        manifest = read_dataset(path / "dataset.toml")
        require_same_name(path, manifest.name)
        return DatasetPlugin(path, origin, manifest)


def engine_options(manifest: AdapterManifest) -> dict[str, AnyValue]:
    """Options that the engine implements, with their defaults."""
    if manifest.ensemble:
        return {"combine": manifest.ensemble.combine, "domain": manifest.ensemble.domain}
    return {"augment": ""} if manifest.kind in ("python", "command") else {}


def plugin_folders(
    places: Iterator[tuple[Path, Origin]], file_name: str
) -> dict[str, tuple[Path, Origin]]:
    """Plug-in folders by name; if two places have the same name, the first is used."""
    found: dict[str, tuple[Path, Origin]] = {}
    for place, origin in places:
        folders = [place] if (place / file_name).is_file() else sorted(place.glob("*/"))
        for path in folders:
            if (path / file_name).is_file():
                found.setdefault(_name(path, file_name), (path, origin))
    return found


def _name(path: Path, file_name: str) -> str:
    """The folder's name, with hyphens instead of underscores if the manifest's name has them.

    The folder of ``demucs-onnx`` may be called ``demucs_onnx``, which is a valid package name.
    """
    folder = path.resolve().name
    said = NAME_LINE.search((path / file_name).read_text(encoding="utf-8", errors="replace"))
    return said[1] if said and said[1].replace("-", "_") == folder else folder


def require_same_name(path: Path, name: str) -> None:
    """Refuse a manifest whose name differs from that of its folder."""
    if path.resolve().name not in (name, name.replace("-", "_")):
        raise ManifestError(
            f"{path} holds a manifest with name = {name!r}.",
            hint=f"Give the folder and the manifest one name: rename one of them to {name!r} "
            f"or {path.resolve().name!r}.",
        )
