"""Patches of skin: small parts of a body's surface that feel touch, with names, areas, and centers that follow the body."""

from dataclasses import dataclass
from functools import cached_property

import mujoco
import numpy as np
from numpy.typing import NDArray

from ...body.built_in.skin import layouts
from ...body.changes.apply import rods
from ...body.model import ArmModel
from ...body.raw.surfaces import surface_of


@dataclass(frozen=True, eq=False)
class Patches:
    """P patches of one body.

    The infant has the same patches at every age; their areas grow with it. A patch is that part of a shape's surface that is
    nearer to its center than to the other centers on this shape. Of a body from an MJCF file, each shape that makes contact is
    one patch. Its name is that of the shape, or, without one, that of its body and a number; its center is that of the shape.
    Shapes of the world, such as the floor, have no patches, and neither has a rod in a hand.
    """

    model: mujoco.MjModel
    names: tuple[str, ...]
    geoms: NDArray[np.int64]
    """The shapes (geoms) on which they lie, shape (P,)."""
    local: NDArray[np.float64]
    """Their centers in the frames of these shapes, shape (P, 3), m."""

    @classmethod
    def of(cls, arm: ArmModel) -> "Patches":
        """The patches of a body."""
        model, known = arm.model, layouts() if arm.body.mjcf is None else {}
        root = model.body_rootid[model.geom_bodyid]
        feels = (root == root[arm.arm_geoms][0]) & ((model.geom_contype | model.geom_conaffinity) > 0)
        if arm.body.change.rod is not None:
            feels &= ~rods(model)
        names, geoms, local = [], [], []
        for geom in np.flatnonzero(feels).tolist():
            layout = known.get(model.geom(geom).name)
            placed = list(layout(model, geom)) if layout else [(_name(model, geom), np.zeros(3))]
            names += [name for name, _ in placed]
            geoms += [geom] * len(placed)
            local += [center for _, center in placed]
        return cls(model, tuple(names), np.array(geoms), np.array(local))

    @cached_property
    def areas(self) -> NDArray[np.float64]:
        """Shape (P,), m^2; a part of a shape that lies within another one counts too."""
        areas = np.zeros(len(self.names))
        for geom in np.unique(self.geoms).tolist():
            mine = self.geoms == geom
            areas[mine] = _areas(self.model, geom, self.local[mine])
        return areas

    def centers(self, data: mujoco.MjData) -> NDArray[np.float64]:
        """The centers in the world, shape (P, 3), m; `data` has current positions."""
        turned = np.einsum("pij,pj->pi", data.geom_xmat[self.geoms].reshape(-1, 3, 3), self.local)
        return np.asarray(data.geom_xpos[self.geoms] + turned)

    def on(self, geoms: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which patches lie on some shapes, shape (P,); the mask of the shapes has shape (ngeom,)."""
        return np.asarray(geoms[self.geoms])


def _name(model: mujoco.MjModel, geom: int) -> str:
    body = int(model.geom_bodyid[geom])
    return str(model.geom(geom).name or f"{model.body(body).name}_{geom - int(model.body_geomadr[body]) + 1}")


def _areas(model: mujoco.MjModel, geom: int, centers: NDArray[np.float64]) -> NDArray[np.float64]:
    points, areas = surface_of(model, geom)
    nearest = np.linalg.norm(points[:, None] - centers, axis=-1).argmin(axis=1)
    return np.bincount(nearest, areas, minlength=len(centers)).astype(float)
