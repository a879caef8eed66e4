"""The folder for files that can be recreated: weights, archives, songs, environments."""

from __future__ import annotations

import os
from pathlib import Path

from benchbench.errors import OutputError

__all__ = ["cache_folder"]


def cache_folder(*parts: str) -> Path:
    """A folder of the cache, created if necessary.

    ``BENCHBENCH_CACHE`` overrides the system's default location.

    Raises
    ------
    OutputError
        If it cannot be created.
    """
    path = Path(os.environ.get("BENCHBENCH_CACHE") or _system_folder()).joinpath(*parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot create the cache folder {path}: {error.strerror}.",
            hint="Name a folder you may write to in the environment variable BENCHBENCH_CACHE.",
        ) from error
    return path


def _system_folder() -> str:
    import platformdirs

    return platformdirs.user_cache_dir("benchbench")
