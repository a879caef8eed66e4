"""Map names to stems: spellings, synonyms, sums of stems, mixtures.

Names are compared without regard to case, to Unicode's composed and decomposed forms, and to
whether words are joined by a space, a hyphen or an underscore.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = [
    "ACCOMPANIMENT",
    "canonical",
    "common_track",
    "is_mixture",
    "is_sum",
    "name_key",
    "parts_and_sums",
    "split_track_and_stem",
]

ACCOMPANIMENT = "accompaniment"
VOCALS, REST = "vocals", "other"

SYNONYMS = {
    "vocal": VOCALS,
    "drum": "drums",
    **dict.fromkeys(
        ("instrumental", "instrumentals", "instrum", "inst", "no_vocals", "no_vocal", "minus",
         "minus_vocals", "minus_one", "karaoke", "backing_track"),
        ACCOMPANIMENT,
    ),
}  # fmt: skip
"""Synonyms of stem names, by `name_key`."""

STEMS = frozenset(
    {VOCALS, "drums", "bass", "guitar", "piano", REST, ACCOMPANIMENT, "speech", "noise", "music",
     "sfx", "effects", "strings", "synth", "keys", "percussion"}
)  # fmt: skip
"""Stems that are recognised after a track's name, as in ``song_(Vocals).wav``."""

MIXTURES = frozenset({"mixture", "mix", "linear_mixture", "full_mix", "original_mix"})

WITHOUT = re.compile(r"^(?:no|minus|without)_(.+)$")
BRACKETS = re.compile(r"^(?P<track>.*?)[\s_-]*[(\[](?P<stem>[^()\[\]]+)[)\]](?P<rest>.*)$")
SPACED = re.compile(r"^(?P<track>.+?)\s+-\s+(?P<stem>[^-]+)$")
JOINED = re.compile(r"^(?P<track>.+?)[\s_.-]+(?P<stem>(?:no[\s_-])?[^\s_.-]+)$")


def name_key(name: str) -> str:
    """A key that is equal for all spellings of a name."""
    composed = unicodedata.normalize("NFC", name).casefold()
    return re.sub(r"[\s_-]+", "_", unicodedata.normalize("NFC", composed)).strip("_")


def canonical(name: str) -> str:
    """The usual name of a stem; an unknown name is kept, in Unicode's composed form.

    Examples
    --------
    >>> canonical("No Vocals"), canonical("DRUMS"), canonical("Lead Synth")
    ('accompaniment', 'drums', 'Lead Synth')
    """
    key = name_key(name)
    if key in SYNONYMS:
        return SYNONYMS[key]
    if key in STEMS:
        return key
    if key in MIXTURES:
        return key
    without = WITHOUT.match(key)
    if without and SYNONYMS.get(without[1], without[1]) in STEMS:
        return f"no_{SYNONYMS.get(without[1], without[1])}"
    return unicodedata.normalize("NFC", name)


def is_mixture(name: str) -> bool:
    """Whether a name says that a file is the whole mixture."""
    return name_key(name) in MIXTURES


def is_sum(name: str) -> bool:
    """Whether a name says that a file is the sum of all stems but one."""
    known = canonical(name)
    return known == ACCOMPANIMENT or (known.startswith("no_") and known[3:] in STEMS)


def parts_and_sums(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Divide a track's stems into those that add up to the mixture, and redundant ones.

    A sum such as ``accompaniment`` is a part only where no other stems cover its content: together
    with ``vocals`` alone, or with one stem that it contains, which is then left out.

    Returns
    -------
    The parts, and the names that are left out.

    Examples
    --------
    >>> parts_and_sums(["vocals", "drums", "other", "accompaniment"])
    (['vocals', 'drums', 'other'], ['accompaniment'])
    >>> parts_and_sums(["vocals", "accompaniment"])
    (['vocals', 'accompaniment'], [])
    """
    stems = [name for name in names if not is_mixture(name)]
    sums = [name for name in stems if is_sum(name)]
    single = [name for name in stems if name not in sums]
    for name in sums:
        removed = VOCALS if canonical(name) == ACCOMPANIMENT else canonical(name)[3:]
        contained = [stem for stem in single if canonical(stem) != removed]
        if not contained or (len(contained) == 1 and canonical(contained[0]) != REST
                             and len(single) > 1):  # fmt: skip
            parts = [stem for stem in stems if stem == name or canonical(stem) == removed]
            return parts, [stem for stem in stems if stem not in parts]
    return single, sums


def split_track_and_stem(name: str) -> tuple[str, str] | None:
    """The track and the stem in a file's name, as separators write it; None without a stem.

    Examples
    --------
    >>> split_track_and_stem("1_city_(Vocals)_UVR-MDX")
    ('1_city', 'vocals')
    >>> split_track_and_stem("song - No Vocals"), split_track_and_stem("vocals")
    (('song', 'accompaniment'), None)
    """
    for pattern in (BRACKETS, SPACED, JOINED):
        found = pattern.match(name)
        if found and found["track"] and _is_known(found["stem"]):
            return unicodedata.normalize("NFC", found["track"]), canonical(found["stem"])
    return None


def common_track(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Track and stem of each name; empty unless every name contains both.

    Names such as ``lead_vocals`` and ``backing_vocals`` are stems, not tracks: unless brackets or
    spaced hyphens mark every stem, at least one track must have several stems.
    """
    divided = {name: split_track_and_stem(name) for name in names}
    if not divided or any(both is None for both in divided.values()):
        return {}
    known = {name: both for name, both in divided.items() if both is not None}
    tracks = [track for track, _ in known.values()]
    marked = all(BRACKETS.match(name) or SPACED.match(name) for name in names)
    if marked or len(set(tracks)) < len(tracks):
        return known
    return {}


def _is_known(word: str) -> bool:
    known = canonical(word.strip())
    return known in STEMS or known in MIXTURES or is_sum(word.strip())
