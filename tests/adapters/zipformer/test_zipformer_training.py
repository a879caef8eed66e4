"""Training: batches, losses, a run that learns, and one that is stopped and resumes exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from zipformer_keras import VARIANTS, Separator
from zipformer_keras.configuration import BYPASS_FLOOR, Configuration, bin_count, cell_count
from zipformer_keras.runtime import build_keras
from zipformer_keras.spectrum import Synthesis, analyse, expanded
from zipformer_keras.training.augmentation import Excerpt, Library, draw_excerpt
from zipformer_keras.training.batches import cell_example, draw_batch, excerpt_length, wave_example
from zipformer_keras.training.loop import Run
from zipformer_keras.training.loss import (
    RESOLUTIONS,
    error_energies,
    multi_resolution_loss,
    snr_loss,
    waveforms,
)
from zipformer_keras.training.objectives.separation import Separation
from zipformer_keras.training.recipe import CPU_BFLOAT16, FOLDER, Recipe, read_recipe
from zipformer_keras.training.starting import warm_start
from zipformer_keras.training.state import STATE
from zipformer_keras.training.tones import filtered, tones
from zipformer_keras.training.train import set_precision, teach
from zipformer_keras.training.validation import gains
from zipformer_keras.training.variation import PLAIN, Variation
from zipformer_keras.variants import TINY
from zipformer_keras.weights import WEIGHTS_FILE, assign, collect, read_weights

RATE = 44_100
Networks = dict[str, Configuration]
Make = Callable[..., Any]
STEMS = ("vocals", "drums", "bass", "other")


def song(seed: int, seconds: float = 2.0) -> Callable[[], dict[str, np.ndarray]]:
    """Four stems in regions of their own, with a beat."""
    rng = np.random.default_rng(seed)
    length = int(seconds * RATE)
    time = np.arange(length) / RATE
    stems = {}
    for number, stem in enumerate(STEMS):
        pitch = rng.uniform(0.9, 1.1) * (1500, 6000, 90, 500)[number]
        beat = 0.6 + 0.4 * np.sin(2 * np.pi * (number + 1.5) * time)
        wave = beat * np.sin(2 * np.pi * pitch * time + rng.uniform(0, 6)) / 5
        stems[stem] = np.stack([wave, wave * rng.uniform(0.5, 1.0)]).astype(np.float32)
    return lambda: stems


SONGS = [song(seed) for seed in range(4)]
LIBRARY = Library.of(SONGS, STEMS)


def excerpt(stems: np.ndarray, known: tuple[int, ...] = (1, 1, 1, 1)) -> Excerpt:
    return Excerpt(stems, np.array(known, np.float32))


def flat(c: Configuration) -> np.ndarray:
    return np.ones((len(c.stems), bin_count(c.groups)), np.float32)


def backed() -> dict[str, np.ndarray]:
    """A song of which vocals and accompaniment alone are known."""
    stems = song(9)()
    rest = [sound for name, sound in stems.items() if name != "vocals"]
    return {"vocals": stems["vocals"], "accompaniment": np.sum(rest, axis=0)}


@pytest.fixture
def stems() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal((4, 2, 128 * 11 + 512)) / 10).astype(np.float32)


def test_the_cells_give_the_error_of_the_masked_spectra(
    networks: Networks, stems: np.ndarray
) -> None:
    c, rng = networks["offline"], np.random.default_rng(1)
    bins = bin_count(c.groups)
    gain = tones(STEMS, bins, c.frame, Variation(tone=1.0), rng)
    seen, targets, energy, _ = cell_example(excerpt(stems), gain, c)
    masks = rng.uniform(0, 1, (12, 4, 2, targets.shape[-1])).astype(np.float32)
    found = error_energies(masks[None], seen[None], targets[None], energy[None])
    spectra = analyse(stems, c.frame, c.step, bins) * gain[:, None, None]
    for stem in range(4):
        mask = expanded(masks[:, stem], c.groups, bins)
        error = np.abs(mask.transpose(1, 0, 2) * spectra.sum(axis=0) - spectra[stem]) ** 2
        assert float(found[0, stem]) == pytest.approx(error.sum(), rel=1e-4)


def test_waveforms_in_the_graph_are_those_of_inference(
    networks: Networks, stems: np.ndarray
) -> None:
    c, rng = networks["offline"], np.random.default_rng(1)
    seen, spectrum, *_ = wave_example(excerpt(stems), flat(c), c)
    masks = rng.uniform(0, 1, (12, 4, 2, seen.shape[-1])).astype(np.float32)
    found = np.asarray(waveforms(masks[None], spectrum[None], c))[0]
    bins = bin_count(c.groups)
    mixture = analyse(stems.sum(axis=0), c.frame, c.step, bins)
    for stem in range(4):
        mask = expanded(masks[:, stem], c.groups, bins)
        full = np.zeros((2, 15, c.frame // 2 + 1), np.complex64)
        full[:, :12, :bins] = mask.transpose(1, 0, 2) * mixture
        plain = Synthesis(c.frame, c.step).add(full, slice(0, stems.shape[-1]))
        np.testing.assert_allclose(found[stem], plain, atol=1e-6)


def test_losses_know_right_from_wrong(networks: Networks, stems: np.ndarray) -> None:
    c = replace(networks["offline"], step=64)
    stems = np.repeat(stems, 8, axis=-1)  # longer than the longest frame
    seen, spectrum, waves, known = wave_example(excerpt(stems), flat(c), c)
    assert waves.shape[-1] > max(RESOLUTIONS) + 2 * c.frame
    frames, cells = seen.shape[0], seen.shape[-1]
    even = np.full((1, frames, 4, 2, cells), 0.25, np.float32)
    uneven = even.copy()
    uneven[:, :, 0], uneven[:, :, 1:] = 0.97, 0.01
    loss = multi_resolution_loss(c)
    args = (seen[None], spectrum[None], waves[None], known[None])
    assert float(loss(even, *args)) < float(loss(uneven, *args))
    alone = np.stack([stems[0], *[np.zeros_like(stems[0])] * 3])
    example = [part[None] for part in cell_example(excerpt(alone), flat(c), c)]
    assert float(snr_loss(uneven, *example)) < float(snr_loss(even, *example)) - 5.0


def test_draws_depend_on_the_seed_alone(networks: Networks) -> None:
    c = networks["offline"]
    variation = Variation(speed_share=0.5, double=0.5, drive=0.5)
    first, same, other = (
        draw_batch(LIBRARY, c, 2, 20, variation, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    for a, b in zip(first, same, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(a).all()
    assert not any(np.array_equal(a, d) for a, d in zip(first[:3], other[:3], strict=True))


def test_plain_excerpts_are_cut_from_one_song() -> None:
    found = draw_excerpt(
        Library((SONGS[0],)), STEMS, 1_000, PLAIN, np.random.default_rng(0)
    ).samples
    whole = np.stack([SONGS[0]()[stem] for stem in STEMS])
    starts = [at for at in range(whole.shape[-1] - 999)
              if np.array_equal(whole[0, 0, at : at + 1_000], found[0, 0])]  # fmt: skip
    assert any(np.array_equal(whole[..., at : at + 1_000], found) for at in starts)


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({"gain_db": 6.0}, lambda a, b: 0.4 < np.abs(a).max() / np.abs(b).max() < 2.1),
        ({"invert": 1.0}, lambda a, b: np.array_equal(a, -b)),
        ({"swap": 1.0}, lambda a, b: np.array_equal(a, b[:, ::-1])),
        ({"silence": 1.0}, lambda a, _: not a.any()),
    ],
)
def test_each_variation_does_what_it_says(
    changes: dict[str, float], holds: Callable[..., bool]
) -> None:
    short = Library((lambda: {stem: samples[:, :500] for stem, samples in SONGS[0]().items()},))
    whole = np.stack([short.whole[0]()[stem] for stem in STEMS])
    drawn = draw_excerpt(short, STEMS, 500, replace(PLAIN, **changes), np.random.default_rng(0))
    found = drawn.samples
    assert drawn.known.all()
    assert not np.array_equal(found, whole)
    assert holds(found, whole)


def test_a_song_of_two_stems_teaches_the_vocals_alone(networks: Networks) -> None:
    library = Library.of([*SONGS, backed], STEMS)
    assert (len(library.whole), len(library.backed)) == (4, 1)
    only = replace(PLAIN, backing=1.0)
    found = draw_excerpt(library, STEMS, 3_000, only, np.random.default_rng(0))
    assert found.known.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert not found.samples[1:3].any()
    whole = np.stack([backed()["vocals"], backed()["accompaniment"]])
    pair = found.samples[[0, 3]]
    places = range(whole.shape[-1] - 2_999)
    assert any(np.array_equal(whole[..., at : at + 3_000], pair) for at in places)
    c = networks["offline"]
    example = [part[None] for part in cell_example(found, flat(c), c)]
    rng = np.random.default_rng(1)
    masks = rng.uniform(0, 0.2, (1, example[0].shape[1], 4, 2, cell_count(c.groups))).astype(
        np.float32
    )
    other = masks.copy()
    other[:, :, 1:] = rng.uniform(0, 1, other[:, :, 1:].shape)
    assert float(snr_loss(masks, *example)) == float(snr_loss(other, *example))
    other[:, :, 0] += 0.5
    assert float(snr_loss(masks, *example)) != float(snr_loss(other, *example))


def test_songs_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match="lacks vocals, bass, other; it has drums"):
        Library.of([lambda: {"drums": np.zeros((2, 9), np.float32)}], STEMS)
    with pytest.raises(ValueError, match="No song has all of"):
        Library.of([backed], STEMS)


def test_thin_vocals_lose_some_of_what_is_low() -> None:
    only, rng = replace(PLAIN, thin=1.0), np.random.default_rng(0)
    gain = np.stack([tones(("vocals", "other"), 1025, 2048, only, rng) for _ in range(50)])
    vocals, frequency = gain[:, 0], np.arange(1025) * RATE / 2048
    assert (gain[:, 1] == 1.0).all()
    low = vocals[:, (frequency > 20) & (frequency < 60)]
    assert (low < 0.85).all()
    assert (low > 0.03).all()
    assert (vocals[:, frequency > 8000] > 0.98).all()
    assert (np.diff(vocals, axis=1) >= 0).all()
    assert (tones(STEMS, 1025, 2048, PLAIN, rng) == 1.0).all()


def test_filters_in_time_are_those_of_the_spectrum() -> None:
    gain = np.ones((1, 257), np.float32)
    gain[0, 100:] = 0.0
    noise = np.random.default_rng(0).standard_normal((1, 2, 8_000)).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(filtered(noise, gain)))
    assert spectrum[..., 1600:].max() < 0.05 * spectrum[..., :1500].mean()


def recipe(**changes: Any) -> Recipe:
    small = {"steps": 30, "batch_size": 2, "frames": 24, "warmup": 5, "validate_every": 10,
             "save_every": 5, "average": 0.8, "learning_rate": 5e-3}  # fmt: skip
    return Recipe(**(small | changes))


def one_stack(networks: Networks) -> Configuration:
    """A network that is quick to trace."""
    return replace(networks["offline"], stacks=((2, 1),))


@pytest.mark.parametrize("loss", ["snr", "multi-resolution"])
def test_a_run_learns(loss: str, networks: Networks, tmp_path: Path) -> None:
    c = one_stack(networks)
    frames = 24 if loss == "snr" else 60
    plan = recipe(loss=loss, frames=frames, steps=24, variation=PLAIN)
    keras.utils.set_random_seed(0)
    run = Run(plan, c, build_keras(c), Separation(Library((SONGS[0],)), c, plan), tmp_path)
    losses = [run.advance() for _ in range(24)]
    assert np.mean(losses[-8:]) < 0.9 * np.mean(losses[:8]) or loss == "snr"
    assert np.mean(losses[-8:]) < np.mean(losses[:8]) - (0.5 if loss == "snr" else 0.0)


def test_a_run_that_was_stopped_goes_on_exactly(networks: Networks, tmp_path: Path) -> None:
    c = one_stack(networks)

    def start() -> Run:
        import keras

        keras.utils.set_random_seed(0)
        return Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path)

    whole = start()
    for _ in range(7):
        whole.advance()
    whole.save()
    expected = [whole.advance() for _ in range(5)]
    again = start()
    assert again.step == 7
    assert [again.advance() for _ in range(5)] == expected
    for a, b in zip(collect(whole.network).values(), collect(again.network).values(), strict=True):
        np.testing.assert_array_equal(a, b)
    with whole.averaged(), again.averaged():
        np.testing.assert_array_equal(*(collect(r.network)["norm/bias"] for r in (whole, again)))


def test_a_run_of_another_network_is_refused(networks: Networks, tmp_path: Path) -> None:
    c = one_stack(networks)
    Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path).save()
    other = replace(c, feedforward=20)
    with pytest.raises(ValueError, match="another network"):
        Run(recipe(), other, build_keras(other), Separation(LIBRARY, other, recipe()), tmp_path)


def test_bfloat16_on_a_processor_computes_nearly_the_same(
    networks: Networks, tmp_path: Path
) -> None:
    """The first losses; on processors without bfloat16 they are equal."""
    c, losses = one_stack(networks), {}
    for precision in ("float32", CPU_BFLOAT16):
        set_precision(precision)
        keras.utils.set_random_seed(0)
        task = Separation(LIBRARY, c, recipe())
        run = Run(recipe(), c, build_keras(c), task, tmp_path / precision)
        losses[precision] = [run.advance() for _ in range(4)]
        assert {variable.dtype for variable in run.network.variables} <= {"float32", "uint32"}
    set_precision("float32")
    np.testing.assert_allclose(losses[CPU_BFLOAT16], losses["float32"], rtol=0.03)


class Renamed(Separation):
    """Separation under another name, as another objective would be."""

    name = "patches"


def test_a_state_of_another_objective_or_damaged_is_refused(
    networks: Networks, tmp_path: Path
) -> None:
    """Pretraining and fine-tuning with the same --out, and a file that a full disk cut off."""
    c = one_stack(networks)
    Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path).save()
    with pytest.raises(ValueError, match=r"another network or objective \(separation\)"):
        Run(recipe(), c, build_keras(c), Renamed(LIBRARY, c, recipe()), tmp_path)
    whole = (tmp_path / STATE).read_bytes()
    for kept in (b"", b"no archive", whole[: len(whole) // 2], whole[:-50_000] + bytes(50_000)):
        (tmp_path / STATE).write_bytes(kept)
        with pytest.raises(ValueError, match=rf"{STATE} cannot be read"):
            Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path)


def test_averaged_weights_are_in_place_only_for_a_while(networks: Networks, tmp_path: Path) -> None:
    c = one_stack(networks)
    run = Run(recipe(), c, build_keras(c), Separation(LIBRARY, c, recipe()), tmp_path)
    for _ in range(3):
        run.advance()
    before = collect(run.network)
    with run.averaged():
        assert not np.array_equal(collect(run.network)["norm/bias"], before["norm/bias"])
    np.testing.assert_array_equal(collect(run.network)["norm/bias"], before["norm/bias"])


def test_the_rate_rises_stays_and_falls() -> None:
    plan = recipe(steps=100, warmup=10, fall=0.5, learning_rate=1.0)
    assert plan.rate(0) == pytest.approx(0.1)
    assert plan.rate(30) == 1.0
    assert plan.rate(75) == pytest.approx(0.5)
    assert plan.rate(100) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_read(path: Path) -> None:
    found = read_recipe(path.stem, {"steps": 7, "gain_db": 3.0})
    assert (found.steps, found.variation.gain_db) == (7, 3.0)
    assert asdict(found) != asdict(Recipe(steps=7))


def test_wrong_recipes_are_refused() -> None:
    with pytest.raises(ValueError, match="no recipe 'huge'"):
        read_recipe("huge", {})
    with pytest.raises(ValueError, match="has no stepps"):
        read_recipe("tiny", {"stepps": 3})
    with pytest.raises(ValueError, match="loss must be one of"):
        read_recipe("tiny", {"loss": "l3"})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("steps", "many", "steps must be a whole number, not 'many'"),
        ("steps", 1.5, r"steps must be a whole number, not 1\.5"),
        ("learning_rate", "fast", "learning_rate must be a finite number, not 'fast'"),
        ("learning_rate", float("nan"), "learning_rate must be a finite number, not nan"),
        ("learning_rate", -1, r"learning_rate must lie between 0\.0 and 1\.0, not -1"),
        ("average", 2, r"average must lie between 0\.0 and 1\.0, not 2"),
        ("clip", 0, "clip must lie between"),
        ("seed", -1, "seed must lie between 0 and 4294967295, not -1"),
        ("frames", 10**6, "frames must lie between 1 and 8192, not 1000000"),
        ("clusters", 1, "clusters must lie between 2 and"),
        ("loss", 3, "loss must be a text, not 3"),
        ("remix", 5, "remix must lie between 0 and 1, not 5"),
        ("gain_db", "loud", "gain_db must be a finite number, not 'loud'"),
        ("speed", 1, r"speed must lie between 0 and 0\.9, not 1"),
        ("variation", 3, "has no variation"),
    ],
)
def test_wrong_values_of_a_recipe_are_named(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_recipe("tiny", {name: value})


def test_a_recipe_whose_variation_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flat.toml").write_text("variation = 3\n")
    with pytest.raises(ValueError, match=r"variation in .*flat\.toml must be a table, not 3"):
        read_recipe(str(tmp_path / "flat.toml"), {})


def plain_score(
    references: dict[str, np.ndarray], estimates: dict[str, np.ndarray]
) -> dict[str, float]:
    return {
        stem: 10 * np.log10(
            np.square(references[stem]).sum() / np.square(references[stem] - estimates[stem]).sum()
        )
        for stem in references
    }  # fmt: skip


def test_teaching_writes_weights_that_separate(
    networks: Networks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = one_stack(networks)
    variants = {"small": small, "small-live": replace(small, chunk=4, left=2)}
    monkeypatch.setattr("zipformer_keras.training.train.VARIANTS", variants)
    monkeypatch.setattr("zipformer_keras.weights.VARIANTS", variants)
    lines = []
    folder = teach("small", recipe(steps=60, validate_every=30), SONGS[1:], tmp_path / "run",
                   validation=SONGS[:1], score=plain_score, report=lines.append)  # fmt: skip
    assert [line.step for line in lines] == [30, 60]
    assert lines[-1].scores["mean"] > lines[0].scores["mean"] > 0.0
    assert list((tmp_path / "run" / "logs").glob("events*"))
    weights, notes = read_weights(folder / WEIGHTS_FILE)
    assert notes["steps"] == "60"
    again = gains(Separator(small, weights), STEMS, [*SONGS[:1], backed], plain_score)
    assert {"backed_vocals", "backed_accompaniment"} < set(again)
    assert again["mean"] == pytest.approx(lines[-1].scores["mean"], abs=1e-3)
    loaded = Separator.from_folder("small", folder)
    assert set(loaded.separate(SONGS[0]()["bass"], RATE)) == set(STEMS)
    live = teach("small-live", recipe(steps=1, warmup=1), SONGS, tmp_path / "live",
                 initial=folder, score=plain_score, logs=False)  # fmt: skip
    assert any(name.endswith("/causal") for name in read_weights(live / WEIGHTS_FILE)[0])


def test_an_offline_network_is_a_start_for_its_live_variant() -> None:
    offline = collect(build_keras(TINY))
    live = collect(build_keras(VARIANTS["tiny-live"]))
    started = warm_start(offline, live)
    assert started.keys() == live.keys()
    assert not started["stack_0/time_0/convolution_1/causal"].any()
    np.testing.assert_array_equal(started["embed/kernel_1"], offline["embed/kernel_1"])


def masks(configuration: Configuration, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    network = build_keras(configuration)
    assign(network, arrays)
    x = np.random.default_rng(1).random((1, 16, 3, cell_count(configuration.groups)))
    return np.asarray(network(x.astype(np.float32)))


def test_a_network_is_a_start_for_one_with_more_channels(networks: Networks) -> None:
    small = networks["offline"]
    large = replace(small, embed=tuple(2 * channels for channels in small.embed))
    given, drawn = (collect(build_keras(configuration)) for configuration in (small, large))
    started = warm_start(given, drawn)
    assert {n: a.shape for n, a in started.items()} == {n: a.shape for n, a in drawn.items()}
    np.testing.assert_allclose(masks(large, started), masks(small, given), atol=1e-6)
    assert np.abs(masks(large, drawn) - masks(small, given)).max() > 0.01
    # What is new can learn: the new channels are not silent.
    assert np.abs(started["embed/kernel_0"][..., small.embed[0] :]).min() > 0


def test_a_network_is_a_start_for_one_with_more_layers(networks: Networks) -> None:
    small = networks["offline"]
    stacks = tuple((factor, layers + 1) for factor, layers in small.stacks)
    large = replace(small, stacks=stacks)
    given, drawn = (collect(build_keras(configuration)) for configuration in (small, large))
    started = warm_start(given, drawn)
    assert started.keys() == drawn.keys()
    last = small.stacks[0][1]
    layer = f"stack_0/time_{last}"
    assert not started[f"{layer}/forward_1/out/kernel"].any()
    np.testing.assert_array_equal(started[f"{layer}/bypass/scale"], np.float32(BYPASS_FLOOR))
    np.testing.assert_array_equal(
        started[f"{layer}/norm/bias"], given[f"stack_0/time_{last - 1}/norm/bias"]
    )
    wanted, drawn_masks = masks(small, given), masks(large, drawn)
    assert np.abs(masks(large, started) - wanted).mean() < 0.2 * np.abs(drawn_masks - wanted).mean()


def test_a_smaller_network_and_another_kind_are_no_start(networks: Networks) -> None:
    small = networks["offline"]
    large = replace(small, embed=tuple(2 * channels for channels in small.embed))
    network = build_keras(small)
    with pytest.raises(ValueError, match="embed/bias_0 has the shape"):
        assign(network, warm_start(collect(build_keras(large)), collect(network)))
    # Arrays of a stranger's file, in shapes that no network has.
    for name, strange in {
        "embed/join/kernel": np.zeros(5, np.float32),
        "unembed/part/kernel": np.zeros((16, 5), np.float32),
        "embed/bias_1": np.zeros(0, np.float32),
        "embed/kernel_0": np.zeros((3, 3), np.float32),
    }.items():
        with pytest.raises(ValueError, match=name):
            assign(network, warm_start(collect(network) | {name: strange}, collect(network)))
    wide = build_keras(replace(small, width=2 * small.width))
    with pytest.raises(ValueError, match="embed/join"):
        assign(wide, warm_start(collect(network), collect(wide)))


@pytest.mark.slow
def test_the_recipe_for_musdb18_hq_runs(tmp_path: Path) -> None:
    """`base`, multi-resolution loss, lower precision: two steps."""
    plan = read_recipe("musdb18-hq", {"steps": 2, "batch_size": 1, "frames": 16, "warmup": 1})
    teach("base", plan, SONGS, tmp_path, score=plain_score, logs=False)
    weights, _ = read_weights(tmp_path / "weights" / WEIGHTS_FILE)
    assert all(np.isfinite(array).all() for array in weights.values())
    assert excerpt_length(VARIANTS["base"], 256) / RATE == pytest.approx(6.0, abs=0.02)
