"""Zipformer for benchbench: hands a variant of `zipformer_keras` to the worker."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from adapters.zipformer.zipformer_keras import Separator

Samples = npt.NDArray[np.float32]


class Adapter:
    """Separates with a Zipformer, in memory that does not grow with the song, or live."""

    parameters: int
    _separator: Separator
    _notes: str
    _songs: int
    _example: str

    def load(
        self, variant: str, weights: Path | None, device: str, options: dict[str, object]
    ) -> None:
        """Build the network from its weights; once a worker.

        Parameters
        ----------
        variant
            A name in `zipformer_keras.VARIANTS`.
        weights
            Folder with ``zipformer.safetensors``.
        device
            ``"auto"``, ``"cpu"`` or ``"gpu"``.
        options
            ``runtime``: ``"auto"``, ``"onnx"`` or ``"keras"``. ``notes``: a CSV file for pitch, voicing
            and activity by frame, of variants that have these heads; a worker's second song goes to
            ``<name>-2.csv``, and so on. ``example``: a sound file with one singer alone, who becomes
            ``voice-1``; of variants with two voices.
        """
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ["KERAS_BACKEND"] = "tensorflow"
        # The worker puts this folder on the path; as a type it is known by its place.
        loaded: type[Separator] = importlib.import_module("zipformer_keras").Separator

        if weights is None:
            raise ValueError(
                f"No weights of {variant!r} are shipped; train some with `bench train "
                f"zipformer:{variant}` and name their folder with --weights."
            )
        foreign = sorted(set(options) - {"runtime", "notes", "example"})
        if foreign:
            raise ValueError(
                f"Zipformer has no option {foreign[0]!r}; it has runtime, notes and example."
            )
        runtime = str(options.get("runtime", "auto"))
        self._example = str(options.get("example", ""))
        if self._example:
            make = partial(loaded.from_folder, variant, weights, device=device, runtime=runtime)
            self._separator = self._of_example(make)
        else:
            self._separator = loaded.from_folder(variant, weights, device=device, runtime=runtime)
        self.parameters = self._separator.parameters
        self._notes, self._songs = str(options.get("notes", "")), 0
        if self._notes and not self._separator.configuration.harmonics:
            raise ValueError(
                f"The weights of {variant} have no heads for notes. Train some with `python -m "
                "benchmarks.structure harmonics --out DIR` and name their folder with --weights."
            )

    def separate(self, mixture: Samples, sample_rate: int) -> Iterator[dict[str, Samples]]:
        """Yield consecutive blocks of all stems, float32 (channels, samples).

        Parameters
        ----------
        mixture
            float32 (channels, samples), best a memory map.
        sample_rate
            In Hz.
        """
        self._take_notes()
        blocks = self._separator.blocks(mixture, sample_rate)
        if self._example:
            examples = importlib.import_module("zipformer_keras.examples")
            blocks = examples.watched(blocks, "voice-1", _tell)
        yield from blocks

    def stream(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[dict[str, Samples]]:
        """Yield stems of sound as it comes in; variants whose name ends in ``-live`` only.

        Parameters
        ----------
        blocks
            Consecutive float32 (channels, any length).
        sample_rate
            In Hz.
        """
        self._take_notes()
        yield from self._separator.stream(blocks, sample_rate)

    def _of_example(self, make: Callable[..., Separator]) -> Separator:
        """A separator whose first stem is the singer of the example."""
        examples, queries = (
            importlib.import_module(f"zipformer_keras.{name}") for name in ("examples", "queries")
        )
        path = Path(self._example)
        samples = examples.read_example(path)
        plain = make()
        try:
            query = queries.signature(samples, plain.configuration)
        except queries.QueryError as error:
            raise examples.refused(path, error) from error
        separator = make(query=query)
        examples.tell_two_voices(plain, samples, path, _tell)
        return separator

    def _take_notes(self) -> None:
        """Begin the notes of the next song."""
        if not self._notes:
            return
        self._songs += 1
        path = Path(self._notes)
        if self._songs > 1:
            path = path.with_name(f"{path.stem}-{self._songs}{path.suffix}")
        notes = importlib.import_module("zipformer_keras.notes")
        self._separator.on_notes = notes.NotesFile(path, self._separator.configuration).add


def _tell(sentence: str) -> None:
    """Say something of a separation; `bench separate` shows lines of the log that begin so."""
    sys.stderr.write(f"Note: {sentence}\n")
    sys.stderr.flush()
