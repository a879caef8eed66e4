"""``gate.toml``: the rules of a gate; an unknown key is an error with a suggestion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from benchbench.comparison import Tolerances
from benchbench.errors import ManifestError, closest
from benchbench.io.toml_files import read_toml

__all__ = ["GateConfig", "Profile", "read_gate_config"]

Profile = Literal["quality", "identical"]
Missing = Literal["fail", "warn"]


@dataclass(frozen=True, slots=True)
class GateConfig:
    """The rules of a gate.

    Parameters
    ----------
    profile
        ``quality`` judges new weights with statistics; ``identical`` judges a refactoring, whose
        numbers must not move on any track.
    strict
        Whether an inconclusive row keeps the gate from passing.
    missing
        What happens when a row of the baseline has no counterpart: ``fail`` the gate because too
        little was compared, or ``warn``.
    alpha
        How often the statistics of the quality profile may reject a model that is as good as its
        baseline. Below the 5% allowed for the whole gate, because the tail rule can err too.
    min_tracks
        With fewer shared tracks a row is inconclusive.
    coverage
        The share of the baseline's tracks that a row needs to count as compared.
    tolerance
        Losses of the mean that do not matter, in the unit of the metric.
    tail
        Losses on a single track that do not matter.
    identical
        Changes on a single track, in either direction, that do not matter.
    real_time_factor, memory
        Ratios of new to old cost above which the gate reports.
    cost_fails
        Whether costs, measured on the same machine, may fail the gate.
    models, targets, protocols, metrics
        Judge only these; empty for all. A metric is named ``SDR`` or ``usdr:SDR``.
    """

    profile: Profile = "quality"
    strict: bool = False
    missing: Missing = "fail"
    alpha: float = 0.04
    min_tracks: int = 5
    coverage: float = 0.9
    tolerance: Tolerances = field(default_factory=lambda: Tolerances(0.1))
    tail: Tolerances = field(default_factory=lambda: Tolerances(6.0))
    identical: Tolerances = field(default_factory=lambda: Tolerances(0.001))
    real_time_factor: float = 1.25
    memory: float = 1.25
    cost_fails: bool = False
    models: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


_TABLES: Final = {"tolerance", "tail", "identical", "cost", "select"}
_SELECT: Final = ("models", "targets", "protocols", "metrics")
_COST: Final = {"real_time_factor": "real_time_factor", "memory": "memory", "fail": "cost_fails"}
_PLAIN: Final = ("profile", "strict", "missing", "alpha", "min_tracks", "coverage")


def read_gate_config(path: Path | str) -> GateConfig:
    """Read and check a ``gate.toml``.

    Raises
    ------
    ManifestError
        Naming the key that is unknown or of the wrong type, with a suggestion.
    """
    path = Path(path)
    data = read_toml(path)
    return _Reader(path).config(data)


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path

    def config(self, data: Mapping[str, Any]) -> GateConfig:
        self.known(data, {*_PLAIN, *_TABLES}, "")
        given: dict[str, Any] = {}
        defaults = {item.name: item for item in fields(GateConfig)}
        for key in _PLAIN:
            if key in data:
                given[key] = self.plain(key, data[key], getattr(GateConfig(), defaults[key].name))
        self.one_of(given, "profile", get_args(Profile))
        self.one_of(given, "missing", get_args(Missing))
        self.share(given, "alpha")
        self.share(given, "coverage")
        for key in ("tolerance", "tail", "identical"):
            if key in data:
                given[key] = self.tolerances(key, data[key], getattr(GateConfig(), key))
        given |= self.cost(self.table("cost", data))
        given |= self.select(self.table("select", data))
        return GateConfig(**given)

    def known(self, data: Mapping[str, Any], known: set[str], table: str) -> None:
        for key in data:
            if key not in known:
                guess = closest(key, known)
                place = f"{table}.{key}" if table else key
                raise ManifestError(
                    f"{self.path}: unknown key {place}.",
                    hint=f"Did you mean {guess!r}?"
                    if guess
                    else f"Known keys: {', '.join(sorted(known))}.",
                )

    def wrong(self, key: str, value: object, wanted: str) -> ManifestError:
        return ManifestError(f"{self.path}: {key} = {value!r}, but it must be {wanted}.")

    def plain(self, key: str, value: object, default: object) -> object:
        if isinstance(default, bool):
            if not isinstance(value, bool):
                raise self.wrong(key, value, "true or false")
            return value
        if isinstance(default, str):
            if not isinstance(value, str):
                raise self.wrong(key, value, "text")
            return value
        number = self.number(key, value)
        if isinstance(default, int) and number != int(number):
            raise self.wrong(key, value, "a whole number")
        return int(number) if isinstance(default, int) else number

    def number(self, key: str, value: object) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(cast("float", value)) or cast("float", value) < 0:
            raise self.wrong(key, value, "a number of 0 or more")
        return float(cast("float", value))

    def one_of(self, given: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> None:
        if key in given and given[key] not in allowed:
            raise self.wrong(key, given[key], " or ".join(map(repr, allowed)))

    def share(self, given: Mapping[str, Any], key: str) -> None:
        if key in given and given[key] > 1:
            raise self.wrong(key, given[key], "between 0 and 1")

    def table(self, key: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        value = data.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, value, f"a table, [{key}]")
        return value

    def tolerances(self, key: str, value: object, default: Tolerances) -> Tolerances:
        """A number for all metrics, or a table by metric with a ``default``."""
        if not isinstance(value, dict):
            return Tolerances(self.number(key, value))
        numbers = {name: self.number(f"{key}.{name}", item) for name, item in value.items()}
        return Tolerances(numbers.pop("default", default.default), numbers)

    def cost(self, table: Mapping[str, Any]) -> dict[str, Any]:
        self.known(table, set(_COST), "cost")
        return {
            _COST[key]: self.plain(f"cost.{key}", value, getattr(GateConfig(), _COST[key]))
            for key, value in table.items()
        }

    def select(self, table: Mapping[str, Any]) -> dict[str, Any]:
        self.known(table, set(_SELECT), "select")
        for key, value in table.items():
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise self.wrong(f"select.{key}", value, "a list of names")
        return {key: tuple(value) for key, value in table.items()}
