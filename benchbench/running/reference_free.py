"""What can be scored on a data set without references."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchbench.datasets.dataset import Dataset
from benchbench.errors import UsageError
from benchbench.metrics.base import Protocol
from benchbench.metrics.names import REFERENCE_FREE
from benchbench.plugins.catalog import Model

__all__ = ["scorable"]


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
