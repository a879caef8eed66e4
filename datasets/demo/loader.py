"""The demo: the real recording included in the package stempeg, and songs rendered by code."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import soundfile

from benchbench.io.audio.audio_files import read

STEMS = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}
"""Stem -> stream number in a stem file; 0 is the mixture."""

REAL_TRACK = "The Easton Ellises - Falcon 69"


def prepare(folder: Path) -> None:
    """Write every track as ``<track>/<stem>.wav``, 16 bit, into a new folder."""
    for stem, stream in STEMS.items():
        audio, rate = read(_real_track(), stream)
        _write(folder / REAL_TRACK / f"{stem}.wav", audio.T, rate)
    _synth().prepare(folder)


def _write(path: Path, audio: Any, sample_rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, sample_rate, subtype="PCM_16")


def _real_track() -> Path:
    """The stem file inside stempeg, found without importing it (which needs an ffmpeg program)."""
    spec = importlib.util.find_spec("stempeg")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("stempeg is not installed; it carries the demo's recording")
    return Path(spec.origin).parent / "data" / f"{REAL_TRACK}.stem.mp4"


def _synth() -> Any:
    """The loader of the data set ``synth``, in the folder beside this one."""
    path = Path(__file__).resolve().parent.parent / "synth" / "loader.py"
    spec = importlib.util.spec_from_file_location("benchbench_synth_loader", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
