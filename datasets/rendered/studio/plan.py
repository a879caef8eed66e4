"""Which songs there are: names, kinds and seeds of each split."""

from dataclasses import dataclass

__all__ = ["KINDS", "SIZES", "VERSION", "Order", "orders"]

VERSION = 2
"""Raised whenever any song sounds different."""

KINDS = (
    "written-spoken",
    "arranged-spoken",
    "written-formant",
    "coded-spoken",
    "arranged-formant",
    "coded-formant",
)
"""Who plays (written: MIDI files; arranged: soundfonts; coded: songmaker) and who sings
(spoken: speech re-pitched; formant: songmaker's singer)."""

SIZES = {"train": 160, "validation": 10, "test": 20}
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
    """One song to be made."""

    split: str
    index: int
    kind: str
    seed: int
    seconds: tuple[float, float] = (22.0, 36.0)
    """The shortest and the longest that it may be; arranged and coded ones end with a bar."""

    @property
    def name(self) -> str:
        """The song's folder."""
        return f"{self.split}-{self.index:03d}-{self.kind}"


def orders() -> list[Order]:
    """Return all songs in the order of work: any beginning of it has every split and kind."""
    listed = []
    for base, (split, count) in enumerate(SIZES.items()):
        for index in range(count):
            kind = _SEQUENCE[index % len(_SEQUENCE)]
            late = (index + 0.5) / (4.0 if split == "train" else 1.0)
            listed.append((late, Order(split, index, kind, 1_000_000 * (base + 1) + index)))
    return [order for _, order in sorted(listed, key=lambda pair: (pair[0], pair[1].split))]
