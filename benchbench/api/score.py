"""Score a folder of stems against a folder of references: no model, no data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchbench.datasets.dataset import find_stems
from benchbench.errors import AudioError, UsageError
from benchbench.io.audio_files import read
from benchbench.io.hashing import short_hash
from benchbench.metrics import Protocol, resolve
from benchbench.metrics.references import References
from benchbench.metrics.targets import ReferenceSet, reference_sets
from benchbench.results.schema import SCORES
from benchbench.scoring.score_rows import Labels, add, rows, score_set

__all__ = ["score"]

MIXTURE = ("mixture", "mix")

Stems = dict[str, npt.NDArray[np.float32]]


def score(
    references: Path | str,
    estimates: Path | str,
    *,
    metrics: Sequence[str] = ("standard",),
    tell: Callable[[str], None] = lambda _: None,
) -> pa.Table:
    """Score stems that lie in a folder.

    Both folders hold ``<stem>.<ext>`` (one track) or ``<track>/<stem>.<ext>``, in any format
    that is read. Tracks and stems are paired by name. Two-stem estimates of a track with more
    stems are scored against vocals and the sum of the rest.

    Parameters
    ----------
    references, estimates
        The folders.
    metrics
        Names of protocols or of groups of them.
    tell
        Told of everything that a reader of the scores should know.

    Returns
    -------
    Rows of schema `benchbench.results.schema.SCORES`; ``model`` is the estimates' folder name and
    ``dataset`` the references'.

    Raises
    ------
    UsageError
        When a folder is missing or nothing can be paired.
    AudioError
        When a file cannot be read or the sampling rates differ.
    """
    protocols = resolve(metrics)
    true, found = _tracks(Path(references)), _tracks(Path(estimates))
    if len(true) == len(found) == 1:
        found = dict(zip(true, found.values(), strict=True))
    common = [name for name in true if name in found]
    if not common:
        raise UsageError(
            f"No track of {references} is in {estimates}.",
            hint=f"Tracks are paired by folder name. References: {_few(true)}. "
            f"Estimates: {_few(found)}.",
        )
    for name in [*true.keys() - found.keys()]:
        tell(f"{name} has no estimates and is left out.")
    for name in [*found.keys() - true.keys()]:
        tell(f"{name} has no references and is left out.")
    names = Path(estimates).resolve().name, Path(references).resolve().name
    tables = [
        _score_track(
            Labels(None, "", names[0], names[1], name), true[name], found[name], protocols, tell
        )
        for name in common
    ]
    return pa.concat_tables(tables) if tables else SCORES.empty_table()


def _tracks(folder: Path) -> dict[str, dict[str, Path]]:
    """Track name to its stems' files."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder.", hint="Name a folder with stems.")
    own = find_stems(folder)
    if own:
        return {folder.resolve().name: own}
    tracks = {path.name: find_stems(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    tracks = {name: stems for name, stems in tracks.items() if stems}
    if not tracks:
        raise UsageError(
            f"{folder} holds no audio.",
            hint="<stem>.<ext> or <track>/<stem>.<ext> is needed.",
        )
    return tracks


def _score_track(
    labels: Labels,
    references: Mapping[str, Path],
    estimates: Mapping[str, Path],
    protocols: Sequence[Protocol],
    tell: Callable[[str], None],
) -> pa.Table:
    wanted = {name: path for name, path in references.items() if name not in MIXTURE}
    if not wanted:
        raise UsageError(f"Track {labels.track} has no references beside the mixture.")
    given = {name: path for name, path in estimates.items() if name not in MIXTURE}
    chosen = reference_sets(tuple(wanted), tuple(given))[0]
    true, rate = _read_stems(wanted, chosen.references)
    stems, estimate_rate = _read_stems(given, chosen.estimates) if chosen.estimates else ({}, rate)
    if rate != estimate_rate:
        raise AudioError(
            f"Track {labels.track}: the references have {rate} Hz, the estimates {estimate_rate} Hz.",
            hint="Bring the estimates to the references' rate first; a score would depend on how.",
        )
    _tell_oddities(labels.track, chosen, true, stems, given, tell)
    prepared = References(
        {
            target: add([true[part] for part in parts])
            for target, parts in chosen.references.items()
        },
        rate,
    )
    scored = score_set(prepared, stems, chosen, protocols)
    return pa.concat_tables(
        rows(
            labels,
            protocol,
            {chosen.name: scored[protocol.name]},
            short_hash(labels, protocol.name, protocol.version),
        )
        for protocol in protocols
    )


def _read_stems(
    files: Mapping[str, Path], parts: Mapping[str, tuple[str, ...]]
) -> tuple[Stems, int]:
    stems: Stems = {}
    rates: dict[str, int] = {}
    for name in {part for every in parts.values() for part in every}:
        stems[name], rates[name] = read(files[name])
    if len(set(rates.values())) > 1:
        listed = ", ".join(f"{files[name]}: {rate} Hz" for name, rate in rates.items())
        raise AudioError(f"Stems of one track differ in sampling rate: {listed}.")
    return stems, next(iter(rates.values()))


def _tell_oddities(
    track: str,
    chosen: ReferenceSet,
    references: Stems,
    estimates: Stems,
    given: Mapping[str, Path],
    tell: Callable[[str], None],
) -> None:
    length = max(audio.shape[1] for audio in references.values())
    for name, audio in estimates.items():
        if audio.shape[1] != length:
            what = "padded with zeros" if audio.shape[1] < length else "cut"
            tell(
                f"{track}: the estimate {name} has {audio.shape[1]} samples, the references "
                f"{length}; it is {what} to them, as museval does."
            )
    missing = [target for target in chosen.references if target not in chosen.estimates]
    if missing:
        tell(f"{track}: no estimate for {', '.join(missing)}; its rows have no value.")
    used = {part for parts in chosen.estimates.values() for part in parts}
    if unused := sorted(set(given) - used):
        tell(f"{track}: the estimates {', '.join(unused)} have no reference and are left out.")


def _few(names: Mapping[str, object]) -> str:
    listed = list(names)
    return ", ".join(listed[:4]) + (", ..." if len(listed) > 4 else "")
