"""From songs to weights: builds the network, trains it, and scores it as users will run it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..inference import Separator
from ..runtime import build_keras
from ..variants import VARIANTS
from ..weights import (
    CONFIGURATION,
    WEIGHTS_FILE,
    assign,
    collect,
    read_weights,
    without_heads,
    write_weights,
)
from .augmentation import Library, Song
from .loop import Line, Run
from .objectives.annotated import Annotated
from .objectives.base import Objective
from .objectives.duets import Duets
from .objectives.separation import Separation
from .pretrain import notes, prepare
from .recipe import CPU_BFLOAT16, SEPARATION, Recipe
from .starting import warm_start
from .validation import Score, duet_gains, gains

WEIGHTS = "weights"
LOGS = "logs"
ASKED = 0.75
"""Share of the excerpts of two singers that come with an example of one."""


def teach(
    variant: str,
    recipe: Recipe,
    songs: Sequence[Song],
    output: Path,
    *,
    validation: Sequence[Song] = (),
    initial: Path | None = None,
    score: Score,
    report: Callable[[Line], None] = lambda _: None,
    logs: bool = True,
    about: Mapping[str, str] | None = None,
) -> Path:
    """Train a variant, or go on with the run that `output` holds.

    Parameters
    ----------
    variant
        A name in `variants.VARIANTS`.
    recipe
        What to do.
    songs, validation
        The songs. For an objective that needs no stems, `songs` give ``mixture``, and some of
        them are kept for validation.
    output
        Folder of the run.
    initial
        Folder of weights to start from; see `starting.warm_start` for those of other variants.
    score
        From references and estimates to SI-SDR in dB, by stem.
    report
        Called after each validation.
    logs
        Whether to write TensorBoard's files too.
    about
        More notes for the file of weights.

    Returns
    -------
    Folder of the averaged weights.

    Raises
    ------
    ValueError
        There is no such variant or no song, a song lacks stems, or the weights are of another
        network.
    """
    import keras

    if variant not in VARIANTS:
        raise ValueError(f"There is no variant {variant!r}; there are {', '.join(VARIANTS)}.")
    if not songs:
        raise ValueError("Training needs at least one song.")
    output = Path(output)
    configuration = VARIANTS[variant]
    if recipe.heads:
        configuration = replace(configuration, harmonics=True)
    set_precision(recipe.precision)
    keras.utils.set_random_seed(recipe.seed)
    network = build_keras(configuration)
    if initial is not None:
        given, _ = read_weights(initial / WEIGHTS_FILE)
        if not recipe.heads:
            given = without_heads(given)
        assign(network, warm_start(given, collect(network)))
    objective: Objective
    sizes = {CONFIGURATION: json.dumps(configuration.as_values())} if recipe.heads else {}
    said = {"variant": variant, "seed": str(recipe.seed), **sizes, **(about or {})}
    validate: Callable[[], dict[str, float]]

    def scored() -> dict[str, float]:
        separator = Separator(configuration, collect(network))
        if configuration.query:
            return duet_gains(separator, validation, score)
        return gains(separator, configuration.stems, validation, score)

    if configuration.query:
        if recipe.objective != SEPARATION:
            raise ValueError(f"The variant {variant} learns separation only.")
        duets = Duets(songs, configuration, recipe, ASKED)
        if initial is None:
            duets.adapt(network)
        objective, validate = duets, scored
    elif recipe.objective == SEPARATION:
        library = Library.of(songs, configuration.stems)
        make = Annotated if recipe.heads else Separation
        objective, validate = make(library, configuration, recipe), scored
    else:
        objective, validate = prepare(
            network, configuration, recipe, songs, given=initial is not None
        )
        said |= notes(recipe, songs)
    adapt = initial is None
    run = Run(recipe, configuration, network, objective, output, validate, adapt=adapt)
    writer = _Logs(output / LOGS) if logs else None

    def look(line: Line) -> None:
        with run.averaged():
            path, stated = output / WEIGHTS / WEIGHTS_FILE, said | {"steps": str(line.step)}
            write_weights(path, collect(network), stated, bits=32)
        if writer:
            writer.add(line)
        report(line)

    run.run(look)
    set_precision("float32")
    return output / WEIGHTS


def set_precision(precision: str) -> None:
    """Set what networks that are built and functions that are traced from now on compute with.

    Parameters
    ----------
    precision
        One of `recipe.PRECISIONS`.
    """
    import keras
    import tensorflow as tf

    on_cpu = precision == CPU_BFLOAT16
    keras.config.set_dtype_policy("float32" if on_cpu else precision)
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": on_cpu})


class _Logs:
    """Writes what TensorBoard shows, by TensorFlow's own operations: TensorBoard need not be there."""

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        self._ops = tf.raw_ops
        self._writer = tf.raw_ops.SummaryWriter(shared_name=str(folder), container="")
        with _as_os_error():
            tf.raw_ops.CreateSummaryFileWriter(
                writer=self._writer,
                logdir=str(folder),
                max_queue=10,
                flush_millis=1000,
                filename_suffix=".zipformer",
            )

    def add(self, line: Line) -> None:
        named = {f"validation/{name}": value for name, value in line.scores.items()}
        with _as_os_error():
            for tag, value in ({"loss": line.loss} | named).items():
                self._ops.WriteScalarSummary(
                    writer=self._writer, step=line.step, tag=tag, value=value
                )
            self._ops.FlushSummaryWriter(writer=self._writer)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise an error of TensorFlow about a file, such as a full disk, as other files report it."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(error.message.splitlines()[0].rpartition("}} ")[2]) from error
