"""Call a reference program in a separate process, so that a crash affects only its own case."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchbench.io.processes.scratch import scratch_folder
from benchbench.metrics.base import Series
from benchbench.scoring.reference_programs import CLOSED_FORMS, peer_scores

__all__ = ["PeerError", "peer_scores_apart"]

Stems = Mapping[str, npt.NDArray[Any]]

_LEAST_S: Final = 900.0
_PER_SECOND: Final = 20.0
"""Time limit in seconds per second of audio; museval takes 3."""


class PeerError(Exception):
    """A reference program returned no numbers; the text gives the reason."""


def peer_scores_apart(
    protocol: str,
    references: Stems,
    estimates: Stems,
    sample_rate: int,
    *,
    timeout_s: float | None = None,
) -> list[Series]:
    """As `benchbench.scoring.reference_programs.peer_scores`, in a separate process.

    Parameters
    ----------
    protocol, references, estimates, sample_rate
        As for that function.
    timeout_s
        Time limit in seconds; by default proportional to the length of the audio.

    Raises
    ------
    PeerError
        If the program refuses these stems, is not installed, crashes or hangs.
    """
    if protocol in CLOSED_FORMS:
        return peer_scores(protocol, references, estimates, sample_rate)
    samples = next(iter(references.values())).shape[1]
    limit = timeout_s or max(_LEAST_S, _PER_SECOND * samples / sample_rate)
    with scratch_folder() as task:
        for role, stems in (("reference", references), ("estimate", estimates)):
            for number, audio in enumerate(stems.values()):
                np.save(task / f"{role}-{number}.npy", audio, allow_pickle=False)
        names = {"reference": list(references), "estimate": list(estimates)}
        facts = {"protocol": protocol, "sample_rate": sample_rate, "names": names}
        (task / "task.json").write_text(json.dumps(facts), encoding="utf-8")
        return _answer(task, _run(task, limit))


def _run(task: Path, limit: float) -> subprocess.CompletedProcess[bytes]:
    here = Path(__file__).resolve().parents[2]
    paths = [str(here), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-P", "-m", "benchbench.scoring.peer_process", str(task)]
    try:
        return subprocess.run(
            command, env=environment, capture_output=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise PeerError(f"it gave no answer within {limit:.0f} s") from None


def _answer(task: Path, done: subprocess.CompletedProcess[bytes]) -> list[Series]:
    path = task / "answer.json"
    if not path.is_file():
        if done.returncode < 0:
            raise PeerError(f"it was ended by {signal.Signals(-done.returncode).name}")
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise PeerError(f"it ended with code {done.returncode}: {last[0]}")
    answer = json.loads(path.read_text(encoding="utf-8"))
    if "problem" in answer:
        raise PeerError(answer["problem"])
    return [
        Series(target, metric, np.array(values, float), np.full(len(values), None, dtype=object))
        for target, metric, values in answer["series"]
    ]


def main(folder: str) -> None:
    """Main function of the process: read the stems, call the program, write its numbers."""
    task = Path(folder)
    facts = json.loads((task / "task.json").read_text(encoding="utf-8"))
    stems = {
        role: {
            name: np.load(task / f"{role}-{number}.npy", mmap_mode="r", allow_pickle=False)
            for number, name in enumerate(names)
        }
        for role, names in facts["names"].items()
    }
    try:
        series = peer_scores(
            facts["protocol"], stems["reference"], stems["estimate"], facts["sample_rate"]
        )
        answer: dict[str, Any] = {
            "series": [[one.target, one.metric, one.values.tolist()] for one in series]
        }
    except Exception as error:
        text = " ".join(str(error).split()) or "no message"
        answer = {"problem": f"{type(error).__name__}: {text}"}
    temporary = task / "answer.part"
    temporary.write_text(json.dumps(answer), encoding="utf-8")
    temporary.replace(task / "answer.json")


if __name__ == "__main__":
    main(sys.argv[1])
