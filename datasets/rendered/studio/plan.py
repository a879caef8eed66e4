"""The list of songs: names, kinds and seeds of each split."""

import itertools
from dataclasses import dataclass

from .materials import Excerpt, excerpts

__all__ = ["KINDS", "SEED", "SIZES", "VERSION", "Order", "orders"]

VERSION = 4
"""Increased whenever any song or the list of songs changes."""

SEED = 2
"""Begins every song's seed. Songs of validation and test are those of version 2, and some more."""

KINDS = (
    "written-spoken",
    "arranged-spoken",
    "written-formant",
    "coded-spoken",
    "arranged-formant",
    "coded-formant",
    "released-spoken",
    "released-formant",
    "electronic-spoken",
    "joined-spoken",
)
"""Who plays (written: MIDI files; arranged: soundfonts; coded: songmaker; released: recordings of
instrumental music; electronic: a drum machine and synthesizers; joined: a recording without drums
and low end, with drums and bass added) and who sings (spoken: speech re-pitched; formant:
songmaker's singer)."""

SIZES = {"train": 160, "validation": 10, "test": 20}
"""Songs of a split without those over released music, of which there is one per excerpt."""

ELECTRONIC = 60
"""Further songs for training of electronic music; of the other kinds there is one an excerpt."""
_SEQUENCE = (
    "written-spoken",
    "arranged-spoken",
    "written-formant",
    "coded-spoken",
    "written-spoken",
    "arranged-formant",
    "arranged-spoken",
    "coded-formant",
    "written-spoken",
    "arranged-spoken",
)


@dataclass(frozen=True, slots=True)
class Order:
    """One song to render."""

    split: str
    index: int
    kind: str
    seed: int
    seconds: tuple[float, float] = (22.0, 36.0)
    """The shortest and the longest that it may be; arranged and coded ones end with a bar."""
    excerpt: Excerpt | None = None
    """The released music under it."""
    voices: str = ""
    """The split whose voices may be chosen, by default the song's."""

    @property
    def name(self) -> str:
        """The song's folder."""
        return f"{self.split}-{self.index:03d}-{self.kind}"


def orders() -> list[Order]:
    """Return all songs in the order of work: any beginning of it has every split and kind."""
    listed = []
    for base, (split, count) in enumerate(SIZES.items()):
        seed = 1_000_000 * (base + 1)
        own = [
            Order(split, index, _SEQUENCE[index % len(_SEQUENCE)], seed + index)
            for index in range(count)
        ]
        over = [
            Order(split, index, _over_released(index), seed + index, excerpt=excerpt)
            for index, excerpt in enumerate(excerpts(split), count)
        ]
        for some in (own, over):
            for place, order in enumerate(some):
                listed.append(((place + 0.5) / (4.0 if split == "train" else 1.0), order))
    further = _further(len(excerpts("train")) + SIZES["train"])
    listed += [((place + 0.5) / 4.0, order) for place, order in enumerate(further)]
    return [order for _, order in sorted(listed, key=lambda pair: (pair[0], pair[1].split))]


def _further(first: int) -> list[Order]:
    """Return the songs for training that version 4 added to those of version 3, kinds in turn."""
    kinds: list[list[tuple[str, Excerpt | None]]] = [[("electronic-spoken", None)] * ELECTRONIC]
    for name in ("joined", "released"):
        found = excerpts(f"further-{name}")
        kinds.append([(f"{name}-spoken", excerpt) for excerpt in found])
    in_turn = [
        one for several in itertools.zip_longest(*kinds) for one in several if one is not None
    ]
    return [
        Order("train", index, kind, 4_000_000 + index, excerpt=excerpt, voices="further")
        for index, (kind, excerpt) in enumerate(in_turn, first)
    ]


def _over_released(index: int) -> str:
    return "released-formant" if index % 6 == 0 else "released-spoken"
