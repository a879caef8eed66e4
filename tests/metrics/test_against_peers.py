"""The numbers are the peers' numbers."""

import numpy as np
import pytest

from benchbench import metrics
from benchbench.metrics.references import References
from benchbench.scoring import verification
from benchbench.scoring.reference_programs import peer_scores

RATE = 8000


def compared(protocol, references, estimates, rate=RATE):
    ours = metrics.evaluate(References(references, rate), estimates, [protocol])[protocol]
    theirs = peer_scores(protocol, references, estimates, rate)
    found = verification.differences(ours, theirs, protocol=protocol)
    assert {one.metric for one in found} == {one.metric for one in theirs}
    return found


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_bsseval_v4_is_museval(track, channels):
    references, estimates = track(sources=2, channels=channels)
    for difference in compared("bsseval-v4", references, estimates):
        assert difference.same_gaps
        assert difference.compared == len(references)
        assert difference.largest < (1e-9 if difference.metric == "SDR" else 1e-6)


def test_bsseval_v4_counts_the_tail_and_the_zero_history_of_museval(track):
    references, estimates = track(channels=1, samples=3 * RATE + 700)
    for difference in compared("bsseval-v4", references, estimates):
        assert difference.compared == 9
        assert difference.largest < 1e-6


@pytest.mark.parametrize("rate", [192_000, 44_100, 3_000])
def test_other_rates(track, rate):
    references, estimates = track(sources=2, channels=1, samples=int(1.2 * rate))
    for difference in compared("bsseval-v4", references, estimates, rate):
        assert difference.largest < 1e-6


def test_silent_frames_are_musevals_gaps(track):
    references, estimates = track(samples=5 * RATE)
    references["source0"][:, :RATE] = 0
    estimates["source1"][:, 2 * RATE : 3 * RATE] = 0
    references["source2"][1, 3 * RATE : 4 * RATE] = -references["source2"][0, 3 * RATE : 4 * RATE]
    ours = metrics.evaluate(References(references, RATE), estimates, ["bsseval-v4"])["bsseval-v4"]
    assert list(np.isnan(ours[0].values)) == [True, False, True, True, False]
    assert ours[0].reasons[0] == "silent_source_in_frame"
    for difference in compared("bsseval-v4", references, estimates):
        assert difference.same_gaps
        assert difference.compared == 6
        assert difference.largest < 1e-6


def test_bsseval_v3_is_museval(track):
    references, estimates = track(channels=1, samples=2 * RATE + 99)
    for difference in compared("bsseval-v3", references, estimates):
        assert difference.same_gaps
        assert difference.compared == 6
        assert difference.largest < 1e-6


def test_other_hops_are_musevals(track):
    references, estimates = track(sources=2, channels=1, samples=3 * RATE + 5)
    name = "bsseval-v4:1/0.3"
    ours = metrics.evaluate(References(references, RATE), estimates, [name])[name]
    from benchbench.scoring.reference_programs import _museval_metrics

    stacked = [np.stack([s.T for s in stems.values()]) for stems in (references, estimates)]
    theirs = _museval_metrics().bss_eval(*stacked, window=RATE, hop=int(0.3 * RATE))
    for metric, values in zip(("SDR", "ISR", "SIR", "SAR"), theirs[:4], strict=True):
        mine = np.array([one.values for one in ours if one.metric == metric])
        np.testing.assert_allclose(mine, values, atol=1e-6)


@pytest.mark.parametrize("protocol", ["bsseval-sources", "bsseval-sources-permuted"])
@pytest.mark.parametrize("channels", [1, 2])
def test_bsseval_sources(track, protocol, channels):
    references, estimates = track(channels=channels)
    if protocol.endswith("permuted"):
        estimates = dict(zip(estimates, list(estimates.values())[::-1], strict=True))
    for difference in compared(protocol, references, estimates):
        assert difference.compared == 3
        assert difference.largest < 1e-6


@pytest.mark.parametrize("protocol", ["usdr", "si"])
def test_energy_ratios_are_their_formulas(track, protocol):
    references, estimates = track()
    for difference in compared(protocol, references, estimates):
        assert difference.largest < 1e-9


def test_verify_finds_a_wrong_score(track):
    references, estimates = track(sources=2, channels=1)
    scores = metrics.evaluate(References(references, RATE), estimates, ["usdr"])["usdr"]

    def case(name, series):
        return verification.Case(name, "usdr", series, lambda: (references, estimates, RATE))

    assert all(one.passed for one in verification.verify_scores([case("right", scores)]))
    scores[0].values[0] += 1e-3
    found = verification.verify_scores([case("wrong", scores)])
    assert [one.passed for one in found] == [False]
    assert found[0].largest == pytest.approx(1e-3, rel=1e-6)
    scores[0].values[0] = np.nan
    assert not verification.verify_scores([case("gap", scores)])[0].passed
