"""Baselines and oracles against closed forms and peers."""

from __future__ import annotations

import importlib.util
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.plugins.catalog import Catalog
from benchbench.plugins.manifest_schema import Runtime
from benchbench.separation.environments import interpreter
from benchbench.separation.weights import ensure_weights

ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
RATE = 44100


def module(name: str, file: str = "adapter") -> Any:
    path = ADAPTERS / name / f"{file}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_{file}_of_test", path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def loaded(name: str, variant: str, **options: object) -> Any:
    model = Catalog().model(f"{name.replace('_', '-')}:{variant}")
    adapter = module(name).Adapter()
    everything = {**model.manifest.options, **model.variant.options, **options}
    adapter.load(variant, ensure_weights(model), "cpu", everything)
    return adapter


def separate(name: str, variant: str, *audio: Any) -> dict[str, np.ndarray]:
    """All of the stems, whether they come at once or block by block."""
    found = loaded(name, variant).separate(*audio)
    blocks = [found] if isinstance(found, dict) else list(found)
    return {stem: np.concatenate([b[stem] for b in blocks], axis=1) for stem in blocks[0]}


def noise(seed: int, channels: int = 2, samples: int = 30000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((channels, samples)).astype(np.float32)


def coloured(seed: int, low: float, high: float, samples: int = 60000) -> np.ndarray:
    """Noise in a band, stereo."""
    spectrum = np.fft.rfft(noise(seed, 2, samples))
    frequency = np.fft.rfftfreq(samples, 1 / RATE)
    spectrum[:, (frequency < low) | (frequency > high)] = 0
    return np.fft.irfft(spectrum, samples).astype(np.float32)


def sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    return float(10 * np.log10(np.square(reference).sum() / np.square(reference - estimate).sum()))


def test_mwf_separates_left_from_right_exactly() -> None:
    left, right = noise(1), noise(2)
    left[1], right[0] = 0, 0
    stems = separate("mwf", "2stems", left + right, RATE, {"vocals": left, "accompaniment": right})
    assert sdr(left, stems["vocals"]) > 50
    assert sdr(right, stems["accompaniment"]) > 50


def test_mwf_of_one_channel_is_the_ratio_mask() -> None:
    true = {"vocals": noise(3, 1), "accompaniment": noise(4, 1)}
    mixture = true["vocals"] + true["accompaniment"]
    filtered = separate("mwf", "2stems", mixture, RATE, true)
    masked = separate("irm", "2stems", mixture, RATE, true)
    inner = slice(2048, -2048)  # the two transforms treat the ends differently
    for name in true:
        np.testing.assert_allclose(filtered[name][0, inner], masked[name][0, inner], atol=1e-4)


def test_mwf_is_norberts_filter_for_the_same_model() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its own imports
        import norbert
    rng = np.random.default_rng(5)
    shape = (12, 40, 2)  # bins, frames, channels
    true = [rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for _ in range(3)]
    mixture = np.sum(true, axis=0)
    mwf = module("mwf")
    models = [mwf.gaussian(stem) for stem in true]
    made = mwf.wiener(mixture, models)
    powers = np.stack([power.T for power, _ in models], axis=-1)  # frames, bins, stems
    directions = np.stack([direction for _, direction in models], axis=-1)
    total = norbert.get_mix_model(powers, directions)
    inverse = np.linalg.inv(total)
    for number, stem in enumerate(made):
        gain = norbert.wiener_gain(powers[..., number], directions[..., number], inverse)
        peer = norbert.apply_filter(mixture.transpose(1, 0, 2), gain)
        np.testing.assert_allclose(stem.transpose(1, 0, 2), peer, rtol=1e-5, atol=1e-5)


def test_mwf_survives_silence_and_stems_that_are_the_same_in_both_channels() -> None:
    mono = np.repeat(noise(6, 1), 2, axis=0)
    silence = np.zeros_like(mono)
    stems = separate("mwf", "2stems", mono, RATE, {"vocals": mono, "accompaniment": silence})
    assert sdr(mono, stems["vocals"]) > 50
    nothing = separate(
        "mwf", "2stems", silence, RATE, {"vocals": silence, "accompaniment": silence}
    )
    assert all(np.abs(audio).max() == 0 for audio in nothing.values())


def test_a_long_song_is_filtered_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    true = {"vocals": noise(7, 2, 90_001), "accompaniment": coloured(8, 50, 900, 90_001)}
    mixture = true["vocals"] + true["accompaniment"]
    for name, variant, blocks, size, audio in (
        ("mwf", "2stems", "FRAMES", 16, (mixture, RATE, true)),
        ("hpss", "drums", "BLOCK", 1 << 13, (mixture, RATE)),
    ):
        adapter = loaded(name, variant)
        (whole,) = adapter.separate(*audio)
        monkeypatch.setitem(adapter.separate.__func__.__globals__, blocks, size)
        parts = list(adapter.separate(*audio))
        assert len(parts) > 5
        for stem, expected in whole.items():
            joined = np.concatenate([part[stem] for part in parts], axis=1)
            np.testing.assert_allclose(joined, expected, atol=1e-6)


def test_parts_of_a_long_song_fade_into_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, mixture = loaded("repet_sim", "2stems"), noise(9, 2, 9 * RATE)
    names = adapter.separate.__func__.__globals__
    monkeypatch.setitem(names, "PART_S", 5.0)
    monkeypatch.setitem(names, "FADE_S", 1.0)
    first, second = adapter.separate(mixture, RATE)
    cut = first["vocals"].shape[1]
    assert (cut, second["vocals"].shape[1]) == (4 * RATE, 5 * RATE)
    found = np.concatenate([first["accompaniment"], second["accompaniment"]], axis=1)
    rest = np.concatenate([first["vocals"], second["vocals"]], axis=1)
    np.testing.assert_allclose(found + rest, mixture, atol=1e-5)
    alone = adapter.accompaniment(mixture[:, : 5 * RATE], RATE)
    other = adapter.accompaniment(mixture[:, 4 * RATE :], RATE)
    np.testing.assert_array_equal(found[:, :cut], alone[:, :cut])
    np.testing.assert_array_equal(found[:, 5 * RATE :], other[:, RATE:])
    middle = slice(4 * RATE + RATE // 2, 4 * RATE + RATE // 2 + 10)
    mean = (alone[:, middle] + other[:, RATE // 2 : RATE // 2 + 10]) / 2
    np.testing.assert_allclose(found[:, middle], mean, atol=1e-3)


def test_irm1_and_irm2_are_exact_where_stems_do_not_overlap() -> None:
    true = {"vocals": coloured(1, 2000, 5000), "accompaniment": coloured(2, 50, 1000)}
    mixture = true["vocals"] + true["accompaniment"]
    found = {
        variant: sdr(
            true["vocals"],
            separate("irm", variant, mixture, RATE, true)["vocals"],
        )
        for variant in ("2stems", "2stems-alpha1")
    }
    assert found["2stems"] > found["2stems-alpha1"] > 20


def test_wiener_shares_add_up_and_follow_its_profile() -> None:
    adapter = loaded("wiener", "4stems")
    np.testing.assert_allclose(sum(adapter.shares.values()), 1, atol=1e-5)
    bins = np.fft.rfftfreq(2048, 1 / RATE)
    assert adapter.shares["bass"][np.argmin(np.abs(bins - 60))] > 0.3
    assert adapter.shares["bass"][np.argmin(np.abs(bins - 5000))] < 0.05
    mixture = noise(7, 2, 1 << 21)  # two blocks: no seam between them
    blocks = list(adapter.separate(mixture, RATE))
    assert len(blocks) == 2
    stems = {name: np.concatenate([b[name] for b in blocks], axis=1) for name in blocks[0]}
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-4)
    two = loaded("wiener", "2stems")
    np.testing.assert_allclose(two.shares["vocals"], adapter.shares["vocals"], atol=1e-6)


def test_wiener_fitting_finds_the_powers_that_it_is_given(tmp_path: Path) -> None:
    songs = [
        lambda n=n: {"vocals": coloured(n, 2000, 5000), "accompaniment": 2 * coloured(n + 9, 50, 9000)}
        for n in range(2)
    ]  # fmt: skip
    said: list[str] = []
    folder = module("wiener", "train").train(
        "2stems", songs, tmp_path, validation=[], initial=None, options={}, tell=said.append
    )
    adapter = module("wiener").Adapter()
    adapter.load("2stems", folder, "cpu", {})
    bins = np.fft.rfftfreq(2048, 1 / RATE)
    middle = adapter.shares["vocals"][(bins > 2500) & (bins < 4500)]
    # In the common band both have equal densities per hertz but for the factor 2 in amplitude.
    assert np.abs(middle.mean() - 1 / 5) < 0.02
    assert adapter.shares["vocals"][(bins > 100) & (bins < 1500)].max() < 0.01
    assert said == ["fitted on 2 songs"]


def test_mid_side_finds_what_both_channels_share() -> None:
    voice = np.repeat(noise(8, 1), 2, axis=0)
    wide = noise(9, 1)
    sides = np.concatenate([wide, -wide])
    stems = separate("mid_side", "2stems", voice + sides, RATE)
    np.testing.assert_allclose(stems["vocals"], voice, atol=1e-5)
    np.testing.assert_allclose(stems["accompaniment"], sides, atol=1e-5)


def test_hpss_tells_a_tone_from_clicks() -> None:
    time = np.arange(2 * RATE) / RATE
    tone = np.repeat(0.2 * np.sin(2 * np.pi * 440 * time)[None], 2, axis=0).astype(np.float32)
    clicks = np.zeros_like(tone)
    clicks[:, 5000::11025] = 0.8
    stems = separate("hpss", "drums", tone + clicks, RATE)
    assert sdr(clicks, stems["drums"]) > 7
    assert sdr(tone, stems["other"]) > 14


def test_repet_sim_takes_out_what_repeats() -> None:
    loop = noise(10, 2, 2048 * 30)
    background = np.tile(loop, (1, 12))
    voice = np.zeros_like(background)
    time = np.arange(RATE) / RATE
    for start in (3 * RATE, 9 * RATE):
        voice[:, start : start + RATE] = 2 * np.sin(2 * np.pi * (500 * time + 200 * time**2))
    stems = separate("repet_sim", "2stems", background + voice, RATE)
    assert sdr(background, stems["accompaniment"]) > 15
    assert sdr(voice, stems["vocals"]) > 10


LIBROSA = """
import sys, numpy as np, librosa
audio = np.load(sys.argv[1])
np.save(sys.argv[2], librosa.effects.percussive(audio, kernel_size=31, power=2.0))
"""


@pytest.mark.peer
@pytest.mark.network
@pytest.mark.timeout(900)
def test_hpss_is_librosas(tmp_path: Path) -> None:
    python = interpreter(Runtime("same", ("librosa==0.11.0",))).python
    audio = coloured(11, 30, 15000)
    audio[:, ::7000] += 3
    np.save(tmp_path / "in.npy", audio)
    files = [str(tmp_path / "in.npy"), str(tmp_path / "out.npy")]
    done = subprocess.run(
        [str(python), "-I", "-c", LIBROSA, *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ours = separate("hpss", "drums", audio, RATE)["drums"]
    inner = slice(2 * 31 * 512, -2 * 31 * 512)  # the medians at the ends see other frames
    np.testing.assert_allclose(ours[:, inner], np.load(files[1])[:, inner], atol=1e-4)


def test_adapters_say_where_they_come_from() -> None:
    """Every shipped adapter has a page, a summary and, where it stands on a paper, a citation."""
    catalog = Catalog()
    for name in catalog.adapter_names():
        adapter = catalog.adapter(name)
        page = (adapter.folder / "README.md").read_text(encoding="utf-8")
        assert page.startswith("# ")
        assert adapter.manifest.summary
        if name not in ("mixture", "silence"):
            assert adapter.manifest.citation, name
