"""Kill commands at random moments with signal 9, repeat them, and compare what they leave.

::

    python -m benchmarks command-kills --runs 100

Every command in turn (`benchmarks.commands`) is killed at a moment drawn uniformly from its duration:
the process, its group, or one of the processes below it. Then the same command runs again. Its
output and the names of all files in the results, the cache and the temporary folder must equal those
of an undisturbed command, and no process of the killed one may be left.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.commands import COMMANDS, Command, left, prepare, serving
from benchmarks.measuring import ROOT

LONGEST_LEFT_S = 10.0
"""Seconds within which all processes of a killed command must have ended."""


@dataclass(frozen=True)
class Undisturbed:
    """An undisturbed command: its duration and what it leaves."""

    seconds: float
    content: Any
    names: set[str]


def started(command: Command, place: Path) -> subprocess.Popen[str]:
    """Start a command in a folder of its own."""
    variables = {
        **os.environ, "PYTHONPATH": str(ROOT), "BENCHBENCH_CACHE": str(place / "cache"),
        "TMPDIR": str(place / "tmp"), "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "benchbench", *command.words], cwd=place, env=variables, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def completed(command: Command, place: Path) -> Undisturbed:
    """Run a command to its end.

    Raises
    ------
    AssertionError
        When it fails.
    """
    start = time.monotonic()
    process = started(command, place)
    _, errors = process.communicate(timeout=600)
    if process.returncode:
        raise AssertionError(f"{command.name}: {errors[-2000:]}")
    return Undisturbed(time.monotonic() - start, command.content(place), left(place))


def killed(command: Command, place: Path, moment_s: float, chance: random.Random) -> str:
    """Start a command and kill something of it; returns what was killed.

    Raises
    ------
    AssertionError
        When a process is left.
    """
    process = started(command, place)
    time.sleep(moment_s)
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        family = []
    what = "nothing" if process.poll() is not None else chance.choice(("process", "group", "child"))
    if what == "child" and not family:
        what = "process"
    if what == "process":
        process.kill()
    elif what == "group":
        os.killpg(process.pid, signal.SIGKILL)
    elif what == "child":
        try:
            chance.choice(family).kill()
        except psutil.Error:
            what = "nothing"
    process.communicate(timeout=600)
    alive = psutil.wait_procs(family, timeout=LONGEST_LEFT_S)[1]
    if alive:
        raise AssertionError(f"{command.name}, {what} killed: {alive} still run")
    return what


def command_kills(
    runs: int, *, seed: int = 0, commands: Sequence[Command] = COMMANDS, tell: bool = True
) -> list[str]:
    """Run the test; returns what was killed in each run.

    Raises
    ------
    AssertionError
        When an output differs, a file is missing or left over, or a process is left.
    """
    chance = random.Random(seed)
    kills = []
    with tempfile.TemporaryDirectory(prefix="command-kills-") as folder, serving() as server:
        template = Path(folder) / "template"
        prepare(template, server)
        expected: dict[str, Undisturbed] = {}
        for number in range(runs):
            command = commands[number % len(commands)]
            if command.name not in expected:
                calm = shutil.copytree(template, Path(folder) / "calm")
                expected[command.name] = completed(command, calm)
                shutil.rmtree(calm)
            place = shutil.copytree(template, Path(folder) / f"run-{number}")
            moment_s = chance.uniform(0.0, expected[command.name].seconds)
            what = killed(command, place, moment_s, chance)
            again = completed(command, place)
            if again.content != expected[command.name].content:
                raise AssertionError(f"run {number}, {command.name}, {what} killed: output differs")
            odd = again.names ^ expected[command.name].names
            if odd:
                raise AssertionError(f"run {number}, {command.name}, {what} killed: {sorted(odd)}")
            shutil.rmtree(place)
            kills.append(f"{command.name}: {what}")
            if tell:
                print(f"{number + 1:3d}  {command.name:22s} {what:8s} after {moment_s:5.2f} s: equal", flush=True)  # fmt: skip
    return kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    kills = command_kills(arguments.runs, seed=arguments.seed)
    print(f"{len(kills)} of {arguments.runs} killed commands equal the undisturbed ones")


if __name__ == "__main__":
    main()
