"""Evaluate, compare and gate music source separation.

Everything that the command line does is a function here; each is imported when it is first used.

>>> import benchbench
>>> result = benchbench.run(["spleeter", "irm"], "demo")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchbench.api.compact import compact
    from benchbench.api.compare import compare
    from benchbench.api.doctor import doctor
    from benchbench.api.export import export
    from benchbench.api.gate import gate
    from benchbench.api.import_results import import_results
    from benchbench.api.install import install
    from benchbench.api.report import report
    from benchbench.api.run import run
    from benchbench.api.score import score
    from benchbench.api.separate import separate
    from benchbench.api.train import train
    from benchbench.api.verify import verify

__all__ = [
    "compact",
    "compare",
    "doctor",
    "export",
    "gate",
    "import_results",
    "install",
    "report",
    "run",
    "score",
    "separate",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(f"benchbench.api.{name}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
