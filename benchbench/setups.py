"""Get models ready to be loaded: interpreter, weights, options, and who they are by content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchbench.catalog import Model
from benchbench.declarations import AnyValue
from benchbench.environment import interpreter
from benchbench.events import Listener, Note
from benchbench.plan import Identity, adapter_hash, options_hash
from benchbench.separation import Setup
from benchbench.weights import ensure_weights, weights_hash

__all__ = ["identity", "prepare_setups"]


def identity(setup: Setup) -> Identity:
    """What a model is, by content."""
    return Identity(
        setup.model.name,
        adapter_hash(setup.model.adapter.folder),
        weights_hash(setup.weights),
        options_hash(setup.all_options),
    )


def prepare_setups(
    models: Sequence[Model],
    weights: Path | None,
    device: str,
    options: Mapping[str, AnyValue],
    threads: int,
    listener: Listener,
) -> dict[str, Setup]:
    """Everything that the models need before a worker starts: interpreters and weights."""

    def tell(text: str) -> None:
        listener(Note(text))

    setups = {}
    for model in models:
        if model.adapter.origin == "working directory":
            tell(f"{model.name} runs the code in {model.adapter.folder} of the working directory.")
        own = {key: value for key, value in options.items() if key in model.manifest.options}
        setups[model.name] = Setup(
            model,
            interpreter(model.manifest.runtime, tell=tell),
            ensure_weights(model, weights, tell=tell),
            device,
            own,
            threads,
        )
    return setups
