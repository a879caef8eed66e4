"""The verbs ``verify`` and ``train`` on small songs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import benchbench
from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.io.audio_files import read
from benchbench.running.events import Event, Note

Make = Callable[..., Path]


@pytest.fixture
def results(small_songs: Path, tmp_path: Path) -> Path:
    out = tmp_path / "results"
    metrics = ["usdr", "bsseval-v4", "si"]
    benchbench.run(
        ["irm:4stems", "silence"],
        "folder",
        root=small_songs,
        out=out,
        metrics=metrics,
        report=False,
    )
    return out


def test_stored_scores_agree_with_the_peers(results: Path, small_songs: Path) -> None:
    found = benchbench.verify(results, sample=4, root=small_songs)
    assert {one.protocol for one in found} == {"usdr", "bsseval-v4", "si"}
    assert all(one.passed for one in found)
    assert sum(one.compared for one in found) > 50


def test_a_score_that_was_changed_is_found(results: Path, small_songs: Path) -> None:
    for part in results.glob("scores/model=irm*/**/*.parquet"):
        table = pq.read_table(part, partitioning=None)
        index = table.schema.get_field_index("value")
        changed = pc.add(table.column("value"), pa.scalar(0.01))
        pq.write_table(table.set_column(index, table.schema.field(index), changed), part)
    found = benchbench.verify(results, sample=4, root=small_songs)
    assert not found[0].passed
    assert found[0].largest_db == pytest.approx(0.01, abs=1e-3)


def test_what_cannot_be_made_again_is_said(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    place = make_adapter("own")
    out = tmp_path / "results"
    benchbench.run(
        ["own"], "folder", root=small_songs, out=out, metrics=["usdr"], report=False,
        adapter_paths=[place],
    )  # fmt: skip
    make_adapter("own", "return {stem: mixture / 3 for stem in self.stems}")
    events: list[Event] = []
    with pytest.raises(NothingToCompareError):
        benchbench.verify(out, root=small_songs, adapter_paths=[place], listener=events.append)
    assert any(isinstance(event, Note) and "changed since" in event.text for event in events)


RECIPE = """
import numpy as np

def train(variant, songs, output, *, validation, initial, options, tell):
    if options.get("steps", 1) < 1:
        raise ValueError("steps must be at least 1")
    output.mkdir(parents=True, exist_ok=True)
    stems = songs[0]()
    tell(f"{variant}: {len(songs)} and {len(validation)}, {sorted(stems)}")
    np.save(output / "weights.npy", stems["accompaniment"])
    return output
"""


def test_a_recipe_is_given_songs_in_the_models_targets(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    place = make_adapter("learner")
    (place / "learner" / "train.py").write_text(RECIPE)
    told: list[str] = []
    folder = benchbench.train(
        "learner", "folder", root=small_songs, out=tmp_path / "trained", validation=["second"],
        adapter_paths=[place], tell=told.append,
    )  # fmt: skip
    assert told[-1] == "plain: 1 and 1, ['accompaniment', 'vocals']"
    saved = np.load(folder / "weights.npy")
    names = ("drums", "bass", "other")
    total = sum(read(small_songs / "first" / f"{n}.wav")[0] for n in names)
    np.testing.assert_allclose(saved, total, atol=1e-6)


def test_training_requests_that_cannot_be_met_are_refused(
    small_songs: Path, tmp_path: Path, make_adapter: Make
) -> None:
    place = make_adapter("learner")
    options = {"root": small_songs, "out": tmp_path / "t", "adapter_paths": [place]}
    with pytest.raises(UsageError, match="no recipe"):
        benchbench.train("learner", "folder", **options)
    (place / "learner" / "train.py").write_text(RECIPE)
    with pytest.raises(UsageError, match="steps must be"):
        benchbench.train("learner", "folder", options={"steps": 0}, **options)
    with pytest.raises(UnknownNameError, match="second"):
        benchbench.train("learner", "folder", validation=["secnd"], **options)
    with pytest.raises(UsageError, match="Every track"):
        benchbench.train("learner", "folder", validation=["first", "second"], **options)


def test_doctor_checks_machine_data_sets_and_results(results: Path, small_songs: Path) -> None:
    assert all(check.ok for check in benchbench.doctor())
    checks = {c.name: c for c in benchbench.doctor("folder", root=small_songs)}
    assert "2.0 s, 44100 Hz" in checks["first"].detail
    (healthy,) = benchbench.doctor(str(results))
    assert healthy.ok
    part = next(results.glob("scores/**/*.parquet"))
    part.write_bytes(part.read_bytes()[:50])
    (broken,) = benchbench.doctor(str(results))
    assert not broken.ok
    (repaired,) = benchbench.doctor(str(results), repair=True)
    assert repaired.ok
    assert not part.exists()
    assert next(benchbench.doctor(str(results))).ok
