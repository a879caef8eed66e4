"""Import listeners' ratings as the protocol ``listening``, with the metrics of the same table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pandas as pd

from benchbench.errors import ManifestError, NothingToCompareError, UnknownNameError, UsageError
from benchbench.io.toml_files import parse_toml
from benchbench.metrics.names import LISTENING, ONE_LISTENER
from benchbench.results.interchange.import_store import content_digest, store_import
from benchbench.results.interchange.imported_rows import LINE, number, score_tables
from benchbench.results.interchange.imported_values import read_text
from benchbench.results.interchange.provenance import Imported, Roles, Source
from benchbench.results.interchange.tables import read_table

__all__ = ["Rated", "RatingsMapping", "import_ratings", "read_ratings_mapping", "store_ratings"]

UNSTATED: Final = "unstated"


class RatingsMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The meaning of the columns of a table of ratings.

    A table has a row per rating (`listener` and one `rating` column), or a row per track and model
    with a column per listener.
    """

    track: str
    model: str
    rating: tuple[str, ...]
    listener: str = ""
    target: str = "vocals"
    dataset: str = UNSTATED
    kind: str = ""
    """The column that says which models are generative, by the word ``generative``."""
    metrics: dict[str, str] = {}
    """``protocol/metric`` to the column that holds its values, for tables with a row per track."""


@dataclass(frozen=True, slots=True)
class Rated:
    """One listener's rating of one model on one track."""

    track: str
    model: str
    listener: str
    value: float
    line: int


def read_ratings_mapping(path: Path | str) -> RatingsMapping:
    """Read a mapping file, of TOML.

    Raises
    ------
    ManifestError
        For a key that is unknown, missing or of another type.
    """
    path = Path(path)
    try:
        return msgspec.convert(parse_toml(read_text(path)), RatingsMapping)
    except (UsageError, ValueError, msgspec.ValidationError) as error:
        known = ", ".join(RatingsMapping.__struct_fields__)
        raise ManifestError(f"{path}: {error}.", hint=f"Known keys: {known}.") from error


def import_ratings(
    path: Path,
    results: Path | str,
    source: Source,
    mapping: Path | str | None,
    *,
    roles: Roles | None = None,
) -> Imported:
    """Import a table of ratings and the metrics that it contains.

    Parameters
    ----------
    path
        The table: Parquet, or text with commas, semicolons or tabs.
    results
        The results folder to import into.
    source
        The source of the ratings.
    mapping
        The file that describes the columns, see `RatingsMapping`.
    roles
        Which models are oracles, baselines or generative.

    Raises
    ------
    UsageError
        When there is no mapping, a column is missing, or a cell is not a number.
    """
    if mapping is None:
        raise UsageError(
            "A table of ratings needs --mapping FILE.",
            hint="A TOML file with track, model and rating: docs/exchange.md has an example.",
        )
    chosen = read_ratings_mapping(mapping)
    table = read_table(path)
    columns = [chosen.track, chosen.model, *chosen.rating, *chosen.metrics.values()]
    for name in [*columns, *filter(None, (chosen.listener, chosen.kind))]:
        if name not in table:
            known = [str(column) for column in table if column != LINE]
            raise UnknownNameError("column", name, known, where=f" in {path}")
    if chosen.kind:
        made_anew = table.loc[table[chosen.kind] == "generative", chosen.model]
        roles = roles or Roles()
        known_kinds = roles.generative | {str(name) for name in made_anew}
        roles = Roles(roles.oracles, roles.baselines, frozenset(known_kinds))
    extra = list(_metric_rows(path, table, chosen))
    return store_ratings(
        results,
        _ratings(path, table, chosen),
        source,
        path=path,
        kind="ratings",
        target=chosen.target,
        dataset=chosen.dataset,
        digest=content_digest([(path.name, path)], chosen),
        roles=roles,
        extra=extra,
    )


def store_ratings(
    results: Path | str,
    ratings: Sequence[Rated],
    source: Source,
    *,
    path: Path,
    kind: str,
    target: str,
    dataset: str,
    digest: str,
    roles: Roles | None = None,
    extra: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
) -> Imported:
    """Store ratings: the mean of each track and model, and those of each listener."""
    if not ratings:
        raise NothingToCompareError(f"{path} holds no rating.")
    constant = {"dataset": dataset, "target": target, "reference_set": UNSTATED}
    frame = pd.DataFrame(ratings)
    own = frame.assign(metric=ONE_LISTENER + frame["listener"]).drop(columns="listener")
    means = frame.groupby(["track", "model"], as_index=False, sort=False).agg(
        value=("value", "mean"), line=("line", "first")
    )
    rows = pd.concat([means.assign(metric="rating"), own], ignore_index=True)
    rows = rows.assign(protocol=LISTENING.name, metric_version=LISTENING.version)
    rows = pd.concat([rows, pd.DataFrame(list(extra))], ignore_index=True)
    rows = rows.rename(columns={"line": LINE}).assign(**constant)
    return store_import(
        results,
        score_tables(path, rows),
        source,
        kind=kind,
        files=[path],
        digest=digest,
        roles=roles,
        notes=notes,
    )


def _ratings(path: Path, table: pd.DataFrame, mapping: RatingsMapping) -> list[Rated]:
    found = []
    for row in table.to_dict("records"):
        line = int(row[LINE])
        for column in mapping.rating:
            listener = str(row[mapping.listener]) if mapping.listener else column
            value = number(path, line, column, row[column])
            if value == value:  # an empty cell is a missing rating
                track, model = str(row[mapping.track]), str(row[mapping.model])
                found.append(Rated(track, model, listener, value, line))
    return found


def _metric_rows(
    path: Path, table: pd.DataFrame, mapping: RatingsMapping
) -> Iterator[dict[str, Any]]:
    for name, column in mapping.metrics.items():
        protocol, slash, metric = name.partition("/")
        if not slash:
            raise ManifestError(
                f"metrics.{name} is not protocol/metric.", hint='For instance "usdr/SDR" = "sdr".'
            )
        for row in table.to_dict("records"):
            line = int(row[LINE])
            yield {
                "track": str(row[mapping.track]),
                "model": str(row[mapping.model]),
                "value": number(path, line, column, row[column]),
                "line": line,
                "protocol": protocol,
                "metric": metric,
                "metric_version": 0,
            }
