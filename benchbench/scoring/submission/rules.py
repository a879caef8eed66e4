"""The rules of a board as a file, ``board.toml``: what a submission must hold to be accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from benchbench.errors import ManifestError
from benchbench.io.toml_files import read_toml

__all__ = ["BoardRules", "read_rules"]

Decibels = Annotated[float, msgspec.Meta(ge=0, le=100)]


class BoardRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a board asks of a submission; the defaults ask nothing particular.

    Parameters
    ----------
    dataset, dataset_hash
        The data set of the board, and the hash of its tracks; "" for any.
    protocols
        Protocols that every model must be scored with.
    tracks
        The least number of tracks with scores, for every model.
    signed
        Whether a valid signature is required.
    excerpts
        The least number of tracks whose excerpts must be there.
    unseen
        Whether models that were trained on the data set are refused; otherwise they are marked.
    oracle_margin_db
        How far above the best oracle a mean over tracks may be. The usual oracles keep the phase
        of the mixture, so a good model may be somewhat above them.
    """

    dataset: str = ""
    dataset_hash: str = ""
    protocols: tuple[str, ...] = ()
    tracks: Annotated[int, msgspec.Meta(ge=0)] = 0
    signed: bool = False
    excerpts: Annotated[int, msgspec.Meta(ge=0)] = 0
    unseen: bool = False
    oracle_margin_db: Decibels = 3.0


def read_rules(path: Path) -> BoardRules:
    """Read a file of rules.

    Raises
    ------
    ManifestError
        When it is not valid; the error names the file and the key.
    """
    try:
        return msgspec.convert(read_toml(path), BoardRules)
    except msgspec.ValidationError as error:
        raise ManifestError(
            f"{path}: {error}.",
            hint=f"Keys are {', '.join(BoardRules.__struct_fields__)}.",
        ) from error
