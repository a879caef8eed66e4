"""Get models ready to be loaded: interpreter, weights, options, and who they are by content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchbench.errors import UnknownNameError
from benchbench.plugins.catalog import Model
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.separation.environments import interpreter
from benchbench.separation.separator import ModelSetup
from benchbench.separation.weights import ensure_weights

__all__ = ["prepare_models", "with_options"]


def prepare_models(
    models: Sequence[Model],
    weights: Path | None,
    device: str,
    options: Mapping[str, AnyValue],
    threads: int,
    tell: Callable[[str], None],
) -> dict[str, ModelSetup]:
    """Everything that the models need before a worker starts: interpreters and weights."""

    setups = {}
    for model in with_options(models, options):
        if model.adapter.origin == "working directory":
            tell(f"{model.name} runs the code in {model.adapter.folder} of the working directory.")
        found = interpreter(model.manifest.runtime, tell=tell)
        setups[model.name] = ModelSetup(
            model,
            found.python,
            ensure_weights(model, weights, tell=tell),
            device,
            model.settings,
            threads,
            found.facts(),
        )
    return setups


def with_options(models: Sequence[Model], options: Mapping[str, AnyValue]) -> list[Model]:
    """Models with some options set, each in those that it has.

    Raises
    ------
    UnknownNameError
        For an option that no model has.
    """
    known = {key for model in models for key in model.options}
    for key in options:
        if key not in known:
            raise UnknownNameError("option", key, known, where=" of these models")
    return [
        model.with_settings({k: v for k, v in options.items() if k in model.options})
        for model in models
    ]
