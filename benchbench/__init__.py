"""Evaluate, compare and gate music source separation.

Everything that the command line does is a function here; each is imported when it is first used.

>>> import benchbench
>>> result = benchbench.run(["spleeter", "irm"], "demo")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchbench.verbs.compact import compact
    from benchbench.verbs.compare import compare
    from benchbench.verbs.doctor import doctor
    from benchbench.verbs.export import export
    from benchbench.verbs.gate import gate
    from benchbench.verbs.import_results import import_results
    from benchbench.verbs.install import install
    from benchbench.verbs.report import report
    from benchbench.verbs.run import run
    from benchbench.verbs.score import score
    from benchbench.verbs.separate import separate
    from benchbench.verbs.train import train
    from benchbench.verbs.verify import verify

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
        return getattr(importlib.import_module(f"benchbench.verbs.{name}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
