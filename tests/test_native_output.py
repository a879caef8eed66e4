"""Lines that libraries write to stderr while they load: held, unless something goes wrong."""

from __future__ import annotations

import subprocess
import sys

HELD = "import os\nfrom benchbench.io.processes.native_output import native_output_held\n"


def stderr_of(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", HELD + code], capture_output=True, text=True
    ).stderr


def test_what_is_written_meanwhile_is_dropped_and_what_follows_is_not() -> None:
    code = "with native_output_held():\n    os.write(2, b'driver')\nos.write(2, b'after')"
    assert stderr_of(code) == "after"


def test_what_is_written_before_an_exception_is_shown() -> None:
    code = "with native_output_held():\n    os.write(2, b'no driver\\n')\n    import not_there"
    shown = stderr_of(code)
    assert shown.startswith("no driver\n")
    assert "ModuleNotFoundError" in shown


def test_a_closed_stderr_is_no_obstacle() -> None:
    code = "os.close(2)\nwith native_output_held():\n    print('done')"
    done = subprocess.run([sys.executable, "-c", HELD + code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_tensorflow_loads_in_silence() -> None:
    code = (
        "from benchbench.io.processes.native_output import load_tensorflow; load_tensorflow()\n"
        "import tensorflow as tf; tf.zeros(1); print('loaded')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("loaded\n", "")
