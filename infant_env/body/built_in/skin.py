"""The infant's skin: where on its shapes the patches of touch lie, and their names.

The same patches exist at every age, because their places are given relative to shapes that scale. They lie about 3 cm apart
on trunk and limbs, 2 cm on the face, and 1 to 2 cm on the hands (at 12 months). That skin is finest at hand and face holds for
adults (two-point thresholds; Weinstein 1968); no study measured infants, so the distances are an assumption.
"""

from collections.abc import Callable, Iterable, Iterator

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = Iterator[tuple[str, NDArray[np.float64]]]
"""Names of patches and their centers in the frame of their shape, (3,), m."""
Layout = Callable[[mujoco.MjModel, int], Points]
"""The patches on a shape, from the model and the shape's number."""

_ROWS, _COLUMNS = 13, 24  # of the meshes' vertices, see `parts`
_ARM_SECTORS = ("front", "front_inner", "back_inner", "back", "back_outer", "front_outer")
_LEG_SECTORS = ("top", "top_outer", "outer", "bottom_outer", "bottom", "bottom_inner", "inner", "top_inner")
_TORSO_BANDS = {3: "chest_high", 4: "chest", 5: "ribs", 7: "ribs_low", 9: "belly", 10: "belly_low"}
_FACE = {4: "hairline", 5: "forehead", 6: "eye", 7: "nose", 8: "cheek", 9: "mouth", 10: "chin", 11: "under_chin"}
"""Words for the rows of the face, from above; row 8 ends the nose."""
_FACE_MIDDLE = {6: "nose_root", 8: "upper_lip"}
_FACE_SIDE = {6: (2, "temple"), 7: (1, "cheekbone"), 9: (1, "cheek_low"), 10: (1, "jaw"), 11: (0, "under_jaw")}
"""The word beyond this column of the face, for its rows."""
_FACE_COLUMNS = 5
_HEAD_ROWS = (3, 5, 7, 9, 11)


def layouts() -> dict[str, Layout]:
    """The layouts of the infant's shapes that touch, by the shapes' names."""
    found: dict[str, Layout] = {"torso": _torso, "skull": _skull, "pelvis": _pelvis}
    for name, mirror in (("right", np.array([1, 1, 1])), ("left", np.array([1, -1, 1]))):
        outer = -mirror
        legs = (0, 0, 1), (0, outer[1], 0), (1, 0, 0)  # top, outer, from hip to foot
        found[f"{name}_thigh"] = _tube(f"{name}_thigh", _LEG_SECTORS, (0.2, 0.42, 0.64, 0.86), *legs, f"{name}_knee")
        found[f"{name}_shank"] = _tube(f"{name}_shank", _LEG_SECTORS, (0.1, 0.35, 0.6, 0.85), *legs)
        found[f"{name}_foot"] = _ball(f"{name}_foot", _foot(outer))
        arms = (1, 0, 0), mirror * (0, 1, 0), (0, 0, -1)  # front, inner, from shoulder to hand
        rings = (0.1, 0.37, 0.63, 0.9)
        found[f"{name}_sleeve"] = _tube(f"{name}_upper_arm", _ARM_SECTORS, rings, *arms, f"{name}_elbow")
        found[f"{name}_forearm_upper"] = _tube(f"{name}_forearm", _ARM_SECTORS, (0.25, 0.75), *arms)
        found[f"{name}_forearm_lower"] = _tube(f"{name}_forearm", _ARM_SECTORS, (0.25, 0.75), *arms, first=3)
        found[f"{name}_palm"] = _ball(name, _palm(mirror))
        for finger in ("thumb", "index", "middle", "ring", "little"):
            sides, finger_name = (mirror * (0, 1, 0), (1, 0, 0), (0, 0, -1)), f"{name}_{finger}"
            found[finger_name] = _tube(finger_name, ("inside", "back"), (0.4,), *sides, f"{finger_name}_tip", False)
    return found


def _tube(
    name: str,
    sectors: tuple[str, ...],
    rings: tuple[float, ...],
    start: ArrayLike,
    turn: ArrayLike,
    along: ArrayLike,
    end: str | None = None,
    numbered: bool = True,
    first: int = 1,
) -> Layout:
    """Patches in rings around a capsule, and perhaps one at its far end.

    Args:
        name: first part of the patches' names.
        sectors: words for the sectors of a ring, evenly spaced.
        rings: places of the rings on the axis, from 0 at its near end to 1 at the far one.
        start: direction of the first sector, in the frame of the body.
        turn: direction toward which the sectors go on.
        along: direction of the far end.
        end: name of the patch at the far end.
        numbered: whether names end with the number of the ring.
        first: number of the first ring.
    """

    def points(model: mujoco.MjModel, geom: int) -> Points:
        (radius, half, _), to_shape = model.geom_size[geom], _rotation(model, geom).T
        front, side, ahead = (to_shape @ np.asarray(each, float) for each in (start, turn, along))
        outwards = np.sign(ahead[2]) or 1.0
        across = [_unit(each * (1, 1, 0)) for each in (front, side)]
        across[1] = _unit(across[1] - across[1] @ across[0] * across[0])
        for ring, place in enumerate(rings, first):
            for angle, word in zip(np.arange(len(sectors)) * 2 * np.pi / len(sectors), sectors, strict=True):
                point = radius * (np.cos(angle) * across[0] + np.sin(angle) * across[1])
                number = f"_{ring}" if numbered else ""
                yield f"{name}_{word}{number}", point + np.array([0, 0, outwards * half * (2 * place - 1)])
        if end is not None:
            yield end, np.array([0, 0, outwards * (half + radius)])

    return points


