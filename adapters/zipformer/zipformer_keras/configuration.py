"""Sizes and constants of the network. Nothing here needs Keras, so that inference does without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .earlier import renewed

CHANNELS = 2
STEMS = ("vocals", "drums", "bass", "other")
FLOOR = 1e-10
"""Added to an energy before its root is taken: -100 dB of full scale."""
LOG_SCALE_LIMIT = 1.5
"""Of a norm's log-scale, to both sides."""
BYPASS_FLOOR = 0.2
"""A bypass takes at least so much of a layer's work."""
KERNEL = 3
"""Frames and cells that a convolution of the embedding sees."""
SLOPE = 0.1
"""Of the embedding's activations below zero."""
GROWN_FLOOR = 1e-6
"""Added to a mask that another one is divided by."""
GROUPING_FLOOR = 1e-6
"""Added to the mean square of a pooled vector."""
GROWN_RANK = 4
"""Patterns over the cells that a stem added after training mixes in a frame."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Neighbouring cells of one width. A cell is what the network sees, and masks, as one.

    Parameters
    ----------
    count
        Number of cells.
    bins
        Bins of a cell.
    """

    count: int
    bins: int = 1


def cell_count(groups: tuple[Cells, ...]) -> int:
    """Number of cells of a frame."""
    return sum(group.count for group in groups)


def bin_count(groups: tuple[Cells, ...]) -> int:
    """Number of bins that the cells cover, from 0 Hz upwards."""
    return sum(group.count * group.bins for group in groups)


@dataclass(frozen=True, slots=True)
class LayerShape:
    """Sizes of a Zipformer layer.

    Parameters
    ----------
    width
        Channels of a position.
    heads, query_width, value_width
        Of the attention.
    feedforward
        Hidden channels of the second feed-forward module; the first has 3/4, the third 5/4.
    kernel
        Size of the convolutions.
    dropout
        Share of hidden channels dropped while training.
    chunk, left
        Live mode: frames of a chunk, and chunks of context; None: offline.
    """

    width: int
    heads: int
    query_width: int
    value_width: int
    feedforward: int
    kernel: int
    dropout: float = 0.0
    chunk: int | None = None
    left: int = 0


@dataclass(frozen=True, slots=True)
class Grown:
    """A stem that was added to a trained network (`network.grown`).

    Parameters
    ----------
    stem
        Its name. If it is that of a stem of the network, it takes that stem's place.
    beside
        Stems of the network whose sum it starts from, and which lose what it takes.
    """

    stem: str
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that distinguishes one variant from another.

    Parameters
    ----------
    width, heads, query_width, value_width, feedforward
        Sizes of a layer, see `LayerShape`.
    stacks
        For each stack: how many frames become one, and its number of layers.
    groups
        The cells of a frame, from 0 Hz upwards.
    embed
        Channels of the convolutional levels, each of which halves the cells (`network.embedding`).
    time_kernel
        Size of the layers' convolutions.
    dropout
        Share of hidden channels dropped while training.
    stems
        Names of the stems.
    frame, step
        Samples of a frame, and between two.
    chunk, left
        Live mode: frames of a chunk, and chunks of context; None: offline.
    grown
        A stem that was added after training.
    harmonics
        Whether there are heads for pitch and activity (`network.harmonics`).
    grouping
        Whether a song's frames change the last layer's kernel (`network.grouping`); offline only.
    query
        Whether a singer's example chooses who is the first stem (`queries`).
    """

    width: int
    heads: int
    query_width: int
    feedforward: int
    stacks: tuple[tuple[int, int], ...]
    groups: tuple[Cells, ...]
    embed: tuple[int, ...]
    value_width: int = 12
    time_kernel: int = 15
    dropout: float = 0.0
    stems: tuple[str, ...] = STEMS
    frame: int = 4096
    step: int = 1024
    chunk: int | None = None
    left: int = 8
    grown: Grown | None = None
    harmonics: bool = False
    grouping: bool = False
    query: bool = False

    def __post_init__(self) -> None:
        if not self.embed or cell_count(self.groups) % 2 ** len(self.embed):
            raise ValueError(
                f"{cell_count(self.groups)} cells cannot be halved {len(self.embed)} times."
            )
        if self.grouping and self.chunk is not None:
            raise ValueError("Grouping pools a song's frames, so it cannot run live.")
        if self.grouping and self.grown:
            raise ValueError("A network with grouping cannot get another stem.")
        unknown = sorted(set(self.grown.beside) - set(self.stems)) if self.grown else []
        if unknown or (self.grown and not 0 < len(self.grown.beside) < len(self.stems)):
            raise ValueError(
                f"A stem starts from some of {', '.join(self.stems)}, not from "
                f"{', '.join(unknown) or 'none or all'}."
            )

    def layer_shape(self, factor: int) -> LayerShape:
        """Sizes of the layers of a stack in which so many frames are one."""
        chunk = None if self.chunk is None else self.chunk // factor
        sizes = (self.width, self.heads, self.query_width, self.value_width, self.feedforward)
        return LayerShape(*sizes, self.time_kernel, self.dropout, chunk, self.left)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the stems that are separated: `stems`, then the one that was added."""
        added = (self.grown.stem,) if self.grown else ()
        return (*self.stems, *(name for name in added if name not in self.stems))

    def as_values(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> Configuration:
        """The configuration that `as_values` gave, or gave before; what is missing has its default.

        Raises
        ------
        ValueError
            The values are not those of a configuration, or those of a network with bands or complex
            masks, which this version cannot run.
        """
        try:
            known = renewed(values)
            known["groups"] = tuple(Cells(**group) for group in known["groups"])
            known["stacks"] = tuple((factor, layers) for factor, layers in known["stacks"])
            known |= {name: tuple(known[name]) for name in ("stems", "embed") if name in known}
            if known.get("grown"):
                known["grown"] = Grown(known["grown"]["stem"], tuple(known["grown"]["beside"]))
            return cls(**known)
        except (TypeError, KeyError, AttributeError, ZeroDivisionError) as error:
            raise ValueError(f"these are not the sizes of a network: {error}") from error
