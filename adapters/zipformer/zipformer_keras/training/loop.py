"""The training loop. A run that was stopped, even by a kill, continues from its last saved state.

The state is one file: weights, their running mean, the optimizer's moments, the step and the
history (`state`). Batches depend only on the seed and the step.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..configuration import Configuration
from .batches import Batch
from .objectives.base import Objective
from .recipe import Recipe
from .state import STATE, read_state, write_state

HISTORY = "history.json"
ADAPTED = 8
"""Batches from which the features' mean and deviation are measured before training."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a run's history.

    Parameters
    ----------
    step
        Gradient steps so far.
    cpu_s
        Processor time of training so far, all threads, validations left out.
    loss
        Mean since the previous line; for separation in dB.
    scores
        Scores of the validation by name.
    """

    step: int
    cpu_s: float
    loss: float
    scores: dict[str, float]


class Run:
    """A run in progress.

    Parameters
    ----------
    recipe
        Of the run.
    configuration
        Of the network.
    network
        The network, built.
    objective
        The task and its songs.
    folder
        Of the run; if it holds a state, the run is continued.
    validate
        Scores the network, which has its averaged weights while this runs.
    adapt
        Whether a new run first measures the features' mean and deviation; not for weights that
        were trained before.
    """

    def __init__(
        self,
        recipe: Recipe,
        configuration: Configuration,
        network: Any,
        objective: Objective,
        folder: Path,
        validate: Callable[[], dict[str, float]] = dict,
        *,
        adapt: bool = True,
    ) -> None:
        import keras
        import tensorflow as tf

        self.recipe, self.configuration, self.network = recipe, configuration, network
        self.objective, self.folder, self._validate = objective, folder, validate
        folder.mkdir(parents=True, exist_ok=True)
        self.step, self.cpu_s = 0, 0.0
        self.history: list[Line] = []
        self._trained = trained = objective.trained(network)
        self._averages = [tf.Variable(variable.value) for variable in trained]
        # Norms, biases and bypasses are left out of the decay: they have one axis or none.
        self._optimizer = keras.optimizers.AdamW(
            recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            global_clipnorm=recipe.clip,
            beta_2=0.99,
        )
        self._optimizer.exclude_from_weight_decay([v for v in trained if len(v.shape) < 2])
        self._optimizer.build(trained)
        self._average = tf.Variable(0.0)
        self._losses: list[float] = []
        if (folder / STATE).is_file():
            self._restore()
        elif adapt:
            drawn = [self._drawn([recipe.seed, number, 1]) for number in range(ADAPTED)]
            network.adapt(np.concatenate([batch[0] for batch in drawn]))
        optimizer, averages, average = self._optimizer, self._averages, self._average

        def learn(*batch: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = objective.outcome(network, *batch).loss
            gradients = tape.gradient(loss, [v.value for v in trained])
            optimizer.apply_gradients(zip(gradients, trained, strict=True))
            for kept, variable in zip(averages, trained, strict=True):
                kept.assign_add((1.0 - average) * (variable.value - kept))
            return loss

        self._learn = tf.function(learn, autograph=False)

    def draw(self) -> Batch:
        """The batch of the current step."""
        return self._drawn([self.recipe.seed, self.step])

    def _drawn(self, seed: Sequence[int]) -> Batch:
        return self.objective.draw(np.random.default_rng(seed))

    def advance(self) -> float:
        """One step; the loss."""
        import tensorflow as tf

        begin = time.process_time()
        batch = self.draw()
        self._optimizer.learning_rate.assign(self.recipe.rate(self.step))
        # At first the running mean forgets faster, so that it does not remember the start.
        self._average.assign(min(self.recipe.average, (self.step + 1.0) / (self.step + 10.0)))
        loss = float(self._learn(*map(tf.constant, batch)))
        self.step += 1
        if self.step > 1:  # the first is mostly compilation
            self.cpu_s += time.process_time() - begin
        if not np.isfinite(loss):
            raise ValueError(
                f"The loss of step {self.step} is {loss}. Try a smaller learning_rate; the run "
                f"continues from its last state in {self.folder}."
            )
        self._losses.append(loss)
        return loss

    def run(
        self,
        report: Callable[[Line], None] = lambda _: None,
        *,
        cpu_limit_s: float = float("inf"),
    ) -> None:
        """Train to the last step of the recipe, or until the processor time is used up."""
        recipe = self.recipe
        while self.step < recipe.steps and self.cpu_s < cpu_limit_s:
            self.advance()
            last = self.step == recipe.steps or self.cpu_s >= cpu_limit_s
            if last or self.step % recipe.validate_every == 0:
                report(self._look())
            if last or self.step % recipe.save_every == 0:
                self.save()

    def _look(self) -> Line:
        with self.averaged():
            scores = self._validate()
        line = Line(self.step, self.cpu_s, float(np.mean(self._losses)), scores)
        self._losses.clear()
        self.history.append(line)
        return line

    def averaged(self) -> _Averaged:
        """A context in which the network has its averaged weights."""
        return _Averaged(self._trained, self._averages)

    def save(self) -> None:
        """Replace the state's file."""
        lines = [asdict(line) for line in self.history]
        progress = {"step": self.step, "cpu_s": self.cpu_s, "losses": self._losses, "lines": lines}
        arrays = {name: np.asarray(variable) for name, variable in self._places()}
        # The history comes first: a run that is killed in between writes it again.
        fresh = self.folder / f".{HISTORY}"
        fresh.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
        fresh.replace(self.folder / HISTORY)
        write_state(self.folder, arrays, progress, self.configuration, self.objective.name)

    def _restore(self) -> None:
        places = list(self._places())
        shapes = ((name, tuple(variable.shape)) for name, variable in places)
        arrays, about = read_state(self.folder, shapes, self.configuration, self.objective.name)
        for name, variable in places:
            variable.assign(arrays[name])
        self.step, self.cpu_s = about["step"], about["cpu_s"]
        self._losses = about["losses"]
        self.history = [Line(**line) for line in about["lines"]]

    def _places(self) -> Iterator[tuple[str, Any]]:
        groups = (
            ("network", self.network.variables),
            ("objective", self.objective.variables),
            ("average", self._averages),
            ("optimizer", self._optimizer.variables),
        )
        for group, variables in groups:
            for number, variable in enumerate(variables):
                yield f"{group}-{number:04d}", variable


class _Averaged:
    def __init__(self, variables: Sequence[Any], averages: Sequence[Any]) -> None:
        self._pairs = list(zip(variables, averages, strict=True))
        self._kept: list[npt.NDArray[Any]] = []

    def __enter__(self) -> None:
        self._kept = [np.asarray(variable).copy() for variable, _ in self._pairs]
        for variable, average in self._pairs:
            variable.assign(average)

    def __exit__(self, *_: object) -> None:
        for (variable, _), kept in zip(self._pairs, self._kept, strict=True):
            variable.assign(kept)
