"""Random kills over all commands, and a long run: `benchmarks.command_kills`, `benchmarks.soak`."""

from __future__ import annotations

import sys

import pytest

from benchmarks.command_kills import command_kills
from benchmarks.commands import COMMANDS
from benchmarks.soak import soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes as Linux has them")


@pytest.mark.faults
@pytest.mark.network
def test_a_hundred_killed_commands_end_as_undisturbed_ones() -> None:
    assert len(command_kills(100, tell=False)) == 100


def test_some_killed_commands_end_as_undisturbed_ones() -> None:
    chosen = [one for one in COMMANDS if one.name in ("separate", "import", "compact")]
    assert len(command_kills(3, seed=1, commands=chosen, tell=False)) == 3


@pytest.mark.faults
def test_a_run_with_a_kill_every_few_seconds_equals_the_uninterrupted_one() -> None:
    done = soak(0.2, 8.0, song_s=20.0)
    assert done.kills.total() > 0
    assert done.rows > 0
