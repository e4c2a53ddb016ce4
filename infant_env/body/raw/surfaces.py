"""Points on the surfaces of a model's shapes, each with its part of the area."""

import mujoco
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Surface = tuple[Floats, Floats]
"""Points in the frame of the shape, (M, 3), m, and their areas, (M,), m^2."""

_ROWS, _COLUMNS = 48, 96
_KINDS = mujoco.mjtGeom


def surface_of(model: mujoco.MjModel, geom: int) -> Surface:
    """Points all over a shape's surface; a shape of another kind gives those of its bounding sphere."""
    kind, size = _KINDS(int(model.geom_type[geom])), model.geom_size[geom]
    if kind == _KINDS.mjGEOM_MESH:
        return _mesh(model, int(model.geom_dataid[geom]))
    if kind == _KINDS.mjGEOM_BOX:
        return _box(size)
    if kind in (_KINDS.mjGEOM_CAPSULE, _KINDS.mjGEOM_CYLINDER):
        return _round(float(size[0]), float(size[1]), capped=kind == _KINDS.mjGEOM_CAPSULE)
    return _ellipsoid(size if kind == _KINDS.mjGEOM_ELLIPSOID else np.full(3, model.geom_rbound[geom]))


def _ellipsoid(semiaxes: Floats) -> Surface:
    polar = (np.arange(_ROWS)[:, None] + 0.5) * np.pi / _ROWS
    around = (np.arange(_COLUMNS) + 0.5) * 2 * np.pi / _COLUMNS
    sphere = np.stack(
        np.broadcast_arrays(np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)), axis=-1
    )
    stretch = np.linalg.norm(sphere * semiaxes.prod() / semiaxes, axis=-1)
    areas = stretch * np.sin(polar) * (np.pi / _ROWS) * (2 * np.pi / _COLUMNS)
    return (sphere * semiaxes).reshape(-1, 3), areas.ravel()


def _round(radius: float, half: float, capped: bool) -> Surface:
    """A capsule, or a cylinder."""
    height, around = (np.arange(_ROWS) + 0.5) * 2 / _ROWS - 1, (np.arange(_COLUMNS) + 0.5) * 2 * np.pi / _COLUMNS
    rings = np.stack(np.meshgrid(np.cos(around), height, indexing="xy"), axis=-1)
    sides = np.stack(
        [radius * rings[..., 0], np.tile(radius * np.sin(around), (_ROWS, 1)), half * rings[..., 1]], axis=-1
    )
    areas = np.full(sides.shape[:2], 2 * half * 2 * np.pi * radius / (_ROWS * _COLUMNS))
    ends, end_areas = _ellipsoid(np.full(3, radius))
    above = np.where(ends[:, 2:] > 0, 1.0, -1.0)
    if not capped:
        end_areas, ends = end_areas * np.abs(ends[:, 2]) / radius, ends * (1, 1, 0)  # the ends are flat
    return np.vstack([sides.reshape(-1, 3), ends + above * (0, 0, half)]), np.append(areas.ravel(), end_areas)


def _box(half: Floats) -> Surface:
    axes = np.eye(3)
    points = np.vstack([axes, -axes]) * half
    return points, np.tile(4 * half.prod() / half, 2)


def _mesh(model: mujoco.MjModel, mesh: int) -> Surface:
    """Four points in each triangle."""
    vertices = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]].astype(float)
    a, b, c = vertices[model.mesh_face[model.mesh_faceadr[mesh] :][: model.mesh_facenum[mesh]].T]  # (F, 3) each
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    parts = [(a + ab + ca) / 3, (b + ab + bc) / 3, (c + bc + ca) / 3, (a + b + c) / 3]
    quarter = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 8
    return np.vstack(parts), np.tile(quarter, 4)
