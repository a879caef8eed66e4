"""Find, test and isolate the Python interpreters of this machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchbench.errors import AdapterEnvironmentError
from benchbench.io.redaction import redacted, redacted_command
from benchbench.io.terminal import printable
from benchbench.separation.workers.process_tree import run_to_end

__all__ = ["find_python", "find_uv", "isolated_variables", "run_tool"]

LEAKS = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "__PYVENV_LAUNCHER__",
)
"""Variables by which one Python environment affects another one."""


def isolated_variables() -> dict[str, str]:
    """The environment variables of this process, without those that point to other packages."""
    kept = {name: value for name, value in os.environ.items() if name not in LEAKS}
    return kept | {"PYTHONNOUSERSITE": "1"}


def run_tool(command: list[str], purpose: str, folder: Path | None = None) -> str:
    """Run a program to its end, isolated; returns its output.

    If this process ends, however it ends, the program and what it has started end too: otherwise it
    would write on into a folder that the next command builds again.

    Raises
    ------
    AdapterEnvironmentError
        With the last lines of the program's output.
    """
    try:
        done = run_to_end(command, isolated_variables(), folder)
    except OSError as error:
        raise AdapterEnvironmentError(
            f"Cannot {purpose}: {command[0]} cannot be started: {error.strerror}."
        ) from error
    if done.returncode:
        raise AdapterEnvironmentError(
            f"Cannot {purpose}: {' '.join(redacted_command(command))} ended with "
            f"{done.returncode}.",
            hint=redacted(printable((done.stderr.strip() or done.stdout.strip())[-1500:])),
        )
    return done.stdout


def find_uv() -> Path | None:
    """The program uv: on the PATH, or installed beside this Python.

    ``BENCHBENCH_INSTALLER=pip`` disables it.
    """
    if os.environ.get("BENCHBENCH_INSTALLER", "").lower() == "pip":
        return None
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    found = shutil.which("uv") or beside
    return Path(found) if found else None


def find_python(version: str, *, download: bool = False) -> Path:
    """A working Python of a version, for instance ``"3.10"``.

    Candidates: this one, ``python3.10`` on the PATH, pyenv's, uv's, and on Windows the launcher's.

    Parameters
    ----------
    version
        Major and minor number.
    download
        Whether uv may download a missing version.

    Raises
    ------
    AdapterEnvironmentError
        If there is none; the message says how to get one.
    """
    for candidate in _candidates(version):
        if _is_python(candidate, version):
            return candidate
    uv = find_uv()
    if download and uv is not None:
        run_tool([str(uv), "python", "install", version], f"download Python {version}")
        place = run_tool([str(uv), "python", "find", "--managed-python", version], "find it")
        return Path(place.strip())
    ways = f"Install Python {version} (python.org, your package manager, pyenv) so that "
    ways += f"`python{version}` starts it"
    if uv is not None:
        ways += ", or let uv download it: `bench install NAME --download-python`"
    elif download:
        ways += ". To have it downloaded, install uv first (`python -m pip install uv`)"
    raise AdapterEnvironmentError(
        f"Python {version} is needed for this adapter and is not on this machine.", hint=f"{ways}."
    )


def _candidates(version: str) -> Iterator[Path]:
    if platform.python_version().startswith(version + "."):
        yield Path(sys.executable)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which(f"python{version}", path=folder) if folder else None
        if found:
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from sorted(pyenv.glob(f"{version}*/bin/python"), reverse=True)
    asked = [["py", f"-{version}", "-c", "import sys; print(sys.executable)"]]
    uv = find_uv()
    if uv is not None:
        asked.append(
            [str(uv), "python", "find", "--managed-python", "--no-python-downloads", version]
        )
    for command in asked:
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0 and done.stdout.strip():
                yield Path(done.stdout.strip())


def _is_python(path: Path, version: str) -> bool:
    """Whether it starts and has that version; a shim of pyenv may do neither."""
    ask = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [str(path), "-I", "-c", ask], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == version
