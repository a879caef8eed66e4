"""Learning from songs without stems: what is hidden, units, and runs that learn what they claim."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from zipformer_keras.band_spectra import BANDS, band_spectra
from zipformer_keras.configuration import Configuration
from zipformer_keras.runtime import build_keras
from zipformer_keras.training import pretrain
from zipformer_keras.training.loop import Run
from zipformer_keras.training.objectives import speech, transfer
from zipformer_keras.training.objectives.clusters import Clusters, Unmixing
from zipformer_keras.training.objectives.codebook import Codebook
from zipformer_keras.training.objectives.contrastive import DISTRACTORS, Contrastive
from zipformer_keras.training.objectives.hiding import patches, spans
from zipformer_keras.training.objectives.speech import Utterance, VoiceActivity, utterances
from zipformer_keras.training.recipe import Recipe, read_recipe
from zipformer_keras.training.train import teach
from zipformer_keras.weights import WEIGHTS_FILE, collect, read_weights

RATE = 44_100
Networks = dict[str, Configuration]


def song(seed: int, seconds: float = 3.0) -> Callable[[], dict[str, np.ndarray]]:
    """Tones of four pitches, each for 0.6 s: a hidden frame is most often like its neighbours."""
    rng = np.random.default_rng(seed)
    length = int(seconds * RATE)
    time = np.arange(length) / RATE
    turn = rng.integers(4, size=int(seconds / 0.6) + 1)[(time / 0.6).astype(int)]
    pitches = np.array([400.0, 1500.0, 5000.0, 11000.0])[turn]
    wave = np.sin(2 * np.pi * np.cumsum(pitches) / RATE) + 0.02 * rng.standard_normal(length)
    mixture = 0.2 * np.stack([wave, wave]).astype(np.float32)
    return lambda: {"mixture": mixture}


SONGS = [song(seed) for seed in range(9)]


def recipe(**changes: Any) -> Recipe:
    small = {"steps": 80, "batch_size": 4, "frames": 48, "warmup": 5, "validate_every": 30,
             "save_every": 30, "average": 0.8, "learning_rate": 3e-3, "clusters": 4, "span": 6,
             "hidden": 0.3}  # fmt: skip
    return Recipe(**(small | changes))


def one_stack(networks: Networks) -> Configuration:
    return replace(networks["offline"], stacks=((1, 1),))


def test_spans_hide_about_the_share_that_is_asked_for() -> None:
    hidden = spans(50, 120, 0.45, 10, np.random.default_rng(0))
    assert set(np.unique(hidden)) == {0.0, 1.0}
    assert (hidden.mean(axis=1) >= 0.45).all()
    assert hidden.mean() < 0.52
    runs = np.diff(np.flatnonzero(np.diff(np.pad(hidden[0], 1))))[::2]
    assert runs[1:-1].min() >= 10


def test_patches_hide_whole_rectangles() -> None:
    hidden = patches(3, 20, 40, 0.5, (8, 16), np.random.default_rng(0))
    assert hidden.shape == (3, 20, 40)
    blocks = hidden[:, :16, :32].reshape(3, 2, 8, 2, 16)
    assert ((blocks == blocks[:, :, :1, :, :1]).all(axis=(2, 4))).all()
    assert 0.2 < hidden.mean() < 0.8


def test_band_spectra_do_not_know_the_level(networks: Networks, make_cells: Any) -> None:
    cells = make_cells(networks["offline"], 30)
    spectra = band_spectra(cells)
    assert spectra.shape == (30, BANDS)
    np.testing.assert_allclose(spectra, band_spectra(100.0 * cells), atol=0.02)
    np.testing.assert_allclose(spectra.mean(axis=-1), 0.0, atol=1e-3)


def test_classes_are_found_again() -> None:
    rng = np.random.default_rng(0)
    middles = 10.0 * rng.standard_normal((5, 8)).astype(np.float32)
    labels = rng.integers(5, size=400)
    points = middles[labels] + rng.standard_normal((400, 8)).astype(np.float32)
    units = Codebook.fit(points, 5, np.random.default_rng(1)).units(points)
    pairs = set(zip(labels.tolist(), units.tolist(), strict=True))
    assert len(pairs) == 5
    with pytest.raises(ValueError, match="3 frames cannot be put into 5"):
        Codebook.fit(points[:3], 5, rng)


def test_hidden_frames_are_replaced_before_the_encoder(
    networks: Networks, make_network: Any, make_cells: Any
) -> None:
    c = networks["offline"]
    network, _ = make_network(c)
    cells = make_cells(c, 20)[None]
    hidden = np.zeros((1, 20), np.float32)
    hidden[:, 8:12] = 1.0
    token = np.full(c.width, 0.3, np.float32)
    plain = np.asarray(network.vectors(cells))
    masked = np.asarray(network.vectors(cells, hidden=hidden, token=token))
    assert plain.shape == masked.shape == (1, 20, c.width)
    assert np.abs(plain - masked)[:, 8:12].max() > 1e-3
    other = np.asarray(network.vectors(cells, hidden=hidden, token=-token))
    assert np.abs(other - masked).max() > 1e-3
    before = np.asarray(network.vectors(cells, encoded=False))
    assert np.abs(before - plain).max() > 1e-3
    trunk = {id(variable) for variable in network.trunk_variables}
    way_out = network.unembed
    assert not trunk & {id(variable) for variable in way_out.variables}
    assert len(trunk) + len(way_out.trainable_variables) == len(network.trainable_variables)


@pytest.mark.parametrize("objective", ["clusters", "unmixing", "contrastive", "patches"])
def test_each_objective_learns_songs_that_can_be_foretold(
    objective: str, networks: Networks, tmp_path: Path
) -> None:
    c, plan = one_stack(networks), recipe(objective=objective)
    keras.utils.set_random_seed(0)
    network = build_keras(c)
    task, score = pretrain.prepare(network, c, plan, SONGS, given=False)
    run = Run(plan, c, network, task, tmp_path, score)
    before = score()
    losses = [run.advance() for _ in range(plan.steps)]
    after = score()
    # While all frames are quantized alike, the contrastive loss is low and nothing is learned.
    assert objective == "contrastive" or np.mean(losses[-10:]) < np.mean(losses[:10])
    assert after["accuracy"] > before["accuracy"]
    assert after["accuracy"] > after["chance"] + 0.1
    assert 0.0 <= after["chance"] < 0.8
    assert after["accuracy"] <= 1.0


def test_units_of_unmixing_are_those_of_the_first_song(networks: Networks) -> None:
    c = one_stack(networks)
    quiet = [song(3)]
    task = Unmixing(quiet, c, recipe(), 0)
    heard, _, units = task.draw(np.random.default_rng(4))
    clean = Clusters(quiet, c, recipe(), 0)
    windows = clean.windows(np.random.default_rng(4))
    np.testing.assert_array_equal(units, clean.codebook.units(band_spectra(clean.seen(windows))))
    assert np.abs(heard - clean.seen(windows)).max() > 1e-6


def test_a_second_iteration_takes_classes_of_the_networks_vectors(networks: Networks) -> None:
    c, plan = one_stack(networks), recipe(objective="clusters")
    network = build_keras(c)
    first: Any = pretrain.prepare(network, c, plan, SONGS, given=False)[0]
    second: Any = pretrain.prepare(network, c, plan, SONGS, given=True)[0]
    assert first.codebook.centres.shape == (4, BANDS)
    assert second.codebook.centres.shape == (4, c.width)
    before = second.draw(np.random.default_rng(0))[2]
    for variable in network.trainable_variables:
        variable.assign(np.zeros(variable.shape, np.float32))
    np.testing.assert_array_equal(second.draw(np.random.default_rng(0))[2], before)


def test_distractors_are_other_hidden_frames(networks: Networks) -> None:
    c = one_stack(networks)
    _, hidden, others = Contrastive(SONGS, c, recipe(), 0).draw(np.random.default_rng(0))
    assert others.shape == (4, 48, DISTRACTORS)
    for row, places in zip(others, hidden, strict=True):
        for frame in np.flatnonzero(places):
            assert places[row[frame]].all()
            assert frame not in row[frame]


def test_pretrained_weights_say_what_they_heard_and_can_be_trained_on(
    networks: Networks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = one_stack(networks)
    monkeypatch.setattr("zipformer_keras.training.train.VARIANTS", {"small": c})
    plan = recipe(objective="clusters", steps=4, validate_every=2, warmup=1)
    lines: list[Any] = []

    def no_score(*_: object) -> dict[str, float]:
        raise AssertionError("songs without stems have no SI-SDR")

    folder = teach("small", plan, SONGS, tmp_path / "pre", score=no_score, report=lines.append,
                   logs=False)  # fmt: skip
    assert [set(line.scores) for line in lines] == [{"accuracy", "chance"}] * 2
    weights, notes = read_weights(folder / WEIGHTS_FILE)
    assert (notes["objective"], notes["songs"], notes["hours"]) == ("clusters", "9", "0.01")
    assert weights.keys() == collect(build_keras(c)).keys()
    stems = {name: SONGS[0]()["mixture"] for name in ("vocals", "drums", "bass", "other")}
    fine = teach("small", recipe(steps=1, warmup=1), [lambda: stems], tmp_path / "fine",
                 initial=folder, score=no_score, logs=False)  # fmt: skip
    assert read_weights(fine / WEIGHTS_FILE)[1]["steps"] == "1"


def test_recipes_without_stems_are_checked() -> None:
    assert read_recipe("pretrain", {}).objective == "clusters"
    assert read_recipe("pretrain", {"objective": "patches"}).objective == "patches"
    with pytest.raises(ValueError, match=r"objective must be one of .*unmixing.* not 'masks'"):
        read_recipe("pretrain", {"objective": "masks"})
    with pytest.raises(ValueError, match=r"hidden must lie between 0 and 1, not 1\.0"):
        read_recipe("pretrain", {"hidden": 1.0})
    with pytest.raises(ValueError, match="clusters must lie between 2 and"):
        read_recipe("pretrain", {"clusters": 1})


def said() -> Utterance:
    """A sentence of three phones of 0.1 s, of 0.2 s of a tone and silence at both ends."""
    time = np.arange(int(0.4 * RATE)) / RATE
    samples = np.where((time > 0.1) & (time < 0.3), np.sin(2 * np.pi * 300 * time), 0.0)
    phones = np.array([0, 5, 9, 0], np.int32)
    return Utterance(samples.astype(np.float32), phones, np.array([0.1, 0.2, 0.3, 0.4]))


def test_phones_are_found_at_their_moments() -> None:
    moments = np.array([-1.0, 0.05, 0.15, 0.25, 0.35, 0.5])
    assert said().phone_at(moments).tolist() == [0, 0, 5, 9, 0, 0]


def test_speech_is_labelled_where_it_sounds(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "utterances", lambda *_: [said()])
    c = one_stack(networks)
    plan = recipe(objective="phones", frames=200)
    silent = {"mixture": np.zeros((2, 3 * RATE), np.float32)}
    task = transfer.Phones([lambda: silent], c, plan, 0)
    heard, asked, labels = task.draw(np.random.default_rng(1))
    assert labels.shape == (4, 200)
    energy = heard[:, :, :2].sum(axis=(2, 3))
    assert set(np.unique(labels)) == {0, 5, 9}
    assert np.median(energy[labels > 0]) > 1e3 * np.median(energy[labels == 0])
    assert (asked[labels > 0] == 1).all()
    assert asked[labels == 0].mean() == pytest.approx(1 / 8, abs=0.05)


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_flite_tells_the_phones_that_it_speaks() -> None:
    spoken = utterances(2, np.random.default_rng(0))
    for one in spoken:
        assert one.phones.size > 15
        assert one.phones[0] == one.phones[-1] == 0
        assert (np.diff(one.ends) > 0).all()
        assert one.samples.size / RATE == pytest.approx(one.ends[-1], abs=0.1)
        quiet = np.abs(one.samples[: int(0.5 * one.ends[0] * RATE)]).max()
        assert quiet < 0.1 * np.abs(one.samples).max()


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
@pytest.mark.skipif(importlib.util.find_spec("silero_vad") is None, reason="needs silero-vad")
def test_voice_activity_is_high_in_speech_and_low_in_silence() -> None:
    one = utterances(1, np.random.default_rng(0))[0]
    activity = VoiceActivity()
    probabilities = activity.probabilities(one.samples)
    assert np.median(probabilities) > 0.8
    assert activity.probabilities(np.zeros(RATE, np.float32)).max() < 0.3
    moments = np.array([-0.5, one.ends[-1] / 2, one.ends[-1] + 1.0])
    assert activity.voiced_at(one, moments).tolist() == [0, 1, 0]


def test_what_speech_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech.shutil, "which", lambda _: None)
    with pytest.raises(ValueError, match="need the program flite"):
        utterances(1, np.random.default_rng(0))
    monkeypatch.setattr(speech.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="pip install --no-deps silero-vad"):
        VoiceActivity()
