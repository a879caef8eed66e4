"""A metric folder runs in a separate process, and each of its faults costs one row."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

import benchbench
from benchbench.api.doctor import doctor
from benchbench.errors import ManifestError, UnknownNameError
from benchbench.metrics import evaluate, protocol
from benchbench.metrics.references import References
from benchbench.plugins.metric_catalog import MetricCatalog
from benchbench.scoring.excerpts import active_excerpts
from benchbench.scoring.metric_folders import resolve_metrics
from benchbench.scoring.metric_process import take_faults
from tests.conftest import tones, write_track

MANIFEST = """
name = "mine"
version = 1
summary = "A metric that a test wrote."
good_for = "Tests."
misleads = "Everything else."
source = "A test."
timeout_s = 2.0

[licence]
code = "MIT"

[audio]
channels = 1

[metrics.level]
unit = "dB"
direction = "higher"
"""


@pytest.fixture
def make_metric(tmp_path):
    def make(body: str, manifest: str = MANIFEST) -> str:
        folder = tmp_path / "metrics" / "mine"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metric.toml").write_text(manifest)
        (folder / "metric.py").write_text(textwrap.dedent(body))
        return str(folder)

    return make


def scored(metric: str, estimates=None):
    stems = {name: audio for name, audio in tones(1.0).items() if name in ("vocals", "drums")}
    references = References(stems, 44100)
    given = estimates or {name: audio / 2 for name, audio in stems.items()}
    (found,) = resolve_metrics([metric])
    return evaluate(references, given, 44100, [found]), found


def one_value(scores, target="vocals"):
    (row,) = [r for r in scores.to_frame().to_dict("records") if r["target"] == target]
    return row["value"], row["reason"]


RIGHT = """
import numpy as np

def measure(reference, estimate, sample_rate):
    assert reference.shape[0] == 1 and reference.dtype == np.float32
    return 10 * np.log10(np.vdot(estimate, estimate) / np.vdot(reference, reference))
"""


def test_a_metric_scores_and_is_hashed(make_metric):
    scores, found = scored(make_metric(RIGHT))
    value, reason = one_value(scores)
    assert value == pytest.approx(-20 * np.log10(2), abs=1e-5)
    assert reason is None
    again = resolve_metrics([make_metric(RIGHT + "\n# changed")])[0]
    assert found.content_hash
    assert found.content_hash != again.content_hash


FAULTS = {
    "metric_crashed": "import os\ndef measure(r, e, rate):\n    os._exit(3)",
    "metric_timeout": "import time\ndef measure(r, e, rate):\n    time.sleep(60)",
    "metric_failed": "def measure(r, e, rate):\n    raise ValueError('no such thing')",
    "metric_invalid": "def measure(r, e, rate):\n    return float('nan')",
    "metric_undefined": "def measure(r, e, rate):\n    return None",
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_fault_costs_one_row_with_the_reason(make_metric, reason):
    scores, _ = scored(make_metric(FAULTS[reason]))
    value, found = one_value(scores)
    assert np.isnan(value)
    assert found == reason
    assert one_value(scores, "drums")[1] == reason  # the next value was asked for all the same
    assert bool(take_faults()) == (reason != "metric_undefined")


@pytest.mark.parametrize("value", ["[1.0, 2.0]", "'high'", "True", "{'other': 1.0}"])
def test_another_length_or_type_is_refused(make_metric, value):
    scores, _ = scored(make_metric(f"def measure(r, e, rate):\n    return {value}"))
    assert one_value(scores)[1] == "metric_invalid"
    assert "metric mine" in take_faults()[0]


def test_a_run_goes_on_past_a_broken_metric(make_metric, small_songs, tmp_path):
    broken = make_metric(FAULTS["metric_crashed"])
    done = benchbench.run(
        ["mixture"], "folder", root=small_songs, metrics=["usdr", broken], out=tmp_path / "results",
        report=False, keep_stems="no",
    )  # fmt: skip
    frame = done.results.scores_frame() if hasattr(done.results, "scores_frame") else None
    assert frame is not None
    mine = frame[frame["protocol"] == "mine"]
    assert set(mine["reason"]) == {"metric_crashed"}
    assert mine["metric_hash"].notna().all()
    assert frame[frame["protocol"] == "usdr"]["value"].notna().any()


def test_manifests_are_checked(make_metric):
    with pytest.raises(ManifestError, match="Did you mean 'misleads'"):
        resolve_metrics([make_metric(RIGHT, MANIFEST.replace("misleads", "mislead"))])
    with pytest.raises(ManifestError, match="excerpt_s"):
        resolve_metrics([make_metric(RIGHT, MANIFEST.replace("channels = 1", "excerpt_s = -1"))])


def test_names_suggest():
    with pytest.raises(UnknownNameError, match="Did you mean 'visqol'"):
        resolve_metrics(["visqoll"])
    with pytest.raises(UnknownNameError, match="usdr"):
        resolve_metrics(["SDR"])
    with pytest.raises(UnknownNameError, match="si"):
        resolve_metrics(["SI-SDR"])
    with pytest.raises(ManifestError, match=r"metric\.toml"):
        resolve_metrics(["./no/such/metric"])


def test_doctor_tells_what_is_wrong(make_metric):
    bad = {check.name: check for check in doctor(make_metric(FAULTS["metric_invalid"]))}
    assert not bad["music, stereo"].ok
    assert "nan" in bad["music, stereo"].detail
    upside_down = RIGHT.replace("return 10", "return -10")
    checks = {check.name: check for check in doctor(make_metric(upside_down))}
    assert checks["music, stereo"].ok


def test_excerpts_follow_the_reference():
    rate = 8000
    audio = np.zeros((1, 60 * rate))
    audio[:, 31 * rate : 45 * rate] = 0.1 * np.random.default_rng(0).standard_normal(14 * rate)
    references = References({"vocals": audio, "rest": np.ones_like(audio)}, rate)
    (only,) = active_excerpts(references, "vocals", 10.0, 3)
    assert 31 * rate <= only.start <= 36 * rate
    assert only.stop - only.start == 10 * rate
    assert len(active_excerpts(references, "rest", 10.0, 3)) == 3
    silent = References({"vocals": np.zeros((1, rate)), "rest": np.ones((1, rate))}, rate)
    assert active_excerpts(silent, "vocals", 10.0, 3) == ()


def test_every_shipped_metric_has_a_sound_manifest():
    catalog = MetricCatalog(working_directory=None)
    assert "visqol" in catalog.names()
    for name in catalog.names():
        plugin = catalog.find(name)
        assert plugin is not None
        assert len(plugin.manifest.misleads) > 40


def test_the_page_on_adding_a_metric_works_as_written(tmp_path, monkeypatch):
    """What docs/add-a-metric.md says, step by step: the files, the check, a score."""
    page = Path("docs/add-a-metric.md").read_text()
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"`metrics/(level/metric\.\w+)`:\n\n```\w+\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in blocks] == ["level/metric.toml", "level/metric.py"]
    for name, text in blocks:
        path = tmp_path / "metrics" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    checks = list(doctor("./metrics/level"))
    assert all(check.ok for check in checks), checks
    stems = {name: audio for name, audio in tones(1.0).items() if name in ("vocals", "drums")}
    write_track(tmp_path / "true", stems)
    write_track(tmp_path / "made", {name: audio * 2 for name, audio in stems.items()})
    table = benchbench.score(tmp_path / "true", tmp_path / "made", metrics=["./metrics/level"])
    assert np.allclose(table.column("value").to_numpy(), 20 * np.log10(2), atol=1e-4)
    assert protocol("level").metrics[0].unit == "dB"
