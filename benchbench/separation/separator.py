"""Run a separator in a worker process and monitor it: time, memory, crashes, hangs.

Every failure of the worker becomes a status; only errors of the caller are raised.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchbench.datasets.dataset import Track
from benchbench.errors import AudioError
from benchbench.io.audio.conversion import convert
from benchbench.io.audio.raw_audio import RawAudio
from benchbench.plugins.catalog import Model
from benchbench.plugins.manifest_schema import AnyValue
from benchbench.separation.identity import Member
from benchbench.separation.workers.worker_answers import Answer, Loaded, Separated, Stems, message
from benchbench.separation.workers.worker_process import WorkerFailureError, WorkerProcess

__all__ = ["Limits", "ModelSetup", "SeparationResult", "WorkerSeparator"]

COMMAND_ADAPTER = Path(__file__).resolve().parent / "workers" / "command_adapter.py"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits above which a separation is ended.

    Parameters
    ----------
    load_s
        Seconds for loading the model.
    seconds_per_second
        Seconds of work allowed per second of audio, in addition to `base_s`.
    base_s
        Seconds allowed for any separation, however short.
    memory_bytes
        Memory that the worker and its children may hold, pages of mapped files not counted; None:
        no limit.
    """

    load_s: float = 600.0
    seconds_per_second: float = 60.0
    base_s: float = 300.0
    memory_bytes: int | None = None

    def separation_s(self, audio_s: float) -> float:
        """The time limit for audio of the given length."""
        return self.base_s + self.seconds_per_second * audio_s


@dataclass(frozen=True)
class ModelSetup:
    """All that a worker needs to load a model."""

    model: Model
    python: Path
    weights: Path | None = None
    device: str = "auto"
    options: Mapping[str, AnyValue] = field(default_factory=dict)
    threads: int | None = None
    environment: Mapping[str, Any] | None = None
    """The packages installed for it, as a run records them; None: the engine's packages."""
    gpu: str | None = None
    members: tuple[Member, ...] = ()
    """The members of an ensemble."""

    @property
    def all_options(self) -> dict[str, AnyValue]:
        """The adapter's options: the manifest's, changed by the variant, changed by the user."""
        own = self.model.manifest.options
        chosen = {**self.model.options, **self.options}
        return {key: chosen[key] for key in own}

    @property
    def engine_options(self) -> dict[str, AnyValue]:
        """The options that the engine itself implements."""
        own = self.model.manifest.options
        return {key: value for key, value in self.model.options.items() if key not in own}


@dataclass(frozen=True, slots=True)
class SeparationResult:
    """The outcome of a separation; `stems` is set if `status` is ``ok``."""

    status: str
    stems: Mapping[str, RawAudio]
    error: str | None = None
    log_tail: str | None = None
    load_s: float | None = None
    wall_s: float | None = None
    peak_rss: int | None = None
    """Peak resident memory in bytes, mapped files included."""
    peak_held: int | None = None
    """Peak held memory in bytes, seen every 50 ms: `benchbench.separation.workers.process_memory`."""
    parameters: int | None = None
    first_in_worker: bool = False


