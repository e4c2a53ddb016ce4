"""Colors of the infant, and body segments whose shapes scale with age."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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


SKIN = Color(0.95, 0.76, 0.64)
PALM = Color(1.0, 0.88, 0.79)
CHEEK = Color(0.97, 0.73, 0.63)
LIPS = Color(0.80, 0.42, 0.40)
HAIR = Color(0.42, 0.28, 0.18)
BROW = Color(0.66, 0.49, 0.38)
WHITE = Color(0.97, 0.97, 0.95)
IRIS = Color(0.25, 0.17, 0.12)
NAVY = Color(0.16, 0.20, 0.34)
CREAM = Color(0.95, 0.93, 0.86)
PYJAMAS = Color(0.55, 0.68, 0.80)
TROUSERS = Color(0.47, 0.61, 0.75)
FLOOR = Color(0.83, 0.77, 0.69)
MAT = Color(0.66, 0.76, 0.68)
MAT_RIM = Color(0.93, 0.83, 0.66)


def turn(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """Rotation matrix of a yaw to the left (about z), then a pitch down (about y), then a roll (about x); degrees."""
    (a, b, c), (d, e, f) = np.cos(np.deg2rad([yaw, pitch, roll])), np.sin(np.deg2rad([yaw, pitch, roll]))
    about_z = np.array([[a, -d, 0], [d, a, 0], [0, 0, 1]])
    about_y = np.array([[b, 0, e], [0, 1, 0], [-e, 0, b]])
    about_x = np.array([[1, 0, 0], [0, c, -f], [0, f, c]])
    return np.asarray(about_z @ about_y @ about_x)


def quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation as MuJoCo's (w, x, y, z)."""
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, rotation.ravel())
    return quat


Ellipsoid = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Center and semiaxes."""


@dataclass(frozen=True)
class Part:
    """A body and the scale of the shapes on it; a negative scale mirrors."""

    spec: mujoco.MjSpec
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
        """Adds an ellipsoid; only solid shapes make contact."""
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
        """Adds a capsule between the centers of its caps."""
        ends = np.concatenate([np.multiply(start, self.scale), np.multiply(end, self.scale)])
        thickness = [radius * abs(self.scale[0]), 0, 0]
        self._add(name, mujoco.mjtGeom.mjGEOM_CAPSULE, color, solid, mass, fromto=ends, size=thickness)

    def box(self, name: str, center: ArrayLike, half_sizes: ArrayLike, color: Color) -> None:
        """Adds a box along the axes; it makes no contact."""
        self._add(name, mujoco.mjtGeom.mjGEOM_BOX, color, False, 0.0, pos=center, size=half_sizes)

    def blend(
        self, name: str, center: ArrayLike, ellipsoids: Sequence[Ellipsoid], color: Color, *, mass: float = 0.0
    ) -> None:
        """Adds a mesh: the smooth union of ellipsoids, star-shaped about a point inside."""
        vertices, faces = _smooth_union(np.asarray(center, float), ellipsoids)
        self.spec.add_mesh(
            name=name, uservert=(vertices * self.scale).ravel(), userface=faces.ravel(), smoothnormal=True
        )
        self._add(name, mujoco.mjtGeom.mjGEOM_MESH, color, True, mass, meshname=name)

    def camera(self, name: str, position: ArrayLike, rotation: NDArray[np.float64], fovy: float) -> None:
        """Adds a camera that looks along the rotation's x axis, with its z axis up."""
        looking = rotation @ np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]])  # MuJoCo: x right, y up, -z forward
        self.body.add_camera(name=name, pos=np.multiply(position, self.scale), quat=quaternion(looking), fovy=fovy)

    def _add(self, name: str, kind: mujoco.mjtGeom, color: Color, solid: bool, mass: float, **shape: Any) -> None:
        touch = int(solid)
        self.body.add_geom(name=name, type=kind, rgba=color.rgba, mass=mass, contype=touch, conaffinity=touch, **shape)

    def child(
        self,
        name: str,
        position: ArrayLike = (0.0, 0.0, 0.0),
        rotation: NDArray[np.float64] | None = None,
        scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
    ) -> "Part":
        """Adds a body to this one; its position is in metres and not scaled."""
        quat = quaternion(np.eye(3) if rotation is None else rotation)
        return Part(self.spec, self.body.add_body(name=name, pos=position, quat=quat), scale)


def _smooth_union(center: NDArray[np.float64], ellipsoids: Sequence[Ellipsoid]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Vertices (V, 3) and faces (F, 3) of the ellipsoids' smooth union, which must be star-shaped about the center."""
    rows, columns = 13, 24
    polar, around = np.linspace(0, np.pi, rows + 2)[1:-1, None], np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.stack(
        [np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar) + 0 * around], axis=-1
    ).reshape(-1, 3)
    directions = np.vstack([ring, [[0, 0, 1], [0, 0, -1]]])  # (V, 3)
    reach = sum(_exit(center, directions, *ellipsoid) ** 16 for ellipsoid in ellipsoids) ** (1 / 16)  # a soft maximum
    cell, right = np.arange(columns), np.roll(np.arange(columns), -1)
    faces = [
        np.concatenate([np.stack([a + cell, b + cell, b + right], 1), np.stack([a + cell, b + right, a + right], 1)])
        for a, b in zip(range(0, (rows - 1) * columns, columns), range(columns, rows * columns, columns), strict=True)
    ]
    top, bottom, last = rows * columns, rows * columns + 1, (rows - 1) * columns
    faces.append(np.stack([np.full(columns, top), cell, right], 1))
    faces.append(np.stack([np.full(columns, bottom), last + right, last + cell], 1))
    return center + reach[:, None] * directions, np.concatenate(faces)


def _exit(
    origin: NDArray[np.float64], directions: NDArray[np.float64], center: Sequence[float], semiaxes: Sequence[float]
) -> NDArray[np.float64]:
    """Distance at which each ray leaves the ellipsoid, shape (V,); 0 for rays that miss it."""
    start, step = (origin - np.array(center)) / np.array(semiaxes), directions / np.array(semiaxes)
    a, b, c = (step**2).sum(1), step @ start, start @ start - 1
    inside = b**2 - a * c
    return np.where(inside > 0, (-b + np.sqrt(inside.clip(0))) / a, 0.0).clip(0)
