"""Get models ready to be loaded: interpreter, weights, options, and who they are by content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchbench.plugins.catalog import Model
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.separation.environments import interpreter
from benchbench.separation.separator import ModelSetup
from benchbench.separation.weights import ensure_weights

__all__ = ["prepare_models"]


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
    for model in models:
        if model.adapter.origin == "working directory":
            tell(f"{model.name} runs the code in {model.adapter.folder} of the working directory.")
        own = {key: value for key, value in options.items() if key in model.manifest.options}
        found = interpreter(model.manifest.runtime, tell=tell)
        setups[model.name] = ModelSetup(
            model,
            found.python,
            ensure_weights(model, weights, tell=tell),
            device,
            own,
            threads,
            found.facts(),
        )
    return setups
