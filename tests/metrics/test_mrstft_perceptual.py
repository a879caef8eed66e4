"""The A-weighted multi-resolution loss and SA-SDR: closed forms, silence, length."""

import numpy as np
import pytest
from scipy import signal

from benchbench import metrics
from benchbench.metrics.base import ALL_TARGETS
from benchbench.metrics.references import References
from benchbench.metrics.spectral.a_weighting import a_weighting

RATE = 44100


def scores(protocol, references, estimates, rate=RATE, **options):
    series = metrics.evaluate(References(references, rate, **options), estimates, [protocol])
    return {(s.target, s.metric): (s.values[0], s.reasons[0]) for s in series[protocol]}


def test_a_weighting_has_the_levels_of_the_standard():
    taps = np.array(a_weighting(RATE))
    frequencies, response = signal.freqz(taps, worN=1 << 14, fs=RATE)
    levels = 20 * np.log10(np.abs(response))
    # IEC 61672: the filter's 101 taps follow it where they can, from 1 kHz up
    for hertz, standard in ((1000, 0.0), (2000, 1.2), (4000, 1.0)):
        assert abs(levels[np.argmin(abs(frequencies - hertz))] - standard) < 0.2


def test_a_scaled_estimate_has_the_loss_of_its_gain(track):
    references, _ = track(2, 2, 60_000)
    halves = {name: audio / 2 for name, audio in references.items()}
    found = scores("mrstft-perceptual", references, halves)
    # convergence is 1/2, logarithms differ by ln 2, wherever the floor does not reach
    for value, reason in found.values():
        assert reason is None
        assert value == pytest.approx(0.5 + np.log(2), abs=0.01)


def test_equal_audio_has_no_loss_and_threads_change_nothing(track):
    references, estimates = track(2, 2, 400_000)
    assert {v for v, _ in scores("mrstft-perceptual", references, references).values()} == {0.0}
    one = scores("mrstft-perceptual", references, estimates)
    assert one == scores("mrstft-perceptual", references, estimates, threads=2)


def test_silence_and_short_audio_have_reasons(track):
    references, estimates = track(2, 1, 30_000)
    references["source1"] = np.zeros_like(references["source1"])
    found = scores("mrstft-perceptual", references, estimates)
    assert found["source1", "MR-STFT"][1] == "silent_reference"
    short = {name: audio[:, :2000] for name, audio in references.items()}
    assert {r for _, r in scores("mrstft-perceptual", short, short).values()} == {"too_short"}


def test_sa_sdr_adds_energies_before_the_ratio(track):
    references, estimates = track(3, 2, 30_000)
    signal_energy = sum(np.sum(audio**2) for audio in references.values())
    noise = sum(np.sum((references[n] - estimates[n]) ** 2) for n in references)
    value, reason = scores("usdr", references, estimates)[ALL_TARGETS, "SA-SDR"]
    assert value == pytest.approx(10 * np.log10(signal_energy / noise), abs=1e-5)
    assert reason is None


def test_sa_sdr_is_defined_with_a_silent_target_and_not_without_an_estimate(track):
    references, estimates = track(2, 1, 30_000)
    references["source1"] = np.zeros_like(references["source1"])
    value, reason = scores("usdr", references, estimates)[ALL_TARGETS, "SA-SDR"]
    assert np.isfinite(value)
    assert reason is None
    del estimates["source0"]
    found = scores("usdr", references, estimates)
    assert found[ALL_TARGETS, "SA-SDR"][1] == "missing_estimate"
    assert set(found) == {("source0", "SDR"), ("source1", "SDR"), (ALL_TARGETS, "SA-SDR")}
    assert set(scores("usdr", references, {})) == set(found)
