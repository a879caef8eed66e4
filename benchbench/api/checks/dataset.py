"""Checks of a data set: every track, and the number of tracks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchbench.datasets.dataset import Dataset, open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.errors import BenchbenchError
from benchbench.io.processes.scratch import scratch_folder
from benchbench.plugins.catalog import Catalog
from benchbench.separation.conformance import Check

__all__ = ["check_dataset"]


def check_dataset(catalog: Catalog, name: str, root: Path | None) -> Iterator[Check]:
    """Read every track; one check each, one per split, and a summary."""
    data_set = open_dataset(
        catalog.dataset(name), root, split="all" if _has_splits(catalog, name) else None
    )
    manifest = data_set.manifest
    seconds, rates = 0.0, set[int]()
    found: Counter[str] = Counter()
    for track in data_set.tracks:
        missing = [stem for stem in manifest.stems if stem not in track.stems]
        with scratch_folder() as scratch:
            try:
                prepared = prepare(track, scratch)
            except BenchbenchError as error:
                found["unreadable"] += 1
                yield Check(track.name, False, str(error))
                continue
        seconds, rates = seconds + prepared.seconds, rates | {prepared.sample_rate}
        detail = f"{prepared.seconds:.1f} s, {prepared.sample_rate} Hz"
        flags = [*prepared.flags, *(f"missing:{stem}" for stem in missing)]
        found.update({flag.partition(":")[0] for flag in flags})
        lost = any(flag.startswith("missing_file:") for flag in flags)
        fine = not lost and (manifest.partial or not missing)
        yield Check(track.name, fine, detail + (f", {' '.join(flags)}" if flags else ""))
    yield from _check_counts(data_set)
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items())) or "none"
    yield Check(
        "summary",
        not found["unreadable"],
        f"{len(data_set.tracks)} tracks, {seconds / 3600:.2f} h, "
        f"{', '.join(f'{rate} Hz' for rate in sorted(rates)) or 'no rate'}; tracks by flag: {kinds}",
    )


def _check_counts(data_set: Dataset) -> Iterator[Check]:
    """Whether each split has as many tracks as a complete copy."""
    counts = Counter(track.split for track in data_set.tracks)
    for split, expected in data_set.manifest.tracks.items():
        name = f"tracks of {split}" if split else "tracks"
        yield Check(name, counts[split] == expected, f"{counts[split]} of {expected}")


def _has_splits(catalog: Catalog, name: str) -> bool:
    return bool(catalog.dataset(name).manifest.splits)
