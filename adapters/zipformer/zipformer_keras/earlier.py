"""Configurations as files of weights state them that were written while networks could have bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REMOVED = ("mask", "hidden", "band_kernel")


def renewed(values: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration's values as `Configuration.as_values` gives them now.

    Parameters
    ----------
    values
        As they are given now, or as they were: groups of bands with ``count``, ``width`` and ``step``,
        stacks with a factor for the bands, and what is in `_REMOVED`.

    Raises
    ------
    ValueError
        The network has layers along frequency, a vector for every band, or complex masks; or its
        stacks have neither two numbers each nor three.

    Examples
    --------
    >>> bands = [{"count": 2, "width": 8, "step": 1}, {"count": 1, "width": 8, "step": 4}]
    >>> now = renewed({"stacks": [[2, 1, 3]], "groups": bands, "embed": [4], "mask": "magnitude"})
    >>> now["stacks"], now["groups"]
    ([(2, 3)], [{'count': 16, 'bins': 1}, {'count': 2, 'bins': 4}])
    """
    known = {name: value for name, value in values.items() if name not in _REMOVED}
    lengths = {len(stack) for stack in values["stacks"]}
    if lengths not in ({2}, {3}):
        raise ValueError("these are not the sizes of a network: its stacks have two numbers each")
    if lengths == {2}:
        return known
    along_bands = any(factor != 1 for _, factor, _ in values["stacks"])
    if along_bands or not values.get("embed") or values.get("mask") == "complex":
        raise ValueError(
            "the network has a vector for every band or complex masks, which this version cannot "
            "run; train it anew"
        )
    known["stacks"] = [(factor, layers) for factor, _, layers in values["stacks"]]
    known["groups"] = _cells(values["groups"])
    return known


def _cells(bands: list[Mapping[str, int]]) -> list[dict[str, int]]:
    """Cells of neighbouring bands; those of equal width are counted together."""
    cells: list[dict[str, int]] = []
    for band in bands:
        count, bins = band["count"] * band["width"] // band["step"], band["step"]
        if cells and cells[-1]["bins"] == bins:
            cells[-1]["count"] += count
        else:
            cells.append({"count": count, "bins": bins})
    return cells
