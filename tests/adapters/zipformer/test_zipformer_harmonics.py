"""Pitch, activity and the comb: formulas, labels, ONNX against Keras, and notes of a song."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zipformer_keras import Separator
from zipformer_keras.configuration import Configuration, cell_count
from zipformer_keras.notes import NotesFile, melody
from zipformer_keras.onnx.graph import build_graph
from zipformer_keras.pitches import (
    PITCHES,
    TOP_HZ,
    cell_frequencies,
    combs,
    detectors,
    frequencies,
    nearest,
    tone_bands,
)
from zipformer_keras.runtime import OnnxRuntime
from zipformer_keras.shapes import weight_shapes
from zipformer_keras.training.heads import Heads, HeadSettings, labelled
from zipformer_keras.training.labels import activity, pitch
from zipformer_keras.variants import TINY

Networks = dict[str, Configuration]
Make = Callable[..., Any]
RATE, FRAMES = 44_100, 12
GAINS = ("harmonics/inside", "harmonics/between", "harmonics/gate")


@pytest.fixture
def base(networks: Networks) -> Configuration:
    return networks["offline"]


def tone(hertz: float, seconds: float = 1.0, partials: int = 12) -> np.ndarray:
    clock = np.arange(round(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * k * hertz * clock + k) / k for k in range(1, partials + 1))
    return np.tile(0.1 * np.asarray(sound), (2, 1)).astype(np.float32)


def test_pitches_are_twenty_cents_apart() -> None:
    steps = 1200 * np.diff(np.log2(frequencies().astype(np.float64)))
    np.testing.assert_allclose(steps, 20.0, atol=1e-2)
    assert nearest(np.array([440.0, 0.0, 30.0, 2000.0])).tolist() == [165, *3 * [PITCHES]]


def test_a_comb_holds_the_partials_and_nothing_between() -> None:
    cells, comb = cell_frequencies(TINY), combs(TINY)[165]  # 440 Hz
    assert cells.size == cell_count(TINY.groups)
    for k in (1, 3, 10):
        assert comb[np.argmin(np.abs(cells - k * 440.0))] == 1.0
        assert comb[np.argmin(np.abs(cells - (k + 0.5) * 440.0))] == 0.0
    assert not comb[cells > TOP_HZ].any()
    bands = tone_bands(TINY)
    np.testing.assert_array_equal(bands.sum(axis=0), (cells <= TOP_HZ).astype(float))


@pytest.mark.parametrize("hertz", [98.0, 220.0, 700.0])
def test_a_detector_answers_to_its_pitch(hertz: float) -> None:
    number = int(nearest(np.array([hertz]))[0])
    spectrum = combs(TINY)[number]
    found = spectrum @ detectors(TINY)
    assert abs(int(found.argmax()) - number) <= 1
    assert np.abs(np.ones(cell_count(TINY.groups)) @ detectors(TINY)).max() < 1e-3


@pytest.mark.parametrize("hertz", [80.0, 146.8, 440.0, 987.8])
def test_labels_find_a_pitch(hertz: float) -> None:
    found = pitch(tone(hertz), 4096, 1024)
    assert found.size == (RATE - 4096) // 1024 + 1
    np.testing.assert_allclose(1200 * np.log2(found / hertz), 0.0, atol=8.0)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, RATE)).astype(np.float32)
    assert not pitch(noise, 4096, 1024).any()
    assert not pitch(0 * noise, 4096, 1024).any()
    assert pitch(noise[:, :100], 4096, 1024).size == 0


def test_labels_agree_with_world_on_singing() -> None:
    """Peer: the vocoder WORLD, on a voice that `synth` sings."""
    if importlib.util.find_spec("pyworld") is None:
        pytest.skip("pyworld is not installed")
    root = Path(__file__).resolve().parents[3] / "datasets"
    world = _module("world_of_test", root / "rendered" / "studio" / "world.py").pyworld
    voice = _module("synth_of_test", root / "synth" / "loader.py").render_song("kitchen-radio")[
        "vocals"
    ]
    sound = np.ascontiguousarray(voice[:, : 8 * RATE]).astype(np.float32) / 32768
    mono = sound.mean(axis=0, dtype=np.float64)
    theirs, times = world.dio(mono, RATE, f0_floor=65.0, f0_ceil=1040.0, frame_period=5.0)
    theirs = world.stonemask(mono, theirs, times, RATE)
    ours = pitch(sound, 4096, 1024)
    at = np.round(((np.arange(ours.size) * 1024 + 2048) / RATE) / 0.005).astype(int)
    theirs = theirs[np.minimum(at, theirs.size - 1)]
    both = (ours > 0) & (theirs > 0)
    assert both.mean() > 0.3
    assert np.mean((ours > 0) == (theirs > 0)) > 0.8
    cents = np.abs(1200 * np.log2(ours[both] / theirs[both]))
    assert np.mean(cents < 50) > 0.9


def _module(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_activity_is_where_a_stem_sounds() -> None:
    sound = np.concatenate([tone(220.0), np.zeros((2, RATE), np.float32)], axis=1)
    found = activity(sound, 4096, 1024)
    edge = RATE // 1024
    assert found[: edge - 4].all()
    assert not found[edge + 1 :].any()
    assert not activity(0 * sound, 4096, 1024).any()


def test_without_gains_the_masks_are_those_of_the_network(
    base: Configuration, make_network: Make, make_cells: Make
) -> None:
    network, weights = make_network(base)
    x = make_cells(base, FRAMES)
    added = replace(base, harmonics=True)
    rng = np.random.default_rng(0)
    heads = {name: rng.standard_normal(shape).astype(np.float32)
             for name, shape in weight_shapes(added).items() if name not in weights}  # fmt: skip
    heads |= {name: 0 * heads[name] for name in GAINS}
    runtime = OnnxRuntime(build_graph(added, weights | heads, FRAMES))
    np.testing.assert_allclose(runtime.run(x), np.asarray(network(x[None])[0]), atol=1e-5)
    assert runtime.notes is not None
    np.testing.assert_allclose(runtime.notes[:, : PITCHES + 1].sum(axis=1), 1.0, atol=1e-4)


@pytest.mark.parametrize("chunk", [None, 4])
def test_the_graph_equals_the_layers(
    base: Configuration, make_network: Make, make_cells: Make, chunk: int | None
) -> None:
    added = replace(base, harmonics=True, chunk=chunk, left=2)
    network, weights = make_network(added)
    x = make_cells(added, FRAMES)
    masks, notes = (np.asarray(part)[0] for part in network.with_notes(x[None]))
    size = chunk or FRAMES
    runtime = OnnxRuntime(build_graph(added, weights, size))
    found, told = [], []
    for at in range(0, FRAMES, size):
        found.append(runtime.run(x[at : at + size]))
        told.append(runtime.notes)
    np.testing.assert_allclose(np.concatenate(found), masks, atol=1e-5)
    np.testing.assert_allclose(np.concatenate(told), notes, atol=1e-5)
    plain = {k: (0 * v if k in GAINS else v) for k, v in weights.items()}
    assert (
        np.abs(OnnxRuntime(build_graph(added, plain, size)).run(x[:size]) - masks[:size]).max()
        > 1e-3
    )


def test_a_comb_of_the_right_pitch_raises_its_partials() -> None:
    heads = Heads(replace(TINY, harmonics=True))
    heads.layer.inside.assign(np.ones(8))
    heads.layer.between.assign(-np.ones(8))
    answer = np.full((1, 1, PITCHES + 1), -20.0, np.float32)
    answer[0, 0, 165] = 20.0
    added = np.asarray(heads.layer.added(answer, np.zeros((1, 1, 4), np.float32)))[0, 0, :, 0]
    cells, vocals = cell_frequencies(TINY), TINY.stems.index("vocals")
    assert added[vocals, np.argmin(np.abs(cells - 880.0))] == pytest.approx(1.0, abs=1e-3)
    assert added[vocals, np.argmin(np.abs(cells - 660.0))] == pytest.approx(-1.0, abs=1e-3)
    assert not np.delete(added, vocals, axis=0).any()
    answer[0, 0, PITCHES] = 60.0
    assert (
        np.abs(np.asarray(heads.layer.added(answer, np.zeros((1, 1, 4), np.float32)))).max() < 1e-3
    )


def test_notes_give_the_pitch_between_two_steps(tmp_path: Path) -> None:
    notes = np.zeros((4, PITCHES + 1 + 4), np.float32)
    notes[:, 165], notes[:, 166], notes[:, PITCHES] = 0.45, 0.45, 0.1
    notes[3, :PITCHES], notes[3, PITCHES] = 0.0, 1.0
    hertz, voicing = melody(notes)
    assert hertz[0] == pytest.approx(np.sqrt(frequencies()[165] * frequencies()[166]), rel=1e-5)
    np.testing.assert_allclose(voicing, [0.9, 0.9, 0.9, 0.0], atol=1e-6)
    file = NotesFile(tmp_path / "deep" / "notes.csv", TINY)
    file.add(notes[:2])
    file.add(notes[2:])
    text = (tmp_path / "deep" / "notes.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [float(row["time_s"]) for row in rows] == pytest.approx(
        [0.0, 1024 / RATE, 2048 / RATE], abs=1e-4
    )
    assert rows[0]["f0_hz"] == f"{hertz[0]:.2f}"
    assert rows[-1]["f0_hz"] == ""
    assert list(rows[0]) == ["time_s", "f0_hz", "voicing", "vocals", "drums", "bass", "other"]


def test_a_song_has_notes_for_every_frame(base: Configuration, make_network: Make) -> None:
    added = replace(base, harmonics=True)
    _, weights = make_network(added)
    separator = Separator(added, weights)
    told: list[np.ndarray] = []
    separator.on_notes = told.append
    song = 0.1 * np.random.default_rng(0).standard_normal((4, 100_000)).astype(np.float32)
    separator.separate(song, RATE)
    frames = sum(len(part) for part in told)
    # Of four channels the first pair has notes; a song is led in by silence.
    assert frames * added.step >= 100_000 + added.frame - added.step
    assert frames * added.step < 100_000 + 2 * added.frame
    assert separator.on_notes is not None


def test_heads_learn_a_voice(base: Configuration, make_network: Make) -> None:
    rng = np.random.default_rng(0)
    wide = replace(base, frame=4096, step=1024)
    network, _ = make_network(wide)
    songs = []
    for index in range(6):
        stems = {n: 0.02 * rng.standard_normal((2, 140_000)).astype(np.float32) for n in wide.stems}
        stems["vocals"] = tone(220.0 * 2 ** (index / 12), 3.2)[:, :140_000]
        songs.append(stems)
    found = labelled(network, wide, songs)
    assert np.median(found.pitches[0]) == 105
    heads = Heads(replace(wide, harmonics=True))
    before = heads.scores(found, range(6))
    heads.train(found, HeadSettings(steps=60, batch_size=3, learning_rate=0.02))
    after = heads.scores(found, range(6))
    assert after["si_sdr"][:, 0].mean() > before["si_sdr"][:, 0].mean() + 1.0
    assert after["voicing"] > 0.95
    again = Heads(replace(wide, harmonics=True), heads.arrays())
    np.testing.assert_allclose(again.scores(found, range(6))["si_sdr"], after["si_sdr"], atol=1e-4)
