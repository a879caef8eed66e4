"""Separate files with one model into float WAV stems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchbench.errors import AudioError, SeparatorError, UsageError
from benchbench.io.audio_files import Audio, require_finite, write_wav
from benchbench.io.decoding import blocks, info
from benchbench.io.raw_audio import RawAudio, scratch_folder, write_raw
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.running.events import Listener, Note, Separated, Started
from benchbench.running.machine import processors
from benchbench.separation.model_setup import prepare_models
from benchbench.separation.separator import Limits, SeparationResult, WorkerSeparator

__all__ = ["separate"]


def separate(
    model: str,
    inputs: Sequence[Path | str],
    out: Path | str,
    *,
    weights: Path | None = None,
    device: str = "auto",
    options: Mapping[str, AnyValue] | None = None,
    adapter_paths: Sequence[Path] = (),
    limits: Limits | None = None,
    listener: Listener = lambda _: None,
) -> dict[str, dict[str, Path]]:
    """Separate each input into ``<out>/<track>/<stem>.wav``.

    Stems are 32-bit float WAV at the input's sampling rate and of its length.

    Parameters
    ----------
    model
        ``adapter`` or ``adapter:variant``; not one that needs the references.
    inputs
        Audio files.
    out
        The folder for the stems.
    weights, device, options, adapter_paths, limits, listener
        As for `benchbench.run`.

    Returns
    -------
    Track name to stem name to file.

    Raises
    ------
    AudioError
        When an input cannot be read; nothing is separated then.
    SeparatorError
        When the separator fails; stems of earlier inputs are there.
    """
    chosen = Catalog(tuple(Path(path) for path in adapter_paths)).model(model)
    if chosen.manifest.oracle:
        raise UsageError(
            f"{chosen.name} needs the true stems and cannot separate a mixture alone.",
            hint="Use it in `bench run`, on a data set.",
        )
    if chosen.manifest.kind == "folder":
        raise UsageError(f"{chosen.name} is a folder of stems and separates nothing.")
    paths = [Path(path) for path in inputs]
    names = _track_names(paths)
    for path in paths:
        info(path)
    chosen = chosen.with_settings(options or {})
    setups = prepare_models(
        [chosen], weights, device, {}, processors(), lambda text: listener(Note(text))
    )
    made = {}
    with (
        scratch_folder() as scratch,
        WorkerSeparator(setups[chosen.name], limits or Limits(), scratch / "worker.log") as worker,
    ):
        for name, path in zip(names, paths, strict=True):
            listener(Started(chosen.name, name))
            rate = info(path).sample_rate
            mixture = write_raw(scratch / "mixture.f32", _checked(path))
            if mixture.samples == 0:
                raise AudioError(f"{path} holds no samples.")
            outcome = worker.separate(mixture, rate, scratch)
            seconds = mixture.samples / rate
            listener(
                Separated(chosen.name, name, outcome.status, outcome.error, outcome.wall_s, seconds)
            )
            _require_ok(chosen.name, path, outcome)
            made[name] = _write_stems(Path(out) / name, outcome.stems, mixture, rate)
    return made


def _track_names(paths: Sequence[Path]) -> list[str]:
    """File names without endings; two inputs may not claim one folder."""
    names = [path.name.removesuffix(".stem.mp4") if path.name.endswith(".stem.mp4") else path.stem
             for path in paths]  # fmt: skip
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(
            f"Several inputs are called {', '.join(sorted(twice))}.",
            hint="Separate them into different folders with --out.",
        )
    return names


def _checked(path: Path) -> Iterator[Audio]:
    position = 0
    for block in blocks(path):
        require_finite(block, str(path), position)
        position += block.shape[1]
        yield block


def _require_ok(model: str, path: Path, outcome: SeparationResult) -> None:
    if outcome.status != "ok":
        raise SeparatorError(
            f"{model} could not separate {path} ({outcome.status}): {outcome.error}",
            hint=outcome.log_tail,
        )


def _write_stems(
    folder: Path, stems: Mapping[str, RawAudio], mixture: RawAudio, rate: int
) -> dict[str, Path]:
    written = {}
    for stem, raw in stems.items():
        if raw.samples != mixture.samples:
            raise SeparatorError(
                f"The stem {stem} has {raw.samples} samples, its mixture {mixture.samples}."
            )
        written[stem] = folder / f"{stem}.wav"
        write_wav(written[stem], np.asarray(raw.open()), rate)
        Path(raw.file).unlink()
    return written
