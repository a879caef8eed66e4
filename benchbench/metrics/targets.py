"""Targets: which stems of a track and of a model are summed for each target.

A score depends on the set of references it was computed with, so each set has a name
(``vocals+accompaniment``), and scores of different sets are never put in the same column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchbench.metrics.pairing.stem_names import (
    ACCOMPANIMENT,
    canonical,
    is_mixture,
    is_sum,
    name_key,
    parts_and_sums,
)

__all__ = [
    "ACCOMPANIMENT",
    "TWO_TARGETS",
    "ReferenceSet",
    "own_targets",
    "reference_sets",
    "unused_stems",
]

ORDER = ("vocals", "drums", "bass", "guitar", "piano", "other", ACCOMPANIMENT)
REST = "other"
TWO_TARGETS = {"vocals", ACCOMPANIMENT}

Parts = Mapping[str, tuple[str, ...]]
"""Maps each target to the stems that are summed for it."""


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """One set of targets that estimates are scored against.

    Parameters
    ----------
    references
        Maps each target to the track's stems whose sum is its reference.
    estimates
        Maps each target to the model's stems whose sum is its estimate; a target is absent when the
        model has no stem for it.
    """

    references: Parts
    estimates: Parts

    @property
    def name(self) -> str:
        """The targets joined by "+", in the usual order."""
        return "+".join(self.references)

    @property
    def added_up(self) -> list[str]:
        """A clause for each sum of stems, such as ``the reference other = guitar + strings``."""
        sides = (("reference", self.references), ("estimate", self.estimates))
        return [
            f"the {side} {target} = {' + '.join(parts)}"
            for side, every in sides
            for target, parts in every.items()
            if len(parts) > 1
        ]


def reference_sets(track_stems: Sequence[str], model_stems: Sequence[str]) -> list[ReferenceSet]:
    """The reference sets for scoring a model on a track, the most natural one first.

    A two-stem model on a four-stem track is scored against vocals and accompaniment, the sum of
    the rest. A model with a stem for every stem of the track is scored on those, and also on
    vocals and accompaniment, with its accompaniment summed in the same way. Stems that the track
    does not have (for example a piano) are added to ``other``. A stem whose name says that it is a
    sum of other stems, such as ``no_vocals``, is never added to another stem.
    """
    track = _by_target(parts_and_sums(track_stems)[0], track_stems)
    model = _by_target([stem for stem in model_stems if not is_mixture(stem)], track)
    same = _same_stems(track, model)
    if "vocals" not in track or len(track) == 1 or set(track) == TWO_TARGETS:
        return [same]
    two = _two_targets(track, model)
    if set(model) <= TWO_TARGETS:
        return [two]
    return [chosen for chosen in (same, two) if chosen.estimates] or [same]


def own_targets(model_stems: Sequence[str]) -> ReferenceSet:
    """The model's stems as targets, for a track without references.

    Examples
    --------
    >>> own_targets(["accompaniment", "vocals"]).name
    'vocals+accompaniment'
    """
    spelled = {canonical(stem): stem for stem in model_stems}
    parts = {target: (spelled[target],) for target in in_order(spelled)}
    return ReferenceSet(parts, parts)


def unused_stems(sets: Sequence[ReferenceSet], model_stems: Iterable[str]) -> list[str]:
    """The model's stems that are used for no target."""
    used = {part for chosen in sets for parts in chosen.estimates.values() for part in parts}
    return [stem for stem in model_stems if stem not in used]


def _by_target(stems: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Maps targets to stems; names are spelled as in `known`."""
    spelling = {name_key(canonical(name)): canonical(name) for name in known}
    return {spelling.get(name_key(canonical(name)), canonical(name)): name for name in stems}


def _same_stems(track: Mapping[str, str], model: Mapping[str, str]) -> ReferenceSet:
    """Every stem of the track; stems that only the model has are added to the rest."""
    estimates: dict[str, tuple[str, ...]] = {
        target: (model[target],) for target in in_order(track) if target in model
    }
    unknown = tuple(s for target, s in model.items() if target not in track and not is_sum(target))
    rest = next((name for name in (REST, ACCOMPANIMENT) if name in track), None)
    if rest and unknown and not (rest == ACCOMPANIMENT and rest in estimates):
        estimates[rest] = estimates.get(rest, ()) + unknown
    return ReferenceSet({target: (track[target],) for target in in_order(track)}, estimates)


def _two_targets(track: Mapping[str, str], model: Mapping[str, str]) -> ReferenceSet:
    rest = tuple(track[target] for target in in_order(track) if target != "vocals")
    estimates: dict[str, tuple[str, ...]] = {}
    if "vocals" in model:
        estimates["vocals"] = (model["vocals"],)
    if ACCOMPANIMENT in model:
        estimates[ACCOMPANIMENT] = (model[ACCOMPANIMENT],)
    elif set(track) - {"vocals"} <= set(model):
        estimates[ACCOMPANIMENT] = tuple(
            stem for target, stem in model.items() if target != "vocals" and not is_sum(target)
        )
    return ReferenceSet({"vocals": (track["vocals"],), ACCOMPANIMENT: rest}, estimates)


def in_order(targets: Iterable[str]) -> list[str]:
    """Targets in the usual order; unknown ones after them, by name."""
    rank = {name: number for number, name in enumerate(ORDER)}
    return sorted(targets, key=lambda target: (rank.get(target, len(ORDER)), target))
