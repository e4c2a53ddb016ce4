"""The surface of the hand: how far it is from a place."""

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.model import ArmModel
from ..body.raw.surfaces import surface_of


class HandSurface:
    """Points all over the shapes of a body's hands that make contact, about a millimetre apart.

    Args:
        arm: the body.
    """

    def __init__(self, arm: ArmModel) -> None:
        solid = (arm.model.geom_contype | arm.model.geom_conaffinity) > 0
        hands = np.logical_or.reduce([hand.geoms for hand in arm.hands.values()])
        geoms = np.flatnonzero(hands & solid).tolist()
        self._points = {geom: surface_of(arm.model, geom)[0] for geom in geoms}

    def distance(self, data: mujoco.MjData, place: NDArray[np.floating]) -> float:
        """Distance of the nearest point of a hand's surface from a place in the world (3,), m."""
        local = {
            geom: (place - data.geom_xpos[geom]) @ data.geom_xmat[geom].reshape(3, 3) for geom in self._points
        }  # fmt: skip
        return float(min(np.linalg.norm(self._points[geom] - point, axis=1).min() for geom, point in local.items()))
