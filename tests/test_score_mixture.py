"""logWMSE of files takes the mixture that lies beside the references, and says which it took."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import benchbench
from benchbench.errors import AudioError

RATE = 44_100


def write(folder: Path, stems: dict[str, np.ndarray], rate: int = RATE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, audio in stems.items():
        soundfile.write(folder / f"{name}.wav", audio.T, rate, subtype="FLOAT")
    return folder


def stems() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    loudness = {"vocals": 0.02, "drums": 0.1, "bass": 0.1}
    return {name: rng.standard_normal((2, RATE)) * level for name, level in loudness.items()}


def score(references: Path, estimates: Path, metric: str, told: list[str]) -> float:
    table = benchbench.score(references, estimates, metrics=[metric], tell=told.append)
    rows = {row["metric"]: row["value"] for row in table.to_pylist() if row["target"] == "vocals"}
    return float(rows["logWMSE"])


@pytest.mark.parametrize("metric", ["logwmse", "msst"])
def test_the_mixture_beside_the_references_is_taken(tmp_path: Path, metric: str) -> None:
    parts = stems()
    mixture = sum(parts.values())
    estimates = write(tmp_path / "estimates", {"vocals": parts["vocals"] + 0.1 * parts["drums"]})
    told: list[str] = []
    all_stems = score(write(tmp_path / "all", parts), estimates, metric, told)
    assert f"{metric}: the mixture is the sum of the references, since no file holds it." in told
    alone = write(tmp_path / "alone", {"vocals": parts["vocals"]})
    assert score(alone, estimates, metric, []) < all_stems - 1.0  # relative to the vocals only
    write(alone, {"mixture": mixture})
    assert score(alone, estimates, metric, told) == pytest.approx(all_stems, abs=1e-3)
    assert f"{metric}: the mixture is mixture.wav beside the references." in told


def test_a_mixture_that_does_not_fit_is_named_where_it_is_needed(tmp_path: Path) -> None:
    parts = stems()
    estimates = write(tmp_path / "estimates", parts)
    references = write(tmp_path / "references", parts)
    write(references, {"mixture": sum(parts.values())}, rate=48_000)
    with pytest.raises(AudioError, match=r"mixture\.wav has 48000 Hz, the references 44100 Hz"):
        benchbench.score(references, estimates, metrics=["logwmse"])
    assert benchbench.score(references, estimates, metrics=["usdr"]).num_rows > 0
