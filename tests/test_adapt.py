"""`bench adapt`: a stem from a few songs, the model that comes of it, and requests that are refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import benchbench
from benchbench.api.adapt import Adapted
from benchbench.cli import app
from benchbench.cli.tables.adaptation import adaptation_table
from benchbench.errors import BenchbenchError, ManifestError, UsageError
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.manifest_schema import Adaptation, Example
from benchbench.separation.identity import adapter_hash

RATE = 44100
Sounds = dict[str, np.ndarray]


def sounds(seconds: float = 4.0, seed: int = 0, rate: int = RATE) -> Sounds:
    """A plucked tone and noise, (samples, 2)."""
    rng = np.random.default_rng(seed)
    clock = np.arange(round(seconds * rate)) / rate
    pitch = 220.0 * 2 ** (rng.integers(0, 12) / 12)
    tone = sum(np.sin(2 * np.pi * k * pitch * clock) / k for k in range(1, 9))
    guitar = 0.1 * tone * np.exp(-4.0 * (clock % 0.5))
    noise = 0.05 * rng.standard_normal((clock.size, 2))
    stereo = np.stack([guitar, guitar], axis=1)
    return {"guitar": stereo, "mixture": stereo + noise}


def write(folder: Path, files: Sounds, rate: int = RATE) -> None:
    folder.mkdir(parents=True)
    for name, audio in files.items():
        soundfile.write(folder / f"{name}.wav", audio, rate, subtype="FLOAT")


def fault(kind: str) -> list[Sounds]:
    """Songs that cannot be learned from."""
    song = sounds()
    cases: dict[str, list[Sounds]] = {
        "without": [{"piano": song["guitar"], "mixture": song["mixture"]}],
        "alone": [{"guitar": song["guitar"]}],
        "silent": [{"guitar": 0 * song["guitar"], "mixture": song["mixture"]}],
        "same": [{"guitar": 0.5 * song["mixture"], "mixture": song["mixture"]}],
        "louder": [{"guitar": song["guitar"], "mixture": 0.01 * song["mixture"]}],
        "short": [sounds(2.0)],
        "lengths": [{"guitar": song["guitar"][:-500], "mixture": song["mixture"]}],
        "many": [song] * 11,
        "no part": [{"guitar": song["guitar"], "mixture": 0 * song["mixture"]}],
    }
    return cases[kind]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("without", "No example has a stem guitar"),
        ("alone", "guitar and nothing else"),
        ("silent", "silent in every example: song-0"),
        ("same", "are the same sound"),
        ("louder", "20 dB louder than the mixture"),
        ("no part", "no part of it"),
        ("short", "2.0 s long together"),
        ("lengths", "differ in length"),
        ("many", "more than the 10"),
    ],
)
def test_examples_that_do_not_fit_are_refused(tmp_path: Path, kind: str, words: str) -> None:
    for number, song in enumerate(fault(kind)):
        write(tmp_path / "songs" / f"song-{number}", song)
    with pytest.raises(UsageError, match=words) as raised:
        benchbench.adapt("zipformer:tiny", tmp_path / "songs", "guitar", out=tmp_path / "made")
    assert raised.value.hint or kind == "silent"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("model", "stem", "out", "words"),
    [
        ("zipformer:tiny", "../x", "made", "cannot be the name of a stem"),
        ("zipformer:tiny", "guitar", "Made!", "cannot be the name of a model"),
        ("zipformer:tiny", "guitar", "zipformer", "There is a model"),
        ("zipformer:tiny", "guitar", "songs", "exists already"),
        ("zipformer:base-live", "guitar", "made", "No weights are published"),
        ("mixture", "guitar", "made", r"no program that learns .*\n.*zipformer"),
    ],
)
def test_requests_that_cannot_be_met_are_refused(
    tmp_path: Path, model: str, stem: str, out: str, words: str
) -> None:
    write(tmp_path / "songs" / "one", sounds(6.0))
    with pytest.raises(BenchbenchError, match=words):
        benchbench.adapt(model, tmp_path / "songs", stem, out=tmp_path / out)


def made(gains: list[float | None]) -> Adapted:
    examples = tuple(
        Example(f"song {n}", "0" * 64, None if gain is None else 1.0, gain and 1.0 + gain)
        for n, gain in enumerate(gains)
    )
    known = [gain for gain in gains if gain is not None]
    mean = float(np.mean(known)) if known else None
    return Adapted(
        Path("made"),
        Adaptation("zipformer:tiny", "", "guitar", ("other",), "other", 40, mean, examples),
    )


def test_a_gain_must_exceed_its_error() -> None:
    assert made([None]).is_better is None
    assert made([0.5, 0.3]).is_better is True
    assert made([0.05, 0.1]).is_better is False
    assert made([3.0, -2.0, -0.5]).is_better is False  # mean 0.17, standard error 1.5
    assert made([0.5, 0.4, 0.6]).is_better is True


def test_the_table_says_what_was_gained() -> None:
    text = adaptation_table(made([0.5, 0.3]))
    assert "song 1" in text
    assert "+0.30" in text
    assert "+0.40 dB over the unadapted model, after 40 steps" in text
    assert "No better than the unadapted model" in adaptation_table(made([-0.5, 0.3]))
    assert "not checked on another song" in adaptation_table(made([None]))


EXTENDING = """
name = "mine"
summary = "A copy with weights of its own"
extends = "zipformer"
default_variant = "tiny"
[licence]
code = "MIT"
[variants.tiny]
stems = ["vocals", "drums", "bass", "other"]
"""


def test_a_manifest_can_extend_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "adapter.toml").write_text(EXTENDING)
    catalog = Catalog((tmp_path,))
    model, base = catalog.model("mine"), catalog.model("zipformer")
    assert model.adapter.code.folder == base.adapter.folder
    assert model.options == base.options
    assert model.manifest.runtime == base.manifest.runtime
    before = adapter_hash(model.adapter)
    assert before != adapter_hash(base.adapter)
    (tmp_path / "mine" / "adapter.toml").write_text(EXTENDING + "live = false\n")
    assert adapter_hash(Catalog((tmp_path,)).adapter("mine")) != before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('extends = "zipformer"', 'extends = "nobody"'), "no model that is found"),
        (('extends = "zipformer"', 'extends = "mine"'), "with its own code"),
        (("[licence]", "[runtime]\nmemory_mb = 9\n[licence]"), "those of 'zipformer'"),
        (("[licence]", "[options]\nshifts = 1\n[licence]"), "those of 'zipformer'"),
    ],
)
def test_manifests_that_cannot_extend_are_refused(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "adapter.toml").write_text(EXTENDING.replace(*change))
    with pytest.raises(ManifestError, match=words):
        Catalog((tmp_path,)).model("mine")


@pytest.mark.slow
def test_a_stem_is_learned_and_the_model_separates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        write(tmp_path / "songs" / f"song-{number}", sounds(5.0, number))
    write(tmp_path / "songs" / "slow", sounds(5.0, 3, 22050), 22050)
    runner = CliRunner()
    words = ["adapt", "zipformer:tiny", "--examples", "songs", "--stem", "guitar", "--out", "mine",
             "--option", "steps=40"]  # fmt: skip
    done = runner.invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "song-1" in done.output
    adaptation = Catalog().adapter("mine").manifest.adaptation
    assert adaptation is not None
    assert [one.name for one in adaptation.examples] == ["slow", "song-0", "song-1"]
    raw = [
        soundfile.read(f"songs/song-0/{n}.wav", dtype="float32")[0].T for n in ("guitar", "mixture")
    ]
    sha = hashlib.sha256(b"".join(np.ascontiguousarray(audio).tobytes() for audio in raw))
    assert adaptation.examples[1].sha256 == sha.hexdigest()
    separated: dict[Path, Any] = benchbench.separate("mine", ["songs/song-0/mixture.wav"], "out")
    stems = next(iter(separated.values()))
    assert list(stems) == ["vocals", "drums", "bass", "other", "guitar"]
    sound = {name: soundfile.read(path)[0].T for name, path in stems.items()}
    base = next(
        iter(benchbench.separate("zipformer:tiny", ["songs/song-0/mixture.wav"], "o").values())
    )
    kept = {"vocals", "drums", "bass", "other"} - set(adaptation.beside)
    for name in kept:
        np.testing.assert_allclose(sound[name], soundfile.read(base[name])[0].T, atol=1e-5)
    table = benchbench.run(
        ["zipformer:tiny", "mine"], "folder", root="songs", out="results", metrics=["si"],
        report=False,
    ).leaderboard("si/SI-SDR")  # fmt: skip
    assert "mine:tiny" in str(table)
