"""What the checks look at: the bundle, its numbers per track, and the board it is submitted to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pandas as pd

from benchbench.results.bundle.manifest import BundledModel
from benchbench.results.bundle.opening import OpenBundle
from benchbench.results.store import Results
from benchbench.scoring.submission.rules import BoardRules
from benchbench.stats.tracks import KEYS, per_track

__all__ = ["COLUMN", "Evidence", "adapter_of"]

COLUMN: Final = ("reference_set", "target", "protocol", "metric", "metric_version")
"""Columns that, with the track, identify a number that two models can be compared by."""


_HARMLESS: Final = frozenset({"clipping"})
"""Flags of tracks whose stems still add up to the mixture."""


def adapter_of(model: str) -> str:
    """The adapter in a model's name, without the source of imported models.

    Examples
    --------
    >>> adapter_of("mixture:2stems"), adapter_of("lab.mixture:2stems")
    ('mixture', 'mixture')
    """
    return model.partition(":")[0].rpartition(".")[2]


@dataclass(frozen=True)
class Evidence:
    """A bundle with what is derived from it.

    Parameters
    ----------
    bundle
        The opened bundle.
    rules
        The rules of the board.
    board
        The results folder of what is on the board already, if there is one.
    signers
        A list of allowed signers for ``ssh-keygen``.
    """

    bundle: OpenBundle
    rules: BoardRules
    board: Path | None = None
    signers: Path | None = None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The score rows."""
        frame: pd.DataFrame = self.bundle.scores.to_pandas()
        return frame

    @cached_property
    def tracks(self) -> pd.DataFrame:
        """One row per model, track and number; frames are summed up by their median."""
        return _broadband(per_track(self.frame))

    @cached_property
    def separations(self) -> pd.DataFrame:
        """The rows of the separations."""
        frame: pd.DataFrame = self.bundle.separations.to_pandas()
        return frame.astype(dict.fromkeys(("model", "track", "separation_id"), "object"))

    @cached_property
    def irregular_tracks(self) -> frozenset[str]:
        """Tracks with known errors, whose stems may not add up to the mixture."""
        rows = self.separations[["track", "track_flags"]].astype("object").to_numpy()
        return frozenset(str(track) for track, flags in rows if set(str(flags).split()) - _HARMLESS)

    @cached_property
    def models(self) -> dict[str, BundledModel]:
        """The models that the manifest describes."""
        return {model.name: model for model in self.bundle.manifest.models}

    @cached_property
    def board_tracks(self) -> pd.DataFrame:
        """As `tracks`, of the models on the board on the same data set; empty without a board."""
        if self.board is None:
            return self.tracks.iloc[:0]
        scores = Results(self.board).scores_frame()
        return _broadband(per_track(scores[scores["dataset"] == self.bundle.manifest.dataset]))

    @cached_property
    def board_separations(self) -> pd.DataFrame:
        """The separations of the models on the board; empty without a board."""
        if self.board is None:
            return self.separations.iloc[:0]
        return Results(self.board).separations_frame().astype({"model": "object"})

    @cached_property
    def everyone(self) -> pd.DataFrame:
        """The numbers of the bundle and of the board together."""
        if self.board_tracks.empty:
            return self.tracks
        return pd.concat([self.tracks, self.board_tracks], ignore_index=True)

    def is_oracle(self, model: str) -> bool:
        """Whether a model of the bundle or of the board is declared to see the references."""
        if model in self.models:
            return self.models[model].oracle
        rows = self.board_separations
        return bool(rows.loc[rows["model"] == model, "oracle"].any())


def _broadband(table: pd.DataFrame) -> pd.DataFrame:
    text = [key for key in KEYS if isinstance(table[key].dtype, pd.CategoricalDtype)]
    return table[table["band_lo_hz"].isna()].astype(dict.fromkeys(text, "object"))
