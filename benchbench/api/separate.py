"""Separate files with one model into float WAV stems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.io.paths import AnyPath, path_of, paths_of
from benchbench.io.processes.scratch import scratch_folder, scratch_full
from benchbench.plugins.catalog import Catalog, Model
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.running.events import Listener, Note, Separated, Started, callbacks
from benchbench.running.machine import processors
from benchbench.separation.identity import Identity
from benchbench.separation.model_setup import identity, prepare_models
from benchbench.separation.separator import Limits, SeparationResult, WorkerSeparator
from benchbench.separation.stem_record import recorded_stems, separation_key, write_stem_record
from benchbench.separation.workers.worker_log import without_traceback

__all__ = ["separate"]

REMARK = "Note: "
"""Lines of an adapter's output that begin so are shown after a separation."""


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
    resume: Literal["only-missing", "always"] = "only-missing",
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
    resume
        ``only-missing``: keep the stems of inputs that the same model has separated into `out`
        before, if neither the input nor the stems have changed; ``always``: separate all again.
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
    OutputError
        When stems or scratch files cannot be written; stems of earlier inputs are kept.

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
    setup = setups[chosen.name]
    keys = _Keys(identity(setup), device, allow_truncated)
    separated = (
        keys.finished(dict(zip(names, paths, strict=True)), Path(out)) if resume != "always" else {}
    )
    if separated:
        listener(
            Note(
                f"{len(separated)} of {len(paths)} inputs were separated before and are kept; "
                "--resume always separates them again."
            )
        )
    with (
        scratch_folder() as scratch,
        WorkerSeparator(setup, limits or Limits(), scratch / "worker.log") as worker,
    ):
        job = _FileJob(worker, chosen.name, scratch, Path(out), keys, listener)
        for name, path in zip(names, paths, strict=True):
            if name in separated:
                continue
            try:
                separated[name] = job.separate(name, path)
            except OutputError:
                raise
            except BenchbenchError as error:
                if on_failure is None:
                    raise
                on_failure(path, error)
    return {name: separated[name] for name in names if name in separated}


@dataclass(frozen=True, slots=True)
class _Keys:
    """Determines the key of each input's separation: all that its stems depend on."""

    identity: Identity
    device: str
    allow_truncated: bool

    def of(self, path: Path) -> str:
        """The key of a file's separation."""
        return separation_key(self.identity, self.device, path, truncated=self.allow_truncated)

    def finished(self, inputs: Mapping[str, Path], out: Path) -> dict[str, dict[str, Path]]:
        """The stems of the inputs whose separations are complete below `out`."""
        found = {}
        for name, path in inputs.items():
            recorded = recorded_stems(out / name)
            if recorded is not None and path.is_file() and recorded[0] == self.of(path):
                found[name] = recorded[1]
        return found


@dataclass(frozen=True, slots=True)
class _FileJob:
    """Separates one file after another with a loaded model."""

    worker: WorkerSeparator
    model: str
    scratch: Path
    out: Path
    keys: _Keys
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
        if outcome.status == "disk_full":
            raise scratch_full(self.scratch, outcome.error)
        _require_ok(self.model, path, outcome)
        for remark in _remarks(self.worker.process.log_tail()):
            self.listener(Note(f"{self.model}: {remark}"))
        stems = _write_stems(self.out / name, outcome.stems, mixture, rate)
        write_stem_record(self.out / name, self.keys.of(path), self.keys.identity, stems)
        return stems

    def _blocks(self, path: Path) -> Iterator[Audio]:
        position = 0
        for block in blocks(path, on_truncated=self._on_truncated()):
            require_finite(block, str(path), position)
            position += block.shape[1]
            yield block

    def _on_truncated(self) -> Callable[[str], None] | None:
        return (lambda text: self.listener(Note(text))) if self.keys.allow_truncated else None


def _remarks(log: str | None) -> list[str]:
    """What an adapter says about a separation: lines of its output that begin with `REMARK`."""
    lines = (log or "").splitlines()
    return [line.removeprefix(REMARK).strip() for line in lines if line.startswith(REMARK)]


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
            hint=without_traceback(outcome.log_tail or ""),
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
