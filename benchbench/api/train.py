"""Train or fine-tune a model on a data set with the adapter's recipe."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchbench.api.training.programs import adapter_program
from benchbench.api.training.unlabelled import RATE, Unlabelled, read_unlabelled
from benchbench.datasets.dataset import Dataset, Track, installed_folder, open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.errors import MissingExtraError, OutputError, UnknownNameError, UsageError
from benchbench.io.audio.audio_files import Audio
from benchbench.io.paths import AnyPath, path_of, paths_of
from benchbench.io.processes.locks import locked
from benchbench.io.processes.scratch import raise_if_unusable, scratch_folder
from benchbench.metrics.targets import TWO_TARGETS, reference_sets
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.manifest_schema import AnyValue

__all__ = ["train"]

EVERY = 8
"""If a data set has no validation list, every eighth track is kept for validation."""


def train(
    model: str,
    dataset: str | None = None,
    *,
    songs: AnyPath | None = None,
    out: Path | str = "trained",
    root: AnyPath | None = None,
    split: str | None = None,
    validation: Sequence[str] | None = None,
    weights: AnyPath | None = None,
    options: Mapping[str, AnyValue] | None = None,
    adapter_paths: Sequence[AnyPath] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train a model's networks; the same call resumes a stopped run.

    The adapter's folder holds ``train.py`` with a function ``train``; it runs in this process.

    Parameters
    ----------
    model
        ``adapter`` or ``adapter:variant``.
    dataset, root, split
        The data set of songs with stems; the split is ``train`` where it exists. None: ``synth``,
        or no data set if `songs` is given.
    songs
        A folder of audio files without stems, at least a minute in total, for recipes that learn
        from mixtures.
    out
        The run's folder. A process that finds it in use by another training waits, and then goes on
        from what that one has saved.
    validation
        Tracks kept for validation; None: the data set's list, else every eighth track.
    weights
        A folder of weights to start from.
    options
        The recipe's options, such as ``steps``.
    adapter_paths
        Folders that are searched for adapters first.
    tell
        Called with progress messages.

    Returns
    -------
    The folder of the best weights, for ``--weights``.

    Raises
    ------
    UsageError
        When the model cannot be trained, the songs do not fit it, or an option is wrong; when no
        file of `songs` can be read, all are silent or shorter than a minute together, or one is a
        test track of the data set (of ``demo`` where none is named).
    OutputError
        When the run's folder cannot be written, or scratch files cannot.

    Examples
    --------
    >>> import benchbench
    >>> folder = benchbench.train("wiener", "folder", root="songs", out="trained")
    >>> folder.is_dir()
    True
    """
    catalog = Catalog(paths_of(adapter_paths))
    chosen = catalog.model(model)
    recipe = adapter_program(chosen, "train", catalog, tell)
    if songs is not None and "unlabelled" not in inspect.signature(recipe.train).parameters:
        raise UsageError(f"{chosen.name} trains on songs with stems only; leave out --songs.")
    learn, check = _labelled(catalog, dataset, songs, path_of(root), split, validation, tell)
    with scratch_folder() as scratch:
        named = {t.name: _Song(t, chosen.variant.stems, scratch, str(i))
                 for i, t in enumerate([*learn, *check])}  # fmt: skip
        extra: dict[str, Sequence[Unlabelled]] = {}
        if songs is not None:
            tested = _tested(catalog, dataset, path_of(root))
            extra["unlabelled"] = read_unlabelled(path_of(songs), scratch / "songs", tested, tell)
            hours = sum(song.seconds for song in extra["unlabelled"]) / 3600
            tell(f"{len(extra['unlabelled'])} songs without stems, {hours:.2f} hours")
        try:
            place = Path(out)
            place.mkdir(parents=True, exist_ok=True)
            with locked(place / ".training", tell):
                folder: Path = recipe.train(
                    chosen.variant_name,
                    [named[track.name] for track in learn],
                    place,
                    validation=[named[track.name] for track in check],
                    initial=path_of(weights),
                    options=dict(options or {}),
                    tell=tell,
                    **extra,
                )
        except ModuleNotFoundError as error:
            if error.name not in ("keras", "tensorflow"):
                raise
            raise MissingExtraError(error.name, "tensorflow", "Training") from error
        except ValueError as error:
            raise UsageError(
                f"{chosen.name} cannot be trained with these settings: {error}"
            ) from error
        except OSError as error:
            what = error.filename or out
            raise OutputError(
                f"Training cannot read or write {what}: {error.strerror or error}.",
                hint="Free space, or check that the folder exists and that you may write to it; the "
                "same command resumes from the last saved state.",
            ) from error
    return folder


