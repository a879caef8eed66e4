"""A stem that is added to a trained network: exactly the old network at first, the same in ONNX."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from zipformer_keras.configuration import Configuration, Grown
from zipformer_keras.onnx.graph import build_graph
from zipformer_keras.runtime import OnnxRuntime
from zipformer_keras.shapes import weight_shapes
from zipformer_keras.training.adaptation import Fit, Settings, chosen_steps, fit
from zipformer_keras.training.song_cache import (
    Cached,
    best_start,
    cached,
    odds,
    si_sdr,
    unadapted,
)
from zipformer_keras.variants import TINY
from zipformer_keras.weights import CONFIGURATION, WeightsError, noted

Networks = dict[str, Configuration]
Make = Callable[..., Any]
FRAMES = 12


def grown(
    base: Configuration, stem: str = "guitar", beside: tuple[str, ...] = ("other",)
) -> Configuration:
    return replace(base, grown=Grown(stem, beside))


@pytest.fixture
def base(networks: Networks) -> Configuration:
    return networks["offline"]


def test_at_first_the_new_stem_is_the_one_beside_it(
    base: Configuration, make_network: Make, make_cells: Make
) -> None:
    network, weights = make_network(base)
    x = make_cells(base, FRAMES)
    before = np.asarray(network(x[None])[0])
    added = grown(base)
    zeros = {
        n: np.zeros(s, np.float32) for n, s in weight_shapes(added).items() if n not in weights
    }
    assert {name.partition("/")[0] for name in zeros} == {"grown"}
    after = OnnxRuntime(build_graph(added, weights | zeros, FRAMES)).run(x)
    beside = base.stems.index("other")
    np.testing.assert_allclose(after[:, -1], before[:, beside], atol=1e-5)
    np.testing.assert_allclose(after[:, beside], 0.0, atol=1e-5)
    others = [index for index in range(len(base.stems)) if index != beside]
    np.testing.assert_allclose(after[:, others], before[:, others], atol=1e-5)


@pytest.mark.parametrize(
    ("stem", "beside", "chunk"),
    [
        ("guitar", ("other",), None),
        ("guitar", ("vocals", "other"), 4),
        ("vocals", ("vocals",), None),
    ],
)
def test_the_graph_equals_the_layers(
    base: Configuration,
    make_network: Make,
    make_cells: Make,
    stem: str,
    beside: tuple[str, ...],
    chunk: int | None,
) -> None:
    added = replace(grown(base, stem, beside), chunk=chunk, left=2)
    network, weights = make_network(added)
    x = make_cells(added, FRAMES)
    expected = np.asarray(network(x[None])[0])
    assert expected.shape[1] == len(added.outputs)
    size = chunk or FRAMES
    runtime = OnnxRuntime(build_graph(added, weights, size))
    found = np.concatenate([runtime.run(x[at : at + size]) for at in range(0, FRAMES, size)])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.min() >= 0.0
    assert found.max() <= 1.0 + 1e-6


def test_a_configuration_survives_json_and_damage_is_told() -> None:
    for name, configuration in (
        ("tiny", TINY),
        ("any", grown(TINY)),
        ("any", replace(grown(TINY, "vocals"), chunk=8)),
        ("tiny", replace(TINY, harmonics=True)),
    ):
        values = json.loads(json.dumps(configuration.as_values()))
        assert Configuration.of_values(values) == configuration
        assert noted({CONFIGURATION: json.dumps(values)}, name) == configuration
        with pytest.raises(WeightsError, match="another variant than base"):
            noted({CONFIGURATION: json.dumps(values)}, "base")
    with pytest.raises(ValueError, match="no variant 'large'"):
        noted({CONFIGURATION: json.dumps(TINY.as_values())}, "large")
    older = {k: v for k, v in TINY.as_values().items() if k not in ("grown", "left")}
    assert Configuration.of_values(older) == TINY
    assert noted({}, "tiny") == TINY
    with pytest.raises(WeightsError, match="not the sizes of a network"):
        noted({CONFIGURATION: '{"width": 3}'}, "tiny")
    with pytest.raises(ValueError, match="no variant 'large'"):
        noted({}, "large")
    for beside, words in (
        (("strings",), "not from strings"),
        ((), "none or all"),
        (TINY.stems, "none"),
    ):
        with pytest.raises(ValueError, match=words):
            grown(TINY, beside=beside)


def synthetic(base: Configuration, rng: np.random.Generator, size: int = 6) -> Cached:
    """A song whose stem lies in the upper half of the cells; the network gives half of every cell."""
    cells, stems = weight_shapes(base)["standardize/mean"][1], len(base.stems)
    mixture = rng.gamma(1.0, 1.0, (size, FRAMES, 2, cells)).astype(np.float32)
    true = np.zeros(cells, np.float32)
    true[cells // 2 :] = 1.0
    return Cached.of(
        rng.standard_normal((size, FRAMES, cells // 2, base.embed[0])).astype(np.float16),
        rng.standard_normal((size, FRAMES, base.width)).astype(np.float16),
        np.zeros((size, FRAMES, stems, 2, cells), np.float16),
        mixture,
        mixture * true,
        (mixture * true).sum(axis=(1, 2, 3)),
    )


def test_a_fit_learns_where_a_stem_lies(base: Configuration) -> None:
    rng = np.random.default_rng(0)
    songs = [synthetic(base, rng) for _ in range(3)]
    half = unadapted(songs[0], [0])
    shared, output = 0.5 * songs[0].shared.sum(), 0.25 * songs[0].mixture.sum()
    assert half == pytest.approx(si_sdr(shared, output, songs[0].energy.sum()), abs=1e-3)
    assert half == pytest.approx(0.0, abs=0.3)  # as much of the stem as of the rest
    settings = Settings(steps=60, batch_size=2, learning_rate=0.2, check_every=20)
    outcome = fit(base, "guitar", songs, settings, ("other",))
    assert outcome.steps > 0
    assert min(outcome.after) > half + 6.0
    assert outcome.arrays["grown/tone"][-1] > 1.0 > -1.0 > outcome.arrays["grown/tone"][0]
    again = fit(base, "guitar", songs, settings, ("other",))
    np.testing.assert_array_equal(outcome.arrays["grown/tone"], again.arrays["grown/tone"])


def test_nothing_is_learned_where_no_step_helps(base: Configuration) -> None:
    """Each song's stem lies in other cells, so what one teaches is wrong for the others."""
    rng = np.random.default_rng(1)
    first, second = synthetic(base, rng), synthetic(base, rng)
    second = replace(second, shared=second.mixture - second.shared,
                     energy=(second.mixture - second.shared).sum(axis=(1, 2, 3)))  # fmt: skip
    settings = Settings(steps=40, batch_size=2, learning_rate=0.2, check_every=20)
    outcome = fit(base, "guitar", [first, second], settings, ("other",))
    assert outcome.steps == 0
    assert not outcome.arrays["grown/tone"].any()


