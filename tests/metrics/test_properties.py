"""What must hold for any audio."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from benchbench import metrics
from benchbench.metrics.references import References
from benchbench.results.schema import REASONS

RATE = 2000
STANDARD = ["usdr", "si", "bsseval-v4"]

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=8, deadline=None)
slow = settings(max_examples=3, deadline=None)


def scores(references, estimates, protocols=STANDARD, rate=RATE, **options):
    found = metrics.evaluate(References(references, rate, **options), estimates, protocols)
    return {(name, one.target, one.metric): one for name, series in found.items() for one in series}


def audio(seed, sources=2, channels=2, samples=2300):
    rng = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(sources)]
    references = {name: rng.standard_normal((channels, samples)) for name in names}
    estimates = {n: r + 0.3 * rng.standard_normal(r.shape) for n, r in references.items()}
    return references, estimates


def assert_same(first, second, atol=1e-7):
    assert first.keys() == second.keys()
    for key in first:
        np.testing.assert_allclose(first[key].values, second[key].values, atol=atol)
        assert list(first[key].reasons) == list(second[key].reasons)


@quick
@given(seeds, st.floats(1e-6, 1e6))
def test_si_does_not_hear_loudness(seed, gain):
    references, estimates = audio(seed)
    before = scores(references, estimates, ["si"])
    after = scores(references, {n: gain * e for n, e in estimates.items()}, ["si"])
    for key in before:
        if key[2] != "SD-SDR":
            np.testing.assert_allclose(after[key].values, before[key].values, atol=1e-6)


@quick
@given(seeds, st.floats(0.01, 100))
def test_bsseval_sees_a_gain_of_everything_nowhere(seed, gain):
    references, estimates = audio(seed)
    scaled = [{n: gain * s for n, s in stems.items()} for stems in (references, estimates)]
    assert_same(
        scores(references, estimates, ["bsseval-v4"]), scores(*scaled, protocols=["bsseval-v4"])
    )


@quick
@given(seeds, st.permutations(range(3)))
def test_the_order_of_sources_is_irrelevant(seed, order):
    references, estimates = audio(seed, sources=3, channels=1)
    names = [list(references)[i] for i in order]
    assert_same(
        scores(references, estimates),
        scores({n: references[n] for n in names}, {n: estimates[n] for n in reversed(names)}),
    )


@quick
@given(seeds)
def test_channels_may_be_swapped(seed):
    references, estimates = audio(seed)
    swapped = [{n: s[::-1] for n, s in stems.items()} for stems in (references, estimates)]
    assert_same(scores(references, estimates), scores(*swapped))


@slow
@given(seeds, st.integers(1, 2), st.sampled_from([1, 2, 6]), st.integers(1, 700))
def test_any_shape_has_values_or_reasons(seed, sources, channels, samples):
    references, estimates = audio(seed, sources, channels, samples)
    for series in scores(references, estimates, ["all"]).values():
        gaps = np.isnan(series.values)
        assert np.isfinite(series.values[~gaps]).all()
        assert all(reason in REASONS for reason in series.reasons[gaps])


@quick
@given(seeds)
def test_values_lie_in_the_range_of_their_metric(seed):
    rng = np.random.default_rng(seed)
    references, _ = audio(seed)
    estimates = {n: rng.choice([0.0, 1e-9, 1.0, 1e3]) * r for n, r in references.items()}
    for (name, _, metric), series in scores(references, estimates, ["all"]).items():
        about = metrics.metric(name, metric)
        values = series.values[~np.isnan(series.values)]
        assert (values >= about.low - 1e-6).all()
        assert (values <= about.high + 1e-6).all()


@quick
@given(seeds, st.sampled_from([np.int16, np.int32]))
def test_integers_are_scaled_by_their_full_scale(seed, dtype):
    references, estimates = audio(seed)
    full = -float(np.iinfo(dtype).min)
    stems = [
        {n: np.round(np.clip(0.1 * s, -1, 0.99) * full).astype(dtype) for n, s in given.items()}
        for given in (references, estimates)
    ]
    as_float = [{n: s.astype(np.float64) / full for n, s in given.items()} for given in stems]
    assert_same(scores(*stems), scores(*as_float), atol=0)


@quick
@given(seeds)
def test_layout_and_write_protection_do_not_matter(seed):
    references, estimates = audio(seed)

    def awkward(stem):
        wide = np.zeros((stem.shape[0] * 2, stem.shape[1] * 3), order="F")
        wide[::2, ::3] = stem
        view = wide[::2, ::3]
        view.flags.writeable = False
        return view

    again = [{n: awkward(s) for n, s in stems.items()} for stems in (references, estimates)]
    assert_same(scores(references, estimates), scores(*again), atol=0)


@slow
@given(seeds)
def test_threads_change_no_bit(seed):
    references, estimates = audio(seed, samples=6500)
    protocols = [*STANDARD, "bsseval-v3", "bands-mel", "spectral", "logwmse"]
    one = scores(references, estimates, protocols)
    two = scores(references, estimates, protocols, threads=2)
    assert_same(one, two, atol=0)


@slow
@given(seeds)
def test_a_second_model_and_a_full_cache_change_no_bit(seed):
    references, estimates = audio(seed, samples=5000)
    held = References(references, RATE)
    metrics.evaluate(held, {n: e[:, ::-1] for n, e in estimates.items()}, ["all"])
    found = metrics.evaluate(held, estimates, ["all"])
    fresh = metrics.evaluate(References(references, RATE, cache_bytes=0), estimates, ["all"])
    for name, series in found.items():
        for first, second in zip(series, fresh[name], strict=True):
            np.testing.assert_array_equal(first.values, second.values)
