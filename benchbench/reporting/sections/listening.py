"""Audio excerpts where models differ most or fail, encoded for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchbench.errors import DamagedResultsError
from benchbench.reporting.data import kept_audio as sounds
from benchbench.reporting.data.frames import EXCERPT_S, Moments, Place
from benchbench.reporting.data.kept_audio import Floats, Library
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.figures import pictures
from benchbench.reporting.formatting import decibels

__all__ = ["Excerpt", "Sound", "chosen_places", "excerpts"]

MODELS: Final = 5
LOUDNESS_LUFS: Final = -20.0
MOST_GAIN_DB: Final = 15.0


@dataclass(frozen=True, slots=True)
class Sound:
    """One audio clip.

    Parameters
    ----------
    kind
        ``mixture``, ``reference``, ``estimate`` or ``residual``.
    model
        The model of the estimate or residual.
    url
        The compressed audio as a ``data:`` URL.
    gain_db
        The gain that matches the loudness of the other clips; a residual gets its estimate's gain.
    picture
        Its spectrogram.
    """

    kind: str
    model: str | None
    url: str
    gain_db: float
    picture: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """An excerpt of a track with all its clips, which have the same length."""

    index: int
    track: str
    target: str
    start_s: float
    length_s: float
    reason: str
    sounds: tuple[Sound, ...]


def chosen_places(
    moments: Moments, leader: str | None, rivals: Sequence[str], count: int = 4
) -> tuple[Place, ...]:
    """Moments where rivals differ most and where the leader fails, on different tracks if possible."""
    wide = moments.widest(rivals, 4 * count)
    bad = moments.worst(leader, 2 * count) if leader else ()
    made: list[Place] = []

    def add(places: Sequence[Place], most: int, words: str) -> None:
        for place in places:
            if most > 0 and all(place.track != other.track for other in made):
                made.append(
                    Place(
                        place.track,
                        place.start_s,
                        place.value,
                        place.model,
                        words.format(decibels(place.value, 1)),
                    )
                )
                most -= 1

    add(wide, count - 1, "Largest gap between separators: {} dB from best to worst.")
    shifted = [
        Place(place.track, place.start_s - EXCERPT_S / 2, place.value, place.model) for place in bad
    ]
    add(
        shifted,
        count - len(made),
        "Lowest score of the leader: {} dB in the middle of the excerpt.",
    )
    if not made:
        first = next(iter(moments.tracks.values()))
        made.append(Place(first.track, 0.0, None, None, "The beginning of the first track."))
    return tuple(made)


def excerpts(
    library: Library,
    places: Sequence[Place],
    target: str,
    report_models: dict[str, ReportModel],
    *,
    full: bool = False,
) -> tuple[Excerpt, ...]:
    """Read and compress the kept audio of the places; places without audio are left out."""
    made: list[Excerpt] = []
    for place in places:
        found = _excerpt(library, place, target, report_models, len(made), full)
        if found:
            made.append(found)
    return tuple(made)


def _excerpt(
    library: Library,
    place: Place,
    target: str,
    report_models: dict[str, ReportModel],
    index: int,
    full: bool,
) -> Excerpt | None:
    mixture = library.reference(place.track, "mixture")
    reference = library.reference(place.track, target)
    if mixture is None or reference is None:
        return None
    files: list[tuple[str, str | None, Path]] = [
        ("mixture", None, mixture),
        ("reference", None, reference),
        *_estimates(library, place.track, target, report_models),
    ]
    start, length = _stretch(place, reference, full)
    try:
        heard = [sounds.read(path, start, length) for _, _, path in files]
    except DamagedResultsError:
        return None
    rate = heard[0][1]
    if any(other != rate for _, other in heard):
        return None
    parts = sounds.same_length([samples for samples, _ in heard])
    room = 0.98 / max(1.0, *(float(np.abs(part).max(initial=0.0)) for part in parts))
    made = list(_sounds(files, [part * room for part in parts], rate))
    return Excerpt(
        index, place.track, target, start, len(parts[0]) / rate, place.reason, tuple(made)
    )


def _estimates(
    library: Library, track: str, target: str, report_models: dict[str, ReportModel]
) -> Iterator[tuple[str, str | None, Path]]:
    rivals = [name for name, report_model in report_models.items() if report_model.ranked][
        : MODELS - 1
    ]
    oracles = [name for name, report_model in report_models.items() if report_model.oracle]
    for name in [*rivals, *oracles][: max(MODELS, 2)]:
        path = library.estimate(name, track, target)
        if path is not None:
            yield "estimate", name, path


def _stretch(place: Place, path: Path, full: bool) -> tuple[float, float | None]:
    """Start and length of the excerpt in seconds; never past the end of the file."""
    import soundfile

    end = float(soundfile.info(path).duration)
    if full or end <= EXCERPT_S:
        return 0.0, None
    return min(max(0.0, place.start_s), end - EXCERPT_S), EXCERPT_S


def _sounds(
    files: Sequence[tuple[str, str | None, Path]], parts: Sequence[Floats], rate: int
) -> Iterator[Sound]:
    reference = parts[1]
    made: list[tuple[str, str | None, float, Floats]] = []
    for (kind, model, _), part in zip(files, parts, strict=True):
        level = sounds.loudness(part, rate)
        gain = float(np.clip(LOUDNESS_LUFS - level, -MOST_GAIN_DB, MOST_GAIN_DB))
        gain = round(gain if level > -60 else 0.0, 2)
        made.append((kind, model, gain, part))
        if kind == "estimate":
            made.append(("residual", model, gain, part - reference))
    with ThreadPoolExecutor() as pool:
        urls = pool.map(lambda one: sounds.encoded(one[3], rate), made)
        loudest = pictures.loudest(parts[0].mean(axis=1), rate)
        for (kind, model, gain, part), url in zip(made, urls, strict=True):
            drawn = pictures.spectrogram(
                part.mean(axis=1), rate, columns=150, rows=56, loudest=loudest
            )
            yield Sound(kind, model, url, gain, drawn)
