"""No score depends on the level of the audio in silence, down to the smallest numbers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import signal

from benchbench import metrics
from benchbench.errors import AudioError, UsageError
from benchbench.metrics.references import References
from benchbench.results.schema import REASONS

RATE = 8000
SAMPLES = 2 * RATE + 100
SCALES = (1e160, 1e155, 1e139, 1e100, 1e30, 1e3, 1e-3, 1e-6, 1e-10, 1e-50, 1e-100, 1e-129,
          1e-150, 1e-170, 1e-300, 5e-324)  # fmt: skip
BY_LEVEL = {"spectral", "mrstft-perceptual", "msst"}
"""Protocols that compare magnitudes with absolute numbers, as docs/metrics.md says."""

PROTOCOLS = [name for name in metrics.PROTOCOLS if name != "bsseval-v3"]
PERFECT = {"logWMSE": 73.6, "bleedless": 99.9, "fullness": 99.9, "L1-freq": 99.9, "STFT": 99.9,
           "aura-STFT": 99.9, "aura-MRSTFT": 99.9}  # fmt: skip


def stems() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """References and estimates of moderate condition; the bass's estimate is noise."""
    rng = np.random.default_rng(0)
    taps = signal.butter(2, 0.6)
    swell = 1 + np.sin(np.arange(SAMPLES) / 3000)
    references = {
        name: signal.lfilter(*taps, rng.standard_normal((2, SAMPLES))) * 0.1 * swell
        for name in ("vocals", "drums", "bass")
    }
    mixture = sum(references.values())
    estimates = {
        name: audio + 0.1 * mixture + 0.01 * rng.standard_normal(audio.shape)
        for name, audio in references.items()
    }
    estimates["bass"] = 0.0003 * rng.standard_normal((2, SAMPLES))
    return references, estimates


def scored(protocol: str, scale: float = 1.0, quiet: float = 1.0) -> dict[tuple[str, str], object]:
    """Series by target and metric; `quiet` scales the drums alone."""
    references, estimates = stems()
    factors = {"vocals": scale, "drums": scale * quiet, "bass": scale}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        series = metrics.evaluate(
            References({name: audio * factors[name] for name, audio in references.items()}, RATE),
            {name: audio * factors[name] for name, audio in estimates.items()},
            protocol,
        )[protocol]
    return {(one.target, one.metric): one for one in series}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_score_is_that_of_full_scale_or_has_a_reason(protocol: str) -> None:
    base = scored(protocol)
    for scale in SCALES:
        for key, series in scored(protocol, scale).items():
            given = np.array([reason is not None for reason in series.reasons])
            assert set(series.reasons[given]) <= set(REASONS), (scale, key)
            assert given[np.isnan(series.values)].all(), (scale, key)
            if protocol not in BY_LEVEL and key in base and len(series.values) == len(given):
                wanted = base[key].values
                if wanted.shape == series.values.shape:
                    np.testing.assert_allclose(
                        series.values[~given], wanted[~given], atol=1e-3, err_msg=f"{scale} {key}"
                    )


@pytest.mark.parametrize(
    "protocol", ["bsseval-v4", "bsseval-v4-active", "bsseval-v3", "si", "bleed"]
)
def test_one_soft_stem_among_loud_ones_is_projected_as_well(protocol: str) -> None:
    """Only what names the drums themselves: a softer interferer changes the others' ratios."""
    base, soft = scored(protocol, 1.0, 1e-3), scored(protocol, 1e-5, 1e-3)
    for key, series in soft.items():
        given = np.array([reason is not None for reason in series.reasons])
        wanted = base[key].values[~given]
        np.testing.assert_allclose(series.values[~given], wanted, atol=1e-3, err_msg=str(key))


@pytest.mark.parametrize("scale", SCALES)
def test_noise_is_never_perfect(scale: float) -> None:
    for protocol in ("logwmse", "spectral", "msst"):
        for (target, metric), series in scored(protocol, scale).items():
            if target == "bass" and metric in PERFECT and series.reasons[0] is None:
                assert series.values[0] < PERFECT[metric], (protocol, metric)


def test_noise_beside_a_silent_mixture_has_no_value() -> None:
    noise = np.random.default_rng(0).standard_normal((2, RATE)) / 10
    silent = np.zeros_like(noise)
    half = np.stack([noise[0], silent[1]])
    for reference in (silent, half):
        references = References({"vocals": reference}, RATE)
        (series,) = metrics.evaluate(references, {"vocals": noise}, "logwmse")["logwmse"]
        assert np.isnan(series.values[0])
        assert series.reasons[0] == "silent_mixture"
    (series,) = metrics.evaluate(References({"vocals": half}, RATE), {"vocals": half}, "logwmse")[
        "logwmse"
    ]
    assert (round(series.values[0], 2), series.reasons[0]) == (73.68, None)


