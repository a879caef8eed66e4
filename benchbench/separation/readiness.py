"""What a model still needs to fetch before it can run; nothing is fetched here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchbench.plugins.catalog import Model
from benchbench.plugins.manifest_schema import ENGINE
from benchbench.separation.environments import environment_folder
from benchbench.separation.weights import weights_folder

__all__ = ["Readiness", "readiness"]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether weights and environment are on this machine, and their size.

    Parameters
    ----------
    weights, environment
        Whether each is on this machine, or is not needed.
    own_weights
        Whether it runs only with weights of the user, since none are published.
    declared_mb
        The size of both as declared by the manifest, in megabytes; None if not declared.
    """

    weights: bool
    environment: bool
    own_weights: bool
    declared_mb: float | None

    @property
    def ready(self) -> bool:
        """Whether nothing has to be fetched or trained."""
        return self.weights and self.environment and not self.own_weights

    @property
    def missing(self) -> str:
        """What is missing, in words; empty if it is ready."""
        if self.ready:
            return ""
        if self.own_weights:
            return "no weights are published, train some"
        size = "" if self.declared_mb is None else f" ({self.declared_mb:,.0f} MB)"
        return f"not installed{size}"


def readiness(model: Model) -> Readiness:
    """Look for the weights and the environment of a model, without fetching them.

    An ensemble needs what its members need.
    """
    if model.members:
        return _of_all([readiness(member) for member in model.members])
    manifest = model.manifest
    weights = manifest.weights.get(model.variant.weights or "")
    folder = weights_folder(model)
    runtime = manifest.runtime
    environment = None if runtime.interpreter == ENGINE else environment_folder(runtime)
    sizes = [
        size
        for size in (weights.size_mb if weights and folder else None, runtime.size_mb)
        if size is not None
    ]
    return Readiness(
        folder is None or folder.is_dir(),
        environment is None or environment.is_dir(),
        model.variant.needs_weights,
        sum(sizes) if sizes else None,
    )


def _of_all(needs: Sequence[Readiness]) -> Readiness:
    sizes = [each.declared_mb for each in needs if each.declared_mb is not None]
    return Readiness(
        all(each.weights for each in needs),
        all(each.environment for each in needs),
        any(each.own_weights for each in needs),
        sum(sizes) if sizes else None,
    )
