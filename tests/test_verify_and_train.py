"""The verbs ``verify`` and ``train`` on small songs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import soundfile

import benchbench
from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.io.audio.audio_files import read
from benchbench.running.events import Event, Note
from tests.conftest import RATE, tones, write_track

Make = Callable[..., Path]


@pytest.fixture
def results(small_songs: Path, tmp_path: Path) -> Path:
    out = tmp_path / "results"
    metrics = ["usdr", "bsseval-v4", "si"]
    benchbench.run(
        ["irm:4stems", "silence"],
        "folder",
        root=small_songs,
        out=out,
        metrics=metrics,
        report=False,
    )
    return out


def test_stored_scores_agree_with_the_peers(results: Path, small_songs: Path) -> None:
    found = benchbench.verify(results, sample=4, root=small_songs)
    assert {one.protocol for one in found} == {"usdr", "bsseval-v4", "si"}
    assert all(one.passed for one in found)
    assert sum(one.compared for one in found) > 50


def test_a_score_that_was_changed_is_found(results: Path, small_songs: Path) -> None:
    for part in results.glob("scores/model=irm*/**/*.parquet"):
        table = pq.read_table(part, partitioning=None)
        index = table.schema.get_field_index("value")
        changed = pc.add(table.column("value"), pa.scalar(0.01))
        pq.write_table(table.set_column(index, table.schema.field(index), changed), part)
    found = benchbench.verify(results, sample=4, root=small_songs)
    assert not found[0].passed
    assert found[0].largest == pytest.approx(0.01, abs=1e-3)


def sung(seconds: float, seed: int) -> np.ndarray:
    """A voice of ten harmonics with vibrato and rests, float32 (2, samples)."""
    clock = np.arange(round(seconds * RATE)) / RATE
    notes = np.random.default_rng(seed).uniform(150.0, 500.0, int(seconds) + 1)
    pitch = notes[clock.astype(int)] * 2 ** (0.3 / 12 * np.sin(2 * np.pi * 5.5 * clock))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 11)) * (clock % 1.0 < 0.7)
    return np.stack([voice, voice]).astype(np.float32) / 100


@pytest.mark.network
def test_pitch_agrees_with_mir_eval(tmp_path: Path) -> None:
    songs, out = tmp_path / "sung", tmp_path / "results"
    for seed, name in enumerate(("one", "two")):
        write_track(songs / name, {**tones(4.0, seed=seed), "vocals": sung(4.0, seed)})
    benchbench.run(
        ["mixture:4stems", "irm:4stems"], "folder", root=songs, out=out, metrics=["pitch"],
        report=False,
    )  # fmt: skip
    found = benchbench.verify(out, sample=4, root=songs)
    assert {(one.protocol, one.metric) for one in found} == {
        ("pitch", name) for name in ("raw-pitch-accuracy", "voicing-recall", "voicing-false-alarm")
    }
    assert all(one.passed and one.largest < 1e-9 for one in found)
    assert sum(one.compared for one in found) >= 12
    accuracy = benchbench.Results(out).scores_frame().query("metric == 'raw-pitch-accuracy'")
    assert 0.1 < accuracy["value"].min() < accuracy["value"].max() <= 1.0
    for part in out.glob("scores/model=mixture*/**/*.parquet"):
        table = pq.read_table(part, partitioning=None)
        index = table.schema.get_field_index("value")
        changed = pc.subtract(table.column("value"), pa.scalar(0.01))
        pq.write_table(table.set_column(index, table.schema.field(index), changed), part)
    assert benchbench.verify(out, sample=4, root=songs)[0].largest == pytest.approx(0.01)


def test_what_cannot_be_made_again_is_said(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    place = make_adapter("own")
    out = tmp_path / "results"
    benchbench.run(
        ["own"], "folder", root=small_songs, out=out, metrics=["usdr"], report=False,
        adapter_paths=[place],
    )  # fmt: skip
    make_adapter("own", "return {stem: mixture / 3 for stem in self.stems}")
    events: list[Event] = []
    with pytest.raises(NothingToCompareError):
        benchbench.verify(out, root=small_songs, adapter_paths=[place], listener=events.append)
    assert any(isinstance(event, Note) and "changed since" in event.text for event in events)


RECIPE = """
import numpy as np

def train(variant, songs, output, *, validation, initial, options, tell):
    if options.get("steps", 1) < 1:
        raise ValueError("steps must be at least 1")
    output.mkdir(parents=True, exist_ok=True)
    stems = songs[0]()
    tell(f"{variant}: {len(songs)} and {len(validation)}, {sorted(stems)}")
    np.save(output / "weights.npy", stems["accompaniment"])
    return output
"""


def test_a_recipe_is_given_songs_in_the_models_targets(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    place = make_adapter("learner")
    (place / "learner" / "train.py").write_text(RECIPE)
    told: list[str] = []
    folder = benchbench.train(
        "learner", "folder", root=small_songs, out=tmp_path / "trained", validation=["second"],
        adapter_paths=[place], tell=told.append,
    )  # fmt: skip
    assert told[-1] == "plain: 1 and 1, ['accompaniment', 'vocals']"
    saved = np.load(folder / "weights.npy")
    names = ("drums", "bass", "other")
    total = sum(read(small_songs / "first" / f"{n}.wav")[0] for n in names)
    np.testing.assert_allclose(saved, total, atol=1e-6)


def test_training_requests_that_cannot_be_met_are_refused(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    place = make_adapter("learner")
    options = {"root": small_songs, "out": tmp_path / "t", "adapter_paths": [place]}
    with pytest.raises(UsageError, match=r"no training recipe .*\n.*spleeter, wiener, zipformer"):
        benchbench.train("learner", "folder", **options)
    (place / "learner" / "train.py").write_text(RECIPE)
    with pytest.raises(UsageError, match="steps must be"):
        benchbench.train("learner", "folder", options={"steps": 0}, **options)
    with pytest.raises(UnknownNameError, match="second"):
        benchbench.train("learner", "folder", validation=["secnd"], **options)
    with pytest.raises(UsageError, match="Every track"):
        benchbench.train("learner", "folder", validation=["first", "second"], **options)


WITHOUT_STEMS = """
def train(variant, songs, output, *, validation, initial, options, tell, unlabelled=()):
    shapes = [song()["mixture"].shape for song in unlabelled]
    tell(f"{len(songs)} with stems, {len(unlabelled)} without: {shapes}")
    return output
