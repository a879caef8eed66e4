"""A fault of an adapter costs one clear row, and the run continues."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import benchbench
from benchbench.cli.run_summary import summary
from benchbench.metrics.pairing.permutation import swapped
from benchbench.results.store import Results
from benchbench.running.events import Event, Note
from benchbench.separation.separator import Limits

RATE = 44100

FAULTS = {
    "crashes": ("os._exit(7)", "crashed", "exit code 7"),
    "hangs": ("time.sleep(600)", "timeout", "no answer after 8 s"),
    "eats-memory": ("x = np.ones(90_000_000); time.sleep(600)", "out_of_memory", "limit is 600 MB"),
    "raises": ("raise KeyError('mask')", "failed", "KeyError: 'mask'"),
    "prints": ("os.write(1, b'{\"ok\": 1}'); print('[0.5] {not json'); return right", "ok", None),
    "returns-nan": (
        "return {s: np.full_like(mixture, np.nan) for s in right}",
        "invalid_output",
        "stem vocals holds NaN or infinity at sample 0",
    ),
    "returns-one-channel": ("return {s: mixture[0] for s in right}", "invalid_output", "shape"),
    "returns-too-few": ("return {'vocals': mixture}", "invalid_output", "accompaniment"),
    "returns-integers": (
        "return {s: (32767 * a).astype(np.int16) for s, a in right.items()}",
        "invalid_output",
        "int16",
    ),
    "returns-double": ("return {s: a.astype(float) for s, a in right.items()}", "ok", None),
    "swaps-labels": (
        "return dict(zip(right, list(right.values())[::-1]))",
        "ok",
        "swapped labels? vocals looks like accompaniment",
    ),
}
"""Name to the body of ``separate`` (``right`` is a perfect answer), its status, and its words."""

MANIFEST = """
name = "{name}"
summary = "does wrong"
default_variant = "plain"
oracle = true
[licence]
code = "MIT"
[variants.plain]
stems = ["vocals", "accompaniment"]
"""

ADAPTER = """
import os, time
import numpy as np
class Adapter:
    def load(self, variant, weights, device, options):
        pass
    def separate(self, mixture, sample_rate, references):
        right = {"vocals": np.array(references["vocals"])}
        right["accompaniment"] = mixture - right["vocals"]
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str], Path]:
    """One run over all of them and the mixture: rows by adapter, notes, and the results."""
    place = tmp_path_factory.mktemp("adapters")
    for name, (body, _, _) in FAULTS.items():
        folder = place / name
        folder.mkdir()
        (folder / "adapter.toml").write_text(MANIFEST.format(name=name))
        (folder / "adapter.py").write_text(ADAPTER + textwrap.indent(body, " " * 8) + "\n")
    song = tmp_path_factory.mktemp("songs") / "song"
    song.mkdir()
    rng = np.random.default_rng(0)
    for stem in ("vocals", "drums"):
        soundfile.write(song / f"{stem}.wav", 0.1 * rng.standard_normal((RATE, 2)), RATE)
    said: list[Event] = []
    result = benchbench.run(
        [*FAULTS, "mixture"],
        "folder",
        root=song.parent,
        out=tmp_path_factory.mktemp("results"),
        metrics=["usdr"],
        adapter_paths=[place],
        limits=Limits(base_s=8.0, seconds_per_second=0.0, memory_bytes=600_000_000),
        listener=said.append,
    )
    rows = result.results.separations().to_pylist()
    assert len(rows) == len(FAULTS) + 1
    notes = [event.text for event in said if isinstance(event, Note)]
    assert result.report is not None
    return {row["model"].partition(":")[0]: row for row in rows}, notes, result.report


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_clear_row(
    name: str, outcome: tuple[dict[str, Any], list[str], Path]
) -> None:
    row = outcome[0][name]
    _, status, words = FAULTS[name]
    if os.name == "nt" and name == "eats-memory":
        pytest.skip("Windows counts memory when it is touched")
    assert row["status"] == status
    if words is None:
        assert row["error"] is None
    else:
        assert words in row["error"]


def test_the_run_goes_on_and_the_page_is_written(
    outcome: tuple[dict[str, Any], list[str], Path],
) -> None:
    rows, notes, report = outcome
    assert rows["mixture"]["status"] == "ok"
    assert any("swapped labels?" in note for note in notes)
    assert "prints:plain" in report.read_text(encoding="utf-8")
    table = summary(Results(report.parent), models=list(FAULTS), dataset="folder")
    assert "returns-double:plain" in table.text


def test_a_weak_separator_is_not_taken_for_a_swapped_one() -> None:
    rng = np.random.default_rng(1)
    true = {name: rng.standard_normal((2, 5000)).astype(np.float32) for name in "abc"}
    mixture = sum(true.values())
    assert swapped(dict.fromkeys(true, mixture), true) == []
    weak = {"a": mixture + true["b"], "b": true["b"], "c": true["c"]}
    assert swapped(weak, true) == []
    quiet = {"a": 0.4 * true["a"], "b": true["b"]}
    middle = {"a": quiet["a"] + quiet["b"], "b": true["a"] + 3 * true["c"]}  # as of mid-side
    assert swapped(middle, quiet) == []
    changed = {"a": true["b"], "b": true["a"] + 0.1 * mixture, "c": true["c"]}
    assert swapped(changed, true) == ["a looks like b", "b looks like a"]
    turned = {"a": true["b"], "b": true["c"], "c": true["a"]}
    assert len(swapped(turned, true)) == 3
