"""What a scorer keeps of a track: everything that further models need, or nothing."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from benchbench.datasets.dataset import Track
from benchbench.datasets.preparation import PreparedTrack
from benchbench.io.audio.raw_audio import RawAudio, write_raw
from benchbench.metrics import protocol
from benchbench.metrics.references import CACHE_BYTES, References
from benchbench.results.store import Results
from benchbench.scoring import scorer as module
from benchbench.scoring.score_rows import Labels
from benchbench.scoring.scorer import Scorer, ScoreTask

RATE = 8000
STEMS = ("vocals", "drums", "bass", "other")


def raw(folder: Path, seed: int) -> dict[str, RawAudio]:
    folder.mkdir()
    rng = np.random.default_rng(seed)
    return {
        name: write_raw(folder / name, [rng.standard_normal((1, RATE)).astype(np.float32) / 10])
        for name in STEMS
    }


@pytest.mark.parametrize("models", [1, 2])
def test_references_are_kept_for_further_models_only(
    models: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: weakref.WeakSet[Tracked] = weakref.WeakSet()
    most_alive, caches = [0], []

    class Tracked(References):
        __slots__ = ("__weakref__",)

        def __init__(self, *arguments, cache_bytes: int, **options) -> None:
            super().__init__(*arguments, cache_bytes=cache_bytes, **options)
            gc.collect()
            alive.add(self)
            caches.append(cache_bytes)
            most_alive[0] = max(most_alive[0], len(alive))

    monkeypatch.setattr(module, "References", Tracked)
    stems = raw(tmp_path / "references", 1)
    track = Track("song", "d", "", {}, None, False, "song")
    prepared = PreparedTrack(track, RATE, stems, stems["other"], ())
    scorer = Scorer(Results(tmp_path / "results"))
    scorer.expect(models)
    for number in range(models):
        estimates = raw(tmp_path / f"estimates-{number}", 2 + number)
        labels = Labels(f"{number}" * 16, "run", f"model-{number}:v", "d", "song")
        scorer.score(ScoreTask(prepared, estimates, labels, (protocol("bsseval-v4"),), False))
    gc.collect()
    if models == 1:  # the four stems, then vocals and accompaniment
        assert (caches, most_alive[0], len(alive)) == ([0, 0], 1, 0)
    else:
        assert (caches, most_alive[0], len(alive)) == ([CACHE_BYTES] * 2, 2, 2)
    scorer.forget()
    gc.collect()
    assert not alive