"""


@pytest.fixture
def unlabelled(tmp_path: Path, make_adapter: Make) -> Path:
    """A folder with a mono file of 40 s at 22.05 kHz and a stereo one of 30 s, and a model for it."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "without-stems"
    (folder / "album").mkdir(parents=True)
    soundfile.write(folder / "mono.flac", 0.1 * rng.standard_normal(40 * 22050), 22050)
    stereo = 0.1 * rng.standard_normal((30 * 44100, 2))
    soundfile.write(folder / "album" / "stereo.wav", stereo, 44100)
    place = make_adapter("learner")
    (place / "learner" / "train.py").write_text(WITHOUT_STEMS)
    return folder


def learn(folder: Path, **more: Any) -> list[str]:
    told: list[str] = []
    benchbench.train("learner", songs=folder, out=folder.parent / "trained",
                     adapter_paths=[folder.parent / "adapters-of-test"], tell=told.append, **more)  # fmt: skip
    return told


def test_songs_without_stems_are_given_in_stereo_at_one_rate(
    unlabelled: Path, small_songs: Path
) -> None:
    (unlabelled / "cover.jpg").write_bytes(b"no audio")
    (unlabelled / "broken.mp3").write_bytes(b"no audio either")
    soundfile.write(unlabelled / "zeros.wav", np.zeros(44100), 44100)
    told = learn(unlabelled)
    assert told[-1] == f"0 with stems, 2 without: {[(2, 30 * 44100), (2, 40 * 44100)]}"
    assert [line for line in told if "broken.mp3 is left out" in line]
    assert [line for line in told if "zeros.wav is left out: it is silent" in line]
    assert "2 songs without stems, 0.02 hours" in told
    both = learn(unlabelled, dataset="folder", root=small_songs, validation=["second"])
    assert both[-1].startswith("1 with stems, 2 without")


def test_songs_without_stems_that_teach_nothing_are_refused(
    unlabelled: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        learn(tmp_path / "nowhere")
    for path in [*unlabelled.rglob("*.*")]:
        path.unlink()
    with pytest.raises(UsageError, match="holds no readable audio file"):
        learn(unlabelled)
    (unlabelled / "broken.mp3").write_bytes(b"no audio")
    with pytest.raises(UsageError, match=r"no readable audio file\. 1 files were tried"):
        learn(unlabelled)
    soundfile.write(unlabelled / "zeros.wav", np.zeros(44100), 44100)
    with pytest.raises(UsageError, match=r"are silent: zeros\.wav"):
        learn(unlabelled)
    soundfile.write(unlabelled / "short.wav", np.full(59 * 44100, 0.1), 44100)
    with pytest.raises(UsageError, match="are 59 s long together"):
        learn(unlabelled)
    (tmp_path / "adapters-of-test" / "learner" / "train.py").write_text(RECIPE)
    with pytest.raises(UsageError, match="trains on songs with stems only"):
        learn(unlabelled)


def test_a_song_that_models_are_tested_on_is_refused(
    unlabelled: Path, small_songs: Path, tmp_path: Path
) -> None:
    """The same music in another file format and under another name is found by its samples."""
    names = ("vocals", "drums", "bass", "other")
    stems = [read(small_songs / "first" / f"{name}.wav")[0] for name in names]
    root = tmp_path / "set"
    for split, track in (("train", "a"), ("test", "b")):
        (root / split / track).mkdir(parents=True)
        for name, stem in zip(names, stems, strict=True):
            sound = stem if split == "test" else stem[:, ::-1]
            soundfile.write(root / split / track / f"{name}.wav", sound.T, 44100, subtype="PCM_16")
        mixed = np.sum(
            [soundfile.read(root / split / track / f"{n}.wav")[0] for n in names], axis=0
        )
        soundfile.write(root / split / track / "mixture.wav", mixed, 44100, subtype="PCM_16")
    same, _ = soundfile.read(root / "test" / "b" / "mixture.wav")
    options = {"dataset": "musdb18-hq", "root": root, "validation": []}
    assert learn(unlabelled, **options)[-1].startswith("1 with stems, 2 without")
    soundfile.write(unlabelled / "renamed.flac", same, 44100, subtype="PCM_16")
    with pytest.raises(
        UsageError, match=r"renamed\.flac is the track b, which models are tested on"
    ):
        learn(unlabelled, **options)


def test_doctor_checks_machine_data_sets_and_results(results: Path, small_songs: Path) -> None:
    assert all(check.ok for check in benchbench.doctor())
    checks = {c.name: c for c in benchbench.doctor("folder", root=small_songs)}
    assert "2.0 s, 44100 Hz" in checks["first"].detail
    (healthy,) = benchbench.doctor(str(results))
    assert healthy.ok
    part = next(results.glob("scores/**/*.parquet"))
    part.write_bytes(part.read_bytes()[:50])
    (broken,) = benchbench.doctor(str(results))
    assert not broken.ok
    (repaired,) = benchbench.doctor(str(results), repair=True)
    assert repaired.ok
    assert not part.exists()
    assert next(benchbench.doctor(str(results))).ok
