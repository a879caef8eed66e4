"""Ensembles of stored stems, and test-time augmentation of any adapter."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import benchbench
from benchbench.errors import ManifestError, UnknownNameError, UsageError
from benchbench.plugins.catalog import Catalog
from benchbench.running.events import Started
from benchbench.separation.combining import combined

MANIFEST = """
name = "{name}"
summary = "a test's ensemble"
kind = "ensemble"
default_variant = "plain"
{extra}
[licence]
code = "MIT"
[ensemble]
members = [{members}]
{how}
[variants.plain]
stems = ["vocals", "accompaniment"]
"""
HALF = "return {stem: mixture * np.float32(0.5) for stem in self.stems}"
QUARTER = "return {stem: mixture * np.float32(0.25) for stem in self.stems}"


def ensemble(place: Path, name: str, members=("half", "quarter"), how="", extra="") -> Path:
    folder = place / name
    folder.mkdir(parents=True, exist_ok=True)
    quoted = ", ".join(f'"{member}"' for member in members)
    text = MANIFEST.format(name=name, members=quoted, how=how, extra=extra)
    (folder / "adapter.toml").write_text(text)
    return place


@pytest.fixture
def place(make_adapter):
    make_adapter("half", HALF)
    place = make_adapter("quarter", QUARTER)
    return ensemble(place, "both")


def run(models, songs, out, place, **options):
    options = {"metrics": "usdr", "report": False, **options}
    return benchbench.run(models, "folder", root=songs, out=out, adapter_paths=[place], **options)


def sdr(result, model, target="vocals", track="first"):
    frame = result.scores_frame()
    rows = frame[(frame["model"] == model) & (frame["target"] == target)]
    return float(rows[rows["track"] == track]["value"].iloc[0])


def expected_sdr(songs, gain, track="first"):
    stems = {path.stem: soundfile.read(path)[0] for path in (songs / track).glob("*.wav")}
    mixture = sum(stems.values())
    return benchbench.metrics.usdr(stems["vocals"].T, gain * mixture.T, 44100)


@pytest.mark.parametrize(
    ("settings", "gain"),
    [("", 0.375), ("[combine=min]", 0.25), ("[combine=max]", 0.5), ("[combine=median]", 0.375)],
)
@pytest.mark.parametrize("domain", ["wave", "spectrum"])
def test_stems_are_put_together(place, small_songs, tmp_path, settings, gain, domain):
    if domain == "spectrum":
        settings = f"{settings[:-1]},domain=spectrum]" if settings else "[domain=spectrum]"
    result = run(f"both{settings}", small_songs, tmp_path / "out", place, limit=1)
    name = next(model for model in result.models if model.startswith("both"))
    assert sdr(result, name) == pytest.approx(expected_sdr(small_songs, gain), abs=2e-2)


def test_nothing_is_separated_again_and_members_come_first(place, small_songs, tmp_path):
    events = []
    first = run("half,quarter", small_songs, tmp_path / "out", place)
    assert first.tally.ok == 4
    later = run(
        "both[combine=mean,max]", small_songs, tmp_path / "out", place, listener=events.append
    )
    started = {event.model for event in events if isinstance(event, Started)}
    assert started == {"both:plain", "both:plain[combine=max]"}
    assert later.models == ("half:plain", "quarter:plain", "both:plain", "both:plain[combine=max]")
    together = run("both", small_songs, tmp_path / "new", place, listener=events.append, jobs=2)
    assert together.tally.ok == 6


def test_weights_of_a_stem_count_in_the_mean(make_adapter, small_songs, tmp_path):
    make_adapter("half", HALF)
    place = make_adapter("quarter", QUARTER)
    ensemble(place, "weighed", how="[ensemble.weights.vocals]\nhalf = 3")
    result = run("weighed", small_songs, tmp_path / "out", place, limit=1)
    gain = (3 * 0.5 + 0.25) / 4
    assert sdr(result, "weighed:plain") == pytest.approx(expected_sdr(small_songs, gain), abs=2e-2)


def test_a_member_with_more_stems_gives_their_sum(make_adapter, small_songs, tmp_path):
    make_adapter("half", HALF)
    place = make_adapter("four", QUARTER, stems=("vocals", "drums", "bass", "other"))
    ensemble(place, "mixed", members=("half", "four"))
    result = run("mixed", small_songs, tmp_path / "out", place, limit=1)
    stems = {path.stem: soundfile.read(path)[0] for path in (small_songs / "first").glob("*.wav")}
    rest = sum(audio for name, audio in stems.items() if name != "vocals")
    gain = (0.5 + 3 * 0.25) / 2
    expected = benchbench.metrics.usdr(rest.T, gain * (rest + stems["vocals"]).T, 44100)
    assert sdr(result, "mixed:plain", "accompaniment") == pytest.approx(expected, abs=2e-2)


def test_an_ensemble_is_compared_and_gated_like_any_model(place, small_songs, tmp_path):
    out = tmp_path / "out"
    run("both", small_songs, out, place)
    compared = benchbench.compare(f"{out}@half:plain", f"{out}@both:plain")
    assert {"vocals", "accompaniment"} <= set(compared.rows["target"])
    gated = benchbench.gate(out, out)
    assert {check.model for check in gated.checks} >= {"half:plain", "quarter:plain", "both:plain"}
    assert "both:plain" in set(benchbench.Results(out).leaderboard().reset_index()["model"])


def test_putting_together_takes_less_than_a_tenth_of_real_time():
    seconds, rate = 30, 44100
    noise = np.random.default_rng(0).standard_normal((4, 2, seconds * rate)).astype(np.float32)
    for domain in ("wave", "spectrum"):
        for combine in ("mean", "median", "min", "max"):
            start = time.process_time()
            blocks = list(combined(list(noise), combine, domain, [1.0] * 4, seconds * rate))
            assert sum(block.shape[1] for block in blocks) == seconds * rate
            assert time.process_time() - start < 0.1 * seconds, (domain, combine)


def test_equal_estimates_come_back_unchanged():
    noise = np.random.default_rng(0).standard_normal((2, 50_000)).astype(np.float32)
    for domain in ("wave", "spectrum"):
        for combine in ("mean", "median", "min", "max"):
            blocks = combined([noise, noise[:, :49_000]], combine, domain, [1.0, 0.0], 50_000)
            whole = np.concatenate(list(blocks), axis=1)
            assert whole.shape == noise.shape
            assert np.abs(whole - noise)[:, :40_000].max() < 1e-5


def test_stems_that_were_not_kept_are_named_before_anything_runs(place, small_songs, tmp_path):
    out = tmp_path / "out"
    run("half,quarter", small_songs, out, place, keep_stems="no")
    with pytest.raises(UsageError, match="vocals of half:plain on first was not kept") as raised:
        run("both", small_songs, out, place)
    assert "--keep-stems yes" in str(raised.value.hint)
    with pytest.raises(UsageError, match="not kept"):
        run("both", small_songs, tmp_path / "new", place, keep_stems="no")
    assert run("both", small_songs, out, place, resume="always").tally.ok == 6


@pytest.mark.parametrize(
    ("members", "how", "said"),
    [
        (("half",), "", "two members"),
        (("half", "quarter"), 'combine = "avg"', "combine"),
        (("half", "quarter"), "[ensemble.weights.vocals]\nhlaf = 1", "names no member"),
        (("half", "quarter"), "[ensemble.weights.drums]\nhalf = 1", "no stem"),
        (("half", "quarter"), "[ensemble.weights.vocals]\nhalf = 0\nquarter = 0", "all 0"),
        (("half", "quarter"), "[ensemble.weights.vocals]\nhalf = -1", "0 or more"),
        (("half", "both"), "", "ensemble itself"),
        (("half", "irm"), "", "sees the references"),
    ],
)
def test_a_wrong_ensemble_is_one_clear_error(place, members, how, said):
    ensemble(place, "odd", members=members, how=how)
    with pytest.raises(ManifestError, match=said):
        Catalog((place,)).model("odd")


def test_an_unknown_way_of_putting_together_is_refused(place, small_songs, tmp_path):
    with pytest.raises(UsageError, match="combine is one of"):
        run("both[combine=avg]", small_songs, tmp_path / "out", place, limit=1)


BIASED = "return {stem: 0.5 * mixture + np.float32(0.01) for stem in self.stems}"


def test_augmentation_takes_the_mean_over_changed_copies(make_adapter, small_songs, tmp_path):
    """A constant that a separator adds goes when the mixture's sign is turned in one of two copies."""
    place = make_adapter("biased", BIASED)
    names = "biased,biased[augment=polarity]"
    result = run(names, small_songs, tmp_path / "out", place, limit=1)
    assert sdr(result, "biased:plain[augment=polarity]") == pytest.approx(
        expected_sdr(small_songs, 0.5), abs=1e-3
    )
    assert sdr(result, "biased:plain") < expected_sdr(small_songs, 0.5) - 0.01


