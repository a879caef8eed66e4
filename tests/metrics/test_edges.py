"""Silence, equality, odd lengths, wrong input: a row with a reason, or an error with a place."""

import numpy as np
import pytest

from benchbench import metrics
from benchbench.errors import AudioError, UnknownNameError, UsageError
from benchbench.metrics.base import ALL_TARGETS
from benchbench.metrics.references import References

RATE = 2000


def scored(references, estimates, protocol, rate=RATE):
    found = metrics.evaluate(References(references, rate), estimates, [protocol])[protocol]
    return {(one.target, one.metric): one for one in found}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("role", ["reference", "estimate"])
def test_samples_that_are_not_finite_are_refused_by_place(track, role, bad):
    references, estimates = track(samples=300)
    stems = references if role == "reference" else estimates
    stems["source1"][1, 123] = bad
    with pytest.raises(AudioError, match=rf"{role} 'source1' .*channel 1, sample 123"):
        metrics.evaluate(References(references, RATE), estimates, ["usdr"])


def test_the_first_bad_sample_is_named_even_far_into_the_track():
    stem = np.zeros((2, (1 << 20) + 50), dtype=np.float32)
    stem[0, (1 << 20) + 40] = np.nan
    stem[1, (1 << 20) + 30] = np.nan
    with pytest.raises(AudioError, match=f"channel 1, sample {(1 << 20) + 30}"):
        References({"a": stem}, RATE)


@pytest.mark.parametrize(
    ("stem", "message"),
    [
        (np.zeros(100), r"not \(channels, samples\)"),
        (np.zeros((2, 0)), r"not \(channels, samples\)"),
        (np.zeros((1000, 2)), "1000 channels"),
        (np.zeros((2, 100), dtype=complex), "complex128"),
        (np.zeros((2, 100), dtype=bool), "bool"),
        (np.zeros((2, 99)), "channels of 100 samples"),
        (np.zeros((1, 100)), "channels of 100 samples"),
    ],
)
def test_arrays_that_are_no_stems_are_refused(stem, message):
    with pytest.raises(AudioError, match=message):
        References({"a": np.zeros((2, 100)), "b": stem}, RATE)


def test_references_must_make_sense():
    with pytest.raises(UsageError, match="no references"):
        References({}, RATE)
    with pytest.raises(UsageError, match="rate of 0 is not possible"):
        References({"a": np.zeros((1, 5))}, 0)


def test_an_estimate_without_reference_is_an_error(track):
    references, estimates = track(samples=300)
    estimates["sorce1"] = estimates["source1"]
    with pytest.raises(UnknownNameError, match="Did you mean 'source1'"):
        metrics.evaluate(References(references, RATE), estimates, ["usdr"])


def test_an_estimate_with_other_channels_is_an_error(track):
    references, estimates = track(samples=300)
    estimates["source1"] = estimates["source1"][:1]
    with pytest.raises(AudioError, match="2 channels"):
        metrics.evaluate(References(references, RATE), estimates, ["usdr"])


def test_a_missing_estimate_does_not_spoil_the_others(track):
    references, estimates = track(samples=5000)
    complete = metrics.evaluate(References(references, RATE), estimates, ["all"])
    del estimates["source1"]
    found = metrics.evaluate(References(references, RATE), estimates, ["all"])
    for name, series in complete.items():
        now = {(one.target, one.metric): one for one in found[name]}
        assert len(now) == len(series)
        for one in series:
            other = now[one.target, one.metric]
            if one.target in ("source1", ALL_TARGETS):
                assert other.values.shape == one.values.shape
                assert np.isnan(other.values).all()
                assert set(other.reasons) == {"missing_estimate"}
            else:
                np.testing.assert_allclose(other.values, one.values, atol=1e-8)


@pytest.mark.parametrize("protocol", list(metrics.PROTOCOLS))
def test_no_estimate_at_all_gives_rows_too(track, protocol):
    references, _ = track(samples=300)
    found = metrics.evaluate(References(references, RATE), {}, [protocol])[protocol]
    assert {one.target for one in found} - {ALL_TARGETS} == set(references)
    assert {reason for one in found for reason in one.reasons} == {"missing_estimate"}


@pytest.mark.parametrize(
    ("length", "reason"), [(9000, "estimate_trimmed"), (5000, "estimate_padded")]
)
def test_other_lengths_follow_museval_and_are_marked(track, length, reason):
    references, estimates = track(samples=7000)
    longer = {n: np.pad(e, ((0, 0), (0, 2000)))[:, :length] for n, e in estimates.items()}
    same = {n: np.pad(e, ((0, 0), (0, 2000)))[:, :7000] for n, e in longer.items()}
    same = {n: np.pad(e, ((0, 0), (0, 7000)))[:, :7000] for n, e in longer.items()}
    for protocol in ("usdr", "si", "bsseval-v4"):
        marked, plain = (scored(references, given, protocol) for given in (longer, same))
        for key, series in plain.items():
            np.testing.assert_array_equal(marked[key].values, series.values)
            expected = [given or reason for given in series.reasons]
            assert list(marked[key].reasons) == expected


