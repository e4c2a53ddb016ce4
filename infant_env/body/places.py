"""Where in a model its gaze and its hands are."""

from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from .mjcf import actuators_of

_FOLLOWS = mujoco.mjtEq.mjEQ_JOINT.value


class Gaze(NamedTuple):
    """A gaze of G joints that servos turn."""

    ranges: NDArray[np.float64]
    """Lower and upper ends, shape (G, 2), rad."""
    qpos_ids: NDArray[np.int64]
    """Where the angles lie in `data.qpos`, shape (G,)."""
    actuator_ids: NDArray[np.int64]
    """Where the servos' targets lie in `data.ctrl`, shape (G,)."""
    followers: NDArray[np.int64]
    """Where the angles of the left eye, which follow these, lie in `data.qpos`: shape (G,), or (0,)."""
    dof_ids: NDArray[np.int64]
    """Where the angles' velocities lie in `data.qvel`, shape (G,)."""

    @classmethod
    def of(cls, model: mujoco.MjModel, names: tuple[str, ...]) -> "Gaze":
        """The gaze that joints of these names turn."""
        joints = [model.joint(name) for name in names]
        ranges = np.array([joint.range for joint in joints]).reshape(-1, 2)
        leads = [np.flatnonzero((model.eq_type == _FOLLOWS) & (model.eq_obj2id == joint.id)) for joint in joints]
        follow = [model.jnt_qposadr[model.eq_obj1id[pair[0]]] for pair in leads if len(pair)]
        places = [joint.qposadr[0] for joint in joints], [actuators_of(model, joint.id)[0] for joint in joints], follow
        return cls(ranges, *(np.array(ids, np.int64) for ids in (*places, [joint.dofadr[0] for joint in joints])))

    def normalize(self, angles: NDArray[np.floating]) -> NDArray[np.float64]:
        """Angles (..., G), rad, scaled to [0, 1] by their ranges."""
        low, high = self.ranges.T
        return (angles - low) / (high - low)

    def denormalize(self, normalized: NDArray[np.floating]) -> NDArray[np.float64]:
        """The inverse of `normalize`: (..., G) in [0, 1] to rad."""
        low, high = self.ranges.T
        return low + normalized * (high - low)

    def turn(self, data: mujoco.MjData, angles: NDArray[np.floating]) -> None:
        """Turns the gaze at once, and lets its servos hold it there; angles (G,), rad."""
        data.qpos[self.qpos_ids] = data.ctrl[self.actuator_ids] = angles
        if len(self.followers):
            data.qpos[self.followers] = angles

    def turn_many(
        self,
        qpos: NDArray[np.float64],
        ctrl: NDArray[np.float64],
        rows: NDArray[np.int64],
        angles: NDArray[np.float64],
    ) -> None:
        """Like `turn` in some rows of many simulations: qpos (N, nq), ctrl (N, nu), rows (n,), angles (n, G), rad."""
        each = rows[:, None]
        qpos[each, self.qpos_ids] = ctrl[each, self.actuator_ids] = angles
        if len(self.followers):
            qpos[each, self.followers] = angles


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
