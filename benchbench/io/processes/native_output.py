"""Hold back what libraries write to stderr by themselves while they load."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["load_tensorflow", "native_output_held"]

STDERR = 2


@contextmanager
def native_output_held() -> Iterator[None]:
    """Drop what is written to the process's stderr meanwhile; if an exception is raised, write it.

    TensorFlow's libraries write lines about missing graphics drivers and rounding while they are
    imported, before any setting of theirs takes effect. This is about the file descriptor: what
    other threads write meanwhile is held too. Where stderr is closed, nothing is held.

    Examples
    --------
    >>> import os
    >>> with native_output_held():
    ...     written = os.write(2, b"cuInit failed\\n")
    >>> written
    14
    """
    _flush()
    try:
        kept = os.dup(STDERR)
    except OSError:
        yield
        return
    try:
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), STDERR)
            try:
                yield
            except BaseException:
                _restore(kept)
                held.seek(0)
                os.write(STDERR, held.read())
                raise
            finally:
                _restore(kept)
    finally:
        os.close(kept)


def load_tensorflow() -> None:
    """Import TensorFlow as Keras's backend, and look for its devices, without a line on stderr.

    ``TF_CPP_MIN_LOG_LEVEL``, if it is not set, becomes 3: what goes wrong is raised as an exception.

    Raises
    ------
    ImportError
        It is not installed, or cannot be loaded.

    Examples
    --------
    >>> load_tensorflow()
    >>> import os
    >>> os.environ["KERAS_BACKEND"]
    'tensorflow'
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with native_output_held():
        importlib.import_module("tensorflow").config.list_physical_devices()


def _restore(kept: int) -> None:
    _flush()
    os.dup2(kept, STDERR)


def _flush() -> None:
    if sys.stderr is not None:  # there is none in a program without a console
        sys.stderr.flush()
