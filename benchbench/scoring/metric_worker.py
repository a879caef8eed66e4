"""The program that runs in a metric's interpreter: it loads ``metric.py`` once and measures often.

It is started by path with ``python -I``. It loads the file of the separators' worker and takes
requests in the same way, so it needs only the standard library and NumPy.
"""

from __future__ import annotations

import importlib.util
import math
import sys
import time
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def load_module(name: str, file: Path) -> ModuleType:
    """Load a file as a module with the name `name`."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


loop: Any = load_module(
    "worker_loop", Path(__file__).parents[1] / "separation" / "workers" / "worker.py"
)


class MetricWorker(loop.Worker):  # type: ignore[misc]
    """Answers requests with the metric that it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.metric: Any = None
        self.names: list[str] = []

    def actions(self) -> dict[str, Any]:
        """The functions for each kind of request."""
        return {"load": self.load, "measure": self.measure}

    def load(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Import the metric and let it load its weights."""
        start = time.perf_counter()
        file = Path(request["module"])
        sys.path.insert(0, str(file.parent))
        self.names = list(request["metrics"])
        module = load_module("metric", file)
        self.metric = getattr(module, request["function"], None)
        if not callable(self.metric):
            raise loop.InvalidOutputError(f"{file.name} has no function {request['function']}")
        prepare = getattr(module, "load", None)
        if prepare is not None:
            weights = Path(request["weights"]) if request["weights"] else None
            prepare(weights, dict(request["options"]))
        return {"load_s": time.perf_counter() - start}

    def measure(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Measure one estimate."""
        estimate = np.asarray(loop.open_audio(request["estimate"]))
        rate = int(request["sample_rate"])
        if request["reference"] is None:
            result = self.metric(estimate, rate)
        else:
            result = self.metric(loop.open_audio(request["reference"]), estimate, rate)
        return {"values": self.checked(result)}

    def checked(self, result: Any) -> dict[str, float | None]:
        """The value of each metric by name; None where the metric returns no value."""
        if not isinstance(result, Mapping):
            if len(self.names) > 1:
                raise loop.InvalidOutputError(
                    f"measure returned {type(result).__name__}; a dictionary with "
                    f"{', '.join(self.names)} is needed"
                )
            result = {self.names[0]: result}
        if set(result) != set(self.names):
            raise loop.InvalidOutputError(
                f"measure returned {sorted(map(str, result))}, metric.toml declares {self.names}"
            )
        return {name: number(name, value) for name, value in result.items()}


def number(name: str, value: Any) -> float | None:
    """The value as a real number; arrays of one element are accepted."""
    if value is None:
        return None
    if isinstance(value, np.ndarray):
        if value.size != 1:
            raise loop.InvalidOutputError(
                f"{name} has the shape {value.shape}; one number is needed"
            )
        value = value.reshape(())[()]
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise loop.InvalidOutputError(f"{name} is {type(value).__name__}; one number is needed")
    if not math.isfinite(value):
        raise loop.InvalidOutputError(f"{name} is {value}; return None where there is no number")
    return float(value)


if __name__ == "__main__":
    loop.main(MetricWorker())
