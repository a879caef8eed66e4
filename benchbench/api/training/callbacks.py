"""Callbacks that validate a network after epochs; Keras or Lightning must be installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from benchbench.api.training.validator import Validator

__all__ = ["keras_callback", "lightning_callback"]

SeparateWith: TypeAlias = Callable[[Any, Any, int], Mapping[str, Any]]
"""``(network, mixture, sample_rate) -> {stem: array}``; the mixture is a NumPy array."""


def keras_callback(
    validator: Validator, separate: SeparateWith, *, every: int = 1, prefix: str = "val_"
) -> Any:
    """A ``keras.callbacks.Callback`` that adds the validator's numbers to an epoch's logs.

    Later callbacks see them: ``EarlyStopping(monitor="val_si/SI-SDR/mean", mode="max")``. Put this
    one first.

    Parameters
    ----------
    validator
        The validator that computes the scores.
    separate
        Called with the model in training, a mixture and its sample rate.
    every
        Epochs between validations; the others repeat the last numbers.
    prefix
        Prefix of each name in the logs.
    """
    import keras

    class Validation(keras.callbacks.Callback):  # type: ignore[misc]
        """Validates at the end of epochs."""

        def __init__(self) -> None:
            super().__init__()
            self.values: dict[str, float] = {}

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            """Add the numbers to `logs`."""
            if epoch % every == 0:
                network = self.model
                found = validator(lambda mixture, rate: separate(network, mixture, rate))
                self.values = _prefixed(found, prefix)
            if logs is not None:
                logs.update(self.values)

    return Validation()


def lightning_callback(
    validator: Validator, separate: SeparateWith, *, every: int = 1, prefix: str = "val_"
) -> Any:
    """A ``lightning.Callback`` that logs the validator's numbers after each validation epoch.

    Parameters
    ----------
    validator, separate, every, prefix
        As for `keras_callback`; `separate` is called with the module, in evaluation mode and
        without gradients.
    """
    import lightning
    import torch

    class Validation(lightning.Callback):  # type: ignore[misc]
        """Validates at the end of validation epochs."""

        def __init__(self) -> None:
            super().__init__()
            self.values: dict[str, float] = {}

        def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            """Log the numbers."""
            if trainer.sanity_checking:
                return
            if trainer.current_epoch % every == 0:
                with torch.no_grad():
                    found = validator(lambda mixture, rate: separate(pl_module, mixture, rate))
                self.values = _prefixed(found, prefix)
            pl_module.log_dict(self.values)

    return Validation()


def _prefixed(values: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {f"{prefix}{name}": value for name, value in values.items()}
