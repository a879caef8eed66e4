"""Score the files of one track: pair them, sum stems where needed, and report oddities."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchbench.errors import AudioError, NothingToCompareError, closest
from benchbench.io.audio.audio_files import read
from benchbench.io.hashing import short_hash
from benchbench.metrics import Protocol
from benchbench.metrics.pairing.stem_names import is_mixture, name_key, parts_and_sums
from benchbench.metrics.references import References
from benchbench.metrics.targets import ReferenceSet, reference_sets, unused_stems
from benchbench.scoring.oddities import oddities
from benchbench.scoring.score_rows import Labels, add, rows, score_set

__all__ = ["FileScorer"]

Files = Mapping[str, Path]
Stems = dict[str, npt.NDArray[np.float32]]


@dataclass
class FileScorer:
    """Scores tracks whose references and estimates are files.

    Parameters
    ----------
    protocols
        The protocols to compute.
    tell
        Called with a sentence that a reader of the scores should know.
    allow_truncated
        Whether truncated files are read up to their end.
    """

    protocols: Sequence[Protocol]
    tell: Callable[[str], None]
    allow_truncated: bool = False
    _told: set[str] = field(default_factory=set)

    def score(self, labels: Labels, references: Files, estimates: Files) -> pa.Table:
        """The score rows of one track.

        Parameters
        ----------
        labels
            The columns that all rows share.
        references, estimates
            Maps each stem to its file; a mixture among them is not a stem.

        Raises
        ------
        NothingToCompareError
            When no estimate has a reference.
        AudioError
            When a file cannot be read, or files that belong together differ in sampling rate,
            channels or length.
        """
        parts, left_out = parts_and_sums(references)
        if not parts:
            raise NothingToCompareError(
                f"Track {labels.track} has no references beside the mixture.",
                hint="Put its stems there, as <stem>.wav.",
            )
        given = [stem for stem in estimates if not is_mixture(stem)]
        chosen = self._chosen(labels.track, parts, given)
        for stem in left_out:
            self._tell_once(f"The reference {stem} is left out: it is the sum of the others.")
        for clause in chosen.added_up:
            self._tell_once(f"Summed: {clause}.")
        true, rate = self._read(labels.track, references, chosen.references, "references")
        stems, own_rate = self._read(labels.track, estimates, chosen.estimates, "estimates")
        if own_rate not in (None, rate):
            raise AudioError(
                f"Track {labels.track}: the references have {rate} Hz, the estimates {own_rate} Hz.",
                hint="Resample the estimates first; benchbench does not, since the method changes scores.",
            )
        _require_one_shape(labels.track, "references", references, true)
        self._tell_lengths(labels.track, estimates, true, stems)
        self._tell_missing(labels.track, chosen, given)
        targets = {
            target: add([true[stem] for stem in every])
            for target, every in chosen.references.items()
        }
        for text in oddities(targets, stems, chosen):
            self.tell(f"{labels.track}: {text}.")
        mixture = self._mixture(labels, references, rate)
        prepared = References(targets, rate or 0, mixture=mixture, cache_bytes=0)
        scored = score_set(prepared, stems, chosen, self.protocols)
        return pa.concat_tables(
            rows(
                labels,
                protocol,
                {chosen.name: scored[protocol.name]},
                short_hash(labels, protocol.name, protocol.version),
            )
            for protocol in self.protocols
        )

    def _mixture(
        self, labels: Labels, references: Files, rate: int | None
    ) -> npt.NDArray[np.float32] | None:
        """The mixture among the reference files, where a protocol needs one."""
        wanting = [each.name for each in self.protocols if "mixture" in each.options]
        if not wanting:
            return None
        path = next((path for stem, path in references.items() if is_mixture(stem)), None)
        names = ", ".join(wanting)
        if path is None:
            self._tell_once(
                f"{names}: the mixture is the sum of the references, since no file holds it."
            )
            return None
        audio, own_rate = read(path, on_truncated=self.tell if self.allow_truncated else None)
        if own_rate != rate:
            raise AudioError(
                f"Track {labels.track}: {path} has {own_rate} Hz, the references {rate} Hz.",
                hint="Bring the mixture to the references' rate, or leave it out.",
            )
        self._tell_once(f"{names}: the mixture is {path.name} beside the references.")
        return audio

    def _chosen(self, track: str, parts: Sequence[str], given: Sequence[str]) -> ReferenceSet:
        """The first reference set; protocols with permutation need no matching names."""
        chosen = reference_sets(tuple(parts), tuple(given))[0]
        if chosen.estimates:
            return chosen
        permuted = [protocol.options.get("permute") for protocol in self.protocols]
        if given and all(permuted) and len(given) <= len(chosen.references):
            ordered = sorted(given, key=_natural)
            self._tell_once(
                f"Names of estimates ({', '.join(ordered)}) do not match the references: the "
                "best assignment is scored."
            )
            pairs = zip(chosen.references, ordered, strict=False)
            return ReferenceSet(chosen.references, {t: (stem,) for t, stem in pairs})
        raise NothingToCompareError(
            f"Track {track}: no estimate ({', '.join(given) or 'none'}) belongs to a reference "
            f"({', '.join(parts)}).",
            hint=_suggestion(given, parts)
            + "Files are paired by name, such as vocals.wav or song_(Vocals).wav; where the names "
            "say nothing, use --metrics bsseval-sources-permuted, or name two files.",
        )

    def _read(
        self, track: str, files: Files, parts: Mapping[str, tuple[str, ...]], side: str
    ) -> tuple[Stems, int | None]:
        """The stems of some targets; stems that are summed must have the same shape."""
        stems: Stems = {}
        rates: dict[str, int] = {}
        on_truncated = self.tell if self.allow_truncated else None
        for name in dict.fromkeys(stem for every in parts.values() for stem in every):
            stems[name], rates[name] = read(files[name], on_truncated=on_truncated)
        if len(set(rates.values())) > 1:
            listed = ", ".join(f"{files[name]}: {rate} Hz" for name, rate in rates.items())
            raise AudioError(
                f"Track {track}: the {side} differ in sampling rate: {listed}.",
                hint="Bring them to one rate first.",
            )
        for every in parts.values():
            _require_one_shape(track, side, files, {stem: stems[stem] for stem in every})
        return stems, next(iter(rates.values()), None)

    def _tell_lengths(self, track: str, files: Files, true: Stems, stems: Stems) -> None:
        channels, length = next(iter(true.values())).shape
        for name, audio in stems.items():
            if audio.shape[0] != channels:
                raise AudioError(
                    f"Track {track}: {files[name]} has {audio.shape[0]} channels, the references "
                    f"{channels}.",
                    hint="Bring the estimates to the references' channels first.",
                )
            if audio.shape[1] != length:
                what = "padded with zeros" if audio.shape[1] < length else "cut"
                self.tell(
                    f"{track}: the estimate {name} has {audio.shape[1]} samples, the references "
                    f"{length}; it is {what} to them, as museval does."
                )

    def _tell_missing(self, track: str, chosen: ReferenceSet, given: Sequence[str]) -> None:
        missing = [target for target in chosen.references if target not in chosen.estimates]
        if missing:
            self.tell(f"{track}: no estimate for {', '.join(missing)}; its rows have no value.")
        unused = unused_stems([chosen], given)
        if unused:
            self.tell(
                f"{track}: the estimates {', '.join(unused)} have no reference and are left out. "
                + _suggestion(unused, missing)
            )

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.tell(text)


def _require_one_shape(track: str, side: str, files: Files, stems: Stems) -> None:
    shapes = {name: audio.shape for name, audio in stems.items()}
    if len(set(shapes.values())) > 1:
        listed = ", ".join(
            f"{files[name]}: {shape[1]} samples, {shape[0]} channels"
            for name, shape in shapes.items()
        )
        raise AudioError(
            f"Track {track}: the {side} differ in length or channels: {listed}.",
            hint="Bring them to one length and the same channels first; nothing is padded in a sum.",
        )


def _suggestion(names: Sequence[str], known: Sequence[str]) -> str:
    keys = {name_key(name): name for name in known}
    for name in names:
        guess = closest(name_key(name), keys)
        if guess:
            return f"Did you mean {keys[guess]!r} by {name!r}? "
    return ""


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts ``output_10`` after ``output_9``."""
    return [(int(part), "") if part.isdecimal() else (-1, part)
            for part in re.split(r"(\d+)", name)]  # fmt: skip
