"""Touch: how strongly each patch of a body's skin is pressed."""

from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...body.model import ArmModel
from .patches import Patches

Floats = NDArray[np.float64]
TOUCH = "touch"
STIFFNESS = 10_000.0
"""Force that presses skin 1 m deep, N/m, so 10 N for 1 mm; the same for all bodies and ages."""
MOST_FORCE = 100.0
"""Stronger touch feels like this, N."""
_HALF = 1.0  # N; see `share`


class Contacts(NamedTuple):
    """K touched places; each contact of two parts of the body has two, one on each skin."""

    positions: Floats
    """In the world, shape (K, 3), m."""
    forces: Floats
    """How strongly these places are pressed, shape (K,), N."""
    names: tuple[str, ...]
    """The touched patches."""


class Touch:
    """The sense of touch of a body with P patches of skin.

    Each contact of MuJoCo presses the nearest patch of each shape that takes part. Both skins feel it: a hand on the thigh is
    felt by the hand and by the thigh. Contacts that count are those of `ArmModel.penetration`: not those between the fingers of
    one hand, and not those of neighbors that always overlap.

    The force is the depth of the contact times a stiffness of 10 N per mm: skin feels how deep it is pressed. So touch depends
    on the pose alone. A pose that is placed, as in data sets, feels exactly like the same pose in motion, and a single
    environment like many at once; the cost is that of finding contacts. While the arm of an infant of 12 months pressed its
    body, MuJoCo's own forces were 11 N per mm (median of 551 contacts; half of them from 8 to 13; correlation with depth .89).
    In a pose that is placed, they do not serve: they tell how fast the solver pushes the arm out, are 0 to 5.5 N per mm,
    and vanish in one of twenty contacts. MuJoCo's touch sensors give the same forces, and would need a site for each patch.

    Args:
        arm: the body.
    """

    def __init__(self, arm: ArmModel) -> None:
        self._arm, self.patches = arm, Patches.of(arm)
        self._count = len(self.patches.names)
        self._nothing = np.zeros(self._count, np.float32)
        self._places, self._lengths, self._numbers = _by_geom(arm.model.ngeom, self.patches)
        self.hands = _hands(arm)
        """Masks of the shapes of each hand, shape (ngeom,), by the hand's name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the P patches, in the order of the observation."""
        return self.patches.names

    @property
    def areas(self) -> Floats:
        """Areas of the patches, shape (P,), m^2."""
        return self.patches.areas

    def centers(self, data: mujoco.MjData) -> Floats:
        """Centers of the patches in the world, shape (P, 3), m; `data` has current positions."""
        return self.patches.centers(data)

    def felt(self, data: mujoco.MjData) -> NDArray[np.float32]:
        """A new array of how strongly each patch is pressed, shape (P,), N; `data` has current positions and contacts."""
        if not data.ncon:
            return self._nothing.copy()
        patches, _, forces = self._pressed(data)
        total = np.bincount(patches, forces, self._count + 1)[:-1]
        return np.minimum(total, MOST_FORCE).astype(np.float32)

    def touched(self, data: mujoco.MjData) -> Contacts:
        """Where the body is touched, for films and pictures; `data` has current positions and contacts."""
        patches, positions, forces = self._pressed(data)
        skin = patches < self._count
        return Contacts(positions[skin], forces[skin], tuple(self.names[patch] for patch in patches[skin]))

    def touched_by_hands(self, data: mujoco.MjData) -> NDArray[np.bool_]:
        """The patches that each of the H hands touches, not its own, shape (H, P); `data` as for `felt`."""
        return np.array([self.touched_by(data, hand) for hand in self.hands.values()])

    def touched_by(self, data: mujoco.MjData, hand: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The patches that a hand touches, not its own, shape (P,).

        Args:
            data: the simulation, with current positions and contacts.
            hand: mask of the hand's shapes, one of `hands`, shape (ngeom,).
        """
        touched = np.zeros(self._count + 1, bool)
        if data.ncon:
            geoms, positions, _ = self._touches(data)
            for mine, other in ((0, 1), (1, 0)):
                by_hand = hand[geoms[:, mine]] & ~hand[geoms[:, other]]
                touched[self._nearest(data, geoms[by_hand, other], positions[by_hand])] = True
        return touched[:-1]

    def _touches(self, data: mujoco.MjData) -> tuple[NDArray[np.int32], Floats, Floats]:
        """The two shapes, the position and the depth of each contact that counts, shapes (C, 2), (C, 3) and (C,)."""
        counts, contact = self._arm.touches(data), data.contact
        return contact.geom[counts], contact.pos[counts], -contact.dist[counts]

    def _pressed(self, data: mujoco.MjData) -> tuple[NDArray[np.int64], Floats, Floats]:
        """The patch, the position and the force of each side of each contact, shapes (2 C,), (2 C, 3) and (2 C,)."""
        geoms, positions, depths = self._touches(data)
        places, forces = positions.repeat(2, axis=0), (STIFFNESS * depths).repeat(2)
        return self._nearest(data, geoms.ravel(), places), places, forces

    def _nearest(self, data: mujoco.MjData, geoms: NDArray[np.int32], points: Floats) -> NDArray[np.int64]:
        """The patches of some shapes (n,) that are nearest to points (n, 3) in the world; P for a shape without patches."""
        local = np.einsum("nij,ni->nj", data.geom_xmat[geoms].reshape(-1, 3, 3), points - data.geom_xpos[geoms])
        along = np.einsum("nkj,nj->nk", self._places[geoms], local)
        nearest = (self._lengths[geoms] - 2 * along).argmin(axis=1)  # squared distances less those of the points
        return np.asarray(self._numbers[geoms, nearest])


def _by_geom(geoms: int, patches: Patches) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Centers, their squared lengths, and numbers of the patches of each shape, shapes (ngeom, K, 3) and (ngeom, K) twice.

    A shape with fewer than K patches has further ones with the number P, infinitely far away.
    """
    most, count = int(np.bincount(patches.geoms).max()), len(patches.names)
    places, lengths, numbers = np.zeros((geoms, most, 3)), np.full((geoms, most), np.inf), np.full((geoms, most), count)
    for geom in np.unique(patches.geoms).tolist():
        mine = np.flatnonzero(patches.geoms == geom)
        places[geom, : len(mine)], numbers[geom, : len(mine)] = patches.local[mine], mine
        lengths[geom, : len(mine)] = (patches.local[mine] ** 2).sum(axis=1)
    return places, lengths, numbers


def share(forces: ArrayLike) -> NDArray[np.float32]:
    """Touch as a share within [0, 1], for maps: F / (F + 1 N), any shape; it rises fast for light touch, and saturates."""
    pressed = np.asarray(forces, np.float32)
    return pressed / (pressed + np.float32(_HALF))


def _hands(arm: ArmModel) -> dict[str, NDArray[np.bool_]]:
    """The hands that move: the infant's by their sides, that of another body as "hand"."""
    return {side if side == "hand" else f"{side}_hand": hand.geoms for side, hand in arm.hands.items()}
