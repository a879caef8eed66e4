"""Find adapters and data sets by name, and read their manifests.

`benchbench.plugins.places` says where they are searched. Nothing here imports a plug-in's code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import msgspec

from benchbench.errors import ManifestError, UnknownNameError, UsageError
from benchbench.io.redaction import is_secret_name, redacted_value
from benchbench.plugins.manifest import read_adapter, read_dataset
from benchbench.plugins.manifest_schema import (
    AdapterManifest,
    AnyValue,
    DatasetManifest,
    Variant,
)
from benchbench.plugins.model_names import ModelName, expanded, setting, written_settings
from benchbench.plugins.places import Origin, Place, Places, require_same_name

__all__ = ["Catalog", "DatasetPlugin", "Model"]


@dataclass(frozen=True)
class Adapter:
    """An adapter's place and manifest.

    Parameters
    ----------
    base
        The adapter whose code it runs, where its manifest says ``extends``; what the manifest leaves to
        it is filled in.
    """

    place: Place
    manifest: AdapterManifest
    base: Adapter | None = None

    @property
    def code(self) -> Adapter:
        """The adapter whose folder holds the code: the base, or this one."""
        return self.base or self

    @property
    def folder(self) -> Path:
        """The adapter's folder."""
        return self.place.folder

    @property
    def origin(self) -> Origin:
        """The kind of place where it was found."""
        return self.place.origin


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
    """A data set's place and manifest."""

    place: Place
    manifest: DatasetManifest

    @property
    def folder(self) -> Path:
        """The data set's folder with its manifest; not that of its audio."""
        return self.place.folder


@dataclass(frozen=True)
class Catalog:
    """All adapters and data sets that can be found.

    Parameters
    ----------
    adapter_paths
        Folders searched before all others; each holds adapter folders, or is one.
    working_directory
        As for `benchbench.plugins.places.Places`.
    """

    adapter_paths: tuple[Path, ...] = ()
    working_directory: Path | None = Path()

    @cached_property
    def _adapters(self) -> Places:
        return Places("adapters", self.adapter_paths, self.working_directory)

    @cached_property
    def _datasets(self) -> Places:
        return Places("datasets", (), self.working_directory)

    def adapter_names(self) -> list[str]:
        """Every adapter, by name."""
        return self._adapters.names()

    def dataset_names(self) -> list[str]:
        """Every data set, by name."""
        return self._datasets.names()

    def has_adapter(self, model: str) -> bool:
        """Whether the adapter of a model name exists: ``adapter``, ``adapter:variant``, a path."""
        return self._adapters.find(model.partition("[")[0].partition(":")[0]) is not None

    def has_dataset(self, name: str) -> bool:
        """Whether a data set of that name, or in that folder, exists."""
        return self._datasets.find(name) is not None

    def adapter(self, name: str) -> Adapter:
        """The adapter of that name, or in that folder.

        Raises
        ------
        UnknownNameError, ManifestError
        """
        place = self._adapters.find(name)
        if place is None:
            raise UnknownNameError("model", name, self.adapter_names())
        manifest = read_adapter(place.folder / self._adapters.file)
        require_same_name(place.folder, manifest.name)
        found = Adapter(place, manifest)
        return self._extended(found) if manifest.extends else found

    def _extended(self, adapter: Adapter) -> Adapter:
        """An adapter with the code, runtime, audio format and options of the one that it extends."""
        manifest = adapter.manifest
        where = f"{adapter.folder / 'adapter.toml'}: extends = {manifest.extends!r}"
        place = self._adapters.find(manifest.extends)
        if place is None:
            raise ManifestError(
                f"{where} is no model that is found here.",
                hint="Name its folder with --adapter-path.",
            )
        head = read_adapter(place.folder / self._adapters.file)
        if head.extends or head.kind != "python":
            raise ManifestError(f"{where} must be an adapter of kind 'python' with its own code.")
        base = self.adapter(manifest.extends)
        filled = msgspec.structs.replace(
            manifest,
            runtime=base.manifest.runtime,
            audio=base.manifest.audio,
            options=base.manifest.options,
            input_files=base.manifest.input_files,
            callable=base.manifest.callable,
            oracle=base.manifest.oracle,
        )
        return replace(adapter, manifest=filled, base=base)

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
        """The data set of that name, or in that folder.

        Raises
        ------
        UnknownNameError, ManifestError
        """
        place = self._datasets.find(name)
        if place is None:
            raise UnknownNameError("data set", name, self.dataset_names())
        manifest = read_dataset(place.folder / self._datasets.file)
        require_same_name(place.folder, manifest.name)
        return DatasetPlugin(place, manifest)


def engine_options(manifest: AdapterManifest) -> dict[str, AnyValue]:
    """Options that the engine implements, with their defaults."""
    if manifest.ensemble:
        return {"combine": manifest.ensemble.combine, "domain": manifest.ensemble.domain}
    return {"augment": ""} if manifest.kind in ("python", "command") else {}
