"""Weights in the format of the published checkpoints: read by name, every shape checked.

The format is TensorFlow's tensor bundle: ``checkpoint`` (names the newest one),
``<name>.index`` and ``<name>.data-00000-of-00001``. The graph file (``<name>.meta``) is not
needed. Training writes the same format, so one reader serves both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .architecture import VARIANTS, Configuration, variable_shapes
from .tensor_bundle import BundleError, TensorBundle

Weights = dict[str, npt.NDArray[np.float32]]
Variable = tuple[str, npt.NDArray[np.float32]]

_OF_THE_OPTIMIZER = ("/Adam", "/Adam_1")
_COUNTERS = frozenset({"global_step", "beta1_power", "beta2_power"})


class CheckpointError(ValueError):
    """A checkpoint is missing, damaged, partial or of another network."""


def find_checkpoint(folder: Path) -> Path:
    """The prefix of the newest checkpoint in a folder.

    Parameters
    ----------
    folder
        A folder that holds ``checkpoint``, ``<name>.index`` and ``<name>.data-*``.

    Returns
    -------
    pathlib.Path
        ``folder / name``.

    Raises
    ------
    CheckpointError
        Names the folder or file that is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f"There is no folder {folder} to read weights from.")
    listed = folder / "checkpoint"
    if listed.is_file():
        name = _listed_name(listed)
    else:
        found = sorted(path.stem for path in folder.glob("*.index"))
        if len(found) != 1:
            has = f"{len(found)} files *.index" if found else "no file *.index"
            raise CheckpointError(f"{folder} holds no file 'checkpoint' and {has}.")
        name = found[0]
    prefix = folder / name
    if not Path(f"{prefix}.index").is_file():
        raise CheckpointError(f"{prefix}.index is missing.")
    if not list(folder.glob(f"{name}.data-*-of-*")):
        raise CheckpointError(f"{prefix}.data-00000-of-00001 is missing.")
    return prefix


def read_checkpoint(folder: Path, configuration: Configuration) -> Weights:
    """All weights of a variant; see `iterate_checkpoint`."""
    return dict(iterate_checkpoint(folder, configuration))


def iterate_checkpoint(folder: Path, configuration: Configuration) -> Iterator[Variable]:
    """The weights of a variant one after another, so that no second copy is held.

    All names and shapes are checked before the first is handed out.

    Parameters
    ----------
    folder
        See `find_checkpoint`.
    configuration
        The variant that the weights must fit.

    Yields
    ------
    tuple
        Variable name and float32 array, in the order of `variable_shapes`.

    Raises
    ------
    CheckpointError
        Names the file, or the first variable that is missing, foreign, of another shape or
        not finite. Reading on would give wrong sound without a word.
    """
    prefix = find_checkpoint(folder)
    try:
        bundle = TensorBundle(prefix)
    except BundleError as error:
        raise CheckpointError(f"{prefix}.index cannot be read: {error}.") from error
    stored = {name: entry.shape for name, entry in bundle.entries.items()}
    _check_names(stored, configuration, prefix)
    for name in variable_shapes(configuration):
        try:
            value = np.asarray(bundle.read(name), dtype=np.float32)
        except (BundleError, FileNotFoundError) as error:
            raise CheckpointError(
                f"Variable {name!r} cannot be read from {prefix}.data-*: {error}."
            ) from error
        if not np.isfinite(value).all():
            raise CheckpointError(
                f"Variable {name!r} of {prefix} holds values that are not finite."
            )
        yield name, value


def assign_weights(network: Any, weights: Iterable[Variable]) -> int:
    """Put weights into the layers that bear their names.

    Parameters
    ----------
    network
        What `architecture.build_network` returned.
    weights
        Names and arrays, as `iterate_checkpoint` yields them for the same configuration.

    Returns
    -------
    int
        How many values there were, those of layers that are never used included.

    Raises
    ------
    CheckpointError
        A variable of the network got no value.
    """
    waiting = {
        f"{layer.name}/{variable.name}": variable
        for layer in network.layers
        for variable in layer.weights
        if _is_stored(variable)
    }
    values = 0
    for name, value in weights:
        values += value.size
        if name in waiting:
            waiting.pop(name).assign(value)
    if waiting:
        raise CheckpointError(f"Variable {next(iter(waiting))!r} got no value.")
    return values