def test_the_steps_of_a_song_are_chosen_by_the_others() -> None:
    curves = np.array([[1.0, 2.0, 0.0], [1.0, 1.5, 1.0], [1.0, 0.5, 4.0]])
    steps, after = chosen_steps(curves, 20)
    assert steps == 40  # means 1.0, 1.33, 1.67
    assert after == (0.0, 1.0, 0.5)  # by the others' means: 2.5, 2.0, 1.75 at looks 2, 2, 1


def test_one_example_takes_half_of_the_steps(base: Configuration) -> None:
    outcome = fit(base, "bass", [synthetic(base, np.random.default_rng(0))], Settings(steps=4))
    assert outcome.steps == 2
    assert outcome.after == outcome.before == ()
    assert outcome.configuration.grown == Grown("bass", ("bass",))  # a stem that it has is tuned


def test_a_stem_may_start_from_the_sum_of_two(base: Configuration) -> None:
    song = synthetic(base, np.random.default_rng(0))
    cells = song.mixture.shape[-1]
    shares = np.full((1, 1, len(base.stems), 1, cells), 0.02)
    shares[:, :, 0, :, cells // 2 : 3 * cells // 4] = 0.9  # two stems have a half of it each
    shares[:, :, 3, :, 3 * cells // 4 :] = 0.9
    shares[:, :, 1, :, : cells // 2] = 0.9
    shares /= shares.sum(axis=2, keepdims=True)
    margins = np.log(shares / (1 - shares)) + 0 * song.margins
    song = Cached.of(song.features, song.vectors, margins.astype(np.float16), song.mixture,
                     song.shared, song.energy)  # fmt: skip
    assert best_start([song], 4, 2) == (0, 3)
    assert len(best_start([song], 4, 1)) == 1
    both = 1 / (1 + np.exp(-odds(song, [0, 3]).astype(np.float64)))
    np.testing.assert_allclose(both, shares[:, :, [0, 3]].sum(axis=2) + 0 * both, atol=2e-3)
    assert unadapted(song, [0, 3]) > unadapted(song, [0]) + 3.0


def test_cached_sums_are_those_of_the_spectra(base: Configuration, make_network: Make) -> None:
    network, _ = make_network(base)
    rng = np.random.default_rng(0)
    stem = rng.standard_normal((2, 300_000)).astype(np.float32) / 10
    rest = rng.standard_normal((2, 300_000)).astype(np.float32) / 10
    song = cached(network, base, stem, stem + rest, 100.0)
    # Two independent sounds, equally loud: <x, s> = |s|^2 and |x|^2 = 2 |s|^2.
    energy = float(song.energy.sum())
    assert float(song.shared.sum()) == pytest.approx(energy, rel=0.05)
    assert float(song.mixture.sum()) == pytest.approx(2 * energy, rel=0.05)
    odds = song.margins.astype(np.float64)
    np.testing.assert_allclose((1 / (1 + np.exp(-odds))).sum(axis=2), 1.0, atol=5e-3)
    fitting = Fit(grown(base), [song], Settings())
    assert fitting.score(song) == pytest.approx(
        unadapted(song, [base.stems.index("other")]), abs=0.02
    )
