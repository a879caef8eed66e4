"""Adapt a model to a new stem from a few songs in which that stem is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchbench.api.training.examples import Example, read_examples
from benchbench.api.training.programs import adapter_program
from benchbench.datasets.dataset import open_dataset
from benchbench.errors import MissingExtraError, UsageError
from benchbench.io.hashing import digest
from benchbench.io.names import is_file_name
from benchbench.io.paths import AnyPath, path_of, paths_of
from benchbench.io.processes.scratch import scratch_folder
from benchbench.io.processes.staging import folder_beside, put_in_place
from benchbench.io.toml_files import toml_text
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.manifest import NAME, STEM, read_adapter
from benchbench.plugins.manifest_schema import Adaptation, AnyValue
from benchbench.plugins.manifest_schema import Example as ListedExample
from benchbench.separation.weights import ensure_weights, weights_hash

__all__ = ["Adapted", "adapt"]

LEAST_GAIN_DB = 0.1
"""A smaller gain over the unadapted model counts as none."""


@dataclass(frozen=True)
class Adapted:
    """An adapted model.

    Parameters
    ----------
    folder
        Its folder, an adapter of its own: for ``--models`` where it lies in ``./adapters``, otherwise
        with ``--adapter-path``.
    adaptation
        What its manifest says: base, steps, examples, and the scores of each.
    """

    folder: Path
    adaptation: Adaptation

    @property
    def is_better(self) -> bool | None:
        """Whether it separates songs that it did not learn from better than the base.

        The mean gain must reach 0.1 dB and, with three examples or more, its standard error. None:
        there was one example, so nothing was compared.
        """
        gains = [one.after - one.before for one in self.adaptation.examples
                 if one.after is not None and one.before is not None]  # fmt: skip
        if not gains:
            return None
        spread = float(np.std(gains, ddof=1)) / len(gains) ** 0.5 if len(gains) > 2 else 0.0
        return float(np.mean(gains)) >= max(LEAST_GAIN_DB, spread)


def adapt(
    model: str,
    examples: AnyPath,
    stem: str,
    *,
    out: AnyPath,
    weights: AnyPath | None = None,
    options: Mapping[str, AnyValue] | None = None,
    adapter_paths: Sequence[AnyPath] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Adapted:
    """Adapt a model to a stem from one to ten songs in which only that stem is known.

    The adapter's folder holds ``adapt.py`` with a function ``adapt``; it runs in this process. The
    stems that the model has stay as they are, but for those that the new stem was part of.

    Parameters
    ----------
    model
        ``adapter`` or ``adapter:variant``.
    examples
        A folder with one folder for each song, with ``<stem>.wav`` and either ``mixture.wav`` or
        all other stems; any audio format.
    stem
        The stem to learn, such as ``guitar``; a stem that the model has is tuned.
    out
        Name of the new model, whose folder is ``adapters/NAME``; or a path.
    weights
        The model's weights, if not those that ship with it.
    options
        The adapter's options, such as ``steps``.
    adapter_paths
        Folders that are searched for adapters first.
    tell
        Called with progress messages.

    Returns
    -------
    Adapted

    Raises
    ------
    UsageError
        When the model cannot be adapted, the examples do not fit (no such stem, silent, the same
        as the mixture, of different lengths, shorter than 5 s together, more than ten), the name is
        taken, or an option is wrong.
    OutputError
        When the folder cannot be written.

    Examples
    --------
    >>> import benchbench
    >>> adapted = benchbench.adapt(
    ...     "zipformer:tiny", "my-guitar", "guitar", out="guitar"
    ... )  # doctest: +SKIP
    >>> adapted.adaptation.gain_db  # doctest: +SKIP
    0.62
    """
    catalog = Catalog(paths_of(adapter_paths))
    base = catalog.model(model)
    if base.adapter.base:
        raise UsageError(
            f"{base.name} is an adapted model itself.",
            hint=f"Adapt {base.manifest.extends} with the examples of both.",
        )
    if not STEM.fullmatch(stem):
        raise UsageError(f"{stem!r} cannot be the name of a stem.", hint="For instance: guitar.")
    target = _target(catalog, path_of(out))
    program = adapter_program(base, "adapt", catalog, tell)
    given = ensure_weights(base, path_of(weights), tell=tell)
    if given is None:
        raise UsageError(f"{base.name} has no weights to start from.", hint="Name some: --weights.")
    songs = open_dataset(catalog.dataset("folder"), path_of(examples), tell=tell)
    with scratch_folder() as scratch:
        listed = read_examples(songs.tracks, stem, scratch, tell)
        if len(listed) == 1:
            tell("There is one example, so nothing is left to check the result with.")
        with folder_beside(target) as work:
            learned = work / target.name
            weights = learned / "weights"
            outcome = _outcome(program, base, listed, weights, stem, given, options, tell)
            adaptation = _adaptation(base, listed, stem, given, outcome)
            text = _manifest(target.name, base, adaptation, outcome["stems"], weights)
            (learned / "adapter.toml").write_text(text, encoding="utf-8")
            read_adapter(learned / "adapter.toml")
            _require_free(target)
            put_in_place(learned, target)
    return Adapted(target, adaptation)


def _target(catalog: Catalog, out: Path) -> Path:
    """The new model's folder."""
    if not NAME.fullmatch(out.name) or not is_file_name(out.name):
        raise UsageError(
            f"{out.name!r} cannot be the name of a model.",
            hint="Use small letters, digits, '.', '_' and '-' only.",
        )
    target = out if out.parent != Path() else Path("adapters") / out
    _require_free(target)
    if out.name in catalog.adapter_names():
        raise UsageError(f"There is a model {out.name!r} already.", hint="Choose another name.")
    return target


