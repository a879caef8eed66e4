"""Notes of a run about its tracks: which stems are summed, and which files are unusual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchbench.datasets.tracks import Track
from benchbench.metrics.targets import reference_sets, unused_stems

__all__ = ["oddity_notes", "pairing_notes"]

ODDITIES = {
    "residual": "Stems do not add up to the mixture that is shipped (residual, in dB relative to it)",
    "truncated": "Files were cut off and read as far as they go",
    "unequal_lengths": "Stems of unequal length were padded with zeros",
    "mixture_length": "The mixture is not as long as the stems",
    "mono_stem": "Mono stems were copied to both channels, beside stereo ones",
    "clipping": "The sum of the stems exceeds full scale",
}
"""Flags of tracks that are reported, as sentences."""

NAMED = 3
"""Number of tracks that a note names."""


def oddity_notes(flags: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each kind of flag.

    Parameters
    ----------
    flags
        Track name -> its flags, as `benchbench.datasets.preparation.PreparedTrack` holds them.
    """
    notes = []
    for kind, sentence in ODDITIES.items():
        found = {
            track: flag.partition(":")[2]
            for track, every in flags.items()
            for flag in every
            if flag.partition(":")[0] == kind
        }
        if found:
            named = [f"{track} ({text})" if text else track for track, text in found.items()]
            more = ", ..." if len(named) > NAMED else ""
            tracks = f"{len(found)} of {len(flags)} tracks"
            notes.append(f"{sentence}: {tracks}: {', '.join(named[:NAMED])}{more}.")
    return notes


def pairing_notes(tracks: Iterable[Track], models: Mapping[str, Sequence[str]]) -> list[str]:
    """Sentences that say which stems are summed and which estimates are left out.

    Parameters
    ----------
    tracks
        The run's tracks.
    models
        Model name -> its stems.
    """
    added: dict[str, dict[str, None]] = {}
    left: dict[str, dict[str, None]] = {}
    for stems in dict.fromkeys(tuple(track.stems) for track in tracks if track.stems):
        for model, given in models.items():
            sets = reference_sets(stems, given)
            for clause in (clause for chosen in sets for clause in chosen.added_up):
                added.setdefault(clause, {})[model] = None
            unused = unused_stems(sets, given)
            if unused:
                left.setdefault(", ".join(unused), {})[model] = None
    sentences = (("Added up", added), ("Estimates left out", left))
    return [f"{title}: {_joined(clauses)}." for title, clauses in sentences if clauses]


def _joined(clauses: Mapping[str, Iterable[str]]) -> str:
    return "; ".join(f"{clause} ({', '.join(models)})" for clause, models in clauses.items())
