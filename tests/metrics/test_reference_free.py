"""Symptoms of stems without references: each answers to the fault that it is meant for."""

import numpy as np
import pytest
from typer.testing import CliRunner

from benchbench.cli import app
from benchbench.errors import AudioError
from benchbench.metrics.described.reference_free import reference_free
from tests.conftest import tones, write_track

RATE = 44100


@pytest.fixture(scope="module")
def song():
    stems = tones(4.0)
    return sum(stems.values()), stems


def symptoms(mixture, stems, against=None):
    series = reference_free(mixture, stems, RATE, against)
    return {(s.target, s.metric): (s.values[0], s.reasons[0]) for s in series}


def test_consistency_counts_what_is_lost(song):
    mixture, stems = song
    assert symptoms(mixture, stems)["all", "consistency"][0] > 100
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(mixture.shape).astype(np.float32)
    noise *= np.sqrt(np.vdot(mixture, mixture) / np.vdot(noise, noise) / 100)
    lossy = {**stems, "vocals": stems["vocals"] + noise}
    assert symptoms(mixture, lossy)["all", "consistency"][0] == pytest.approx(20.0, abs=0.01)


def test_bleed_raises_correlation(song):
    mixture, stems = song
    clean = symptoms(mixture, stems)["vocals", "correlation"][0]
    bled = {**stems, "vocals": stems["vocals"] + 0.5 * stems["drums"]}
    assert symptoms(mixture, bled)["vocals", "correlation"][0] > clean + 0.1


def test_low_pass_clipping_silence_and_clicks_are_seen(song):
    mixture, stems = song
    bins = np.fft.rfftfreq(mixture.shape[1], 1 / RATE)
    spectrum = np.fft.rfft(mixture, axis=1)
    low = np.fft.irfft(spectrum * (bins < 2000), mixture.shape[1], axis=1)
    cut = stems["drums"].copy()
    cut[:, : 2 * RATE] = 0
    joined = low.copy()
    joined[:, RATE:] += 0.3  # a chunk that starts with a step
    found = symptoms(mixture, {"low": low, "loud": np.clip(50 * mixture, -1, 1), "cut": cut})
    assert 1900 < found["low", "bandwidth"][0] < 2100
    assert found["loud", "clipping"][0] > 0.5
    assert found["low", "clipping"][0] == 0
    assert found["cut", "silence"][0] == pytest.approx(0.5, abs=0.01)
    assert symptoms(mixture, {"a": low})["a", "clicks"][0] == 0
    assert symptoms(mixture, {"a": joined})["a", "clicks"][0] > 0


def test_agreement_is_the_si_sdr_of_one_against_the_other(song):
    mixture, stems = song
    other = {name: 0.5 * audio for name, audio in stems.items()}
    assert symptoms(mixture, stems, other)["vocals", "agreement"][0] > 100
    assert symptoms(mixture, stems, {"vocals": mixture})["vocals", "agreement"][0] < 20


def test_silence_and_wrong_shapes(song):
    mixture, stems = song
    assert symptoms(0 * mixture, stems)["all", "consistency"][1] == "silent_mixture"
    found = symptoms(mixture, {"a": 0 * mixture})
    assert found["a", "bandwidth"][1] == "silent_estimate"
    assert found["a", "correlation"][1] == "single_source"
    with pytest.raises(AudioError, match="same channels, rate and length"):
        reference_free(mixture, {"a": mixture[:, 1:]}, RATE)


def test_the_command_scores_a_song_without_references(tmp_path):
    stems = tones(2.0)
    write_track(tmp_path / "stems", stems)
    write_track(tmp_path / "other", {name: audio / 2 for name, audio in stems.items()})
    write_track(tmp_path, {"song": sum(stems.values())})
    arguments = ["score", "--mixture", tmp_path / "song.wav", "--estimates", tmp_path / "stems"]
    arguments += ["--against", tmp_path / "other", "--format", "csv"]
    done = CliRunner().invoke(app, [str(word) for word in arguments])
    assert done.exit_code == 0, done.output
    assert "reference-free,agreement" in done.output
    assert "vocals" in done.output
    wrong = CliRunner().invoke(app, ["score", "--estimates", str(tmp_path)])
    assert wrong.exit_code != 0
