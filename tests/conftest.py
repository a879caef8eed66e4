"""What many tests need: small sounds, small data sets, small adapters."""

from __future__ import annotations

import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchbench.plugins.catalog import Catalog, Model
from benchbench.separation.separator import ModelSetup

RATE = 44100
STEMS = ("drums", "bass", "other", "vocals")


def pytest_configure() -> None:
    """Let Ctrl-C reach commands also where the tests run in the background of a shell.

    Such a shell lets its jobs ignore SIGINT, and what they start inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def tones(seconds: float = 2.0, channels: int = 2, seed: int = 0) -> dict[str, np.ndarray]:
    """Four stems of noise with different spectra and a slow beat, float32 (channels, samples)."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * RATE)
    time = np.arange(samples) / RATE
    stems = {}
    for number, stem in enumerate(STEMS):
        noise = rng.standard_normal((channels, samples))
        colour = np.exp(-0.5 * ((np.fft.rfftfreq(samples, 1 / RATE) - 400 * 3**number) / 900) ** 2)
        sound = np.fft.irfft(np.fft.rfft(noise) * colour, samples)
        sound *= 0.6 + 0.4 * np.sin(2 * np.pi * (number + 1) * time)
        stems[stem] = (0.2 * sound / np.abs(sound).max()).astype(np.float32)
    return stems


def write_track(
    folder: Path, stems: dict[str, np.ndarray], rate: int = RATE, suffix: str = ".wav"
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, audio in stems.items():
        subtype = {"subtype": "FLOAT"} if suffix == ".wav" else {}
        soundfile.write(folder / f"{stem}{suffix}", audio.T, rate, **subtype)
    return folder


@pytest.fixture
def small_songs(tmp_path: Path) -> Path:
    """A folder data set of two short tracks."""
    root = tmp_path / "songs"
    write_track(root / "first", tones(2.0, seed=1))
    write_track(root / "second", tones(1.5, seed=2))
    return root


ADAPTER_TOML = """
name = "{name}"
summary = "a test's separator"
default_variant = "plain"
{extra}
[licence]
code = "MIT"

[variants.plain]
stems = [{stems}]
"""

ADAPTER_PY = """
import os, sys, time
import numpy as np

class Adapter:
    def load(self, variant, weights, device, options):
        self.stems = {stems}
    def separate(self, mixture, sample_rate):
{body}
"""


@pytest.fixture
def make_adapter(tmp_path: Path) -> Callable[..., Path]:
    """Write an adapter whose ``separate`` has a given body; returns the folder that holds it."""

    def make(
        name: str,
        body: str = "return {stem: mixture / 2 for stem in self.stems}",
        stems: tuple[str, ...] = ("vocals", "accompaniment"),
        extra: str = "",
    ) -> Path:
        place = tmp_path / "adapters-of-test"
        folder = place / name
        folder.mkdir(parents=True, exist_ok=True)
        quoted = ", ".join(f'"{stem}"' for stem in stems)
        (folder / "adapter.toml").write_text(
            ADAPTER_TOML.format(name=name, stems=quoted, extra=extra)
        )
        text = ADAPTER_PY.format(stems=stems, body=textwrap.indent(textwrap.dedent(body), " " * 8))
        (folder / "adapter.py").write_text(text)
        return place

    return make


@pytest.fixture
def setup_of() -> Callable[[Model], ModelSetup]:
    """A model without weights, ready to be loaded in this interpreter."""
    return lambda model: ModelSetup(model, Path(sys.executable))


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()
