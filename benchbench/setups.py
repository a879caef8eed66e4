"""Get models ready to be loaded: interpreter, weights, options, and who they are by content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchbench.catalog import Model
from benchbench.declarations import AnyValue
from benchbench.events import Listener, Note
from benchbench.interpreters import interpreter
from benchbench.plan import Identity, adapter_hash, options_hash
from benchbench.precomputed import stems_folder
from benchbench.separation import Setup
from benchbench.weights import ensure_weights, weights_hash

__all__ = ["identity", "prepare_setups"]


def identity(setup: Setup) -> Identity:
    """What a model is, by content; stems computed elsewhere stand for the weights."""
    stems = stems_folder(setup) if setup.model.manifest.kind == "folder" else None
    return Identity(
        setup.model.name,
        adapter_hash(setup.model.adapter.folder),
        weights_hash(stems or setup.weights),
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
        found = interpreter(model.manifest.runtime, tell=tell)
        setups[model.name] = Setup(
            model,
            found.python,
            ensure_weights(model, weights, tell=tell),
            device,
            own,
            threads,
            found.facts(),
        )
    return setups
