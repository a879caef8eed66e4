"""Errors of the machine are told from damaged results."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from benchbench.errors import BenchbenchError, DamagedResultsError, OutputError, UsageError
from benchbench.results.shortage import raise_if_short
from benchbench.results.store import Results
from tests.hostile.conftest import write_results

PLACE = Path("results/scores")


@pytest.mark.parametrize(
    ("number", "kind", "why", "next_step"),
    [
        (errno.EMFILE, OutputError, "too many files are open.", "ulimit -n"),
        (errno.ENFILE, OutputError, "too many files are open on this machine.", "End programs"),
        (errno.ENOMEM, OutputError, "Cannot allocate memory.", "End other programs"),
        (errno.EACCES, UsageError, "Permission denied.", "Ask for permission"),
        (errno.EPERM, UsageError, "Operation not permitted.", "Ask for permission"),
        (errno.EIO, OutputError, "Input/output error.", "Check the disk"),
        (errno.ENOSPC, OutputError, "No space left on device.", "Free space"),
        (errno.ESTALE, OutputError, "Stale file handle.", "Mount the shared disk"),
    ],
)
def test_a_fault_of_the_machine_is_named(
    number: int, kind: type[BenchbenchError], why: str, next_step: str
) -> None:
    cause = OSError(number, os.strerror(number))
    with pytest.raises(BenchbenchError) as caught:
        raise_if_short(cause, PLACE)
    assert type(caught.value) is kind
    assert caught.value.message == f"results/scores cannot be read now: {why}"
    assert caught.value.hint is not None
    assert next_step in caught.value.hint
    assert caught.value.hint.endswith("Nothing in it is damaged.")
    assert caught.value.__cause__ is cause
    assert not isinstance(caught.value, DamagedResultsError)


def test_short_memory_is_named_whoever_notices_it() -> None:
    for error in (MemoryError(), pa.ArrowMemoryError("malloc of size 1 failed")):
        with pytest.raises(OutputError, match="memory is short"):
            raise_if_short(error, PLACE)


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), OSError("no number"), OSError(errno.EINVAL, "x"), FileNotFoundError(2, "x"),
     pa.ArrowInvalid("x"), KeyError("x")],
)  # fmt: skip
def test_other_errors_pass(error: BaseException) -> None:
    raise_if_short(error, PLACE)


FEW_FILES = """
import resource, sys
from pathlib import Path
from benchbench.errors import BenchbenchError
from benchbench.results.store import Results
results = Results(Path(sys.argv[1]))
results.scores(), results.runs()
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[2])))
for read in (results.scores, results.separations, results.runs):
    try:
        read()
    except BenchbenchError as error:
        print(type(error).__name__, error.message)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
def test_results_are_not_called_damaged_where_no_file_can_be_opened(tmp_path: Path) -> None:
    write_results(tmp_path / "results")
    done = subprocess.run(
        [sys.executable, "-c", FEW_FILES, str(tmp_path / "results"), "3"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stdout + done.stderr
    for line in lines:
        assert line.startswith("OutputError")
        assert "too many files are open" in line
    assert Results(tmp_path / "results").scores().num_rows == 3


@pytest.mark.skipif(sys.platform != "linux", reason="rights as Linux has them")
@pytest.mark.parametrize("kind", ["scores", "separations", "runs"])
def test_a_folder_that_may_not_be_listed_is_not_empty(tmp_path: Path, kind: str) -> None:
    """Found once: its scores were left out without a word."""
    write_results(tmp_path / "results")
    program = f"from pathlib import Path; from benchbench.results.store import Results; Results(Path({str(tmp_path / 'results')!r})).{kind}()"  # fmt: skip
    before = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    folder = tmp_path / "results" / kind
    folder.chmod(0)
    try:
        done = subprocess.run(
            [*before, sys.executable, "-c", program], capture_output=True, text=True
        )
    finally:
        folder.chmod(0o755)
    assert done.returncode
    assert "cannot be read now: Permission denied" in done.stderr, done.stderr[-1000:]
