from __future__ import annotations

import pytest

from benchbench.metrics.targets import reference_sets

FOUR = ("drums", "bass", "other", "vocals")
TWO = ("vocals", "accompaniment")


def test_two_stem_model_on_four_stem_track() -> None:
    (only,) = reference_sets(FOUR, TWO)
    assert only.name == "vocals+accompaniment"
    assert only.references["accompaniment"] == ("drums", "bass", "other")
    assert only.estimates == {"vocals": ("vocals",), "accompaniment": ("accompaniment",)}


def test_four_stem_model_is_scored_on_both_sets() -> None:
    first, second = reference_sets(FOUR, ("vocals", "drums", "bass", "other"))
    assert first.name == "vocals+drums+bass+other"
    assert second.name == "vocals+accompaniment"
    assert second.estimates["accompaniment"] == ("drums", "bass", "other")


def test_a_piano_that_the_track_does_not_tell_apart_is_added_to_other() -> None:
    first, second = reference_sets(FOUR, ("vocals", "piano", "drums", "bass", "other"))
    assert set(first.estimates["other"]) == {"other", "piano"}
    assert set(second.estimates["accompaniment"]) == {"drums", "bass", "other", "piano"}


def test_a_missing_stem_stays_missing() -> None:
    first, second = reference_sets(FOUR, ("vocals", "drums", "other"))
    assert "bass" not in first.estimates
    assert "bass" in first.references
    assert "accompaniment" not in second.estimates


@pytest.mark.parametrize("name", ["instrumental", "no_vocals", "accompaniment"])
def test_other_names_of_the_accompaniment_are_known(name: str) -> None:
    (only,) = reference_sets(FOUR, ("vocals", name))
    assert only.estimates["accompaniment"] == (name,)


def test_vocals_alone_are_scored_against_two_targets() -> None:
    (only,) = reference_sets(FOUR, ("vocals",))
    assert only.name == "vocals+accompaniment"
    assert set(only.estimates) == {"vocals"}


def test_four_stem_model_on_a_two_stem_track() -> None:
    (only,) = reference_sets(TWO, FOUR)
    assert only.name == "vocals+accompaniment"
    assert set(only.estimates["accompaniment"]) == {"drums", "bass", "other"}


def test_stems_of_other_fields_are_compared_by_name() -> None:
    (only,) = reference_sets(("speech", "music", "sfx"), ("music", "speech", "sfx"))
    assert only.name == "music+sfx+speech"
    assert only.estimates["sfx"] == ("sfx",)


def test_nothing_in_common_gives_a_set_without_estimates() -> None:
    (only,) = reference_sets(("speech", "music"), ("vocals",))
    assert only.estimates == {}
