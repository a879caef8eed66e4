"""Prepare models for loading: interpreter, weights, options, and identity by content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchbench.errors import UnknownNameError, UsageError
from benchbench.io.download import Progress
from benchbench.io.hashing import digest, short_hash
from benchbench.plugins.catalog import Model
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.separation.environments import interpreter
from benchbench.separation.identity import Identity, Member, adapter_hash, options_hash
from benchbench.separation.precomputed import stems_folder
from benchbench.separation.separator import ModelSetup
from benchbench.separation.weights import ensure_weights, weights_hash

__all__ = ["identity", "prepare_models", "with_members", "with_options"]


def prepare_models(
    models: Sequence[Model],
    weights: Path | None,
    device: str,
    options: Mapping[str, AnyValue],
    threads: int,
    tell: Callable[[str], None],
    progress: Progress | None = None,
) -> dict[str, ModelSetup]:
    """Prepare what the models need before a worker starts: interpreters and weights.

    The members of an ensemble are prepared too. `tell` receives sentences about each step, and
    `progress` is called for each downloaded chunk.
    """
    setups: dict[str, ModelSetup] = {}
    for model in with_members(with_options(models, options)):
        code = model.adapter.code
        if not model.members and (note := code.place.note(code.manifest.name)):
            tell(note)
        found = interpreter(model.manifest.runtime, tell=tell)
        setups[model.name] = ModelSetup(
            model,
            found.python,
            ensure_weights(model, weights, tell=tell, progress=progress),
            device,
            model.settings,
            threads,
            found.facts(),
            members=tuple(
                Member(identity(setups[member.name]), member.variant.stems)
                for member in model.members
            ),
        )
    return setups


def with_members(models: Sequence[Model]) -> list[Model]:
    """All models without repeats; the members of ensembles come before all ensembles."""
    members = [member for model in models for member in model.members]
    plain = [model for model in models if not model.members]
    ensembles = [model for model in models if model.members]
    return list({model.name: model for model in [*plain, *members, *ensembles]}.values())


def identity(setup: ModelSetup) -> Identity:
    """The identity of a model, by content.

    Precomputed stems, or the members of an ensemble, take the place of the weights.

    Raises
    ------
    UsageError
        If an option names a file that does not exist.
    """
    stems = stems_folder(setup) if setup.model.manifest.kind == "folder" else None
    members = short_hash(*(member.identity for member in setup.members)) if setup.members else ""
    return Identity(
        setup.model.name,
        adapter_hash(setup.model.adapter),
        members or weights_hash(stems or setup.weights),
        options_hash({**setup.all_options, **_input_files(setup)}),
    )


def _input_files(setup: ModelSetup) -> dict[str, str]:
    """Digests of the files that options name, as further options: a file may change."""
    digests = {}
    for key in setup.model.manifest.input_files:
        if name := str(setup.all_options[key]):
            path = Path(name).expanduser()
            if not path.is_file():
                raise UsageError(
                    f"{setup.model.name}: there is no file {path}, which the option {key} names.",
                    hint=f"Correct --option {key}=...",
                )
            digests[f"{key}:sha256"] = digest(path)
    return digests


def with_options(models: Sequence[Model], options: Mapping[str, AnyValue]) -> list[Model]:
    """Models with options set; each model takes the options that it has.

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
