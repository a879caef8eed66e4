"""Separate files with one model into float WAV stems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbench.datasets.layouts import STEM_ENDING
from benchbench.datasets.stem_files import readable
from benchbench.errors import (
    AudioError,
    BenchbenchError,
    OutputError,
    SeparatorError,
    UsageError,
)
from benchbench.io.audio.audio_files import Audio, require_finite, write_wav
from benchbench.io.audio.containers import name_without_ending
from benchbench.io.audio.decoding import blocks, info
from benchbench.io.audio.raw_audio import RawAudio, scratch_folder, write_raw
from benchbench.io.paths import AnyPath, path_of, paths_of
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.running.events import Listener, Note, Separated, Started, callbacks
from benchbench.running.machine import processors
from benchbench.separation.model_setup import prepare_models
from benchbench.separation.separator import Limits, SeparationResult, WorkerSeparator

__all__ = ["separate"]


def separate(
    model: str,
    inputs: Sequence[Path | str],
    out: Path | str,
    *,
    weights: AnyPath | None = None,
    device: str = "auto",
    options: Mapping[str, AnyValue] | None = None,
    adapter_paths: Sequence[AnyPath] = (),
    limits: Limits | None = None,
    allow_truncated: bool = False,
    listener: Listener = lambda _: None,
    on_failure: Callable[[Path, BenchbenchError], None] | None = None,
) -> dict[str, dict[str, Path]]:
    """Separate each input into ``<out>/<track>/<stem>.wav``.

    Stems are 32-bit float WAV with the input's sampling rate and length. Files from 4 GiB are
    RF64, which is WAV with 64-bit sizes.

    Parameters
    ----------
    model
        ``adapter`` or ``adapter:variant``; not a model that needs the references.
    inputs
        Audio files.
    out
        The folder for the stems.
    weights, device, options, adapter_paths, limits, listener
        As for `benchbench.run`.
    allow_truncated
        Whether truncated inputs are read up to their end, instead of raising an error.
    on_failure
        Called with each input that cannot be separated, and the error; the others are separated.
        None: the first such input raises.

    Returns
    -------
    Mapping of track name to stem name to file.

    Raises
    ------
    AudioError
        When an input cannot be read; stems of earlier inputs are kept.
    SeparatorError
        When the separator fails; stems of earlier inputs are kept.

    Examples
    --------
    >>> import benchbench
    >>> made = benchbench.separate("mid-side", ["songs/first/vocals.wav"], "stems")
    >>> sorted(made["vocals"])
    ['accompaniment', 'vocals']
    """
    chosen = Catalog(paths_of(adapter_paths)).model(model)
    _require_separator(chosen)
    paths = [Path(path) for path in inputs]
    names = _track_names(paths)
    chosen = chosen.with_settings(options or {})
    setups = prepare_models(
        [chosen], path_of(weights), device, {}, processors(), *callbacks(listener)
    )
    separated: dict[str, dict[str, Path]] = {}
    with (
        scratch_folder() as scratch,
        WorkerSeparator(setups[chosen.name], limits or Limits(), scratch / "worker.log") as worker,
    ):
        job = _FileJob(worker, chosen.name, scratch, Path(out), allow_truncated, listener)
        for name, path in zip(names, paths, strict=True):
            try:
                separated[name] = job.separate(name, path)
            except OutputError:
                raise
            except BenchbenchError as error:
                if on_failure is None:
                    raise
                on_failure(path, error)
    return separated


@dataclass(frozen=True, slots=True)
class _FileJob:
    """Separates one file after another with a loaded model."""

    worker: WorkerSeparator
    model: str
    scratch: Path
    out: Path
    allow_truncated: bool
    listener: Listener

    def separate(self, name: str, path: Path) -> dict[str, Path]:
        """Write the stems of a file; returns the written file of each stem."""
        rate = info(path).sample_rate
        self.listener(Started(self.model, readable(name)))
        mixture = write_raw(self.scratch / "mixture.f32", self._blocks(path))
        if mixture.samples == 0:
            raise AudioError(f"{path} holds no samples.")
        outcome = self.worker.separate(mixture, rate, self.scratch)
        seconds = mixture.samples / rate
        self.listener(
            Separated(
                self.model, readable(name), outcome.status, outcome.error, outcome.wall_s, seconds
            )
        )
        _require_ok(self.model, path, outcome)
        return _write_stems(self.out / name, outcome.stems, mixture, rate)

    def _blocks(self, path: Path) -> Iterator[Audio]:
        position = 0
        for block in blocks(path, on_truncated=self._on_truncated()):
            require_finite(block, str(path), position)
            position += block.shape[1]
            yield block

    def _on_truncated(self) -> Callable[[str], None] | None:
        return (lambda text: self.listener(Note(text))) if self.allow_truncated else None


def _require_separator(model: Model) -> None:
    if model.manifest.oracle:
        raise UsageError(
            f"{model.name} needs the true stems and cannot separate a mixture alone.",
            hint="Use it in `bench run`, on a data set.",
        )
    if model.manifest.kind == "folder":
        raise UsageError(f"{model.name} is a folder of stems and cannot separate other files.")


def _track_names(paths: Sequence[Path]) -> list[str]:
    """File names without extension; two inputs must not share one output folder."""
    names = [
        path.name[: -len(STEM_ENDING)]
        if path.name.lower().endswith(STEM_ENDING)
        else name_without_ending(path.name)
        for path in paths
    ]
    twice = {readable(name) for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(
            f"Several inputs have the name {', '.join(sorted(twice))}.",
            hint="Separate them into different folders with --out.",
        )
    return names


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
