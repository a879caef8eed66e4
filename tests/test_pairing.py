"""Which file is which stem: names as tools and file systems write them, sums, and what cannot pair."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from typer.testing import CliRunner, Result

import benchbench
from benchbench.api.score import score
from benchbench.cli import app
from benchbench.datasets.stem_files import find_stems, find_tracks
from benchbench.errors import AudioError, NothingToCompareError, UsageError
from benchbench.metrics.pairing.lag import better_lag

RATE = 16000
STEMS = ("vocals", "drums", "bass", "other")


def noise(seed: int, seconds: float = 2.0, channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 0.1 * rng.standard_normal((channels, round(seconds * RATE)))


def write(folder: Path, sounds: Mapping[str, np.ndarray], ending: str = ".wav") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, sound in sounds.items():
        place = os.fsencode(folder / f"{name}{ending}")
        form = "FLAC" if ending == ".flac" else "WAV"
        soundfile.write(place, sound.T, RATE, subtype="PCM_24", format=form)
    return folder


def near(sound: np.ndarray, seed: int, level: float = 0.1) -> np.ndarray:
    """An estimate whose error lies 20 dB below it."""
    return sound + level * noise(seed, sound.shape[1] / RATE, len(sound))


@pytest.fixture
def stems() -> dict[str, np.ndarray]:
    return {stem: noise(number) for number, stem in enumerate(STEMS)}


def sdr(table: pa.Table, track: str | None = None) -> dict[str, float]:
    rows = [row for row in table.to_pylist() if row["metric"] == "SDR"]
    return {row["target"]: row["value"] for row in rows if track in (None, row["track"])}


def bench(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)


@pytest.mark.parametrize("name", ["accompaniment", "instrumental", "no_vocals", "minus", "No Vocals",
                                  "mixture", "mix", "linear_mixture"])  # fmt: skip
def test_a_sum_beside_the_references_changes_no_score(
    name: str, stems: dict[str, np.ndarray], tmp_path: Path
) -> None:
    truth = write(tmp_path / "truth", stems)
    rest = stems["drums"] + stems["bass"] + stems["other"]
    two = write(
        tmp_path / "two", {"vocals": near(stems["vocals"], 7), "accompaniment": near(rest, 8)}
    )
    before = sdr(score(truth, two, metrics=["usdr"]))
    assert before["vocals"] == pytest.approx(20, abs=0.2)
    assert before["accompaniment"] == pytest.approx(24.8, abs=0.2)
    total = rest if "mix" not in name else rest + stems["vocals"]
    write(truth, {name: total})
    told: list[str] = []
    table = score(truth, two, metrics=["usdr"], tell=told.append)
    assert sdr(table) == before
    assert set(table["reference_set"].to_pylist()) == {"vocals+accompaniment"}
    assert "Summed: the reference accompaniment = drums + bass + other." in told
    assert ("mix" in name) != any("left out: it is the sum of the others" in text for text in told)


@pytest.mark.parametrize("name", ["accompaniment", "no_drums", "Instrumental", "minus bass", "mix"])
def test_a_sum_among_the_estimates_is_added_to_nothing(
    name: str, stems: dict[str, np.ndarray], tmp_path: Path
) -> None:
    truth = write(tmp_path / "truth", stems)
    estimates = write(tmp_path / "est", {stem: near(stems[stem], 9) for stem in STEMS})
    before = sdr(score(truth, estimates, metrics=["usdr"]))
    write(estimates, {name: sum(stems.values()) - stems["vocals"]})
    assert sdr(score(truth, estimates, metrics=["usdr"])) == before


def test_a_stem_that_only_the_model_tells_apart_is_added_to_other_and_said(
    stems: dict[str, np.ndarray], tmp_path: Path
) -> None:
    truth = write(tmp_path / "truth", stems)
    piano = noise(11)
    given = dict(stems) | {"other": stems["other"] - piano, "piano": piano}
    told: list[str] = []
    table = score(truth, write(tmp_path / "est", given), metrics=["usdr"], tell=told.append)
    assert sdr(table)["other"] > 60
    assert "Summed: the estimate other = other + piano." in told


@pytest.mark.parametrize("two", [False, True])
def test_references_of_unequal_length_are_an_error_summed_or_not(
    two: bool, stems: dict[str, np.ndarray], tmp_path: Path
) -> None:
    short = dict(stems) | {"bass": stems["bass"][:, :-700]}
    truth = write(tmp_path / "Song", short)
    names = ("vocals", "accompaniment") if two else STEMS
    estimates = write(tmp_path / "est", {name: noise(5) for name in names})
    with pytest.raises(AudioError, match=r"Track Song: .*bass\.wav: 31300 samples"):
        score(truth, estimates, metrics=["usdr"])


def test_estimates_that_are_added_up_need_one_length(
    stems: dict[str, np.ndarray], tmp_path: Path
) -> None:
    truth = write(tmp_path / "truth", {"vocals": noise(0), "accompaniment": noise(1)})
    short = dict(stems) | {"bass": stems["bass"][:, :-700]}
    with pytest.raises(AudioError, match=r"the estimates differ in length .*bass\.wav: 31300"):
        score(truth, write(tmp_path / "est", short), metrics=["usdr"])


def test_two_files_are_scored_against_each_other(tmp_path: Path) -> None:
    sound = noise(3)
    write(tmp_path, {"clean": sound, "enhanced": near(sound, 4)})
    table = score(tmp_path / "clean.wav", tmp_path / "enhanced.wav", metrics=["usdr"])
    assert set(table["track"].to_pylist()) == {"clean"}
    assert sdr(table)["clean"] == pytest.approx(20, abs=0.2)
    done = bench("score", "--references", tmp_path / "clean.wav", "--estimates",
                 tmp_path / "enhanced.wav", "--metrics", "usdr", "--format", "json")  # fmt: skip
    assert done.exit_code == 0
    values = {row["metric"]: row["value"] for row in json.loads(done.stdout)}
    assert values["SDR"] == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize(
    "names",
    [
        {"city_(Vocals)": "vocals", "city_(Instrumental)": "rest"},
        {"1_city_(Vocals)_UVR-MDX-NET": "vocals", "1_city_(No Vocals)_UVR-MDX-NET": "rest"},
        {"song - Vocals": "vocals", "song - Instrumental": "rest"},
        {"VOCALS": "vocals", "No Vocals": "rest"},
        {"city_vocals": "vocals", "city_accompaniment": "rest"},
        {"city.vocals": "vocals", "city.no_vocals": "rest"},
    ],
)
def test_names_as_separators_write_them(
    names: dict[str, str], stems: dict[str, np.ndarray], tmp_path: Path
) -> None:
    truth = write(tmp_path / "truth", stems)
    sounds = {"vocals": stems["vocals"], "rest": sum(stems.values()) - stems["vocals"]}
    flat = write(tmp_path / "est", {name: near(sounds[s], 6) for name, s in names.items()})
    found = sdr(score(truth, flat, metrics=["usdr"]))
    assert found["vocals"] == pytest.approx(20, abs=0.2)
    assert found["accompaniment"] == pytest.approx(24.8, abs=0.2)


def test_many_tracks_in_one_folder_pair_with_folders_of_tracks(tmp_path: Path) -> None:
    songs = {"city": noise(1), "Río": noise(2)}
    for name, sound in songs.items():
        write(tmp_path / "truth" / "test" / name, {"vocals": sound, "drums": noise(9)})
    write(tmp_path / "est", {f"1_{name.lower()}_(Vocals)": near(s, 5) for name, s in songs.items()})
    table = score(tmp_path / "truth", tmp_path / "est", metrics=["usdr"])
    assert sdr(table, "city")["vocals"] == pytest.approx(20, abs=0.2)
    assert sdr(table, "Río")["vocals"] == pytest.approx(20, abs=0.2)


def test_folders_above_the_tracks_are_searched_and_keep_equal_names_apart(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path / "truth" / split / "same", {"vocals": noise(len(split))})
    write(tmp_path / "truth" / "test" / "other song", {"vocals": noise(3)})
    names = [track.name for track in find_tracks(tmp_path / "truth")]
    assert names == ["test/other song", "test/same", "train/same"] or names == [
        "other song", "test/same", "train/same",
    ]  # fmt: skip
    table = score(tmp_path / "truth", tmp_path / "truth", metrics=["usdr"])
    assert len(set(table["track"].to_pylist())) == 3


def test_composed_and_decomposed_names_are_one(tmp_path: Path) -> None:
    song, stem = "Ærøskøbing é", "voçe"
    for form, place in (("NFC", "truth"), ("NFD", "est")):
        folder = tmp_path / place / unicodedata.normalize(form, song)
        write(folder, {unicodedata.normalize(form, stem): noise(1), "bass": noise(2)})
        write(tmp_path / place / "second", {"bass": noise(3)})
    told: list[str] = []
    table = score(tmp_path / "truth", tmp_path / "est", metrics=["usdr"], tell=told.append)
    assert set(table["track"].to_pylist()) == {song, "second"}
    assert set(sdr(table, song)) == {stem, "bass"}
    assert not [text for text in told if "left out" in text]


def test_bytes_that_are_no_text_are_spelled_out(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \n tab\t")
    try:
        write(tmp_path / "truth" / name, {"vocals": noise(1)})
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    write(tmp_path / "truth" / "plain", {"vocals": noise(1)})
    table = score(tmp_path / "truth", tmp_path / "truth", metrics=["usdr"])
    assert set(table["track"].to_pylist()) == {"plain", "caf\\xe9 \n tab\t"}
    done = bench("score", "--references", tmp_path / "truth", "--estimates", tmp_path / "truth")
    assert done.exit_code == 0, done.output


def test_hidden_and_system_files_are_neither_tracks_nor_stems(
    stems: dict[str, np.ndarray], tmp_path: Path
) -> None:
    root = tmp_path / "songs"
    write(root / "song", stems)
    write(root / "song", {"._vocals": noise(1), ".cache": noise(2)})
    write(root / "__MACOSX" / "song", {"vocals": noise(3)})
    write(root / ".git" / "x", {"vocals": noise(3)})
    (root / "song" / "Thumbs.db").write_bytes(b"x" * 99)
    (root / "song" / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" * 99)
    (found,) = find_tracks(root)
    assert (found.name, set(found.stems)) == ("song", set(STEMS))


def test_two_files_of_one_stem_are_asked_about(tmp_path: Path) -> None:
    write(tmp_path, {"Vocals": noise(1)})
    write(tmp_path, {"vocals": noise(1)}, ".flac")
    with pytest.raises(UsageError, match=r"holds Vocals\.wav and vocals\.flac: which is vocals\?"):
        find_stems(tmp_path)


def test_where_nothing_pairs_the_exit_code_is_3_with_a_guess(tmp_path: Path) -> None:
    write(tmp_path / "truth" / "a", {"speech": noise(1)})
    write(tmp_path / "est" / "a", {"speach": noise(1)})
    done = bench("score", "--references", tmp_path / "truth", "--estimates", tmp_path / "est")
    assert isinstance(done.exception, NothingToCompareError)
    assert done.exception.exit_code == 3
    with pytest.raises(NothingToCompareError, match="Did you mean 'speech' by 'speach'"):
        score(tmp_path / "truth", tmp_path / "est")
    write(tmp_path / "truth" / "City Lights", {"vocals": noise(1)})
    write(tmp_path / "other" / "Citty Lights", {"vocals": noise(1)})
    write(tmp_path / "other" / "b", {"vocals": noise(1)})
    with pytest.raises(NothingToCompareError, match="Did you mean 'City Lights'"):
        score(tmp_path / "truth", tmp_path / "other")


def test_outputs_without_names_are_assigned_by_a_permuted_protocol(tmp_path: Path) -> None:
    sounds = {"alice": noise(1, channels=1), "bob": noise(2, channels=1)}
    truth = write(tmp_path / "truth", sounds)
    given = {"output_1": near(sounds["alice"], 5), "output_0": near(sounds["bob"], 6)}
    estimates = write(tmp_path / "est", given)
    table = score(truth, estimates, metrics=["bsseval-sources-permuted"])
    found = sdr(table)
    assert min(found["alice"], found["bob"]) > 15
    with pytest.raises(NothingToCompareError, match="bsseval-sources-permuted"):
        score(truth, estimates, metrics=["usdr"])


def test_one_bad_track_among_many_is_listed_and_the_others_are_scored(tmp_path: Path) -> None:
    for song in ("a", "b", "c"):
        write(tmp_path / "truth" / song, {"vocals": noise(1), "bass": noise(2)})
        write(tmp_path / "est" / song, {"vocals": noise(1), "bass": noise(2)})
    (tmp_path / "est" / "b" / "bass.wav").write_text("no audio")
    done = bench("score", "--references", tmp_path / "truth", "--estimates", tmp_path / "est",
                 "--metrics", "usdr", "--format", "json")  # fmt: skip
    assert done.exit_code == 4
    assert {row["track"] for row in json.loads(done.stdout)} == {"a", "c"}
    assert "b cannot be scored" in done.stderr
    assert "bass.wav cannot be read as audio" in done.stderr


def test_a_delayed_estimate_is_told_and_not_shifted(tmp_path: Path) -> None:
    sound = noise(1)
    late = np.pad(sound, ((0, 0), (1024, 0)))[:, : sound.shape[1]]
    write(tmp_path / "truth", {"vocals": sound, "bass": noise(2)})
    write(tmp_path / "est", {"vocals": late, "bass": noise(2)})
    told: list[str] = []
    table = score(tmp_path / "truth", tmp_path / "est", metrics=["usdr"], tell=told.append)
    assert any("the estimate vocals comes 1024 samples late" in text for text in told)
    assert not any("estimate bass" in text for text in told)
    assert sdr(table)["vocals"] < 0


@pytest.mark.parametrize("lag", [-2624, -1, 1, 529, 1105, 16000])
def test_lags_of_coders_are_found(lag: int) -> None:
    sound = noise(1, seconds=20)
    shifted = near(np.roll(sound, lag, axis=1), 3)
    assert better_lag(shifted, sound) == lag
    assert better_lag(near(sound, 3), sound) is None
    assert better_lag(noise(5, seconds=20), sound) is None
    assert better_lag(0 * sound, sound) is None


def test_score_asks_whether_labels_were_swapped(tmp_path: Path) -> None:
    write(tmp_path / "truth", {"vocals": noise(1), "bass": noise(2)})
    write(tmp_path / "est", {"vocals": noise(2), "bass": noise(1)})
    told: list[str] = []
    score(tmp_path / "truth", tmp_path / "est", metrics=["usdr"], tell=told.append)
    assert any("swapped labels? vocals looks like bass, bass looks like" in t for t in told)


def test_separate_goes_on_behind_a_bad_file(tmp_path: Path) -> None:
    write(tmp_path, {"a": noise(1), "c": noise(2), "..": noise(3)})
    (tmp_path / "b.wav").write_text("no audio")
    out = tmp_path / "deep" / "out"
    done = bench("separate", "--model", "mixture", "--out", out,
                 *(tmp_path / name for name in ("a.wav", "b.wav", "c.wav", "...wav")))  # fmt: skip
    assert done.exit_code == 4
    assert "b.wav was not separated" in done.stderr
    printed = [Path(line) for line in done.stdout.splitlines()]
    assert {path.parent.name for path in printed} == {"a", "c", "...wav"}
    assert all(path.is_file() and path.is_relative_to(out) for path in printed)
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"out"}


def test_separate_reads_a_cut_file_only_if_told_to(tmp_path: Path) -> None:
    write(tmp_path, {"a": noise(1)})
    path = tmp_path / "a.wav"
    path.write_bytes(path.read_bytes()[:-60_000])
    with pytest.raises(AudioError, match=r"22000 samples .* are there, 32000 .* were promised"):
        benchbench.separate("mixture", [path], tmp_path / "out")
    stems = benchbench.separate("mixture", [path], tmp_path / "out", allow_truncated=True)["a"]
    assert {soundfile.info(stem).frames for stem in stems.values()} == {22000}


def test_estimates_of_other_names_are_renamed(stems: dict[str, np.ndarray], tmp_path: Path) -> None:
    truth, made = tmp_path / "truth", tmp_path / "made"
    write(truth / "song", {"vocals": stems["vocals"], "accompaniment": stems["drums"]})
    write(made / "take 1", {"Lead": near(stems["vocals"], 5), "backing": near(stems["drums"], 6)})
    write(truth / "other", {"vocals": stems["bass"], "accompaniment": stems["other"]})
    write(made / "take 2", {"Lead": near(stems["bass"], 7), "backing": near(stems["other"], 8)})
    done = bench(
        "score", "--references", truth, "--estimates", made, "--metrics", "usdr", "--format", "json",
        "--rename", "lead=vocals", "--rename", "backing=accompaniment",
        "--rename", "take 1=song", "--rename", "take 2=other",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = [row for row in json.loads(done.stdout) if row["metric"] == "SDR"]
    assert {(row["track"], row["target"]) for row in rows} == {
        (track, target) for track in ("song", "other") for target in ("vocals", "accompaniment")
    }
    assert [row["value"] for row in rows] == pytest.approx([20.0] * 4, abs=0.2)


def test_a_rename_of_nothing_or_onto_another_stem_is_refused(
    stems: dict[str, np.ndarray], tmp_path: Path
) -> None:
    truth = write(tmp_path / "truth", stems)
    with pytest.raises(UsageError, match="No estimate is named leed") as refused:
        score(truth, truth, metrics=["usdr"], renames={"leed": "vocals"})
    assert "Names to rename: truth, " in str(refused.value.hint)
    with pytest.raises(UsageError, match=r"would both be vocals"):
        score(truth, truth, metrics=["usdr"], renames={"bass": "vocals"})
    done = bench("score", "--references", truth, "--estimates", truth, "--rename", "bass")
    assert done.exit_code != 0
    assert "must have the form estimate=reference" in str(done.exception)
