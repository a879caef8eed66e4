"""Training of the networks, from scratch or from a checkpoint on.

The loss is the original's: the mean absolute difference between a stem's magnitudes and those
that its network estimates, summed over the stems. All of a run's state stands in one file that
is replaced as a whole, so a run can be stopped at any moment and goes on where it was.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .architecture import VARIANTS, Configuration, build_network
from .checkpoint import assign_weights, collect_weights, iterate_checkpoint, write_checkpoint
from .excerpts import Augmentation, Batch, Example, draw_batch, fixed_batch

STATE = "training-state.npz"
HISTORY = "history.json"
BEST = "best"


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What a training run does.

    Parameters
    ----------
    network
        The variant to train.
    steps
        Gradient steps at most.
    batch_size
        Excerpts of 11.9 s in a step.
    learning_rate
        Adam's.
    validate_every
        Steps between two validations; the state is written at each.
    patience
        Validations without a new best after which the run stops.
    validation_excerpts
        Excerpts of each validation song.
    augmentation
        How training excerpts are varied.
    seed
        Of everything random.
    """

    network: Configuration = VARIANTS["2stems"]
    steps: int = 100_000
    batch_size: int = 4
    learning_rate: float = 1e-4
    validate_every: int = 150
    patience: int = 20
    validation_excerpts: int = 4
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "validate_every", "patience", "validation_excerpts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")


