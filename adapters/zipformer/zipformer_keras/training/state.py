"""The file that holds the state of a training run.

It is replaced as a whole, so that a run that is killed while it saves keeps the state before. When
it is read, its run must be of the same network and objective.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..configuration import Configuration

STATE = "training-state.npz"
Arrays = Mapping[str, npt.NDArray[Any]]


def write_state(
    folder: Path,
    arrays: Arrays,
    progress: Mapping[str, Any],
    configuration: Configuration,
    objective: str,
) -> None:
    """Replace the state of the run in a folder.

    Parameters
    ----------
    folder
        Of the run.
    arrays
        All variables by name.
    progress
        Step, times and history, as JSON values.
    configuration, objective
        The network, and the name of what it is trained for.
    """
    about = {"configuration": configuration.as_values(), "objective": objective, **progress}
    fresh = folder / f".{STATE}"
    with fresh.open("wb") as file:
        np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
    fresh.replace(folder / STATE)


def read_state(
    folder: Path,
    shapes: Iterable[tuple[str, tuple[int, ...]]],
    configuration: Configuration,
    objective: str,
) -> tuple[Arrays, Mapping[str, Any]]:
    """Read the state of the run in a folder.

    Parameters
    ----------
    folder
        Of the run.
    shapes
        Names and shapes of the variables that it must have.
    configuration, objective
        The network, and the name of what it is trained for.

    Returns
    -------
    tuple
        All variables by name, and the progress given to `write_state`.

    Raises
    ------
    ValueError
        The state is damaged, or it is of another network or objective.
    """
    path = folder / STATE
    try:
        # NumPy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as state:
            arrays = {name: state[name] for name in state.files}
        about: dict[str, Any] = json.loads(str(arrays.pop("about")))
        before = (
            Configuration.of_values(about["configuration"]),
            about.get("objective", objective),
        )
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read ({error}). Delete it to start the run again, or choose another folder."
        ) from error
    if before != (configuration, objective):
        raise ValueError(
            f"{folder} holds a run of another network or objective ({before[1]}); choose another "
            f"folder, or continue that run with its variant and recipe."
        )
    differing = [
        name for name, shape in shapes if name not in arrays or arrays[name].shape != shape
    ]
    if differing:
        raise ValueError(
            f"{path} does not fit this version of the network ({', '.join(differing[:3])}); choose "
            "another folder."
        )
    return arrays, about
