"""The folder for what can be fetched or made again: weights, archives, songs, environments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import platformdirs

from benchbench.errors import OutputError

__all__ = ["cache_folder", "locked"]


def cache_folder(*parts: str) -> Path:
    """A folder of the cache, created if need be.

    ``BENCHBENCH_CACHE`` names another place than the system's usual one.

    Raises
    ------
    OutputError
        When it cannot be created.
    """
    root = os.environ.get("BENCHBENCH_CACHE") or platformdirs.user_cache_dir("benchbench")
    path = Path(root).joinpath(*parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot create the cache folder {path}: {error.strerror}.",
            hint="Name a folder you may write to in the environment variable BENCHBENCH_CACHE.",
        ) from error
    return path


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold a lock on `target`, so that two processes do not make the same thing twice."""
    with filelock.FileLock(f"{target}.lock"):
        yield