def test_logwmse_takes_the_mixture_that_is_given() -> None:
    references, estimates = stems()
    mixture = sum(references.values())
    two = {name: references[name] for name in ("vocals", "drums")}

    def score(**options: object) -> float:
        held = References(two, RATE, **options)
        found = metrics.evaluate(held, {"vocals": estimates["vocals"]}, "logwmse")["logwmse"]
        return float(found[0].values[0])

    whole = References(references, RATE)
    wanted = metrics.evaluate(whole, {"vocals": estimates["vocals"]}, "logwmse")["logwmse"]
    assert score(mixture=mixture) == pytest.approx(wanted[0].values[0], abs=1e-9)
    assert abs(score() - score(mixture=mixture)) > 0.5
    with pytest.raises(AudioError, match="mixture"):
        score(mixture=mixture[:1])


def test_usdr_says_where_its_offset_decides() -> None:
    rng = np.random.default_rng(0)
    audio = rng.standard_normal((2, RATE)) * 1e-5
    references = References({"vocals": audio}, RATE)
    first = metrics.evaluate(references, {"vocals": audio * 0.9}, "usdr")["usdr"][0]
    assert first.reasons[0] == "too_soft"
    loud = References({"vocals": audio * 1e4}, RATE)
    first = metrics.evaluate(loud, {"vocals": audio * 0.9e4}, "usdr")["usdr"][0]
    assert (round(first.values[0], 2), first.reasons[0]) == (20.0, None)
    same = metrics.evaluate(loud, {"vocals": audio * 1e4}, "usdr")["usdr"][0]
    assert same.reasons[0] == "too_soft"


# -- arrays ------------------------------------------------------------------------------------


def sixteen() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.integers(-9000, 9000, (2, RATE)).astype(np.int16) for name in ("a", "b")}


def test_a_sum_of_16_bit_stems_is_refused_with_its_type_and_name() -> None:
    stems = sixteen()
    total = np.sum([stems["a"], stems["b"]], axis=0)
    assert total.dtype == np.int64
    with pytest.raises(AudioError, match=r"reference 'rest' holds int64") as caught:
        References({"a": stems["a"], "rest": total}, RATE)
    assert "stem / 32768" in str(caught.value)


@pytest.mark.parametrize("other", ["int8", "uint8", "int32", "uint16"])
def test_integers_of_several_widths_are_refused(other: str) -> None:
    stems = sixteen()
    with pytest.raises(AudioError, match=f"'b' holds {other}, but the reference 'a' int16"):
        References({"a": stems["a"], "b": stems["b"].astype(other)}, RATE)
    references = References(stems, RATE)
    with pytest.raises(
        AudioError, match=f"estimate 'b' holds {other}, but the reference 'a' int16"
    ):
        metrics.evaluate(references, {"b": stems["b"].astype(other)}, "usdr")
    with pytest.raises(AudioError, match="mixture"):
        References(stems, RATE, mixture=stems["a"].astype(other))


def test_one_width_and_floats_beside_it_are_scored() -> None:
    stems = sixteen()
    references = References(stems, RATE)
    float_estimate = {"a": stems["a"] / 32768}
    (first, *_) = metrics.evaluate(references, float_estimate, "si")["si"]
    assert first.values[0] == 300.0


@pytest.mark.parametrize("rate", [None, "44100", 0, -1, 44100.5, float("nan"), True, [44100]])
def test_an_odd_rate_is_one_clear_error(rate: object) -> None:
    with pytest.raises(UsageError, match="sample rate"):
        References(sixteen(), rate)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="sample rate"):
        metrics.evaluate(sixteen(), sixteen(), rate, "usdr")


def test_one_protocol_may_be_named_alone() -> None:
    references = References(sixteen(), RATE)
    assert set(metrics.evaluate(references, sixteen(), "usdr")) == {"usdr"}
    protocol = metrics.protocol("usdr")
    assert set(metrics.evaluate(references, sixteen(), [protocol])) == {"usdr"}


def test_odd_containers_are_one_clear_error() -> None:
    stems = sixteen()
    with pytest.raises(UsageError, match="has the name 1"):
        References({1: stems["a"]}, RATE)  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="references are a list"):
        References(list(stems.values()), RATE)  # type: ignore[arg-type]
    masked = np.ma.masked_greater(stems["a"], 8000)
    with pytest.raises(AudioError, match="masked"):
        References({"a": masked}, RATE)
    with pytest.raises(AudioError, match="complex128"):
        References({"a": stems["a"].astype(complex)}, RATE)
