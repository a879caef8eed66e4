"""A reference program may refuse, crash or hang: it costs a line of the table, and no more."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchbench import metrics
from benchbench.cli.tables.verification import differences_table
from benchbench.metrics.references import References
from benchbench.scoring import peer_process, verification
from benchbench.scoring.peer_process import PeerError, peer_scores_apart

RATE = 8000


def stems() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    references = {name: rng.standard_normal((1, RATE)) / 10 for name in ("a", "b")}
    return references, {name: audio + 0.01 for name, audio in references.items()}


def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have a script stand where the interpreter is: it is started and ends as it likes."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(peer_process.sys, "executable", str(path))


def test_numbers_come_back_from_the_process() -> None:
    references, estimates = stems()
    series = peer_scores_apart("bsseval-sources", references, estimates, RATE)
    ours = metrics.evaluate(References(references, RATE), estimates, "bsseval-sources")
    wanted = {(s.target, s.metric): s.values[0] for s in ours["bsseval-sources"]}
    assert len(series) == 6
    for one in series:
        assert one.values[0] == pytest.approx(wanted[one.target, one.metric], abs=1e-4)


def test_a_refusal_is_told_in_its_own_words() -> None:
    references, estimates = stems()
    references["b"] = np.zeros((1, RATE))  # which mir_eval refuses
    with pytest.raises(
        PeerError, match="ValueError: All the reference sources should be non-silent"
    ):
        peer_scores_apart("bsseval-sources", references, estimates, RATE)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the program")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -9 $$", "ended by SIGKILL"),
        ("kill -SEGV $$", "ended by SIGSEGV"),
        ("echo out of luck >&2; exit 3", "code 3: out of luck"),
        ("exit 0", "code 0: no message"),
    ],
)
def test_a_crash_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    program(tmp_path, monkeypatch, script)
    with pytest.raises(PeerError, match=said):
        peer_scores_apart("bsseval-v4", *stems(), RATE)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the program")
def test_a_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "exec sleep 60")
    with pytest.raises(PeerError, match="no answer within 0"):
        peer_scores_apart("bsseval-v4", *stems(), RATE, timeout_s=0.3)


def test_the_rest_is_verified_and_judged() -> None:
    references, estimates = stems()
    silent = {**references, "b": np.zeros((1, RATE))}
    cases = []
    for name, true in (("refused", silent), ("fine", references)):
        for protocol in ("bsseval-sources", "usdr"):
            scores = metrics.evaluate(References(true, RATE), estimates, protocol)[protocol]
            audio = (true, estimates, RATE)
            cases.append(
                verification.Case(name, protocol, scores, lambda audio=audio: audio)  # type: ignore[misc]
            )
    lines = verification.verify_scores(cases)
    refused = [line for line in lines if not line.judged]
    assert [(line.case, line.protocol) for line in refused] == [("refused", "bsseval-sources")]
    judged = [line for line in lines if line.judged]
    assert {(line.case, line.protocol) for line in judged} == {
        ("fine", "bsseval-sources"), ("fine", "usdr"), ("refused", "usdr"),
    }  # fmt: skip
    assert all(line.passed for line in judged)
    text = differences_table(lines)
    assert "bsseval-sources, refused: no numbers to compare with, ValueError" in text
    table = differences_table(judged, columns=60).splitlines()
    assert max(map(len, table)) <= 60
    assert [line.split()[0] for line in table[2:]] == ["bsseval-sources"] * 3 + ["usdr"]
