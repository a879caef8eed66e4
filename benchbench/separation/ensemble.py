"""An ensemble: combines the stored stems of other models; nothing is separated again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchbench.datasets.dataset import Track
from benchbench.datasets.preparation import summed
from benchbench.errors import BenchbenchError, UsageError
from benchbench.io.audio.decoding import blocks, info
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.io.names import file_name
from benchbench.metrics.targets import reference_sets
from benchbench.plugins.manifest import COMBINE, DOMAIN
from benchbench.results.store import Results
from benchbench.separation.combining import combined
from benchbench.separation.identity import Member
from benchbench.separation.separator import ModelSetup, SeparationResult

__all__ = ["EnsembleSeparator", "kept_stems", "parts_of"]


class EnsembleSeparator:
    """Reads the members' stored stems of a track and combines them.

    Parameters
    ----------
    setup
        The ensemble and its members.
    results
        The folder that holds the members' stems.

    Raises
    ------
    UsageError
        For an unknown way of combining.
    """

    def __init__(self, setup: ModelSetup, results: Results) -> None:
        self.setup, self.results = setup, results
        chosen = {key: str(value) for key, value in setup.engine_options.items()}
        for key, known in (("combine", COMBINE), ("domain", DOMAIN)):
            if chosen[key] not in known:
                raise UsageError(
                    f"{setup.model.name}: {key} is one of {', '.join(known)}, not {chosen[key]!r}."
                )
        self.combine, self.domain = chosen["combine"], chosen["domain"]

    def __enter__(self) -> EnsembleSeparator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Do nothing: no process runs."""

    def separate(
        self,
        mixture: RawAudio,
        sample_rate: int,
        out: Path,
        references: Mapping[str, RawAudio] | None = None,
        *,
        track: Track | None = None,
    ) -> SeparationResult:
        """The track's stems as raw files in the folder `out`."""
        del references
        start = time.perf_counter()
        try:
            if track is None:
                raise UsageError("An ensemble works on tracks whose stems are stored.")
            stems = {
                stem: self._combined(number, stem, track, mixture, sample_rate, out)
                for number, stem in enumerate(self.setup.model.variant.stems)
            }
        except BenchbenchError as error:
            return SeparationResult("failed", {}, str(error))
        return SeparationResult("ok", stems, load_s=0.0, wall_s=time.perf_counter() - start)

    def _combined(
        self, number: int, stem: str, track: Track, mixture: RawAudio, rate: int, out: Path
    ) -> RawAudio:
        estimates, weights = [], []
        for place, member in enumerate(self.setup.members):
            weight = self._weight(stem, place)
            if weight == 0.0 and self.combine == "mean":
                continue
            raw = self._estimate(member, stem, track, mixture, rate, out / f"member-{place}.f32")
            estimates.append(raw.open())
            weights.append(weight)
        path = out / f"{number}.f32"
        written = write_raw(
            path, combined(estimates, self.combine, self.domain, weights, mixture.samples)
        )
        for used in out.glob("member-*"):
            used.unlink()
        return written

    def _weight(self, stem: str, place: int) -> float:
        ensemble = self.setup.model.manifest.ensemble
        if ensemble is None or self.combine != "mean":
            return 1.0
        return ensemble.weights.get(stem, {}).get(ensemble.members[place], 1.0)

    def _estimate(
        self, member: Member, stem: str, track: Track, mixture: RawAudio, rate: int, path: Path
    ) -> RawAudio:
        """A member's estimate of a stem; a stem that it lacks is the sum of its other stems."""
        parts = parts_of(self.setup.model.variant.stems, member, stem)
        files = kept_stems(self.results, member, track, parts)
        for file in files:
            header = info(file)
            if (header.sample_rate, header.channels) != (rate, mixture.channels):
                raise UsageError(f"{file} differs from its mixture in rate or channels.")
        raws = {
            part: write_raw(path.with_suffix(f".part-{number}"), blocks(file))
            for number, (part, file) in enumerate(zip(parts, files, strict=True))
        }
        return summed(raws, parts, path)


def parts_of(stems: Sequence[str], member: Member, stem: str) -> tuple[str, ...]:
    """The stems of a member whose sum is a stem of the ensemble.

    Raises
    ------
    UsageError
        If the member has no such stem.
    """
    chosen = reference_sets(tuple(stems), member.stems)[0]
    if stem not in chosen.estimates:
        raise UsageError(f"{member.identity.model} gives no {stem}.")
    return chosen.estimates[stem]


def kept_stems(results: Results, member: Member, track: Track, stems: Sequence[str]) -> list[Path]:
    """The files of a member's stored stems of a track.

    Raises
    ------
    UsageError
        If one was not stored.
    """
    folder = results.stem_audio(member.identity.separation_id(track))
    files = [folder / f"{file_name(stem)}.flac" for stem in stems]
    for file, stem in zip(files, stems, strict=True):
        if not file.is_file():
            raise UsageError(
                f"The {stem} of {member.identity.model} on {track.name} was not kept.",
                hint="Run the members once with --resume always --keep-stems yes.",
            )
    return files
