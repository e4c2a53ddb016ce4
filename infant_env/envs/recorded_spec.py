"""An environment's `spec` in JSON's types, so that `env.spec.to_json()` works for all arguments."""

import dataclasses
import os
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec

from ..body.changes.change import BodyChange
from ..body.description import Body
from ..body.model import ArmModel
from ..senses.seen.seen import Seen
from ..senses.sense import Sense


class RecordedSpec:
    """A mixin for environments: keeps the spec that `gym.make` sets, with its arguments as plain data.

    A body becomes its `Body.as_dict` with the absolute path of its MJCF file, which `gym.make(..., arm=...)` accepts too. So
    `gym.make(env.spec)` and `gym.make(EnvSpec.from_json(env.spec.to_json()))` make an equal environment.
    """

    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """The spec from which `gym.make` made the environment; None if it was made without `gym.make`."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None:
            spec = dataclasses.replace(spec, kwargs={name: self._plain(value) for name, value in spec.kwargs.items()})
        self._spec = spec

    def _plain(self, value: Any) -> Any:
        """The value of an argument in the spec; subclasses can override it."""
        return plain(value)


def plain(value: Any) -> Any:
    """A value in JSON's types; values of types that are unknown here do not change."""
    if isinstance(value, ArmModel):
        body = value.body.as_dict()
        return plain(body | {"mjcf": os.path.abspath(body["mjcf"])} if "mjcf" in body else body)
    if isinstance(value, Sense | Seen | Body | BodyChange):
        return value.as_dict()
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
