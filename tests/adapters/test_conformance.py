"""Every shipped adapter keeps the contract, and the checks notice one that does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchbench.datasets.dataset import open_dataset
from benchbench.io.audio.audio_files import Audio, read
from benchbench.plugins.catalog import Catalog, Model
from benchbench.separation.conformance import check_adapter
from benchbench.separation.model_setup import prepare_models
from benchbench.separation.separator import ModelSetup

RATE = 44100


@pytest.fixture(scope="module")
def music() -> dict[str, Audio]:
    """Two seconds of the demo's real recording."""
    track = open_dataset(Catalog().dataset("demo")).tracks[0]
    stems = {stem: read(source.path)[0] for stem, source in track.stems.items()}
    return {stem: np.ascontiguousarray(audio[:, RATE : 3 * RATE]) for stem, audio in stems.items()}


@pytest.mark.parametrize(
    "name",
    [
        "mixture:2stems",
        "mixture:4stems",
        "silence:2stems",
        "silence:4stems",
        "irm:2stems",
        "irm:4stems",
        "ibm:2stems",
        "ibm:4stems",
        "zipformer:base",
        "zipformer:tiny",
        "zipformer:tiny-live",
        "spleeter:synth",
        "irm:2stems-alpha1",
        "mwf:2stems",
        "mwf:4stems",
        "wiener:2stems",
        "wiener:4stems",
        "hpss:drums",
        "resynth:griffinlim",
        "repet-sim:2stems",
        "mid-side:2stems",
        pytest.param("spleeter:2stems", marks=pytest.mark.network),
        pytest.param("spleeter:2stems-16kHz", marks=pytest.mark.network),
    ],
)
def test_shipped_adapters_conform(name: str, tmp_path: Path, music: dict[str, Audio]) -> None:
    model = Catalog().model(name)
    setup = prepare_models([model], None, "cpu", {}, 2, lambda _: None)[name]
    checks = list(check_adapter(setup, tmp_path, music))
    assert len(checks) >= 10
    assert [check for check in checks if not check.ok] == []


@pytest.mark.parametrize(
    ("body", "noticed"),
    [
        ("return {s: mixture[:, :-1] for s in self.stems}", "music, stereo"),
        ("return {s: np.vstack([mixture[:1]] * 2) for s in self.stems}", "music, mono"),
        ("return {s: mixture / np.abs(mixture).max() for s in self.stems}", "silence"),
        ("return {s: mixture + np.random.rand() for s in self.stems}", "the same twice"),
        ("assert mixture.shape[1] > 2000; return dict.fromkeys(self.stems, mixture)", "one sample"),
    ],
)
def test_the_checks_notice(
    body: str,
    noticed: str,
    tmp_path: Path,
    music: dict[str, Audio],
    make_adapter: Callable[..., Path],
    setup_of: Callable[[Model], ModelSetup],
) -> None:
    setup = setup_of(Catalog((make_adapter("bad", body),)).model("bad"))
    checks = {check.name: check.ok for check in check_adapter(setup, tmp_path, music)}
    assert checks[noticed] is False


def test_swapped_labels_are_noticed(
    tmp_path: Path, music: dict[str, Audio], make_adapter: Callable[..., Path]
) -> None:
    place = make_adapter("swapped", extra="oracle = true")
    text = (place / "swapped" / "adapter.py").read_text()
    text = text.partition("    def separate")[0] + (
        "    def separate(self, mixture, sample_rate, references):\n"
        "        vocals = references['vocals']\n"
        "        return {'vocals': mixture - vocals, 'accompaniment': np.array(vocals)}\n"
    )
    (place / "swapped" / "adapter.py").write_text(text)
    model = Catalog((place,)).model("swapped")
    setup = prepare_models([model], None, "cpu", {}, 2, lambda _: None)[model.name]
    labels = [c for c in check_adapter(setup, tmp_path, music) if "names" in c.name]
    assert [check.ok for check in labels] == [False]
    assert "vocals looks like accompaniment" in labels[0].detail
