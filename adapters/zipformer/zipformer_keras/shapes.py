"""Names and shapes of a variant's weights, worked out without Keras."""

from __future__ import annotations

from collections.abc import Iterator

from .configuration import (
    CHANNELS,
    GROWN_RANK,
    KERNEL,
    Configuration,
    LayerShape,
    cell_count,
)
from .network.positions import POSITION_CHANNELS
from .pitches import PITCHES, TONE_BANDS
from .queries import HIDDEN, NAMES, SIGNATURE, change_parts

POSITION_WIDTH = 4

Shape = tuple[int, ...]


def weight_shapes(configuration: Configuration) -> dict[str, Shape]:
    """Shape of every weight by name.

    Parameters
    ----------
    configuration
        The variant.

    Returns
    -------
    dict
        For instance ``{"norm/bias": (16,), ...}``.
    """
    c = configuration
    width, seen = c.width, 4
    shapes: dict[str, Shape] = {
        "standardize/mean": (seen, cell_count(c.groups)),
        "standardize/deviation": (seen, cell_count(c.groups)),
    }
    shapes |= _embedding(c, seen, len(c.stems) * CHANNELS)
    shapes |= _grown(c) if c.grown else {}
    shapes |= _harmonics(c) if c.harmonics else {}
    shapes |= _grouping(c) if c.grouping else {}
    shapes |= _query(c) if c.query else {}
    shapes |= _norm("norm", width)
    for index, (factor, layers) in enumerate(c.stacks):
        name = f"stack_{index}"
        if factor > 1:
            shapes[f"{name}/down_time/bias"] = (factor,)
            shapes[f"{name}/out/scale"] = (width,)
        for layer in range(layers):
            shapes |= dict(_layer(f"{name}/time_{layer}", c.layer_shape(factor)))
    return shapes


def _embedding(c: Configuration, seen: int, outputs: int) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    left = cell_count(c.groups) // 2 ** len(c.embed) * c.embed[-1]
    outside = (seen, *c.embed)
    for index, channels in enumerate(c.embed):
        shapes[f"embed/kernel_{index}"] = (KERNEL, KERNEL, outside[index], channels)
        shapes[f"embed/bias_{index}"] = (channels,)
        wanted = outside[index] if index else outputs
        shapes[f"unembed/kernel_{index}"] = (KERNEL, KERNEL, wanted, channels)
        shapes[f"unembed/bias_{index}"] = (wanted,)
    return shapes | _linear("embed/join", left, c.width) | _linear("unembed/part", c.width, left)


def _grown(c: Configuration) -> dict[str, Shape]:
    cells = cell_count(c.groups)
    return {
        "grown/kernel": (KERNEL, KERNEL, CHANNELS, c.embed[0]),
        "grown/bias": (CHANNELS,),
        "grown/tone": (cells,),
        "grown/patterns": (GROWN_RANK, cells),
        "grown/activity": (c.width, GROWN_RANK),
    }


def _harmonics(c: Configuration) -> dict[str, Shape]:
    heads = {"pitch": PITCHES + 1, "activity": len(c.stems)}
    shapes: dict[str, Shape] = {"harmonics/salience": (2,), "harmonics/gate": (len(c.stems),)}
    shapes |= {f"harmonics/{name}": (TONE_BANDS,) for name in ("inside", "between")}
    for name, size in heads.items():
        shapes |= {f"harmonics/{name}_kernel": (c.width, size), f"harmonics/{name}_bias": (size,)}
    return shapes


def _grouping(c: Configuration) -> dict[str, Shape]:
    return {
        "grouping/tokens": (len(c.stems), c.width),
        "grouping/kernel": (c.width, KERNEL * KERNEL * CHANNELS * c.embed[0]),
        "grouping/bias": (c.width, CHANNELS),
    }


def _query(c: Configuration) -> dict[str, Shape]:
    seen = (SIGNATURE,)
    changed = (HIDDEN, change_parts(c)["kernel"].stop)
    shapes = (seen, seen, (SIGNATURE, HIDDEN), (HIDDEN,), changed)
    return dict(zip(NAMES, shapes, strict=True))


def _layer(name: str, sizes: LayerShape) -> Iterator[tuple[str, Shape]]:
    width, heads = sizes.width, sizes.heads
    weights = heads * (2 * sizes.query_width + POSITION_WIDTH)
    yield from _linear(f"{name}/weights/in", width, weights).items()
    yield f"{name}/weights/position/kernel", (POSITION_CHANNELS, heads * POSITION_WIDTH)
    hidden, values, gated = sizes.feedforward, heads * sizes.value_width, 3 * width // 4
    inner = {
        "forward_1": (hidden * 3 // 4, hidden * 3 // 4),
        "forward_2": (hidden, hidden),
        "forward_3": (hidden * 5 // 4, hidden * 5 // 4),
        "nonlin": (3 * gated, gated),
        "attention_1": (values, values),
        "attention_2": (values, values),
        "convolution_1": (2 * width, width),
        "convolution_2": (2 * width, width),
    }
    for part, (inward, outward) in inner.items():
        yield from _linear(f"{name}/{part}/in", width, inward).items()
        yield from _linear(f"{name}/{part}/out", outward, width).items()
    for part in ("convolution_1", "convolution_2"):
        yield f"{name}/{part}/centred", (sizes.kernel, width)
        yield f"{name}/{part}/bias", (width,)
        if sizes.chunk is not None:
            yield f"{name}/{part}/causal", (sizes.kernel // 2 + 1, width)
    yield f"{name}/middle/scale", (width,)
    yield f"{name}/bypass/scale", (width,)
    yield from _norm(f"{name}/norm", width).items()


def _linear(name: str, inputs: int, outputs: int) -> dict[str, Shape]:
    return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}


def _norm(name: str, width: int) -> dict[str, Shape]:
    return {f"{name}/bias": (width,), f"{name}/log_scale": ()}