def _ball(name: str, directions: dict[str, ArrayLike]) -> Layout:
    """Patches on an ellipsoid: directions in the frame of the body, in units of the semiaxes, by the ends of their names."""

    def points(model: mujoco.MjModel, geom: int) -> Points:
        for word, direction in directions.items():
            local = _rotation(model, geom).T @ np.asarray(direction, float)
            yield f"{name}_{word}", _unit(local) * model.geom_size[geom]

    return points


def _foot(outer: NDArray[np.int64]) -> dict[str, ArrayLike]:
    """The sole of a seated infant's foot looks forward, its toes up."""
    high, low = 0.5, -0.5
    sole = {"sole_upper": (0.9, 0, high), "sole_lower": (0.9, 0, low)}
    instep = {"instep_upper": (-0.9, 0, high), "instep_lower": (-0.9, 0, low)}
    return {
        **sole,
        **instep,
        "toes": (0, 0, 1),
        "heel": (0, 0, -1),
        "outer": outer * (0, 1, 0),
        "inner": -outer * (0, 1, 0),
    }


def _palm(mirror: NDArray[np.int64]) -> dict[str, ArrayLike]:
    """Two columns of three patches inside and on the back of the hand, 1 at the wrist, and its two edges."""
    found: dict[str, ArrayLike] = {}
    for word, y in (("palm", 1), ("hand_back", -1)):
        for column, x in (("thumb", 0.45), ("little", -0.45)):
            for number, z in enumerate((0.6, 0.0, -0.6), 1):
                found[f"{word}_{column}_{number}"] = mirror * (x, y * np.sqrt(1 - x**2 - z**2), z)
    return found | {"hand_edge_thumb": (1, 0, 0), "hand_edge_little": (-1, 0, 0)}


def _pelvis(model: mujoco.MjModel, geom: int) -> Points:
    directions: dict[str, ArrayLike] = {}
    for word, columns, height in (("waist", 16, 0.36), ("hips", 8, -0.36)):
        for column in range(columns):
            angle = 2 * np.pi * column / columns
            directions[f"{word}_{_around(column, columns)}"] = (np.cos(angle), np.sin(angle), height)
    yield from ((name.removeprefix("_"), point) for name, point in _ball("", directions)(model, geom))


def _torso(model: mujoco.MjModel, geom: int) -> Points:
    for row, word in _TORSO_BANDS.items():
        for column in range(0, _COLUMNS, 2):
            yield f"{word}_{_around(column // 2, _COLUMNS // 2)}", _vertex(model, geom, row, column)


def _skull(model: mujoco.MjModel, geom: int) -> Points:
    for row in _FACE:
        for column in range(-_FACE_COLUMNS, _FACE_COLUMNS + 1):
            yield _of_face(row, column), _vertex(model, geom, row, column)
    for height, row in enumerate(_HEAD_ROWS, 1):
        for column in (7, 9, 11, 13, 15, 17):
            side = "left" if column <= _COLUMNS // 2 else "right"
            number = (min(column, _COLUMNS - column) - 5) // 2
            ear = row == 7 and number == 1
            name = f"{side}_ear" if ear else f"{side}_head_{height}_{number}"
            yield name, _vertex(model, geom, row, column)
    for column in range(0, _COLUMNS, 3):
        yield f"crown_{_around(column // 3, _COLUMNS // 3)}", _vertex(model, geom, 2, column)
    yield "crown", model.mesh_vert[model.mesh_vertadr[model.geom_dataid[geom]] + _ROWS * _COLUMNS].astype(float)


def _of_face(row: int, column: int) -> str:
    """The name of a patch of the face; columns count to the left."""
    if column == 0:
        return _FACE_MIDDLE.get(row, _FACE[row])
    last, beyond = _FACE_SIDE.get(row, (_FACE_COLUMNS, ""))
    word = _FACE[row] if abs(column) <= last else beyond
    return f"{'left' if column > 0 else 'right'}_{word}_{abs(column)}"


def _around(column: int, columns: int) -> str:
    """The word for a column of a ring that begins in front and goes to the left."""
    if column == 0 or 2 * column == columns:
        return "back" if column else "front"
    return f"left_{column}" if 2 * column < columns else f"right_{columns - column}"


def _vertex(model: mujoco.MjModel, geom: int, row: int, column: int) -> NDArray[np.float64]:
    """A vertex of a mesh of `Part.blend`; rows count from above (1 to 13), columns from the front to the left."""
    first = model.mesh_vertadr[model.geom_dataid[geom]]
    return np.asarray(model.mesh_vert[first + (row - 1) * _COLUMNS + column % _COLUMNS], float)


def _rotation(model: mujoco.MjModel, geom: int) -> NDArray[np.float64]:
    """From the frame of a shape to that of its body."""
    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, model.geom_quat[geom])
    return matrix.reshape(3, 3)


def _unit(vector: Iterable[float]) -> NDArray[np.float64]:
    array = np.asarray(vector, float)
    return array / np.linalg.norm(array)
