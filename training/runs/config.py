"""The fields that most commands share, the check of all numbers in settings, and the command line that gives settings."""

import dataclasses
import math
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from numbers import Integral, Real
from operator import ge, gt, le, lt
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from msgspec import Meta

from infant_env.errors import UserError
from infant_env.given import shown

from .device import Device

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
"""A number of things, epochs or goals."""
Many = Annotated[int, Meta(ge=1, le=1_000_000_000)]
"""A number of samples or steps."""
Side = Annotated[int, Meta(ge=1, le=10_000)]
"""Rows or columns of a map."""
Width = Annotated[int, Meta(ge=1, le=1024)]
"""Channels, latents or points of a network."""
Threads = Annotated[int, Meta(ge=1, le=1024)]
"""A number of processor threads."""
Workers = Annotated[int, Meta(ge=1, le=65_536)]
"""A number of processes at a time."""
Seeds = Annotated[int, Meta(ge=1, le=1_000)]
"""A number of seeds."""
Seed = Annotated[int, Meta(ge=0, le=4_000_000_000)]
"""All libraries take seeds below 2^32, and some commands count up from theirs."""
Sigma = Annotated[float, Meta(ge=0.01, le=10_000)]
"""Radius of a neighborhood, in neurons."""
Positive = Annotated[float, Meta(gt=0, le=1e6)]
NotNegative = Annotated[float, Meta(ge=0, le=1e6)]

_LIMITS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "ge": (ge, "from {}"),
    "gt": (gt, "above {}"),
    "le": (le, "up to {}"),
    "lt": (lt, "below {}"),
    "multiple_of": (lambda value, unit: value % unit == 0, "divisible by {}"),
}
"""The limits that msgspec's `Meta` may state: whether a number keeps to them, and their words."""


@dataclass(frozen=True)
class Checked:
    """The settings of a command. Each number must lie within the limits that the type of its field states."""

    def __post_init__(self) -> None:
        mine: Any = type(self)
        for name, (kind, limits, choices, several) in _numbers(mine).items():
            value = getattr(self, name)
            given = _each(value) if several else [value]
            for each in () if isinstance(value, str) and value in choices else given:
                if each is not None and not _fits(each, kind, limits):
                    expected = " or ".join([*choices, _words(self, name, kind, limits)])
                    raise UserError(f"got {option(name)} {_text(value)}, expected {expected}")


@dataclass(frozen=True)
class RunConfig(Checked):
    """A command that works in a run's folder."""

    run: Path
    """The run's folder."""
    seed: Seed = 0
    """Seed of all random choices."""
    device: Device = "auto"
    """Where to compute."""


@dataclass(frozen=True)
class OnCluster:
    """A command whose independent parts can run on many machines."""

    cluster: str | None = field(default=None, kw_only=True)
    """Address of a Dask scheduler, such as tcp://HOST:8786: its workers do the work, and must see the same folders. By
    default the address in the environment variable INFANT_ARM_CLUSTER; without one, this machine's cores."""


@dataclass(frozen=True)
class StageConfig(RunConfig):
    """A command that makes one file of a run."""

    threads: Threads | None = None
    """Processor threads; by default the number of cores."""


@dataclass(frozen=True)
class DataConfig(StageConfig):
    """A stage that reads a data set."""

    data: Path = field(kw_only=True)
    """The data set's folder."""


@dataclass(frozen=True)
class NetworkConfig(DataConfig):
    """A stage that trains a network epoch by epoch."""

    epochs: Count = 20
    """How often the training sees every sample."""
    batch_size: Count = 64
    """Samples per step."""
    learning_rate: Positive = 3e-3
    """Highest learning rate of AdamW; the first tenth of the steps is a warm-up."""
    threads: Threads | None = 1
    """Processor threads; a second one gains little, and waits if another process uses its core."""


def option(name: str) -> str:
    """The name of a field on the command line."""
    return f"--{name.replace('_', '-')}"


@cache
def _numbers(config: Any) -> dict[str, tuple[type, Meta, tuple[str, ...], bool]]:
    """The fields of a Config that hold numbers: type, limits, words that may stand for them, and whether they hold several."""
    hints = get_type_hints(config, include_extras=True)
    found = {each.name: _number(hints[each.name]) for each in dataclasses.fields(config)}
    return {
        name: (*number, _choices(hints[name]), _holds_several(hints[name]))
        for name, number in found.items()
        if number is not None
    }


def _choices(hint: Any) -> tuple[str, ...]:
    """The words of a union of numbers and words."""
    words = (get_args(part) for part in get_args(hint) if get_origin(part) is Literal)
    return tuple(word for part in words for word in part)


def _number(hint: Any, limits: Meta = Meta()) -> tuple[type, Meta] | None:  # noqa: B008 (frozen)
    """The type of a number, or of the numbers in a tuple or a dictionary, and its limits; None for other types."""
    if hint in (int, float):
        return hint, limits
    if get_origin(hint) is Annotated:
        hint, *marks = get_args(hint)
        return _number(hint, next((mark for mark in marks if isinstance(mark, Meta)), limits))
    found = (_number(part, limits) for part in get_args(hint))
    return next((number for number in found if number is not None), None)


def _holds_several(hint: Any) -> bool:
    """Whether a type is that of a tuple, a list or a dictionary, or one of its alternatives is."""
    kind = get_origin(hint)
    return (isinstance(kind, type) and issubclass(kind, tuple | list | Mapping)) or any(
        map(_holds_several, get_args(hint))
    )


def _each(value: Any) -> Iterator[Any]:
    """The values in a tuple or a dictionary, or the value itself."""
    if isinstance(value, tuple | list | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _each(part)
    else:
        yield value


def _fits(value: Any, kind: type, limits: Meta) -> bool:
    if not isinstance(value, Integral if kind is int else Real):
        return False
    finite = kind is int or -math.inf < float(value) < math.inf
    return finite and all(
        getattr(limits, key) is None or holds(value, getattr(limits, key)) for key, (holds, _) in _LIMITS.items()
    )


def _words(config: Any, name: str, kind: type, limits: Meta) -> str:
    """The numbers that fit, in words; and the default as an example."""
    stated = [(words, getattr(limits, key)) for key, (_, words) in _LIMITS.items() if getattr(limits, key) is not None]
    within = " ".join(words.format(f"{limit:,.12g}") for words, limit in stated)
    usual = getattr(type(config), name, None)
    example = f", such as {_text(usual)}" if usual else ""
    return f"{'a whole number' if kind is int else 'a finite number'} {within}".rstrip() + example


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else shown(value).strip("'")


def command_line(command: str, settings: Mapping[str, Any]) -> str:
    """The line that runs a command.

    Args:
        command: the command's words, such as `train-baseline dnm`.
        settings: its settings, as JSON; one without a value is left out, and so is a choice by the program (`auto`).
    """
    words = ["infant-arm", *command.split()]
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, Mapping):
            words += [f"--{flag}", *_words_of(value)] if value else []
        elif isinstance(value, list | tuple):
            words += [f"--{flag}", *map(str, value)] if value else []
        elif value not in (None, "auto"):
            words += [f"--{flag}", str(value)]
    return shlex.join(words)


def _words_of(values: Mapping[str, Any]) -> list[str]:
    """Names and values of an option such as `--joint-ranges NAME LOW HIGH`."""
    each = ([name, *(value if isinstance(value, list | tuple) else [value])] for name, value in values.items())
    return [str(word) for words in each for word in words]
