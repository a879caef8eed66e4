"""Signals whose scores can be written down."""

import numpy as np
import pytest
import soxr
from scipy import signal

from benchbench import metrics
from benchbench.metrics.references import References
from benchbench.metrics.spectral.bands import band_edges
from benchbench.metrics.spectral.mel import mel_filters
from benchbench.metrics.spectral.stft import Stft

RATE = 44_100


def scored(references, estimates, protocol, rate=RATE):
    found = metrics.evaluate(References(references, rate), estimates, [protocol])[protocol]
    return {(one.target, one.metric): one for one in found}


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(3).standard_normal((2, 2, RATE)) * 0.1


def test_gain_moves_sdr_and_not_si_sdr(noise):
    s, n = noise
    full, half = (scored({"s": s}, {"s": g * (s + 0.3 * n)}, "windows") for g in (1.0, 0.5))
    assert half["s", "SI-SDR"].values == pytest.approx(full["s", "SI-SDR"].values, abs=1e-9)
    assert half["s", "SDR"].values < full["s", "SDR"].values - 3


def test_orthogonal_parts_give_si_ratios():
    samples = 1000
    t = np.arange(samples) / samples
    s, i, a = (np.sin(2 * np.pi * k * t)[None] for k in (5, 9, 13))
    estimates = {"s": 2 * (s + 0.1 * i + 0.01 * a), "i": i}
    found = scored({"s": s, "i": i}, estimates, "si", 1000)
    assert found["s", "SI-SIR"].values[0] == pytest.approx(20, abs=1e-9)
    assert found["s", "SI-SAR"].values[0] == pytest.approx(40, abs=1e-7)
    expected = -10 * np.log10(0.01 + 0.0001)
    assert found["s", "SI-SDR"].values[0] == pytest.approx(expected, abs=1e-9)
    assert found["s", "SD-SDR"].values[0] == pytest.approx(
        10 * np.log10(4 / (1 + 4 * 0.0101)), abs=1e-9
    )


def test_si_per_channel_forgives_a_balance(noise):
    s, n = noise
    estimate = np.array([[1.0], [0.2]]) * (s + 0.01 * n)
    found = scored({"s": s}, {"s": estimate}, "si")
    assert found["s", "SI-SDR-per-channel"].values[0] > 39
    assert found["s", "SI-SDR"].values[0] < 10


@pytest.mark.parametrize("level", [60.0, 120.0, 200.0])
def test_near_perfect_estimates_keep_their_digits(level):
    samples = 4096
    t = np.arange(samples) / samples
    s, a = (np.sin(2 * np.pi * k * t)[None] for k in (7, 31))
    estimate = s + 10 ** (-level / 20) * a
    found = scored({"s": s}, {"s": estimate}, "windows", samples)
    # float64 stores the estimate itself to 1e-16: an error of 1e-10 has six digits.
    assert found["s", "SDR"].values[0] == pytest.approx(level, abs=1e-6 if level < 200 else 1e-4)
    assert found["s", "SI-SDR"].values[0] == pytest.approx(level, abs=1e-6 if level < 200 else 1e-4)


def test_a_filtered_source_is_spatial_error_only(noise):
    s, n = noise
    filtered = signal.lfilter([0.0, 0.8, 0.0, 0.3], [1.0], s)
    found = scored({"s": s, "n": n}, {"s": filtered, "n": n}, "bsseval-v4:0.5")
    plain = scored({"s": s, "n": n}, {"s": filtered, "n": n}, "bsseval-sources")
    assert plain["s", "SDR"].values[0] > 35  # what is cut off at the end is no filter's work
    assert found["s", "ISR"].values == pytest.approx(found["s", "SDR"].values, abs=0.1)
    assert found["s", "SIR"].values[0] > 60


def test_bleed_finds_what_was_mixed_in(noise):
    s, n = noise
    found = scored({"s": s, "n": n}, {"s": s + 0.1 * n, "n": n}, "bleed")
    energies = (s**2).sum(), (0.1 * n) ** 2
    expected = 10 * np.log10(energies[1].sum() / ((s + 0.1 * n) ** 2).sum())
    assert found["s", "bleed:n"].values[0] == pytest.approx(expected, abs=0.05)
    assert found["n", "bleed:s"].values[0] < -100


def test_bands_tell_where_the_error_is():
    t = np.arange(4 * RATE) / RATE
    fade = np.hanning(len(t))
    low, high = (fade * np.sin(2 * np.pi * f * t)[None] for f in (250.0, 4000.0))
    found = scored({"s": low + high}, {"s": low + 0.9 * high}, "bands-octave")["s", "SDR"]
    by_centre = dict(
        zip(np.sqrt(found.band_lo_hz * found.band_hi_hz).round(), found.values, strict=True)
    )
    low_band = min(by_centre, key=lambda f: abs(f - 250))
    high_band = min(by_centre, key=lambda f: abs(f - 4000))
    assert by_centre[high_band] == pytest.approx(20, abs=1e-3)
    assert by_centre[low_band] > 60
    assert "below_floor" in set(found.reasons)


@pytest.mark.parametrize("family", ["octave", "third", "mel"])
@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_bands_are_neighbours_below_half_the_rate(family, rate):
    edges = band_edges(family, rate)
    np.testing.assert_allclose(edges[1:, 0], edges[:-1, 1])
    assert (edges[:, 0] < edges[:, 1]).all()
    assert edges[-1, 1] <= rate / 2 * (1 + 1e-9)


def test_octaves_are_those_of_the_standard():
    centres = np.sqrt(band_edges("octave", 48_000).prod(axis=1))
    nominal = [31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000]
    np.testing.assert_allclose(centres, nominal, rtol=0.015)
    thirds = np.sqrt(band_edges("third", 48_000).prod(axis=1))
    assert len(thirds) == 30
    np.testing.assert_allclose([thirds[0], thirds[16], thirds[-1]], [25, 1000, 20_000], rtol=0.02)


