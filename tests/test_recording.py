"""Rows of separations: what they say of the training data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchbench.datasets.tracks import Track
from benchbench.metrics import protocol
from benchbench.plugins.catalog import Catalog
from benchbench.running.plan import Job
from benchbench.running.run_record import SeparationRecord
from benchbench.separation.identity import Identity
from benchbench.separation.separator import SeparationResult


@pytest.mark.parametrize(
    ("dataset", "split", "seen"),
    [
        ("songs", "train", "songs other"),
        ("songs", "test", "songs:train other"),
        ("other", "test", "songs:train other"),
        ("more", "train", "songs:train other"),
    ],
)
def test_weights_have_seen_the_split_that_they_were_trained_on(dataset, split, seen):
    model = Catalog().model("mixture")
    variant = replace_variant(model, trained_on=("songs:train", "other"))
    track = Track("one", dataset, split, {}, None, False, "f")
    job = Job(Identity(variant.name, "a", "w", "o"), track, "s", (protocol("usdr"),))
    record = SeparationRecord(job, variant, "run", "hash", 1)
    assert record.row(SeparationResult("failed", {}), None)["trained_on"] == seen


def replace_variant(model, **changes):
    import msgspec

    variants = {model.variant_name: msgspec.structs.replace(model.variant, **changes)}
    manifest = msgspec.structs.replace(model.manifest, variants=variants)
    return replace(model, adapter=replace(model.adapter, manifest=manifest))


def test_a_package_without_metadata_is_left_out(tmp_path, monkeypatch):
    """As one is while it is being installed."""
    from benchbench.running.machine import engine_packages

    for name, text in {
        "broken": "",
        "whole": "Metadata-Version: 2.1\nName: Whole\nVersion: 2",
    }.items():
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        if text:
            (folder / "METADATA").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = engine_packages.__wrapped__()
    assert found["whole"] == "2"
    assert "broken" not in found
    assert "numpy" in found
