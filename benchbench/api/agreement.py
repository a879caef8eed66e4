"""Agreement between metrics and the ratings of a listening test."""

from __future__ import annotations

from pathlib import Path

from benchbench.errors import NothingToCompareError, UnknownNameError, UsageError
from benchbench.reporting.data.listening_tests import listening_tests
from benchbench.reporting.data.loading import read
from benchbench.results.kinds import generative_models
from benchbench.stats.agreement import Agreement

__all__ = ["agreement"]


def agreement(
    results: Path | str = "results", *, target: str | None = None, dataset: str | None = None
) -> list[Agreement]:
    """Compare every stored metric with the ratings of listeners in the same results.

    For each pair of models on one track, a metric agrees if it orders the two as the listeners'
    mean ratings do. Pairs with equal ratings do not count. Ratings of an exported test, such as of
    ``panel:irm:2stems``, are compared with the metrics of the rated model, ``irm:2stems``.

    Parameters
    ----------
    results
        A results folder with ratings (`bench import webmushra`, `bench import ratings`).
    target, dataset
        The rated target and its data set; needed if there are several.

    Returns
    -------
    list of Agreement
        Sorted by agreement over all pairs, best metric first; within a metric by kind of pair.

    Raises
    ------
    NothingToCompareError
        When the results hold no ratings, ratings of a single model, or no metric of rated models.
    UnknownNameError
        When the target or the data set has no ratings.
    UsageError
        When there are several tests and the arguments do not choose one.
    """
    loaded = read([Path(results)])
    tests = listening_tests(loaded.tracks, generative_models(loaded.runs))
    if not tests:
        raise NothingToCompareError(
            f"{results} contains no listener ratings.",
            hint="bench import webmushra ANSWERS.csv imports them; see docs/exchange.md.",
        )
    for kind, wanted, known in (
        ("target", target, sorted({test.target for test in tests})),
        ("data set", dataset, sorted({test.dataset for test in tests})),
    ):
        if wanted is not None and wanted not in known:
            raise UnknownNameError(kind, wanted, known, where=" among the rated ones")
    chosen = [
        test for test in tests if target in (None, test.target) and dataset in (None, test.dataset)
    ]
    if len(chosen) != 1:
        listed = ", ".join(f"{test.target} of {test.dataset}" for test in chosen or tests)
        raise UsageError(
            f"{results} holds several listening tests: {listed}.",
            hint="Choose one with --target and --dataset.",
        )
    (test,) = chosen
    if len(test.ratings.models) < 2:
        raise NothingToCompareError(f"The ratings in {results} are of one model only.")
    if not test.agreements:
        raise NothingToCompareError(
            f"{results} holds no metric of the rated models ({', '.join(test.ratings.models)}).",
            hint="Import the ratings into the results that the test was exported from, with the "
            "exported YAML file beside the answers.",
        )
    return list(test.agreements)