class WorkerSeparator:
    """A worker with one model, which is loaded at the first separation and stays loaded.

    After a crash, a time-out or a memory kill the next separation starts a new process.

    Parameters
    ----------
    setup
        The model and how to load it.
    limits
        Time and memory limits.
    log
        File that receives everything the adapter prints.
    """

    def __init__(self, setup: ModelSetup, limits: Limits, log: Path) -> None:
        self.setup = setup
        self.limits = limits
        command = setup.model.manifest.kind == "command"
        self.process = WorkerProcess(
            Path(sys.executable)
            if command
            else setup.python,  # the program uses the other interpreter
            log,
            setup.threads,
            limits.memory_bytes,
            setup.python.parent,
            setup.gpu,
        )
        self.load_s: float | None = None
        self.parameters: int | None = None
        self._separated = 0

    def __enter__(self) -> WorkerSeparator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self.process.close()

    def separate(
        self,
        mixture: RawAudio,
        sample_rate: int,
        out: Path,
        references: Mapping[str, RawAudio] | None = None,
        *,
        track: Track | None = None,
    ) -> SeparationResult:
        """Separate one mixture into raw files in the folder `out`.

        Where the manifest declares a sampling rate or channels, the mixture is converted to them
        and the stems are converted back; `SeparationResult.wall_s` does not include this.

        Parameters
        ----------
        mixture
            The mixture.
        sample_rate
            In hertz.
        out
            An existing folder.
        references
            The true stems, for a model that declares itself an oracle.
        track
            The track; not used here.
        """
        del track
        self.process.mark_log()
        try:
            self._ensure_loaded()
            audio = self.setup.model.manifest.audio
            rate, channels = audio.sample_rate or sample_rate, audio.channels or mixture.channels
            converted = convert(mixture, out / "given.f32", sample_rate, rate, channels)
            true = {
                name: convert(raw, out / f"true-{number}.f32", sample_rate, rate, channels)
                for number, (name, raw) in enumerate((references or {}).items())
            }
            request = {
                "do": "separate",
                "mixture": converted.describe(),
                "sample_rate": rate,
                "out": str(out),
                "references": {name: raw.describe() for name, raw in true.items()},
            }
            seconds = mixture.samples / sample_rate
            answer, sampled = self.process.ask(request, self.limits.separation_s(seconds))
            assert isinstance(answer, Separated)
            raw = self.stem_files(answer, out, channels)
        except AudioError as error:
            return SeparationResult("failed", {}, str(error), None, self.load_s)
        except WorkerFailureError as failure:
            return SeparationResult(
                failure.status, {}, str(failure), self.process.log_tail(), self.load_s
            )
        first, self._separated = self._separated == 0, self._separated + 1
        stems = {
            stem: _restored(audio_file, rate, converted, mixture, sample_rate)
            for stem, audio_file in raw.items()
        }
        return SeparationResult(
            "ok",
            stems,
            load_s=self.load_s,
            wall_s=answer.wall_s,
            peak_rss=max(sampled.resident, answer.peak_rss or 0) if first else sampled.resident,
            peak_held=sampled.held,
            parameters=self.parameters,
            first_in_worker=first,
        )

    def ask(self, request: Mapping[str, Any], seconds: float) -> Answer:
        """Load the model if necessary and return the worker's answer to a request.

        Raises
        ------
        WorkerFailureError
            If the worker fails or takes longer than `seconds`.
        """
        self._ensure_loaded()
        answer, _ = self.process.ask(request, seconds)
        return answer

    def stem_files(self, answer: Stems, out: Path, channels: int) -> dict[str, RawAudio]:
        """The files in the worker's answer; if the answer is false, the worker is ended.

        Raises
        ------
        WorkerFailureError
            If a file is not in the folder `out`, or its content differs from the answer.
        """
        try:
            return answer.audio(out, self.setup.model.variant.stems, channels)
        except ValueError as error:
            self.process.close()
            raise WorkerFailureError("invalid_output", message(str(error))) from error

    def _ensure_loaded(self) -> None:
        if self.process.alive:
            return
        self.process.close()
        self.process.start()
        model = self.setup.model
        folder, command = model.adapter.code.folder.resolve(), model.manifest.kind == "command"
        request = {
            "do": "load",
            "folder": str(folder),
            "file": str(COMMAND_ADAPTER if command else folder / "adapter.py"),
            "callable": model.manifest.callable,
            "variant": model.variant_name,
            "stems": list(model.variant.stems),
            "oracle": model.manifest.oracle,
            "weights": str(self.setup.weights.resolve()) if self.setup.weights else None,
            "device": self.setup.device,
            "options": _program(self.setup) if command else self.setup.all_options,
        }
        answer, _ = self.process.ask(request, self.limits.load_s)
        assert isinstance(answer, Loaded)
        self.load_s, self.parameters = answer.load_s, answer.parameters
        self._separated = 0


def _restored(
    stem: RawAudio, rate: int, given: RawAudio, mixture: RawAudio, sample_rate: int
) -> RawAudio:
    """A stem at the mixture's sampling rate and channels.

    A stem as long as the input gets exactly the mixture's length; another length is the
    separator's error and stays visible.
    """
    samples = mixture.samples if stem.samples == given.samples else None
    path = Path(stem.file).with_suffix(".back.f32")
    return convert(stem, path, rate, sample_rate, mixture.channels, samples)


def _program(setup: ModelSetup) -> dict[str, Any]:
    """The options of `command_adapter` for a model of kind ``command``."""
    manifest = setup.model.manifest
    return {
        "command": list(manifest.command),
        "files": manifest.files,
        "stems": list(setup.model.variant.stems),
        "folder": str(setup.model.adapter.folder.resolve()),
        "values": setup.all_options,
    }