def _labelled(
    catalog: Catalog,
    dataset: str | None,
    songs: AnyPath | None,
    root: Path | None,
    split: str | None,
    validation: Sequence[str] | None,
    tell: Callable[[str], None],
) -> tuple[list[Track], list[Track]]:
    """Tracks with stems for training and validation; none if only songs are given."""
    if dataset is None and songs is not None:
        return [], []
    named = catalog.dataset(dataset or "synth")
    manifest = named.manifest
    split = split or ("train" if "train" in manifest.splits else None)
    data_set = open_dataset(named, root, split=split, tell=tell)
    tell(manifest.licence.notice)
    learn, check = _divided(data_set, validation)
    tell(f"{len(learn)} songs for training, {len(check)} for validation")
    return learn, check


def _tested(catalog: Catalog, dataset: str | None, root: Path | None) -> Sequence[Track]:
    """Test tracks of the named data set, or all of ``demo``, if they are on this machine."""
    chosen = catalog.dataset(dataset or "demo")
    split = "test" if "test" in chosen.manifest.splits else None
    if dataset is not None and split is None:
        return ()
    if root is None and not installed_folder(chosen).is_dir():
        return ()
    try:
        return open_dataset(chosen, root if dataset else None, split=split).tracks
    except UsageError:
        return ()


def _divided(
    data_set: Dataset, validation: Sequence[str] | None
) -> tuple[list[Track], list[Track]]:
    names = {track.name for track in data_set.tracks}
    for name in validation or ():
        if name not in names:
            raise UnknownNameError("track", name, names)
    kept = set(validation if validation is not None else data_set.manifest.validation) & names
    if validation is None and not kept:
        kept = {track.name for track in data_set.tracks[EVERY - 1 :: EVERY]}
    learn = [track for track in data_set.tracks if track.name not in kept]
    if not learn:
        raise UsageError(
            "Every track is kept for validation.", hint="Name fewer tracks in --validation."
        )
    return learn, [track for track in data_set.tracks if track.name in kept]


@dataclass
class _Song:
    """A track's stems as a model needs them, decoded at the first call and then memory-mapped.

    A track with only vocals and accompaniment gives these two; the recipe decides whether it uses
    them.
    """

    track: Track
    stems: tuple[str, ...]
    scratch: Path
    name: str
    _audio: dict[str, Audio] = field(default_factory=dict)

    def __call__(self) -> Mapping[str, Audio]:
        if not self._audio:
            try:
                self._audio = self._read()
            except OSError as error:
                raise_if_unusable(self.scratch, error)
                raise
        return self._audio

    def _read(self) -> dict[str, Audio]:
        prepared = prepare(self.track, self.scratch / self.name)
        if prepared.sample_rate != RATE:
            raise UsageError(
                f"{self.track.name} has {prepared.sample_rate} Hz; training needs {RATE} Hz."
            )
        chosen = reference_sets(tuple(prepared.stems), self.stems)[0]
        missing = set(self.stems) - set(chosen.references)
        if missing and set(chosen.references) != TWO_TARGETS:
            raise UsageError(f"{self.track.name} has no {', '.join(sorted(missing))}.")
        audio = {name: raw.open() for name, raw in prepared.stems.items()}
        return {
            target: _sum([audio[p] for p in parts]) for target, parts in chosen.references.items()
        }


def _sum(parts: Sequence[Any]) -> Audio:
    total: Audio = parts[0] if len(parts) == 1 else np.sum(parts, axis=0, dtype=np.float32)
    return total
