"""Options that name a file: results are told apart by what the file holds."""

from __future__ import annotations

import numpy as np
import pytest

import benchbench
from benchbench.errors import ManifestError, UsageError
from benchbench.plugins.manifest import read_adapter

BODY = "return {{stem: mixture * np.float32(open({path!r}).read()) for stem in self.stems}}"


@pytest.fixture
def place(make_adapter, tmp_path):
    """An adapter whose stems are the mixture times the number in the file ``gain.txt``."""
    place = make_adapter("scaled", BODY.format(path=str(tmp_path / "gain.txt")))
    manifest = place / "scaled" / "adapter.toml"
    text = 'input_files = ["example"]\n' + manifest.read_text() + '\n[options]\nexample = ""\n'
    manifest.write_text(text)
    return place


def run(place, small_songs, tmp_path):
    return benchbench.run(
        "scaled", "folder", root=small_songs, out=tmp_path / "results", adapter_paths=[place],
        metrics="usdr", report=False, options={"example": str(tmp_path / "gain.txt")},
    )  # fmt: skip


def values(result):
    frame = result.scores_frame()
    return frame[frame["target"] == "vocals"].sort_values("track")["value"].to_numpy()


def test_a_changed_file_is_a_new_separation_and_an_equal_one_is_not(place, small_songs, tmp_path):
    gain = tmp_path / "gain.txt"
    gain.write_text("0.5")
    first = run(place, small_songs, tmp_path)
    gain.write_text("0.25")
    changed = run(place, small_songs, tmp_path)
    assert changed.present == 0
    assert not np.allclose(values(changed), values(first))
    gain.write_text("0.5")
    again = run(place, small_songs, tmp_path)
    assert again.present > 0
    assert again.tally.ok == 0
    assert np.array_equal(values(again), values(first))


def test_a_missing_file_is_named_before_anything_is_separated(place, small_songs, tmp_path):
    with pytest.raises(UsageError, match=r"no file .*gain\.txt, which the option example names"):
        run(place, small_songs, tmp_path)


def test_a_manifest_cannot_name_an_option_that_it_lacks(place):
    manifest = place / "scaled" / "adapter.toml"
    manifest.write_text(manifest.read_text().replace('["example"]', '["exmaple"]'))
    with pytest.raises(ManifestError, match="input_files names exmaple, which is no option"):
        read_adapter(manifest)
