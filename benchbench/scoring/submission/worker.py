"""The process that opens a stranger's bundle: limits first, then every check.

It is started by `benchbench.scoring.submission.process` in an empty folder.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from benchbench.errors import BenchbenchError, DamagedResultsError
from benchbench.io.terminal import printable
from benchbench.results.bundle.opening import open_bundle
from benchbench.scoring.submission.evidence import Evidence
from benchbench.scoring.submission.findings import CheckResult, Finding, mended
from benchbench.scoring.submission.independence import check_copies, check_training_data
from benchbench.scoring.submission.labels import check_labels
from benchbench.scoring.submission.numbers import check_numbers, check_versions
from benchbench.scoring.submission.plausibility import check_baselines, check_oracles
from benchbench.scoring.submission.process import Task
from benchbench.scoring.submission.recomputation import check_recomputed
from benchbench.scoring.submission.requirements import (
    check_consistency,
    check_requirements,
    check_signature,
)

__all__ = ["CHECKS", "checked"]

CHECKS: Final[tuple[Callable[[Evidence], Iterator[Finding]], ...]] = (
    check_signature,
    check_consistency,
    check_requirements,
    check_versions,
    check_numbers,
    check_oracles,
    check_baselines,
    check_copies,
    check_training_data,
    check_labels,
    check_recomputed,
)

_MEMORY: Final = 4 << 30
_FILE: Final = 4 << 30
_FILES: Final = 256
_PARENT_DEATH_SIGNAL: Final = 1
"""Linux's number for `prctl`."""


def _limit(seconds: float) -> None:
    """Limit memory, time, size and number of files; where the system has no such limits, nothing."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {
        "RLIMIT_DATA": _MEMORY,
        "RLIMIT_CPU": int(seconds) + 1,
        "RLIMIT_FSIZE": _FILE,
        "RLIMIT_NOFILE": _FILES,
        "RLIMIT_CORE": 0,
    }
    for name, most in limits.items():
        if hasattr(resource, name):
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))


def _end_with(caller: int) -> None:
    """On Linux this process is killed when its caller ends, however that ends."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != caller:
        os._exit(1)


def checked(task: Task) -> CheckResult:
    """Every check; one that meets something unexpected makes the bundle damaged."""
    path, place = Path(task.bundle), Path(task.scratch)
    name = printable(path.name, keep="")[:200]
    try:
        bundle = open_bundle(path, place)
    except (BenchbenchError, OSError, MemoryError, RecursionError) as error:
        text = error.message if isinstance(error, BenchbenchError) else repr(error)
        damage = Finding("files", "damaged", "", text)
        return CheckResult(name, "", "", (), mended([_cleaned(damage, task)]))
    findings = [Finding("files", "passed", "", "Every file is the one that the manifest lists.")]
    evidence = Evidence(
        bundle,
        task.rules,
        Path(task.board) if task.board else None,
        Path(task.signers) if task.signers else None,
    )
    for check in CHECKS:
        question = check.__name__.removeprefix("check_").replace("_", " ")
        try:
            findings += check(evidence)
        except DamagedResultsError as error:
            findings.append(Finding(question, "damaged", "", error.message))
        except Exception as error:
            about = f"It could not be carried out ({type(error).__name__}: {error})."
            findings.append(Finding(question, "damaged", "", about))
    manifest = bundle.manifest
    names = tuple(model.name for model in manifest.models)
    cleaned = mended(_cleaned(finding, task) for finding in findings)
    return CheckResult(name, manifest.submitter[:200], manifest.dataset, names, cleaned)


def _cleaned(finding: Finding, task: Task) -> Finding:
    """The finding with texts that are safe to show and without the folders of this machine."""
    message = finding.message
    for folder in (task.scratch, task.bundle):
        message = message.replace(f"{folder}/", "").replace(folder, "the bundle")
    return Finding(
        finding.check, finding.status, printable(finding.subject, keep=""), printable(message)
    )


def main(path: str) -> None:
    """Read the task, check, write the answer."""
    task = msgspec.json.decode(Path(path).read_bytes(), type=Task)
    _end_with(task.caller)
    _limit(task.seconds)
    warnings.simplefilter("ignore")  # nobody reads them here
    answer = msgspec.json.encode(checked(task))
    temporary = Path("answer.part")
    temporary.write_bytes(answer)
    temporary.replace("answer.json")


if __name__ == "__main__":
    main(sys.argv[1])
