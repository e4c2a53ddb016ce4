"""The joints that turn a body's gaze, and where in the model they are."""

from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from .mjcf import actuators_of


class Gaze(NamedTuple):
    """A gaze of G joints that servos turn."""

    ranges: NDArray[np.float64]
    """Lower and upper ends, shape (G, 2), rad."""
    qpos_ids: NDArray[np.int64]
    """Where the angles lie in `data.qpos`, shape (G,)."""
    actuator_ids: NDArray[np.int64]
    """Where the servos' targets lie in `data.ctrl`, shape (G,)."""

    @classmethod
    def of(cls, model: mujoco.MjModel, names: tuple[str, ...]) -> "Gaze":
        """The gaze that joints of these names turn."""
        joints = [model.joint(name) for name in names]
        ranges = np.array([joint.range for joint in joints]).reshape(-1, 2)
        places = [joint.qposadr[0] for joint in joints], [actuators_of(model, joint.id)[0] for joint in joints]
        return cls(ranges, *(np.array(ids, np.int64) for ids in places))