def test_a_silent_track_is_a_row_with_a_reason(track):
    references, estimates = track(samples=5000)
    references["source0"][:] = 0
    estimates["source1"][:] = 0
    found = scored(references, estimates, "bsseval-v4")
    expected = ["silent_reference", "silent_estimate", "silent_source_in_frame"]
    for target, reason in zip(references, expected, strict=True):
        assert set(found[target, "SDR"].reasons) == {reason}
    active = scored(references, estimates, "bsseval-v4-active")
    assert set(active["source0", "SDR"].reasons) == {"silent_reference"}
    assert set(active["source1", "SDR"].reasons) == {"silent_estimate"}
    assert not np.isnan(active["source2", "SAR"].values).any()


def test_active_frames_are_scored_as_v4_scores_them(track):
    references, estimates = track(samples=4 * RATE)
    plain = scored(references, estimates, "bsseval-v4")
    active = scored(references, estimates, "bsseval-v4-active")
    for key, series in plain.items():
        np.testing.assert_array_equal(active[key].values, series.values)


@pytest.mark.parametrize(
    "protocol", ["bsseval-v4", "bsseval-v3", "bsseval-sources", "si", "windows"]
)
def test_an_estimate_that_is_its_reference_is_capped(track, protocol):
    references, _ = track(sources=2, channels=1, samples=5000)
    estimates = {n: r.copy() for n, r in references.items()}
    for (_, metric), series in scored(references, estimates, protocol).items():
        if metric == "log10-condition":
            continue
        cap = metrics.metric(protocol, metric).high
        assert set(series.reasons) == {"capped"}
        assert set(series.values) == {cap}


def test_identical_channels_are_singular_and_said_so(track):
    references, estimates = track(samples=6000)
    mono = {n: np.repeat(r[:1], 2, axis=0) for n, r in references.items()}
    found = scored(mono, estimates, "bsseval-v4")
    windows = scored(mono, estimates, "windows")
    for target in mono:
        np.testing.assert_allclose(
            found[target, "SDR"].values, windows[target, "SDR"].values, atol=1e-9
        )
        assert set(found[target, "SDR"].reasons) == {None}
        assert set(found[target, "SAR"].reasons) == {"ill_conditioned"}
        assert found[target, "log10-condition"].reasons[0] == "capped"
    single = scored(
        {n: r[:1] for n, r in references.items()},
        {n: e.mean(axis=0, keepdims=True) for n, e in estimates.items()},
        "bsseval-v4",
    )
    assert set(single["source0", "SAR"].reasons) == {None}


def test_the_projection_onto_dependent_channels_is_still_that_onto_one(track):
    references, estimates = track(samples=6000)
    mono = {n: r[:1] for n, r in references.items()}
    guess = {n: e[:1] for n, e in estimates.items()}
    twice = [{n: np.repeat(s, 2, axis=0) for n, s in stems.items()} for stems in (mono, guess)]
    expected, found = scored(mono, guess, "bsseval-v4"), scored(*twice, "bsseval-v4")
    for (target, metric), series in expected.items():
        if metric != "log10-condition":
            np.testing.assert_allclose(found[target, metric].values, series.values, atol=1e-3)


def test_low_passed_references_are_flagged(track):
    references, estimates = track(samples=8000)

    def low_passed(stem):
        spectrum = np.fft.rfft(stem)
        spectrum[:, spectrum.shape[1] // 3 :] = 0
        return np.fft.irfft(spectrum, stem.shape[1])

    found = scored({n: low_passed(r) for n, r in references.items()}, estimates, "bsseval-v4")
    for target in references:
        assert set(found[target, "SDR"].reasons) == {None}
        assert set(found[target, "SIR"].reasons) == {"ill_conditioned"}
        assert found[target, "log10-condition"].values[0] > 12


@pytest.mark.parametrize("samples", [1, 2, 511, 512, 513])
@pytest.mark.parametrize("channels", [1, 2])
def test_signals_shorter_than_the_filters(samples, channels):
    rng = np.random.default_rng(samples)
    references = {n: rng.standard_normal((channels, samples)) for n in "ab"}
    estimates = {n: r + 0.1 * rng.standard_normal(r.shape) for n, r in references.items()}
    for protocol in metrics.PROTOCOLS:
        for series in scored(references, estimates, protocol).values():
            assert np.isfinite(series.values[~np.isnan(series.values)]).all()


def test_one_source_has_no_interference(track):
    references, estimates = track(sources=1, samples=5000)
    for protocol, metric in [("bsseval-v4", "SIR"), ("bsseval-sources", "SIR"), ("si", "SI-SIR")]:
        found = scored(references, estimates, protocol)
        assert set(found["source0", metric].reasons) == {"single_source"}
        others = [s for (_, name), s in found.items() if name != metric]
        assert not any(np.isnan(one.values).any() for one in others)


def test_silence_scores_zero_decibels_in_usdr_and_nothing_in_si(track):
    references, estimates = track(samples=3000)
    estimates = {n: np.zeros_like(e) for n, e in estimates.items()}
    assert scored(references, estimates, "usdr")["source0", "SDR"].values[0] == pytest.approx(0)
    silent = scored(references, estimates, "si")["source0", "SI-SDR"]
    assert np.isnan(silent.values[0])
    assert silent.reasons[0] == "silent_estimate"
