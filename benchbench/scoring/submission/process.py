"""Start the process that checks a bundle, and read its answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from benchbench.errors import UsageError
from benchbench.io.plain_files import read_plain
from benchbench.io.processes.scratch import scratch_folder
from benchbench.scoring.submission.findings import CheckResult, Finding
from benchbench.scoring.submission.rules import BoardRules

__all__ = ["SECONDS", "Task", "check_bundle"]

SECONDS: Final = 900.0
"""Time limit in seconds; a check of a bundle with three excerpts of ten seconds takes some ten."""
_LARGEST_ANSWER: Final = 32 << 20
_KEPT_VARIABLES: Final = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH")


class Task(msgspec.Struct, frozen=True):
    """What the process is asked to do; all paths are absolute, `caller` is the caller's process ID."""

    bundle: str
    scratch: str
    rules: BoardRules
    board: str | None
    signers: str | None
    seconds: float
    caller: int


def check_bundle(
    bundle: Path,
    *,
    rules: BoardRules | None = None,
    board: Path | None = None,
    allowed_signers: Path | None = None,
    seconds: float = SECONDS,
) -> CheckResult:
    """Check a bundle in a separate process without this process's variables.

    Parameters
    ----------
    bundle
        A folder, or a zip file.
    rules
        The rules of the board.
    board
        The results folder of what is on the board already.
    allowed_signers
        Names and public keys of submitters, as ``ssh-keygen`` reads them.
    seconds
        Time limit; a bundle that needs longer is refused.

    Returns
    -------
    CheckResult
        All findings. A bundle that crashes the process, or exceeds its time, memory or files, is
        damaged.

    Raises
    ------
    UsageError
        When a path does not exist.
    """
    for path in (bundle, board, allowed_signers):
        if path is not None and not path.exists():
            raise UsageError(f"There is no {path}.", hint="Name a bundle of `bench submit`.")
    with scratch_folder() as folder:
        place = folder.resolve()
        (place / "unpacked").mkdir()
        task = Task(
            str(bundle.absolute()),
            str(place / "unpacked"),
            rules or BoardRules(),
            str(board.resolve()) if board else None,
            str(allowed_signers.resolve()) if allowed_signers else None,
            seconds,
            os.getpid(),
        )
        (place / "task.json").write_bytes(msgspec.json.encode(task))
        said = _run(place, seconds)
        try:
            content = read_plain(place / "answer.json", _LARGEST_ANSWER)
            return msgspec.json.decode(content, type=CheckResult)
        except (OSError, ValueError):
            finding = Finding("process", "damaged", "", f"The check gave no answer: {said}.")
            return CheckResult(bundle.name[:200], "", "", (), (finding,))


def _run(place: Path, seconds: float) -> str:
    """Run the process; returns how it ended, for a message."""
    root = Path(__file__).resolve().parents[3]
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**kept, **threads, "PYTHONPATH": str(root), "HOME": str(place),
                   "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    command = [sys.executable, "-P", "-m", "benchbench.scoring.submission.worker", "task.json"]
    process = subprocess.Popen(
        command, cwd=place, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"it took more than {seconds:g} s"
    finally:
        _end(process)
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with code {code}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    try:
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
