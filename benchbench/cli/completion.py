"""Shell completion: the names of models, data sets and metrics that a flag takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["complete_dataset", "complete_metrics", "complete_models", "complete_name"]


def complete_models(incomplete: str) -> list[str]:
    """Complete the name of a model, ``adapter`` or ``adapter:variant``, after the last comma.

    >>> "spleeter,irm:2stems" in complete_models("spleeter,irm:")
    True
    """
    return _behind_comma(incomplete, _models)


def complete_metrics(incomplete: str) -> list[str]:
    """Complete the name of a protocol or a group of protocols, after the last comma.

    >>> complete_metrics("usdr,logw")
    ['usdr,logwmse']
    """
    return _behind_comma(incomplete, _metrics)


def complete_dataset(incomplete: str) -> list[str]:
    """Complete the name of a data set.

    >>> complete_dataset("dem")
    ['demo']
    """
    return [name for name in _datasets() if name.startswith(incomplete)]


def complete_name(incomplete: str) -> list[str]:
    """Complete the name of a model, data set or metric."""
    names = {*_models(), *_datasets(), *_metrics()}
    return sorted(name for name in names if name.startswith(incomplete))


def _behind_comma(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    return [before + comma + name for name in sorted(names()) if name.startswith(last)]


def _models() -> list[str]:
    from benchbench.errors import BenchbenchError
    from benchbench.plugins.catalog import Catalog

    catalog, names = Catalog(), []
    for name in catalog.adapter_names():
        try:
            variants = catalog.adapter(name).manifest.variants
        except BenchbenchError:  # a broken manifest has no names to offer
            continue
        names += [name, *(f"{name}:{variant}" for variant in variants)]
    return names


def _datasets() -> list[str]:
    from benchbench.plugins.catalog import Catalog

    return Catalog().dataset_names()


def _metrics() -> list[str]:
    from benchbench.metrics import GROUPS, PROTOCOLS
    from benchbench.metrics.names import REFERENCE_FREE

    return [*PROTOCOLS, REFERENCE_FREE.name, *GROUPS]