@dataclass(frozen=True, slots=True)
class Validation:
    """One line of a run's history.

    Parameters
    ----------
    step
        Gradient steps so far.
    loss
        Mean training loss since the line before.
    validation_loss
        Loss on the validation songs; the metric of early stopping.
    """

    step: int
    loss: float
    validation_loss: float


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run left behind.

    Parameters
    ----------
    weights
        Folder of the best weights, as `inference.Separator.from_folder` takes it.
    history
        All validations.
    stopped_early
        Whether patience ended the run.
    """

    weights: Path
    history: tuple[Validation, ...]
    stopped_early: bool


def train(
    config: TrainingConfig,
    examples: Sequence[Example],
    output: Path,
    *,
    validation: Sequence[Example] = (),
    initial: Path | None = None,
    report: Callable[[Validation], None] = lambda _: None,
) -> TrainingResult:
    """Train, or go on with the run that `output` holds.

    Parameters
    ----------
    config
        What to do.
    examples
        The training songs, each a function that gives {stem: float32 (channels, samples)} at
        44.1 kHz.
    output
        Folder of the run. It gets ``best/`` (a checkpoint for the adapter), ``history.json``
        and ``training-state.npz``; if the last is there, the run goes on from it.
    validation
        The validation songs; without any, excerpts of the training songs, not varied.
    initial
        Folder of a checkpoint to start from (fine-tuning); otherwise weights are drawn.
    report
        Called after each validation.

    Returns
    -------
    TrainingResult
        Best weights and history.

    Raises
    ------
    ValueError
        There are no songs, a song lacks a stem, the folder's run is of other networks, or the
        loss is no longer a number.
    """
    if not examples:
        raise ValueError("Training needs at least one song.")
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    run = _Run(config, output, initial)
    held_out = list(validation) or list(examples)
    losses: list[float] = []
    while run.step < config.steps and not run.exhausted:
        rng = np.random.default_rng([config.seed, run.step])
        batch = draw_batch(examples, config.network, config.batch_size, config.augmentation, rng)
        losses.append(run.learn(batch))
        if run.step % config.validate_every == 0 or run.step == config.steps:
            line = Validation(run.step, float(np.mean(losses)), run.validate(held_out))
            losses.clear()
            run.record(line)
            report(line)
    return TrainingResult(output / BEST, tuple(run.history), run.exhausted)


class _Run:
    """A run in progress: the network, its optimizer, and what is known so far."""

    def __init__(self, config: TrainingConfig, output: Path, initial: Path | None) -> None:
        import keras
        import tensorflow as tf

        self._config, self._output = config, output
        self.step = 0
        self.history: list[Validation] = []
        keras.utils.set_random_seed(config.seed)
        self._network = build_network(config.network, initializer="he_uniform")
        if initial is not None:
            assign_weights(self._network, iterate_checkpoint(initial, config.network))
        self._optimizer = keras.optimizers.Adam(config.learning_rate)
        self._optimizer.build(self._network.trainable_variables)
        if (output / STATE).is_file():
            self._restore()
        network, optimizer = self._network, self._optimizer

        def loss(mixture: Any, stems: Any, training: bool) -> Any:
            differences = tf.abs(network(mixture, training=training) - stems)
            return tf.reduce_sum(tf.reduce_mean(differences, axis=(1, 2, 3, 4)))

        def learn(mixture: Any, stems: Any) -> Any:
            with tf.GradientTape() as tape:
                value = loss(mixture, stems, True)
            gradients = tape.gradient(value, network.trainable_variables)
            optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
            return value

        self._learn = tf.function(learn, autograph=False)
        self._loss = tf.function(lambda m, s: loss(m, s, False), autograph=False)

    @property
    def exhausted(self) -> bool:
        """Whether the best validation lies further back than patience allows."""
        if not self.history:
            return False
        values = [line.validation_loss for line in self.history]
        return len(values) - 1 - int(np.argmin(values)) >= self._config.patience

    def learn(self, batch: Batch) -> float:
        value = float(self._learn(batch.mixture, batch.stems))
        self.step += 1
        if not np.isfinite(value):
            raise ValueError(
                f"The loss of step {self.step} is {value}. Try a smaller learning_rate; the run "
                f"goes on from its last validation in {self._output}."
            )
        return value

    def validate(self, examples: Sequence[Example]) -> float:
        batches = (
            batch
            for example in examples
            for batch in fixed_batch(
                example, self._config.network, self._config.validation_excerpts
            )
        )
        return float(np.mean([float(self._loss(b.mixture, b.stems)) for b in batches]))

    def record(self, line: Validation) -> None:
        """Keep a validation, the weights if they are the best so far, and the state."""
        best = min((known.validation_loss for known in self.history), default=np.inf)
        self.history.append(line)
        lines = [asdict(known) for known in self.history]
        if line.validation_loss < best:
            weights = collect_weights(self._network, self._config.network)
            write_checkpoint(self._output / BEST, weights, step=self.step)
        state: dict[str, npt.NDArray[Any]] = dict(self._state())
        state["about"] = np.array(json.dumps({"network": self._network_facts(), "lines": lines}))
        fresh = self._output / f".{STATE}"
        with fresh.open("wb") as file:
            np.savez(file, allow_pickle=False, **state)
        fresh.replace(self._output / STATE)
        (self._output / HISTORY).write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")

    def _restore(self) -> None:
        path = self._output / STATE
        try:
            # NumPy leaves a file open that it cannot read.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as state:
                about = json.loads(str(state["about"]))
                arrays = {name: state[name] for name in state.files}
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, KeyError, ValueError) as error:
            raise ValueError(
                f"{path} is damaged ({error}). Delete it to start the run again, or choose another "
                "folder."
            ) from error
        if about["network"] != self._network_facts():
            raise ValueError(
                f"{self._output} holds a run of another network ({about['network']}); "
                "choose another folder, or the same network."
            )
        for name, variable in self._variables():
            variable.assign(arrays[name])
        self.history = [Validation(**line) for line in about["lines"]]
        self.step = self.history[-1].step

    def _variables(self) -> Iterator[tuple[str, Any]]:
        """All that changes during a run: weights, dropout's random state, Adam's moments."""
        for number, variable in enumerate(self._network.variables):
            yield f"network-{number:04d}", variable
        for number, variable in enumerate(self._optimizer.variables):
            yield f"optimizer-{number:04d}", variable

    def _state(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for name, variable in self._variables():
            yield name, np.asarray(variable)

    def _network_facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(json.dumps(asdict(self._config.network)))
        return facts


def variant_config(variant: str, **changes: Any) -> TrainingConfig:
    """The configuration of a published variant, with some fields changed.

    Parameters
    ----------
    variant
        A name in `architecture.VARIANTS`.
    **changes
        Fields of `TrainingConfig`.
    """
    if variant not in VARIANTS:
        raise ValueError(f"There is no variant {variant!r}; there are {', '.join(VARIANTS)}.")
    return replace(TrainingConfig(network=VARIANTS[variant]), **changes)
