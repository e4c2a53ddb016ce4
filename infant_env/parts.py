"""Shapes on a body part that grows: positions scale per axis, thicknesses with the girth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray


class Color(NamedTuple):
    """Red, green and blue in [0, 1]."""

    red: float
    green: float
    blue: float

    @property
    def rgba(self) -> list[float]:
        """The opaque color."""
        return [*self, 1.0]


def turn(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """Rotation matrix of a yaw to the left (about z), then a pitch down (about y), then a roll (about x); degrees."""
    (a, b, c), (d, e, f) = np.cos(np.deg2rad([yaw, pitch, roll])), np.sin(np.deg2rad([yaw, pitch, roll]))
    about_z = np.array([[a, -d, 0], [d, a, 0], [0, 0, 1]])
    about_y = np.array([[b, 0, e], [0, 1, 0], [-e, 0, b]])
    about_x = np.array([[1, 0, 0], [0, c, -f], [0, f, c]])
    return about_z @ about_y @ about_x


def quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation as MuJoCo's (w, x, y, z)."""
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, rotation.ravel())
    return quat


@dataclass(frozen=True)
class Part:
    """A body and the scale at which shapes are drawn on it; a negative scale mirrors."""

    body: mujoco.MjsBody
    scale: tuple[float, float, float]

    def ellipsoid(
        self,
        name: str,
        center: ArrayLike,
        semiaxes: ArrayLike,
        color: Color,
        *,
        solid: bool = False,
        mass: float = 0.0,
        yaw: float = 0.0,
        pitch: float = 0.0,
        roll: float = 0.0,
    ) -> None:
        """An ellipsoid; only what is solid can be touched."""
        self._add(
            name,
            mujoco.mjtGeom.mjGEOM_ELLIPSOID,
            color,
            solid,
            mass,
            pos=np.multiply(center, self.scale),
            size=np.abs(np.multiply(semiaxes, self.scale)),
            quat=quaternion(turn(yaw, pitch, roll)),
        )

    def capsule(
        self,
        name: str,
        start: ArrayLike,
        end: ArrayLike,
        radius: float,
        color: Color,
        *,
        solid: bool = False,
        mass: float = 0.0,
    ) -> None:
        """A capsule between the centers of its caps."""
        ends = np.concatenate([np.multiply(start, self.scale), np.multiply(end, self.scale)])
        thickness = [radius * abs(self.scale[0]), 0, 0]
        self._add(name, mujoco.mjtGeom.mjGEOM_CAPSULE, color, solid, mass, fromto=ends, size=thickness)

    def disc(self, name: str, center: ArrayLike, radius: float, half_height: float, color: Color) -> None:
        """A flat disc that cannot be touched."""
        self._add(name, mujoco.mjtGeom.mjGEOM_CYLINDER, color, False, 0.0, pos=center, size=[radius, half_height, 0])

    def camera(self, name: str, position: ArrayLike, rotation: NDArray[np.float64], fovy: float) -> None:
        """A camera that looks along the rotation's x axis, its z axis up."""
        looking = rotation @ np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]])  # MuJoCo's cameras: x right, y up, -z forward
        self.body.add_camera(name=name, pos=np.multiply(position, self.scale), quat=quaternion(looking), fovy=fovy)

    def _add(self, name: str, kind: mujoco.mjtGeom, color: Color, solid: bool, mass: float, **shape: ArrayLike) -> None:
        touch = int(solid)
        self.body.add_geom(
            name=name, type=kind, rgba=color.rgba, mass=mass, contype=touch, conaffinity=touch, **shape
        )


def child(
    parent: mujoco.MjsBody,
    name: str,
    position: ArrayLike = (0.0, 0.0, 0.0),
    rotation: NDArray[np.float64] | None = None,
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Part:
    """A new body on this one."""
    quat: Sequence[float] | NDArray[np.float64] = (1, 0, 0, 0) if rotation is None else quaternion(rotation)
    return Part(parent.add_body(name=name, pos=position, quat=quat), scale)
