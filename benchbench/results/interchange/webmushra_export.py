"""Export a listening test for webMUSHRA: a YAML file and the folder of its stimuli."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchbench.errors import NothingToCompareError
from benchbench.io.atomic import write_whole
from benchbench.io.names import file_name, file_names
from benchbench.io.plain_files import is_plain_below
from benchbench.metrics.targets import ACCOMPANIMENT
from benchbench.results.store import Results

__all__ = ["export_webmushra"]

Audio = npt.NDArray[np.float32]

SECONDS: Final = 10.0  # ITU-R BS.1534-3 asks for excerpts of about ten seconds
RESOURCES: Final = "configs/resources"


@dataclass(frozen=True, slots=True)
class _Trial:
    """One page of the test: all stimuli start and end at the same sample."""

    name: str
    title: str
    reference: str
    stimuli: dict[str, str]


def export_webmushra(
    results: Results,
    out: Path | str,
    *,
    target: str = "vocals",
    models: Sequence[str] = (),
    tracks: Sequence[str] = (),
    seconds: float = SECONDS,
    name: str = "benchbench",
) -> list[Path]:
    """Write a MUSHRA test of one target from the stems that a run kept.

    Each page holds the excerpt in which the reference is loudest: the reference (hidden among the
    stimuli by webMUSHRA), one stimulus per model, and the mixture as the anchor, as in the campaigns
    on MUSDB18. Levels are not changed: differences in level are part of the result.

    Parameters
    ----------
    results
        A results folder whose run kept stems (``bench run --keep-stems yes``).
    out
        The folder to write to; its contents go into webMUSHRA's ``configs`` folder.
    target
        The target to rate.
    models, tracks
        Only these; by default all. Tracks without a stem of every model are left out.
    seconds
        Length of the excerpts.
    name
        Name of the test and of its files.

    Returns
    -------
    list of Path
        The YAML file, then the WAV files.

    Raises
    ------
    NothingToCompareError
        When no track has kept stems of all the models.
    """
    table = _kept(results, target, models, tracks)
    if table.empty:
        raise NothingToCompareError(
            f"{results.root} keeps no {target} that all these models share a track for.",
            hint="bench run --keep-stems yes keeps what a listening test needs.",
        )
    slug = file_name(name)
    folder = Path(out) / "resources" / slug
    trials: list[_Trial] = []
    written: list[Path] = []
    for track, rows in table.groupby("track", sort=True):
        sources = {"reference": _reference(results, rows.iloc[0], target)}
        sources["mixture"] = _mixture(results, rows.iloc[0])
        audio, rate = {}, 0
        for label, path in sources.items():
            audio[label], rate = _read([path])
        for _, row in rows.iterrows():
            audio[str(row["model"])], _ = _read(_stem_files(results, row, target))
        start, stop = _loudest(audio["reference"], round(seconds * rate))
        page = f"{slug}-{len(trials) + 1:03d}"
        paths, files = {}, file_names(audio)
        for label, signal in audio.items():
            path = folder / f"{page}-{files[label]}.wav"
            _write_wav(path, signal[:, start:stop], rate)
            written.append(path)
            paths[label] = f"{RESOURCES}/{slug}/{path.name}"
        reference = paths.pop("reference")
        trials.append(_Trial(page, f"{target}: {track}", reference, paths))
    config = Path(out) / f"{slug}.yaml"
    write_whole(config, _yaml(name, target, trials))
    return [config, *written]


def _kept(
    results: Results, target: str, models: Sequence[str], tracks: Sequence[str]
) -> pd.DataFrame:
    """Finished separations with kept audio, on tracks that all models have."""
    table = results.separations().to_pandas()
    table = table[table["status"] == "ok"].sort_values("run_id", kind="stable")
    table = table.drop_duplicates(["model", "dataset", "track"], keep="last")
    for column, wanted in (("model", models), ("track", tracks)):
        if wanted:
            table = table[table[column].isin(list(wanted))]
    has_audio = [
        bool(_stem_files(results, row, target))
        and is_plain_below(results.root, _reference(results, row, target))
        and is_plain_below(results.root, _mixture(results, row))
        for _, row in table.iterrows()
    ]
    table = table[np.array(has_audio, dtype=bool)]
    wanted_models = list(models) or list(table["model"].unique())
    complete = table.groupby("track")["model"].nunique() == len(wanted_models)
    shared: pd.DataFrame = table[table["track"].isin(complete.index[complete])]
    return shared


def _reference(results: Results, row: pd.Series, target: str) -> Path:
    return results.track_audio(row["track_hash"]) / f"{file_name(target)}.flac"


def _mixture(results: Results, row: pd.Series) -> Path:
    return results.track_audio(row["track_hash"]) / "mixture.flac"


def _stem_files(results: Results, row: pd.Series, target: str) -> list[Path]:
    """The kept stems whose sum is the target; empty when there are none."""
    folder = results.stem_audio(row["separation_id"])
    own = folder / f"{file_name(target)}.flac"
    if is_plain_below(results.root, own):
        return [own]
    stems = str(row["stems"]).split("+")
    if target != ACCOMPANIMENT or "vocals" not in stems:
        return []
    rest = [folder / f"{file_name(stem)}.flac" for stem in stems if stem != "vocals"]
    return rest if rest and all(is_plain_below(results.root, path) for path in rest) else []


def _read(paths: Sequence[Path]) -> tuple[Audio, int]:
    """The sum of the files, shape (channels, samples), and the sampling rate."""
    from benchbench.io.audio.audio_files import read

    parts = [read(path) for path in paths]
    length = max(audio.shape[1] for audio, _ in parts)
    total = np.zeros((parts[0][0].shape[0], length), np.float32)
    for audio, _ in parts:
        total[:, : audio.shape[1]] += audio
    return total, parts[0][1]


def _loudest(audio: Audio, length: int) -> tuple[int, int]:
    """The bounds of the excerpt with the most energy."""
    if audio.shape[1] <= length:
        return 0, audio.shape[1]
    energy = np.concatenate([[0.0], np.cumsum((audio.astype(np.float64) ** 2).sum(axis=0))])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return start, start + length


def _write_wav(path: Path, audio: Audio, rate: int) -> None:
    import soundfile

    memory = io.BytesIO()
    soundfile.write(memory, np.clip(audio.T, -1, 1), rate, subtype="PCM_16", format="WAV")
    write_whole(path, memory.getvalue())


def _yaml(name: str, target: str, trials: Sequence[_Trial]) -> str:
    """The test as YAML; quoted texts are written as JSON strings, which are valid YAML."""
    quote = json.dumps
    lines = [
        f"testname: {quote(f'Separation of {target}')}",
        f"testId: {quote(file_name(name))}",
        "bufferSize: 2048",
        "stopOnErrors: true",
        "showButtonPreviousPage: true",
        "remoteService: service/write.php",
        "pages:",
        "  - type: generic",
        "    id: welcome",
        "    name: Welcome",
        "    content: "
        + quote(
            f"Rate how well each excerpt reproduces the {target} of the reference, from 0 (bad) to "
            "100 (excellent). The reference is hidden among the excerpts."
        ),
        "  -",
        "    - random",
    ]
    for trial in trials:
        lines += [
            "    - type: mushra",
            f"      id: {quote(trial.name)}",
            f"      name: {quote(trial.title)}",
            f"      content: {quote(f'How close is each excerpt to the reference ({target})?')}",
            "      showWaveform: true",
            "      enableLooping: true",
            f"      reference: {quote(trial.reference)}",
            "      createAnchor35: false",
            "      createAnchor70: false",
            "      stimuli:",
            *(f"        {quote(label)}: {quote(path)}" for label, path in trial.stimuli.items()),
        ]
    lines += [
        "  - type: finish",
        "    name: Thank you",
        '    content: "Your ratings are sent when you press the button."',
        "    showResults: true",
        "    writeResults: true",
    ]
    return "\n".join(lines) + "\n"
