"""Import answers of a MUSHRA test; listeners are screened by the rule of ITU-R BS.1534-3.

webMUSHRA appends one line per rating: listener, page, stimulus and the score from 0 to 100.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml

from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.io.plain_files import is_plain
from benchbench.results.interchange.import_store import content_digest
from benchbench.results.interchange.imported_rows import LINE, number
from benchbench.results.interchange.imported_values import read_text
from benchbench.results.interchange.provenance import Imported, Roles, Source
from benchbench.results.interchange.ratings_import import Rated, store_ratings
from benchbench.results.interchange.tables import read_table

__all__ = ["import_webmushra", "screened"]

REFERENCE: Final = "reference"
ANCHORS: Final = ("mixture", "anchor35", "anchor70")
LOWEST_REFERENCE: Final = 90.0
"""A listener who rates the hidden reference below this on more than `MOST_MISSED` of the pages is
left out (ITU-R BS.1534-3, 4.1.2)."""

MOST_MISSED: Final = 0.15
_COLUMNS: Final = ("session_uuid", "trial_id", "rating_stimulus", "rating_score")


def import_webmushra(
    path: Path,
    results: Path | str,
    source: Source,
    *,
    dataset: str = "listening-test",
    roles: Roles | None = None,
) -> Imported:
    """Import the answers of a test exported by `bench export webmushra`.

    Parameters
    ----------
    path
        webMUSHRA's ``mushra.csv``, or the folder that holds it. If the test's YAML file is
        beside it, pages get the names of their tracks.
    results
        The results folder to import into.
    source
        The source of the answers.
    dataset
        The name of the data set of the songs.
    roles
        Which models are generative; the mixture is always a baseline.

    Raises
    ------
    UnknownNameError
        When a webMUSHRA column is missing.
    NothingToCompareError
        When no listener passes the screening.
    """
    path = path / "mushra.csv" if path.is_dir() else path
    table = read_table(path)
    for column in _COLUMNS:
        if column not in table:
            known = [str(name) for name in table if name != LINE]
            raise UnknownNameError("column", column, known, where=f" in {path}")
    ratings = [
        Rated(
            str(row["trial_id"]),
            str(row["rating_stimulus"]),
            str(row["session_uuid"]),
            number(path, int(row[LINE]), "rating_score", row["rating_score"]),
            int(row[LINE]),
        )
        for row in table.to_dict("records")
    ]
    kept, left_out = screened(ratings)
    if not kept:
        raise NothingToCompareError(
            f"No listener of {path} found the hidden reference.",
            hint=f"It must be rated {LOWEST_REFERENCE:.0f} or more on 85% of the pages.",
        )
    names = _track_names(path)
    rated = [
        Rated(names.get(one.track, one.track), one.model, one.listener, one.value, one.line)
        for one in kept
        if one.model != REFERENCE
    ]
    anchors = {one.model for one in rated} & set(ANCHORS)
    roles = roles or Roles()
    notes = [
        f"Listener {name} is left out: the hidden reference was rated below "
        f"{LOWEST_REFERENCE:.0f} on {share:.0%} of the pages (ITU-R BS.1534-3)."
        for name, share in left_out
    ]
    return store_ratings(
        results,
        rated,
        source,
        path=path,
        kind="webmushra",
        target="vocals" if not names else _target(path),
        dataset=dataset,
        digest=content_digest([(path.name, path)], dataset, sorted(names.items())),
        roles=Roles(roles.oracles, roles.baselines | anchors, roles.generative),
        notes=notes,
    )


def screened(ratings: Sequence[Rated]) -> tuple[list[Rated], list[tuple[str, float]]]:
    """Ratings of the accepted listeners, and the rejected listeners with their share of misses."""
    hidden = pd.DataFrame(
        [one for one in ratings if one.model == REFERENCE], columns=Rated.__slots__
    )
    missed = (hidden["value"] < LOWEST_REFERENCE).groupby(hidden["listener"]).mean()
    out = [(str(name), float(share)) for name, share in missed.items() if share > MOST_MISSED]
    names = {name for name, _ in out}
    return [one for one in ratings if one.listener not in names], out


def _page_titles(path: Path) -> dict[str, str]:
    """Identifier of each MUSHRA page mapped to its title, from the YAML files beside the answers."""
    titles: dict[str, str] = {}
    for file in sorted(path.parent.glob("*.yaml")):
        if not is_plain(file):
            continue
        try:
            config = yaml.safe_load(read_text(file))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise UsageError(
                f"{file} is no YAML file: {' '.join(str(error).split())}.",
                hint="Put the YAML file that bench export webmushra wrote beside the answers.",
            ) from error
        if isinstance(config, dict):
            titles |= {str(page.get("id")): str(page.get("name")) for page in _pages(config)}
    return titles


def _pages(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The MUSHRA pages of a test; webMUSHRA groups pages in lists, the first word of which is
    ``random``."""
    pages = list(config.get("pages") or ())
    while pages:
        page = pages.pop(0)
        if isinstance(page, list):
            pages = [*page, *pages]
        elif isinstance(page, dict) and page.get("type") == "mushra":
            yield page


def _track_names(path: Path) -> dict[str, str]:
    """Page identifier mapped to its track: titles have the form ``target: track``."""
    titles = _page_titles(path)
    return {page: title.partition(": ")[2] for page, title in titles.items() if ": " in title}


def _target(path: Path) -> str:
    targets = {title.partition(": ")[0] for title in _page_titles(path).values() if ": " in title}
    return min(targets, default="vocals")
