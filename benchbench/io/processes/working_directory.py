"""Start processes that import nothing from the working directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_working_directory"]

SAFE_PATH = "PYTHONSAFEPATH"


@contextmanager
def without_working_directory() -> Iterator[None]:
    """Prevent processes that start meanwhile from importing files of the working directory.

    Python looks there first for a program that is given as text, as the processes of
    `multiprocessing` are: a file ``random.py`` in the directory where ``bench`` is started would
    run.

    Examples
    --------
    >>> import subprocess, sys
    >>> with without_working_directory():
    ...     text = subprocess.check_output([sys.executable, "-c", "import sys; print('' in sys.path)"])
    >>> text.decode().strip()
    'False'
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before
