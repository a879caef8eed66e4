"""Live separators: a known delay, a known slowness and a known difference are measured."""

from __future__ import annotations

from pathlib import Path

import pytest

import benchbench
from benchbench.cli.description import description

RATE = 44100
STREAM = '''
import time
import numpy as np

class Adapter:
    def load(self, variant, weights, device, options):
        self.held, self.late, self.sleep, self.gain = {held}, {late}, {sleep}, {gain}
    def separate(self, mixture, sample_rate):
        return {{"vocals": mixture * np.float32(0.25), "accompaniment": mixture * np.float32(0.75)}}
    def stream(self, blocks, sample_rate):
        """Holds back some samples, and puts some zeros before the sound."""
        kept = None
        for block in blocks:
            time.sleep(self.sleep)
            if kept is None:
                kept = np.zeros((block.shape[0], self.late), np.float32)
            kept = np.concatenate([kept, block], axis=1)
            out, kept = kept[:, : max(0, kept.shape[1] - self.held)], kept[:, max(0, kept.shape[1] - self.held) :]
            yield self.stems(out)
        yield self.stems(kept)
    def stems(self, audio):
        return {{"vocals": audio * np.float32(0.25 * self.gain), "accompaniment": audio * np.float32(0.75)}}
'''


def live(make_adapter, name, *, held=0, late=0, sleep=0.0, gain=1.0, body=None) -> Path:
    place = make_adapter(name)
    manifest = place / name / "adapter.toml"
    manifest.write_text(manifest.read_text() + "live = true\n")
    text = body or STREAM.format(held=held, late=late, sleep=sleep, gain=gain)
    (place / name / "adapter.py").write_text(text)
    return place


def measured(place, name, songs, out, **options):
    result = benchbench.run(
        name, "folder", root=songs, out=out, adapter_paths=[place], metrics="usdr", limit=1,
        report=False, **options,
    )  # fmt: skip
    return result.results.live_frame().set_index("block_s")


@pytest.mark.parametrize(
    ("held", "late", "delay"),
    [(2205, 0, 0.05), (0, 441, 0.01), (2205, 441, 0.05), (441, 2205, 0.05)],
)
def test_the_delay_is_what_is_held_back_and_shifted_and_a_block(
    make_adapter, small_songs, tmp_path, held, late, delay
):
    """Zeros before the sound fill the buffer that is held back, so the larger one counts."""
    place = live(make_adapter, "held", held=held, late=late)
    rows = measured(place, "held", small_songs, tmp_path / "out")
    assert list(rows["blocks"]) == [401, 200, 100, 40, 20]  # the last one is shorter
    for name in ("delay_correlation_s", "delay_impulse_s"):
        for block_s, found in rows[name].items():
            assert delay <= found <= delay + block_s + 1e-4
            assert found >= delay + block_s - 1e-4 or held % round(block_s * RATE)


def test_a_separator_without_delay_needs_the_block_alone_and_equals_offline(
    make_adapter, small_songs, tmp_path
):
    rows = measured(live(make_adapter, "plain"), "plain", small_songs, tmp_path / "out")
    assert (rows["delay_correlation_s"] - rows.index).abs().max() < 1e-3
    assert (rows["delay_impulse_s"] - rows.index).abs().max() < 1e-3
    assert rows["offline_difference_db"].isna().all()  # equal to the last bit
    assert (rows["late_share"] < 0.5).all()
    assert (rows["p50_s"] <= rows["p95_s"]).all()
    assert (rows["p95_s"] <= rows["p99_s"]).all()


def test_slow_blocks_are_late_and_a_difference_is_measured(make_adapter, small_songs, tmp_path):
    place = live(make_adapter, "slow", sleep=0.012, gain=1.1)
    rows = measured(place, "slow", small_songs, tmp_path / "out")
    assert rows["p50_s"].min() >= 0.012
    assert list(rows["late_share"])[:2] == [1.0, 1.0]
    assert rows["late_share"].iloc[-1] < 0.5
    assert rows["offline_difference_db"].to_numpy() == pytest.approx(-20.0, abs=0.01)


def test_a_live_model_is_measured_once_and_again_when_asked(make_adapter, small_songs, tmp_path):
    place, out = live(make_adapter, "plain"), tmp_path / "out"
    first = measured(place, "plain", small_songs, out)["run_id"].iloc[0]
    assert measured(place, "plain", small_songs, out)["run_id"].iloc[0] == first
    assert measured(place, "plain", small_songs, out, resume="always")["run_id"].iloc[0] != first


def test_an_adapter_that_cannot_stream_costs_a_note(make_adapter, small_songs, tmp_path):
    body = "class Adapter:\n    def load(self, *a, **k): pass\n    def separate(self, mixture, rate):\n        return {'vocals': mixture, 'accompaniment': mixture}\n"
    notes = []
    rows = measured(
        live(make_adapter, "mute", body=body), "mute", small_songs, tmp_path / "out",
        listener=lambda event: notes.append(getattr(event, "text", "")),
    )  # fmt: skip
    assert rows.empty
    assert any("mute:plain cannot be measured live" in note and "stream" in note for note in notes)


def test_the_report_and_show_tell_what_was_measured(make_adapter, small_songs, tmp_path):
    place, out = live(make_adapter, "slow", sleep=0.012, gain=1.1), tmp_path / "out"
    measured(place, "slow", small_songs, out)
    page = benchbench.report([out], out / "report.html").read_text(encoding="utf-8")
    assert '<section id="live"' in page
    assert '<a href="#live">Live</a>' in page
    assert "On time with blocks of" in page
    assert "Streamed stems differ from offline ones by -20.0 dB" in page
    shown = description("slow", out, [place])
    assert "slow:plain live" in shown
    assert "-20.0" in shown
    other = benchbench.run(
        "mixture", "folder", root=small_songs, out=tmp_path / "new", metrics="usdr"
    )
    assert 'id="live"' not in other.report.read_text(encoding="utf-8")
    assert "live, in" not in description("mixture", tmp_path / "new")
