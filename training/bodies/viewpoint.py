"""Where to put a camera that sees an arm whose MJCF has none."""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.senses.camera import HAND_IN_VIEW, EyeCamera

from ..data.first_look import Views, seen_by

FOVY = 50
"""Vertical field of view of a proposed camera, degrees."""
FEW, LOOKED = 12, (60, 100)
"""Number of poses for a comparison of cameras; rows and columns of a frame."""
_AZIMUTHS, _ELEVATION = np.radians(range(0, 360, 45)), np.radians(30)
_NEAR = 0.9
"""Distance of the camera, relative to that from which the arm's whole reach is seen."""


@dataclass(frozen=True)
class Viewpoint:
    """A camera in the world that looks at the arm."""

    pos: NDArray[np.float64]
    """Shape (3,), m."""
    xyaxes: NDArray[np.float64]
    """Right and up of the picture, shape (6,)."""

    def as_mjcf(self, name: str) -> str:
        """The camera's element in an MJCF."""
        pos, axes = (" ".join(f"{value:.3g}" for value in part + 0.0) for part in (self.pos, self.xyaxes))
        return f'<camera name="{name}" pos="{pos}" xyaxes="{axes}" fovy="{FOVY}"/>'

    def move(self, model: mujoco.MjModel, camera: str) -> None:
        """Moves a camera of the world to this place."""
        right, up = self.xyaxes.reshape(2, 3)
        number = model.camera(camera).id
        mujoco.mju_mat2Quat(model.cam_quat[number], np.stack([right, up, np.cross(right, up)], axis=1).ravel())
        model.cam_pos[number], model.cam_fovy[number] = self.pos, FOVY


def best_viewpoint(arm: ArmModel) -> tuple[Viewpoint, Views]:
    """The best of 8 places around the arm, and what is seen from there; the arm's `eye_camera` stays in that place.

    Args:
        arm: a body whose `eye_camera` belongs to the world.
    """
    eye, tried = EyeCamera(arm, LOOKED), []
    for viewpoint in _around(arm):
        viewpoint.move(arm.model, arm.eye_camera)
        tried.append((visible(seen_by(eye, arm, FEW)), viewpoint))
    _, best = max(tried, key=lambda each: each[0])
    best.move(arm.model, arm.eye_camera)
    views = seen_by(eye, arm)
    eye.close()
    return best, views


def visible(views: Views) -> tuple[float, float]:
    """How well a camera sees the hand: the share of poses that show it, and the median share of its pixels."""
    return float((views.hand >= HAND_IN_VIEW).mean()), float(np.median(views.hand))


def _around(arm: ArmModel) -> list[Viewpoint]:
    """Places around the middle of all that the arm reaches, from the side and from above."""
    places, data, random = [], arm.new_data(), np.random.default_rng(0)
    for _ in range(FEW):
        arm.place(data, arm.valid_pose(data, random))
        places.append(data.geom_xpos[arm.arm_geoms].copy())
    points = np.concatenate(places)  # (P, 3)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = np.linalg.norm(points - middle, axis=1).max()
    distance = _NEAR * radius / np.sin(np.radians(FOVY / 2))
    return [_looking(middle, distance, azimuth, _ELEVATION) for azimuth in _AZIMUTHS]


def _looking(middle: NDArray[np.float64], distance: float, azimuth: float, elevation: float) -> Viewpoint:
    """A camera that looks at a point from a direction."""
    flat = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    back = np.cos(elevation) * flat + np.sin(elevation) * np.array([0.0, 0.0, 1.0])
    right = np.array([-flat[1], flat[0], 0.0])
    pos = middle + distance * back
    pos[2] = max(pos[2], 0.05)  # not below a floor
    return Viewpoint(pos.round(3), np.concatenate([right, np.cross(back, right)]).round(3))
