"""Two singers at once: a singer's signature, how it changes weights, the objective, and what is said of an example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from zipformer_keras import Separator
from zipformer_keras.configuration import Configuration, cell_count
from zipformer_keras.examples import read_example, tell_two_voices, watched
from zipformer_keras.onnx.graph import build_graph
from zipformer_keras.queries import NAMES, SIGNATURE, QueryError, folded, signature
from zipformer_keras.runtime import OnnxRuntime
from zipformer_keras.training.objectives import duets
from zipformer_keras.training.objectives.duets import Duets
from zipformer_keras.training.recipe import Recipe
from zipformer_keras.training.validation import duet_gains
from zipformer_keras.variants import DUET
from zipformer_keras.weights import collect

Networks = dict[str, Configuration]
Make = Callable[..., Any]
RATE, FRAMES = 44_100, 12


@pytest.fixture
def duet(networks: Networks) -> Configuration:
    return replace(networks["offline"], query=True, stems=("voice-1", "voice-2", "other"))


def voice(hertz: float, fall: float, seconds: float = 2.0, level: float = 0.1) -> np.ndarray:
    """Partials whose level falls with a power of their number, faded in and out."""
    clock = np.arange(round(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * k * hertz * clock + k) / k**fall for k in range(1, 15))
    fade = np.clip(np.minimum(clock, clock[::-1]) / 0.1, 0.0, 1.0)
    return np.tile(level * fade * np.asarray(sound), (2, 1)).astype(np.float32)


def test_a_signature_knows_the_timbre_and_neither_level_nor_silence_around() -> None:
    here = signature(voice(220.0, 1.0), DUET)
    assert here.shape == (SIGNATURE,)
    padded = np.pad(0.3 * voice(220.0, 1.0), ((0, 0), (RATE, RATE)))
    bright = signature(voice(220.0, 0.3), DUET)
    assert np.abs(signature(padded, DUET) - here).mean() < 0.5 * np.abs(bright - here).mean()
    np.testing.assert_allclose(signature(0.3 * voice(220.0, 1.0), DUET), here, atol=1e-3)


@pytest.mark.parametrize(
    ("sound", "said"),
    [(0 * voice(220.0, 1.0), "silent"), (voice(220.0, 1.0, seconds=0.2), "0.20 s")],
)
def test_an_example_that_says_nothing_is_refused(sound: np.ndarray, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        signature(sound, DUET)


@pytest.mark.parametrize("chunk", [None, 4])
def test_folded_weights_do_what_the_network_does_with_a_query(
    duet: Configuration, make_network: Make, make_cells: Make, chunk: int | None
) -> None:
    """Offline and live: Keras with the signature, ONNX with changed weights."""
    configuration = replace(duet, chunk=chunk, left=2)
    network, _ = make_network(configuration)
    rng = np.random.default_rng(0)
    network.query.adapt(2.0 + rng.standard_normal((9, SIGNATURE)).astype(np.float32))
    weights = collect(network)
    x = make_cells(configuration, FRAMES)
    query = 2.0 + rng.standard_normal(SIGNATURE).astype(np.float32)
    plain, size = replace(configuration, query=False), chunk or FRAMES
    masks = {}
    for asked in (0.0, 1.0):
        change = network.query(query[None], np.array([asked], np.float32))
        numbers, _, _ = network.decoded(x[None], change=change)
        logits = np.asarray(numbers)[0].reshape(FRAMES, 3, 2, cell_count(duet.groups))
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        masks[asked] = exponents / exponents.sum(axis=1, keepdims=True)
        arrays = folded(weights, query if asked else None, configuration)
        assert not set(NAMES) & set(arrays)
        runtime = OnnxRuntime(build_graph(plain, arrays, size))
        found = [runtime.run(x[at : at + size]) for at in range(0, FRAMES, size)]
        # Random changes make logits of 50 and more, which float32 holds to about 1e-5.
        np.testing.assert_allclose(np.concatenate(found), masks[asked], atol=5e-5)
    assert np.abs(masks[1.0] - masks[0.0]).max() > 1e-3


def test_a_network_without_a_query_refuses_one(networks: Networks, make_network: Make) -> None:
    plain = networks["offline"]
    _, weights = make_network(plain)
    with pytest.raises(ValueError, match="cannot look for an example's voice"):
        Separator(plain, weights, query=np.zeros(SIGNATURE, np.float32))


def songs(count: int = 4) -> list[Callable[[], dict[str, np.ndarray]]]:
    listed = []
    for index in range(count):
        stems = {"vocals": voice(150.0 + 40 * index, 0.4 + 0.3 * index, 4.0)}
        if index % 2:
            noise = 0.05 * np.random.default_rng(index).standard_normal((2, 4 * RATE))
            stems["accompaniment"] = noise.astype(np.float32)
        listed.append(lambda stems=stems: stems)
    return listed


def test_without_an_example_the_order_of_the_voices_does_not_matter(
    duet: Configuration, make_network: Make
) -> None:
    network, _ = make_network(duet)
    recipe = Recipe(batch_size=3, frames=16)
    objective = Duets(songs(), duet, recipe, asked=0.5)
    seen, targets, energy, known, query, asked = objective.draw(np.random.default_rng(3))
    crossed = (targets[:, :, [1, 0, 2]], energy[:, [1, 0, 2]])
    rest = (known, query)

    def loss(targets: np.ndarray, energy: np.ndarray, asked: np.ndarray) -> float:
        return float(objective.outcome(network, seen, targets, energy, *rest, asked).loss)

    free = np.zeros_like(asked)
    assert loss(targets, energy, free) == pytest.approx(loss(*crossed, free), abs=1e-5)
    fixed = np.ones_like(asked)
    assert abs(loss(targets, energy, fixed) - loss(*crossed, fixed)) > 1e-4
    assert loss(targets, energy, free) <= loss(targets, energy, fixed) + 1.0


def test_draws_hold_both_voices_and_an_example_in_some(duet: Configuration) -> None:
    objective = Duets(songs(), duet, Recipe(batch_size=12, frames=16), asked=0.5)
    _, _, energy, known, query, asked = objective.draw(np.random.default_rng(0))
    assert (energy[:, :2] > 0).all()
    assert 0 < (energy[:, 2] > 0).sum() < 12
    assert known.all()
    assert 0 < asked.sum() < 12
    assert (np.abs(query).sum(axis=1) > 0).tolist() == (asked > 0).tolist()
    with pytest.raises(ValueError, match="at least two songs with vocals"):
        Duets(songs(1), duet, Recipe(), asked=0.5)


def test_a_singer_is_moved_in_pitch_and_the_example_with_them(duet: Configuration) -> None:
    """One tone: its pitch in the mixture and the spectrum of the example rise and fall together."""
    tone = 0.1 * np.sin(2 * np.pi * 500 * np.arange(4 * RATE) / RATE)
    sung: Callable[[], Any] = lambda: {"vocals": np.tile(tone, (2, 1)).astype(np.float32)}  # noqa: E731
    objective = Duets([sung, sung], duet, Recipe(batch_size=24, frames=32), asked=1.0)
    _, _, energy, _, query, asked = objective.draw(np.random.default_rng(5))
    assert asked.all()
    assert energy.shape == (24, 3)
    levels = query[:, : SIGNATURE // 2]
    centre = (np.exp(levels) @ np.arange(levels.shape[1])) / np.exp(levels).sum(axis=1)
    assert np.ptp(levels.argmax(axis=1)) >= 2
    assert np.ptp(centre) > 0.5
    rng = np.random.default_rng(0)
    speeds = np.log2([duets._speeds(rng) for _ in range(400)])
    assert np.abs(speeds).max() <= duets.OCTAVES
    assert 0.65 < np.mean(np.sign(speeds[:, 0]) != np.sign(speeds[:, 1])) < 0.85


class Crossed:
    """A separator that gives the voices in the other order, each with a tenth of the other."""

    def __init__(self, first: np.ndarray, second: np.ndarray) -> None:
        self.stems = {"voice-1": second + 0.1 * first, "voice-2": first + 0.1 * second}

    def separate(self, mixture: np.ndarray, sample_rate: int) -> dict[str, np.ndarray]:
        np.testing.assert_allclose(
            mixture, np.sum(list(self.stems.values()), axis=0) / 1.1, atol=1e-6
        )
        return {**self.stems, "other": 0 * mixture}


def test_duets_are_validated_in_the_better_order() -> None:
    first, second = voice(200.0, 1.0), voice(331.0, 1.0)

    def score(references: Any, estimates: Any) -> dict[str, float]:
        return {
            name: float(10 * np.log10(np.sum(sound**2) / np.sum((estimates[name] - sound) ** 2)))
            for name, sound in references.items()
        }

    song: Callable[[], Any] = lambda: {"voice-1": first, "voice-2": second}  # noqa: E731
    solo: Callable[[], Any] = lambda: {"vocals": first}  # noqa: E731
    gained = duet_gains(Crossed(first, second), [song, solo], score)
    assert gained == {"voices": pytest.approx(20.0, abs=0.01)}
    assert duet_gains(Crossed(first, second), [solo], score) == {}


def test_what_all_singers_have_in_common_is_measured(
    duet: Configuration, make_network: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duets, "OCTAVES", 0.0)
    network, _ = make_network(duet)
    objective = Duets(songs(), duet, Recipe(batch_size=3, frames=16), asked=0.5)
    objective.adapt(network)
    mean, deviation = (np.asarray(v) for v in (network.query.mean, network.query.deviation))
    drawn = [signature(song()["vocals"], duet) for song in songs()]
    np.testing.assert_allclose(
        mean[SIGNATURE // 2 :], np.mean(drawn, axis=0)[SIGNATURE // 2 :], atol=0.1
    )
    assert (deviation > 0).all()
    assert np.abs(mean).mean() > 0.1


def test_examples_are_read_at_any_rate_and_refused_if_they_are_none(tmp_path: Path) -> None:
    clock = np.arange(22_050) / 22_050
    soundfile.write(tmp_path / "alice.wav", 0.1 * np.sin(2 * np.pi * 440 * clock), 22_050)
    found = read_example(tmp_path / "alice.wav")
    assert found.shape == (2, RATE)
    spectrum = np.abs(np.fft.rfft(found[0]))
    assert int(spectrum.argmax()) == 440
    with pytest.raises(ValueError, match=r"bob\.wav does not exist"):
        read_example(tmp_path / "bob.wav")
    (tmp_path / "text.wav").write_text("no sound", encoding="utf-8")
    with pytest.raises(ValueError, match=r"text\.wav cannot be read"):
        read_example(tmp_path / "text.wav")


class Halves:
    """A separator that gives each of two voices its share of the example."""

    def __init__(self, second: float) -> None:
        self.second = second

    def separate(self, mixture: np.ndarray, sample_rate: int) -> dict[str, np.ndarray]:
        assert sample_rate == RATE
        return {"voice-1": mixture, "voice-2": self.second * mixture, "other": 9 * mixture}


@pytest.mark.parametrize(("second", "told"), [(0.5, 1), (0.2, 0)])
def test_an_example_with_two_voices_is_named(second: float, told: int) -> None:
    said: list[str] = []
    tell_two_voices(Halves(second), voice(200.0, 1.0), Path("a.wav"), said.append)  # type: ignore[arg-type]
    assert len(said) == told
    assert all("a.wav seems to hold two voices" in sentence for sentence in said)


def test_a_singer_who_is_not_in_the_song_is_named() -> None:
    loud, soft = voice(200.0, 1.0), 0.05 * voice(200.0, 1.0)
    said: list[str] = []
    blocks = [{"voice-1": soft, "voice-2": loud}] * 2
    assert len(list(watched(blocks, "voice-1", said.append))) == 2
    assert said == ["voice-1 is 26 dB softer than the song: the example's singer may not be in it."]
    said.clear()
    assert list(watched([{"voice-1": loud, "voice-2": soft}], "voice-1", said.append))
    assert said == []
