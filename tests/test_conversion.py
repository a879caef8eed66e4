"""Mixtures are converted to what a separator declares, and its stems back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr

from benchbench.errors import AudioError
from benchbench.io.audio.conversion import convert
from benchbench.io.audio.decoding import BLOCK
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.plugins.catalog import Catalog, Model
from benchbench.separation.separator import Limits, ModelSetup, SeparationResult, WorkerSeparator

Make = Callable[..., Path]
Prepare = Callable[[Model], ModelSetup]


def sine(samples: int, rate: int, channels: int = 2, hz: float = 440.0) -> np.ndarray:
    time = np.arange(samples) / rate
    phases = np.arange(channels)[:, None]
    return (0.5 * np.sin(2 * np.pi * hz * time + phases)).astype(np.float32)


@pytest.mark.parametrize(("rate", "to_rate"), [(44100, 48000), (44100, 16000), (16000, 44100)])
def test_blocks_equal_the_whole(tmp_path: Path, rate: int, to_rate: int) -> None:
    audio = sine(BLOCK + 12345, rate)
    raw = convert(write_raw(tmp_path / "a", [audio]), tmp_path / "b", rate, to_rate, 2)
    whole = soxr.resample(audio.T, rate, to_rate, quality="HQ").T
    assert abs(raw.samples - whole.shape[1]) <= 1
    kept = min(raw.samples, whole.shape[1])
    np.testing.assert_allclose(raw.open()[:, :kept], whole[:, :kept], atol=1e-6)


def test_there_and_back_is_the_same_and_in_time(tmp_path: Path) -> None:
    audio = sine(50001, 44100)
    there = convert(write_raw(tmp_path / "a", [audio]), tmp_path / "b", 44100, 48000, 2)
    back = convert(there, tmp_path / "c", 48000, 44100, 2, 50001)
    assert back.samples == 50001
    inner = slice(2000, -2000)  # the ends ring
    np.testing.assert_allclose(back.open()[:, inner], audio[:, inner], atol=1e-4)


def test_channels_are_averaged_copied_or_refused(tmp_path: Path) -> None:
    audio = sine(100, 8000)
    raw = write_raw(tmp_path / "a", [audio])
    mono = convert(raw, tmp_path / "b", 8000, 8000, 1)
    np.testing.assert_allclose(mono.open()[0], audio.mean(axis=0), atol=1e-7)
    stereo = convert(mono, tmp_path / "c", 8000, 8000, 2)
    np.testing.assert_array_equal(stereo.open()[0], stereo.open()[1])
    six = write_raw(tmp_path / "d", [sine(100, 8000, 6)])
    with pytest.raises(AudioError, match="6 channels cannot be converted to 2"):
        convert(six, tmp_path / "e", 8000, 8000, 2)


def test_what_is_right_is_not_touched(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "a", [sine(100, 8000)])
    assert convert(raw, tmp_path / "b", 8000, 8000, 2) is raw


def separate(
    make_adapter: Make, setup_of: Prepare, mixture: RawAudio, body: str, audio: str
) -> SeparationResult:
    place = make_adapter("declares", body, extra="")
    manifest = place / "declares" / "adapter.toml"
    manifest.write_text(manifest.read_text() + f"\n[audio]\n{audio}\n")
    setup = setup_of(Catalog((place,)).model("declares"))
    with WorkerSeparator(setup, Limits(), place / "log.txt") as worker:
        return worker.separate(mixture, 44100, place)


@pytest.mark.parametrize("samples", [1, 2, 30011, 44100])
def test_an_adapter_gets_what_it_declares_and_lengths_are_kept(
    samples: int, tmp_path: Path, make_adapter: Make, setup_of: Prepare
) -> None:
    mixture = write_raw(tmp_path / "mixture.f32", [sine(samples, 44100)])
    body = "assert (sample_rate, len(mixture)) == (16000, 1); return dict.fromkeys(self.stems, mixture)"
    outcome = separate(make_adapter, setup_of, mixture, body, "sample_rate = 16000\nchannels = 1")
    assert (outcome.status, outcome.error) == ("ok", None)
    for raw in outcome.stems.values():
        assert (raw.channels, raw.samples) == (2, samples)
    if samples > 10000:
        found = np.asarray(outcome.stems["vocals"].open())[:, 2000:-2000]
        expected = sine(samples, 44100).mean(axis=0)[2000:-2000]
        np.testing.assert_allclose(found, [expected, expected], atol=1e-3)


def test_a_wrong_length_stays_visible(
    tmp_path: Path, make_adapter: Make, setup_of: Prepare
) -> None:
    mixture = write_raw(tmp_path / "mixture.f32", [sine(44100, 44100)])
    body = "return {s: mixture[:, :8000] for s in self.stems}"
    outcome = separate(make_adapter, setup_of, mixture, body, "sample_rate = 16000")
    assert {raw.samples for raw in outcome.stems.values()} == {22050}
