"""Evaluate, compare and gate music source separation.

Everything that the command line does is a function here. A name is imported when it is first
used, so ``import benchbench`` takes no time.

>>> import benchbench
>>> result = benchbench.run("spleeter,irm", "demo")  # doctest: +SKIP
>>> result.leaderboard()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from benchbench import errors, metrics, stats
    from benchbench.api import training
    from benchbench.api.adapt import adapt
    from benchbench.api.board.check import check
    from benchbench.api.board.submit import submit
    from benchbench.api.compact import compact
    from benchbench.api.compare import compare
    from benchbench.api.doctor import doctor
    from benchbench.api.export import export
    from benchbench.api.gate import gate
    from benchbench.api.import_results import import_results
    from benchbench.api.install import install
    from benchbench.api.new import new
    from benchbench.api.report import report
    from benchbench.api.results import Results
    from benchbench.api.run import run
    from benchbench.api.score import score
    from benchbench.api.separate import separate
    from benchbench.api.train import train
    from benchbench.api.training import Validator
    from benchbench.api.verify import verify

    __version__: str

_HOMES = {
    "Results": "results",
    "Validator": "training",
    "check": "board.check",
    "submit": "board.submit",
}
_FUNCTIONS = (
    "adapt",
    "compact",
    "compare",
    "doctor",
    "export",
    "gate",
    "import_results",
    "install",
    "new",
    "report",
    "run",
    "score",
    "separate",
    "train",
    "verify",
)
_MODULES = {name: f"benchbench.{name}" for name in ("errors", "metrics", "stats")}
_MODULES["training"] = "benchbench.api.training"

__all__ = [
    "Results",
    "Validator",
    "__version__",
    "adapt",
    "check",
    "compact",
    "compare",
    "doctor",
    "errors",
    "export",
    "gate",
    "import_results",
    "install",
    "metrics",
    "new",
    "report",
    "run",
    "score",
    "separate",
    "stats",
    "submit",
    "train",
    "training",
    "verify",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _FUNCTIONS or name in _HOMES:
        return getattr(import_module(f"benchbench.api.{_HOMES.get(name, name)}"), name)
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name == "__version__":
        from importlib.metadata import version

        from benchbench.errors import DISTRIBUTION

        return version(DISTRIBUTION)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
