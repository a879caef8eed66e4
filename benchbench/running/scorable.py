"""What can be scored: protocols that need no references, and models that share stems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from benchbench.datasets.dataset import Dataset
from benchbench.errors import NothingToCompareError, UsageError
from benchbench.metrics.base import Protocol
from benchbench.metrics.names import REFERENCE_FREE
from benchbench.metrics.targets import reference_sets
from benchbench.plugins.catalog import Model

__all__ = ["require_common_stems", "scorable"]


def scorable(
    protocols: Sequence[Protocol],
    data_set: Dataset,
    models: Sequence[Model],
    tell: Callable[[str], None],
) -> tuple[Protocol, ...]:
    """The protocols that can score a data set.

    Without references these are ``reference-free`` and those of the requested protocols that need
    none; the others are named to `tell`.

    Raises
    ------
    UsageError
        When the data set has no references and a model needs them.
    """
    if data_set.has_references:
        return tuple(protocols)
    name = data_set.manifest.name
    oracles = [model.name for model in models if model.manifest.oracle]
    if oracles:
        raise UsageError(
            f"{', '.join(oracles)} cannot be run on {name}: it separates with the references, and "
            "these songs have none.",
            hint="Leave it out of --models.",
        )
    kept = {REFERENCE_FREE.name: REFERENCE_FREE}
    kept |= {each.name: each for each in protocols if not each.needs_references}
    left = [each.name for each in protocols if each.needs_references]
    if left:
        tell(
            f"The songs of {name} have no references, which {', '.join(left)} "
            f"need{'s' if len(left) == 1 else ''}; scored by {', '.join(kept)}."
        )
    return tuple(kept.values())


def require_common_stems(
    protocols: Sequence[Protocol],
    data_set: Dataset,
    models: Sequence[Model],
    tell: Callable[[str], None],
) -> None:
    """Name the models that have no stem in common with any track: their scores have no values.

    Raises
    ------
    NothingToCompareError
        Naming the stems of both sides, if no model has a common stem, or an oracle has none.
    """
    if not data_set.has_references or not all(each.needs_references for each in protocols):
        return
    tracks = {tuple(track.stems) for track in data_set.tracks if track.stems}
    held = ", ".join(sorted({stem for track in tracks for stem in track}))
    lacking = [model for model in models if not _has_common_stem(model, tracks)]
    for model in lacking:
        reason = (
            f"{model.name} gives {', '.join(model.variant.stems)}; the tracks of "
            f"{data_set.manifest.name} have {held}. Only stems of one name are compared"
        )
        if len(lacking) == len(models) or model.manifest.oracle:
            raise NothingToCompareError(
                f"{reason}.",
                hint="Leave the model out of --models, or name the stems of one side as those of "
                "the other; --dataset mixtures takes songs without stems.",
            )
        tell(f"{reason}: it is separated, and its scores have no values.")


def _has_common_stem(model: Model, tracks: Collection[tuple[str, ...]]) -> bool:
    """Whether any track can be scored; True where nothing is known of the stems of either side."""
    stems = model.variant.stems
    sets = [each for track in tracks for each in reference_sets(track, stems)]
    return not stems or not sets or any(each.estimates for each in sets)
