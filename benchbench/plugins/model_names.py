"""Names of models: ``adapter``, ``adapter:variant`` and ``adapter:variant[option=value]``.

Two settings of one model have separate rows in every table, so options that differ from the
variant's are part of the name. ``demucs[shifts=1,2,4]`` means three models.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from benchbench.errors import UsageError

if TYPE_CHECKING:  # the command line reads names before it loads anything
    from benchbench.plugins.manifest_schema import AnyValue

__all__ = ["ModelName", "expanded", "listed", "parsed_value", "setting", "written_settings"]

Settings: TypeAlias = "Mapping[str, AnyValue]"

NAME = re.compile(r"(?P<adapter>[^:\[\]]+)(?::(?P<variant>[^\[\]]*))?(?:\[(?P<settings>.*)\])?")
OUTSIDE = re.compile(r",(?![^\[]*\])")
"""A comma outside brackets."""
PLAIN_TEXT = re.compile(r"[\w./+~: -]+")


@dataclass(frozen=True, slots=True)
class ModelName:
    """One requested model; an empty variant means the adapter's default."""

    adapter: str
    variant: str
    settings: Settings


def listed(names: str | Sequence[str]) -> list[str]:
    """Names in a sequence or joined by commas; commas inside brackets belong to the name.

    >>> listed("irm,demucs[shifts=1,2]")
    ['irm', 'demucs[shifts=1,2]']
    """
    parts = [names] if isinstance(names, str) else names
    return [word.strip() for one in parts for word in OUTSIDE.split(one) if word.strip()]


def expanded(name: str) -> list[ModelName]:
    """The models that a name expands to: one for each combination of its options' values.

    >>> [one.settings for one in expanded("demucs[shifts=1,2]")]
    [{'shifts': 1}, {'shifts': 2}]

    Raises
    ------
    UsageError
        When the brackets are not closed or an option has no value.
    """
    found = NAME.fullmatch(name.strip())
    if found is None:
        raise UsageError(
            f"{name!r} is not the name of a model.",
            hint="adapter, adapter:variant or adapter:variant[option=value,option=value]",
        )
    values = _values(name, found["settings"] or "")
    return [
        ModelName(found["adapter"], found["variant"] or "", dict(zip(values, chosen, strict=True)))
        for chosen in product(*values.values())
    ]


def _values(name: str, text: str) -> dict[str, list[AnyValue]]:
    """Options with their values; a word without "=" is another value of the option before it."""
    values: dict[str, list[AnyValue]] = {}
    option = ""
    for word in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (part.strip() for part in word.partition("="))
        if equals and key in values:
            raise UsageError(f"{name!r} gives the option {key} twice.")
        if equals:
            option = key
        if not option or not (value if equals else key):
            raise UsageError(f"{name!r}: {word!r} is not option=value.")
        values.setdefault(option, []).append(parsed_value(value if equals else key))
    return values


def parsed_value(text: str) -> AnyValue:
    """A value parsed as TOML, or else the text itself."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    return value if isinstance(value, bool | int | float) else text.strip("\"'")


def setting(option: str, value: AnyValue, default: AnyValue, whose: str) -> AnyValue:
    """A value converted to the type of the option's default.

    Raises
    ------
    UsageError
        When the default is of another type.
    """
    if isinstance(default, bool) or isinstance(value, bool):
        fits = isinstance(default, bool) and isinstance(value, bool)
    elif isinstance(default, str):
        value = str(value)
        fits = bool(PLAIN_TEXT.fullmatch(value))
    elif isinstance(default, float):
        fits = isinstance(value, int | float)
        value = float(value) if fits else value
    else:
        fits = isinstance(value, int)
    if not fits:
        raise UsageError(
            f"{option}={value} of {whose}: a value such as {_text(default)!r} is needed.",
            hint="Text may hold letters, digits, spaces and . / + ~ : _ -",
        )
    return value


def written_settings(settings: Settings) -> str:
    """Settings as written in a model name, sorted by option.

    >>> written_settings({"shifts": 2, "overlap": 0.5})
    '[overlap=0.5,shifts=2]'
    """
    inner = ",".join(f"{key}={_text(value)}" for key, value in sorted(settings.items()))
    return f"[{inner}]" if inner else ""


def _text(value: AnyValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
