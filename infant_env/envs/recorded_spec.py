"""An environment's `spec` in JSON's types, so that `env.spec.to_json()` works whatever it was made with."""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec

from ..body.model import ArmModel


class RecordedSpec:
    """A mixin for environments: keeps the spec that `gym.make` gives, with its arguments as plain data.

    A body is kept as `Body.as_dict` describes it, which `gym.make(..., arm=...)` takes too: `gym.make(env.spec)` and
    `gym.make(EnvSpec.from_json(env.spec.to_json()))` make an equal environment.
    """

    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """What the environment was made by; None where it was not made by `gym.make`."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None:
            spec = dataclasses.replace(spec, kwargs={name: self._plain(value) for name, value in spec.kwargs.items()})
        self._spec = spec

    def _plain(self, value: Any) -> Any:
        """An argument as the spec keeps it."""
        return plain(value)


def plain(value: Any) -> Any:
    """An argument in JSON's types; what is none of those known here stays as it is."""
    if isinstance(value, ArmModel):
        return value.body.as_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, tuple | list):
        return type(value)(plain(part) for part in value)
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    return value