def collect_weights(network: Any, configuration: Configuration) -> Weights:
    """The weights of a network under the names of a checkpoint.

    Parameters
    ----------
    network, configuration
        As given to `assign_weights` and `architecture.build_network`.

    Returns
    -------
    dict
        Complete: the unused batch normalization of the bottleneck gets neutral statistics,
        so that the original's own loader accepts the result too.
    """
    weights = {
        f"{layer.name}/{variable.name}": np.asarray(variable, dtype=np.float32)
        for layer in network.layers
        for variable in layer.weights
        if _is_stored(variable)
    }
    for name, shape in variable_shapes(configuration).items():
        if name not in weights:
            one = name.endswith(("gamma", "moving_variance"))
            weights[name] = np.full(shape, 1.0 if one else 0.0, np.float32)
    return weights


def write_checkpoint(
    folder: Path,
    weights: Mapping[str, npt.NDArray[np.float32]],
    *,
    step: int = 0,
    name: str = "model",
) -> Path:
    """Write weights as a checkpoint that `read_checkpoint` and the original read.

    Parameters
    ----------
    folder
        Created where it does not exist.
    weights
        Variable name to array.
    step
        Training steps behind these weights, stored as ``global_step``.
    name
        Prefix of the files.

    Returns
    -------
    pathlib.Path
        ``folder / name``. The file ``checkpoint`` is written last: before it names the new
        files, a reader still finds the old ones.
    """
    import tensorflow as tf

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted([*weights, "global_step"])
    tensors = [np.int64(step) if key == "global_step" else weights[key] for key in names]
    fresh = folder / f".{name}-unfinished"
    tf.raw_ops.SaveV2(
        prefix=str(fresh),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(tensor) for tensor in tensors],
    )
    for suffix in (".data-00000-of-00001", ".index"):
        Path(f"{fresh}{suffix}").replace(f"{folder / name}{suffix}")
    listed = folder / ".checkpoint-unfinished"
    listed.write_text(
        f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n', encoding="utf-8"
    )
    listed.replace(folder / "checkpoint")
    return folder / name


def _is_stored(variable: Any) -> bool:
    """Whether a variable belongs in a checkpoint: dropout's random state does not."""
    return "seed_generator" not in variable.path


def _listed_name(listed: Path) -> str:
    for line in listed.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model_checkpoint_path":
            return Path(value.strip().strip('"').replace("\\", "/")).name
    raise CheckpointError(f"{listed} names no checkpoint: it has no line 'model_checkpoint_path'.")


def _check_names(
    stored: Mapping[str, tuple[int, ...]], configuration: Configuration, prefix: Path
) -> None:
    expected = variable_shapes(configuration)
    fits = _variants_that_fit(stored)
    other = f" It looks like {' or '.join(fits)}." if fits else ""
    for name, shape in expected.items():
        if name not in stored:
            raise CheckpointError(f"Variable {name!r} is missing from checkpoint {prefix}.{other}")
        if stored[name] != shape:
            raise CheckpointError(
                f"Variable {name!r} of checkpoint {prefix} has shape {stored[name]}, but the "
                f"network's is {shape}.{other}"
            )
    foreign = sorted(_of_the_network(stored) - set(expected))
    if foreign:
        raise CheckpointError(
            f"Checkpoint {prefix} holds {len(foreign)} variables that this network does not have, "
            f"the first being {foreign[0]!r}: it belongs to another network.{other}"
        )


def _variants_that_fit(stored: Mapping[str, tuple[int, ...]]) -> list[str]:
    names = _of_the_network(stored)
    return [
        variant
        for variant, configuration in VARIANTS.items()
        if "-" not in variant
        and {name: stored[name] for name in names} == variable_shapes(configuration)
    ]


def _of_the_network(names: Iterable[str]) -> set[str]:
    """Without what an optimizer left behind: checkpoints saved amid training have it."""
    return {
        name for name in names if name not in _COUNTERS and not name.endswith(_OF_THE_OPTIMIZER)
    }
