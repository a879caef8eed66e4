"""The protocol ``msst`` against Music-Source-Separation-Training itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchbench import metrics
from benchbench.metrics.references import References
from benchbench.results.interchange import Source, import_msst
from benchbench.results.interchange.msst_import import _NAMES
from benchbench.results.store import Results

RATE = 44_100
PINNED = Path(__file__).parent.parent / "data" / "msst_scores.json"
"""What MSST's functions (commit ccc011a) say of `stems`; auraloss 0.4.0, torch-log-wmse 0.3.1,
torch-l1-snr 0.2.1, torch 2.13.0."""


def stems(channels: int = 2, seconds: float = 1.5) -> dict[str, np.ndarray]:
    """References and estimates with leakage, a wrong level, a quiet channel, a cut end and silence."""
    rng = np.random.default_rng(3)
    samples = int(seconds * RATE)
    time = np.arange(samples) / RATE
    tone = np.stack(
        [np.sin(2 * np.pi * 220 * (1 + c / 100) * time) * np.exp(-3 * (time % 0.5))
         for c in range(channels)]
    )  # fmt: skip
    noise = rng.standard_normal((channels, samples)) * np.exp(-8 * (time % 0.25))
    rumble = np.cumsum(rng.standard_normal((channels, samples)), axis=1) / 300
    pan = np.linspace(1.0, 0.1, channels)[:, None]
    references = {
        "vocals": 0.3 * tone,
        "drums": 0.1 * noise,
        "bass": 0.2 * (rumble - rumble.mean()) + 0.01 * noise,
        "piano": 0.2 * pan * np.roll(tone, 2000, axis=1),
        "other": np.zeros((channels, samples)),
    }
    mixture = sum(references.values())
    estimates = {
        "vocals": references["vocals"] + 0.1 * references["drums"],
        "drums": 0.6 * references["drums"] + 0.02 * mixture,
        "bass": references["bass"][:, : samples - 5000] + 0.01 * mixture[:, : samples - 5000],
        "piano": references["piano"] + 0.3 * pan * references["drums"],
        "other": 0.01 * references["drums"],
    }
    arrays = {f"reference_{name}": audio for name, audio in references.items()}
    arrays |= {f"estimate_{name}": audio for name, audio in estimates.items()}
    arrays["mixture"] = mixture
    return {name: audio.astype(np.float32) for name, audio in arrays.items()}


def ours(audio: dict[str, np.ndarray], rate: int = RATE) -> dict[str, dict[str, float]]:
    names = [name.removeprefix("reference_") for name in audio if name.startswith("reference_")]
    references = {name: audio[f"reference_{name}"] for name in names}
    estimates = {name: audio[f"estimate_{name}"] for name in names}
    held = References(references, rate, mixture=audio["mixture"])
    theirs = {ours_: theirs for theirs, ours_ in _NAMES.items()}
    scores: dict[str, dict[str, float]] = {}
    for series in metrics.evaluate(held, estimates, "msst")["msst"]:
        scores.setdefault(series.target, {})[theirs[series.metric]] = float(series.values[0])
    return scores


def assert_equal(found: dict[str, dict[str, float]], wanted: dict[str, dict[str, float]]) -> None:
    for name, values in wanted.items():
        for metric, value in values.items():
            assert found[name][metric] == pytest.approx(value, abs=1e-3), (name, metric)


@pytest.mark.parametrize("channels", [1, 2])
def test_all_ten_metrics_are_those_of_msst(channels: int) -> None:
    wanted = json.loads(PINNED.read_text())[str(channels)]
    assert {len(values) for values in wanted.values()} == {10}
    assert_equal(ours(stems(channels)), wanted)


def test_the_filters_are_those_of_44100_hz_at_any_rate() -> None:
    audio = stems()
    assert ours(audio, 48_000) == ours(audio)


def test_threads_and_short_audio() -> None:
    audio = {name: array[:, :2048] for name, array in stems().items()}
    references = References({"vocals": audio["reference_vocals"]}, RATE)
    scored = metrics.evaluate(references, {"vocals": audio["estimate_vocals"]}, "msst")["msst"]
    assert {series.reasons[0] for series in scored} == {"too_short"}
    assert len(scored) == 10


def test_reasons_stand_beside_silence_and_a_short_estimate() -> None:
    audio = stems()
    pairs = {name: audio[f"reference_{name}"] for name in ("vocals", "bass", "other")}
    estimates = {name: audio[f"estimate_{name}"] for name in pairs}
    scored = metrics.evaluate(References(pairs, RATE), estimates, "msst")["msst"]
    reasons = {series.target: series.reasons[0] for series in scored}
    assert reasons == {"vocals": None, "bass": "reference_trimmed", "other": "silent_reference"}


def test_an_imported_log_and_our_own_scores_share_a_column(tmp_path: Path) -> None:
    wanted = json.loads(PINNED.read_text())["2"]
    lines = ["Song: /data/test/A: 1 Shape: (2, 66150)"]
    for name, values in wanted.items():
        lines.append(f"Instr: {name}")
        lines += [f"Metric {metric:11s} value: {value:.4f}" for metric, value in values.items()]
    (tmp_path / "log.txt").write_text("\n".join(lines))
    import_msst(tmp_path / "log.txt", tmp_path / "results", Source("msst"))
    rows = Results(tmp_path / "results").scores_frame()
    assert set(rows["protocol"]) == {"msst"}
    assert set(rows["metric_version"]) == {metrics.protocol("msst").version}
    found = ours(stems())
    theirs = {ours_: theirs_ for theirs_, ours_ in _NAMES.items()}
    for row in rows.itertuples():
        assert row.value == pytest.approx(found[row.target][theirs[row.metric]], abs=1.1e-3)
        assert row.track == "A: 1"


@pytest.mark.peer
@pytest.mark.parametrize("channels", [1, 2])
def test_the_peer_itself_agrees(channels: int, tmp_path: Path) -> None:
    python = os.environ.get("BENCHBENCH_MSST_PYTHON")
    if python is None:
        pytest.skip("BENCHBENCH_MSST_PYTHON names no interpreter with MSST's requirements")
    audio = stems(channels)
    names = np.array([name[10:] for name in audio if name.startswith("reference_")])
    np.savez(tmp_path / "stems.npz", names=names, **audio)
    script = Path(__file__).with_name("msst_peer.py")
    done = subprocess.run(
        [python, str(script), str(tmp_path / "stems.npz")], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert_equal(ours(audio), json.loads(done.stdout.decode().splitlines()[-1]))


if __name__ == "__main__":  # write the stems for a run of the peer
    held = stems(int(sys.argv[2]))
    np.savez(sys.argv[1], names=[name[10:] for name in held if name.startswith("ref")], **held)