def test_band_values_per_window_match_the_whole_for_steady_noise(noise):
    s, n = noise
    found = scored({"s": s}, {"s": s + 0.1 * n}, "bands-mel")
    whole, windows = found["s", "SDR"], found["s", "SDR-windowed"]
    np.testing.assert_allclose(windows.values, whole.values, atol=1e-9)
    assert list(windows.start_s) == [0.0] * len(windows.values)


def test_spectral_scores_of_equal_and_of_louder_audio(noise):
    s, _ = noise
    equal = scored({"s": s}, {"s": s}, "spectral")
    for (_, metric), series in equal.items():
        assert series.values[0] == (0.0 if metric == "LSD" else 100.0)
    louder = scored({"s": s}, {"s": 2 * s}, "spectral")
    convergence, logs = 0.5, np.log(2)
    assert louder["s", "STFT"].values[0] == pytest.approx(
        100 / (1 + 10 * (convergence + logs)), rel=1e-6
    )
    assert louder["s", "LSD"].values[0] == pytest.approx(20 * np.log10(2), rel=1e-6)
    assert louder["s", "fullness"].values[0] == 100.0
    assert louder["s", "bleedless"].values[0] == pytest.approx(
        100 / (1 + 20 * np.log10(2)), rel=1e-2
    )


def test_l1_freq_by_the_definition(noise):
    s, n = noise
    estimate = s + 0.1 * n
    magnitudes = []
    for audio in (s, estimate):
        padded = np.pad(audio, ((0, 0), (1024, 1024)), mode="reflect")
        frames = [padded[:, i : i + 2048] for i in range(0, padded.shape[1] - 2047, 1024)]
        magnitudes.append(np.abs(np.fft.rfft(np.stack(frames), axis=-1)))
    expected = 100 / (1 + 10 * np.abs(magnitudes[1] - magnitudes[0]).mean())
    found = scored({"s": s}, {"s": estimate}, "spectral")["s", "L1-freq"].values[0]
    assert found == pytest.approx(expected, rel=1e-10)


def test_stft_chunks_join_to_the_whole(noise):
    from benchbench.metrics.signals import Signals

    stft = Stft(512, 128)
    signals = Signals({"s": noise[0]}, "reference")
    whole = stft.transform(signals, 0, (0, stft.frames(RATE)))
    parts = [stft.transform(signals, 0, chunk) for chunk in [(0, 7), (7, 300), (300, 345)]]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_mel_filters_have_unit_area():
    filters = mel_filters(40, 4096, 44_100)
    np.testing.assert_allclose(filters.sum(axis=1) * 44_100 / 4096, 1.0, rtol=0.02)
    assert (filters >= 0).all()


def test_logwmse_of_silence_and_of_a_perfect_estimate(noise):
    s, n = noise
    perfect = scored({"s": s, "n": n}, {"s": s, "n": n}, "logwmse")
    assert perfect["s", "logWMSE"].values[0] == pytest.approx(-4 * np.log(1e-8))
    zeros = np.zeros_like(s)
    silent = scored({"s": zeros, "n": n}, {"s": zeros, "n": n}, "logwmse")
    assert silent["s", "logWMSE"].values[0] == pytest.approx(-4 * np.log(1e-8))
    # The estimate of a silent target that is the whole mixture has the mixture's own level.
    worst = scored({"s": zeros, "n": n}, {"s": n, "n": n}, "logwmse")
    assert worst["s", "logWMSE"].values[0] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("leak", "rate", "expected"),
    [(0.1, 44_100, 21.199520), (0.1, 48_000, 21.199863), (0.001, 44_100, 58.136665)],
)
def test_logwmse_is_that_of_log_wmse_audio_quality(noise, leak, rate, expected):
    """The expected values are those of release 0.2.0 on the same signals, in float32."""
    s, n = noise
    found = scored({"s": s, "n": n}, {"s": s + leak * n, "n": n}, "logwmse", rate)
    assert found["s", "logWMSE"].values[0] == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("rate", [8_000, 32_000, 48_000, 96_000])
@pytest.mark.parametrize("samples", [1, 700, 40_000, 150_001])
def test_logwmse_resamples_by_block_as_in_one_piece(rate, samples):
    """The expected values are those of errors and a mixture that soxr resampled whole.

    Its engine is in single precision, so it matters that errors are what is resampled.
    """
    rng = np.random.default_rng(rate + samples)
    s, first, second = 0.1 * rng.standard_normal((3, 2, samples))
    references = {"a": s, "b": np.zeros_like(s)}
    found = scored(references, {"a": s + 0.3 * first, "b": second}, "logwmse", rate)

    def whole(audio):
        out = soxr.resample(audio.T, rate, RATE, quality="HQ").T
        return out if out.size else np.zeros((2, 1))

    references = {"a": whole(s), "b": np.zeros_like(whole(s))}
    error = whole((s + 0.3 * first) - s)
    expected = scored(references, {"a": whole(s) + error, "b": whole(second)}, "logwmse")
    for key, series in expected.items():
        np.testing.assert_allclose(found[key].values, series.values, rtol=1e-9)


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_logwmse_resamples(rate):
    t = np.arange(rate) / rate
    s = 0.1 * np.sin(2 * np.pi * 440 * t)[None]
    at_rate = scored({"s": s}, {"s": 0.9 * s}, "logwmse", rate)["s", "logWMSE"].values[0]
    assert at_rate == pytest.approx(-4 * np.log(0.01 + 1e-8), abs=0.05)