LEFT = "return {stem: mixture * np.float32([[1], [0]]) for stem in self.stems}"
LATE = """
late = np.zeros_like(mixture)
late[:, 4410:] = mixture[:, 4410:]
return {stem: late for stem in self.stems}
"""


@pytest.mark.parametrize(("augment", "body", "gain"), [("swap", LEFT, 0.5), ("shift", LATE, None)])
def test_channels_and_delays_are_turned_back(
    make_adapter, small_songs, tmp_path, augment, body, gain
):
    place = make_adapter("odd", body)
    result = run(f"odd[augment={augment}]", small_songs, tmp_path / "out", place, limit=1)
    stems = {path.stem: soundfile.read(path)[0].T for path in (small_songs / "first").glob("*.wav")}
    estimate = sum(stems.values()).copy()
    if gain is not None:
        estimate *= gain
    else:  # the late copies lose nothing: their first 4410 samples are zeros before the music
        estimate[:, :4410] *= 2 / 3
    expected = benchbench.metrics.usdr(stems["vocals"], estimate, 44100)
    assert sdr(result, f"odd:plain[augment={augment}]") == pytest.approx(expected, abs=1e-3)


def test_augmentation_works_with_oracles_and_unknown_ones_are_named(small_songs, tmp_path, place):
    result = run("irm,irm[augment=polarity+swap]", small_songs, tmp_path / "out", place, limit=1)
    plain, changed = sdr(result, "irm:2stems"), sdr(result, "irm:2stems[augment=polarity+swap]")
    assert changed == pytest.approx(plain, abs=1e-3)
    with pytest.raises(UnknownNameError, match="polarity"):
        run("irm[augment=polarty]", small_songs, tmp_path / "out", place, limit=1)