def _require_free(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already.", hint="Choose another name, or remove it.")


def _outcome(
    program: Any,
    base: Model,
    examples: Sequence[Example],
    folder: Path,
    stem: str,
    weights: Path,
    options: Mapping[str, AnyValue] | None,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    try:
        outcome: dict[str, Any] = program.adapt(
            base.variant_name,
            {example.name: example for example in examples},
            folder,
            stem=stem,
            initial=weights,
            options=dict(options or {}),
            tell=tell,
        )
    except ModuleNotFoundError as error:
        if error.name not in ("keras", "tensorflow"):
            raise
        raise MissingExtraError(error.name, "tensorflow", "Adapting a model") from error
    except ValueError as error:
        raise UsageError(f"{base.name} cannot be adapted so: {error}") from error
    return outcome


def _adaptation(
    base: Model,
    examples: Sequence[Example],
    stem: str,
    weights: Path,
    outcome: Mapping[str, Any],
) -> Adaptation:
    before, after = outcome["before"], outcome["after"]
    compared = bool(after)
    return Adaptation(
        base=base.name,
        base_weights=weights_hash(weights),
        stem=stem,
        beside=tuple(outcome["beside"]),
        compared=outcome["compared"],
        steps=outcome["steps"],
        gain_db=round(float(np.mean(after) - np.mean(before)), 3) if compared else None,
        examples=tuple(
            ListedExample(
                example.name,
                example.sha256,
                round(before[number], 3) if compared else None,
                round(after[number], 3) if compared else None,
            )
            for number, example in enumerate(examples)
        ),
    )


def _manifest(
    name: str, base: Model, adaptation: Adaptation, stems: Sequence[str], weights: Path
) -> str:
    """The text of ``adapter.toml``."""
    variant, licence = base.variant_name, base.manifest.licence
    files = sorted(path for path in weights.iterdir() if path.is_file())
    hashed = [f"{{ name = {toml_text(p.name)}, sha256 = {toml_text(digest(p))} }}" for p in files]
    lines = [
        f"name = {toml_text(name)}",
        f"summary = {toml_text(f'{base.name}, adapted to {adaptation.stem} with {len(adaptation.examples)} examples')}",
        f"extends = {toml_text(base.manifest.name)}",
        f"default_variant = {toml_text(variant)}",
        f"deterministic = {str(base.manifest.deterministic).lower()}",
        "",
        "[licence]",
        f"code = {toml_text(licence.code)}",
        f"weights = {toml_text(f'{licence.weights}; and what the licences of the examples allow')}",
        "",
        f"[variants.{toml_text(variant)}]",
        f"stems = [{', '.join(map(toml_text, stems))}]",
        'weights = "adapted"',
        f"trained_on = [{', '.join(map(toml_text, base.variant.trained_on))}]",
        f"live = {str(base.variant.live).lower()}",
        "",
        "[weights.adapted]",
        'bundled = "weights"',
        f"files = [{', '.join(hashed)}]",
        "",
        "[adaptation]",
    ]
    values = msgspec.to_builtins(adaptation)
    listed = values.pop("examples")
    lines += [f"{key} = {_value(value)}" for key, value in values.items() if value is not None]
    for example in listed:
        lines += ["", "[[adaptation.examples]]"]
        lines += [f"{key} = {_value(value)}" for key, value in example.items() if value is not None]
    return "\n".join(lines) + "\n"


def _value(value: str | float | Sequence[str]) -> str:
    if isinstance(value, str):
        return toml_text(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(map(toml_text, value))}]"
    return repr(value)
