"""Metrics from plain arrays: one number, or all of a track at once."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from fast_bss_eval.numpy import si_sdr

import benchbench
from benchbench import metrics
from benchbench.errors import AudioError, UnknownNameError, UsageError
from benchbench.metrics.references import References

RATE = 8000


@pytest.fixture
def sources():
    noise = np.random.default_rng(3).standard_normal((3, 2, 3 * RATE)) / 10
    return {"vocals": noise[0], "drums": noise[1], "bass": noise[2]}


@pytest.fixture
def estimates(sources):
    mixture = sum(sources.values())
    return {name: 0.8 * source + 0.05 * mixture for name, source in sources.items()}


def test_a_number_from_two_arrays_equals_its_closed_form(sources):
    reference = sources["vocals"]
    assert metrics.usdr(reference, 0.9 * reference, RATE) == pytest.approx(20.0, abs=1e-3)
    assert metrics.sd_sdr(reference, 0.9 * reference, RATE) == pytest.approx(
        10 * np.log10(0.81 / 0.01), abs=1e-6
    )


def test_si_sdr_equals_that_of_another_program(sources, estimates):
    mono = sources["vocals"][0], estimates["vocals"][0]
    peer = si_sdr(mono[0][None], mono[1][None], zero_mean=False)
    assert metrics.si_sdr(*mono, RATE) == pytest.approx(float(peer[0]), abs=1e-9)


@pytest.mark.parametrize("name", sorted(metrics.FUNCTIONS))
def test_every_function_gives_the_number_that_evaluate_gives(name, sources, estimates):
    function = getattr(metrics, name)
    others = [sources["drums"], sources["bass"]]
    value = function(sources["vocals"], estimates["vocals"], RATE, others=others)
    every = metrics.evaluate(sources, {"vocals": estimates["vocals"]}, RATE, function.protocol)
    frame = every.to_frame().query("target == 'vocals' and metric == @function.metric")
    assert value == pytest.approx(frame["value"].median(), abs=1e-9)
    assert math.isfinite(value)


def test_every_metric_that_is_one_number_has_a_function():
    left_out = {"windows", "bsseval-v4-active", "bsseval-sources-permuted", "bleed", "msst",
                "mrstft-perceptual"}  # fmt: skip
    wanted = {
        (protocol.name, metric.name)
        for protocol in metrics.PROTOCOLS.values()
        if protocol.name not in left_out and not protocol.name.startswith("bands-")
        for metric in protocol.metrics
        if not metric.diagnostic and not metric.of_all_targets
    }
    assert wanted <= {(one.protocol, one.metric) for one in metrics.FUNCTIONS.values()}


def test_names_of_functions_stay_functions_after_use(sources):
    metrics.usdr(sources["vocals"], sources["vocals"], RATE)
    assert callable(metrics.usdr)
    assert all(getattr(metrics, name) is one for name, one in metrics.FUNCTIONS.items())


def test_metrics_of_interference_ask_for_the_other_sources(sources, estimates):
    with pytest.raises(UsageError, match="other sources"):
        metrics.si_sir(sources["vocals"], estimates["vocals"], RATE)
    assert math.isnan(metrics.si_sdr(sources["vocals"], np.zeros((2, 3 * RATE)), RATE))


def test_mappings_arrays_and_prepared_references_give_the_same(sources, estimates):
    prepared = metrics.evaluate(References(sources, RATE), estimates, ["usdr", "si"])
    plain = metrics.evaluate(sources, estimates, RATE, "usdr,si")
    assert list(plain) == ["usdr", "si"]
    assert plain.to_frame().equals(prepared.to_frame())
    keyword = metrics.evaluate(References(sources, RATE), estimates, protocols="usdr,si")
    assert keyword.to_frame().equals(plain.to_frame())
    single = metrics.evaluate(sources["vocals"], estimates["vocals"], RATE, "usdr")
    assert single["usdr"][0].values == pytest.approx(prepared["usdr"][0].values)


def test_the_frame_has_one_row_per_number_with_its_reason(sources):
    frame = metrics.evaluate(sources, {"vocals": sources["drums"]}, RATE, "bsseval-v4").to_frame()
    seconds = frame.query("target == 'vocals' and metric == 'SDR'")
    assert list(seconds["start_s"]) == [0.0, 1.0, 2.0]
    assert set(frame.query("target == 'bass'")["reason"]) == {"missing_estimate"}
    summary = metrics.evaluate(sources, sources, RATE, "usdr").summary()
    assert list(summary.index) == ["vocals", "drums", "bass", "all"]
    assert "vocals" in metrics.evaluate(sources, sources, RATE, "usdr")._repr_html_()


def test_wrong_requests_say_what_to_do(sources, estimates):
    with pytest.raises(UsageError, match="sample rate"):
        metrics.evaluate(sources, estimates, ["usdr"])
    with pytest.raises(UnknownNameError, match="usd"):
        metrics.evaluate(sources, estimates, RATE, "usd")
    with pytest.raises(AudioError, match="vocals"):
        metrics.evaluate(sources, estimates["vocals"], RATE, "usdr")
    with pytest.raises(AudioError, match=r"cannot be read as an array|no audio"):
        metrics.usdr([[1.0], [2.0, 3.0]], [1.0], RATE)


class OnlyDLPack:
    """An array that can be had by DLPack only, as of libraries that know no NumPy."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


def test_arrays_come_by_dlpack(sources, estimates):
    exchanged = OnlyDLPack(sources["vocals"]), OnlyDLPack(estimates["vocals"])
    expected = metrics.si_sdr(sources["vocals"], estimates["vocals"], RATE)
    assert metrics.si_sdr(*exchanged, RATE) == expected


def test_tensors_of_tensorflow_are_arrays(sources, estimates):
    tensorflow = pytest.importorskip("tensorflow")
    tensors = [tensorflow.constant(one["vocals"]) for one in (sources, estimates)]
    expected = metrics.si_sdr(sources["vocals"], estimates["vocals"], RATE)
    assert metrics.si_sdr(*tensors, RATE) == expected


def test_the_package_shows_its_functions_and_nothing_else():
    shown = dir(benchbench)
    assert {"run", "score", "metrics", "stats", "__version__"} <= set(shown)
    assert not {"Any", "TYPE_CHECKING", "importlib", "annotations"} & set(shown)
    code = "import benchbench as b; print(b.metrics.usdr([.5, .5], [.4, .5], 8000), b.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    value, version = done.stdout.split()
    assert float(value) == pytest.approx(10 * np.log10(0.5 / 0.01), abs=1e-4)
    assert version[0].isdigit()


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="rnu"):
        _ = benchbench.rnu
