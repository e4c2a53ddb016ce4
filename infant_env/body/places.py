"""Where in a model its gaze and its hands are."""

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


class Hand(NamedTuple):
    """One hand of a body."""

    site: str
    """Name of the site that marks its position."""
    geoms: NDArray[np.bool_]
    """Mask of its geoms, shape (ngeom,)."""
    joints: NDArray[np.int64]
    """Places, in the arm's joint vectors, of the joints that move it."""

    @classmethod
    def of(cls, model: mujoco.MjModel, site: str, geoms: NDArray[np.bool_], joints: tuple[str, ...]) -> "Hand":
        """The hand with this site and these geoms.

        Args:
            model: the body.
            site: name of its site.
            geoms: mask of its geoms, shape (ngeom,); it is made read-only.
            joints: names of all joints of the body's arms.
        """
        above, body = set(), int(model.site(site).bodyid[0])
        while body:
            above.add(body)
            body = int(model.body_parentid[body])
        moved = [place for place, name in enumerate(joints) if int(model.joint(name).bodyid[0]) in above]
        geoms.flags.writeable = False
        return cls(site, geoms, np.array(moved, np.int64))
