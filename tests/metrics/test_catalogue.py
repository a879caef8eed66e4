"""The catalogue says what there is, and costs nothing to read."""

import subprocess
import sys

import pytest

from benchbench import metrics
from benchbench.errors import UnknownNameError, UsageError


def test_every_protocol_is_described():
    for name, protocol in metrics.PROTOCOLS.items():
        assert protocol.name == name
        assert protocol.version >= 1
        assert protocol.metrics
        for text in (protocol.summary, protocol.good_for, protocol.misleads, protocol.source):
            assert len(text) > 20
        for metric in protocol.metrics:
            assert metric.low < metric.high
            assert metric.unit in ("dB", "1")


def test_groups_hold_known_names():
    for members in metrics.GROUPS.values():
        assert set(members) <= set(metrics.PROTOCOLS)
    assert metrics.GROUPS["standard"] == ("usdr", "bsseval-v4", "si")


def test_resolve_keeps_order_and_repeats_nothing():
    names = [one.name for one in metrics.resolve(["si", "standard", "bleed", "si"])]
    assert names == ["si", "usdr", "bsseval-v4", "bleed"]


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match="Did you mean 'bsseval-v4'"):
        metrics.protocol("bsseval-4")
    with pytest.raises(UnknownNameError):
        metrics.metric("usdr", "SIR")


def test_frames_are_part_of_the_name():
    changed = metrics.protocol("windows:0.5/0.25")
    assert changed.name == "windows:0.5/0.25"
    assert changed.options["window_s"] == 0.5
    assert changed.options["hop_s"] == 0.25
    assert metrics.protocol("bsseval-v3:2").options["hop_s"] == 2.0
    with pytest.raises(UsageError, match="no frames"):
        metrics.protocol("usdr:1")
    with pytest.raises(UsageError, match="longer than 0 s"):
        metrics.protocol("windows:0")
    with pytest.raises(UnknownNameError):
        metrics.protocol("windows:1.2.3")


def test_a_member_of_a_family_is_described_by_it():
    assert metrics.metric("bleed", "bleed:drums").direction == "lower"


def test_reading_the_catalogue_loads_nothing_heavy():
    code = (
        "import sys; from benchbench import metrics; metrics.resolve(['all']);"
        "print({'scipy', 'soxr', 'museval', 'threadpoolctl'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
