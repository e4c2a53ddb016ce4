"""How heavy a chain of hinges is to move: its mass matrix, what its own motion does to it, and its weight.

Composite rigid bodies and Newton-Euler's recursion (Featherstone, *Rigid Body Dynamics Algorithms*, 2008), in the links' own
frames in the resting pose. There a joint's twist is constant, and a turn is linear in sine and cosine; so every step
of the recursions is one product with a constant matrix and a blend of three, for all arms at once: the batch is the last axis.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .arm_chain import ArmChain

GRAVITY = 9.81
"""m/s^2, along -z."""
_PAIRS = [(a, b) for a in range(4) for b in range(a, 4)]  # of the coordinates (x, y, z, 1): ten moments


class Motion(NamedTuple):
    """What torques must overcome."""

    inertia: Tensor
    """Mass matrix, shape (J, J, B), kg m^2."""
    drag: Tensor
    """Torques that the arm's own motion asks for (centrifugal and Coriolis), shape (J, B), N m."""
    weight: Tensor
    """Torques that carry the arm, shape (J, B), N m."""


def moments(places: Tensor, masses: Tensor) -> Tensor:
    """A link's inertia: sums of mass times the products of (x, y, z, 1), (..., K, 3) m and (..., K) kg -> (..., 10)."""
    full = torch.cat([places, torch.ones_like(places[..., :1])], -1)
    return torch.stack([(masses * full[..., a] * full[..., b]).sum(-1) for a, b in _PAIRS], -1)


class ChainDynamics:
    """The dynamics of a chain of hinges whose links have these moments.

    Args:
        chain: where the axes are.
        inertias: moments of each link, shape (J, 10), see `moments`.
    """

    def __init__(self, chain: ArmChain, inertias: Tensor) -> None:
        axes, points = chain.axes, chain.points
        self._twists = torch.cat([axes, torch.linalg.cross(points, axes)], 1)  # (J, 6): turning, moving at the origin
        self._inertias = inertias[..., None]  # (J, 10, 1)
        basis = _moment_basis(inertias)  # (10, 6, 6)
        self._spatial = torch.einsum("jm,mab->jab", inertias, basis)  # (J, 6, 6)
        self._momenta = torch.einsum("mab,jb->jam", basis, self._twists)  # (J, 6, 10): of what turns about each joint
        brackets = _brackets(self._twists)  # (J, 6, 6)
        squares, one = brackets @ brackets, torch.eye(6).to(brackets)
        self._brackets = brackets
        self._turns = torch.cat([one + squares, -brackets, -squares], 1)  # (J, 18, 6): blend with 1, sin, cos
        self._returns = torch.cat([(one + squares).mT, -brackets.mT, -squares.mT], 1)
        self._gathers = _gathers(_hats(self._twists))  # (J, 50, 10): blend with 1, sin, cos, sin^2, sin cos
        self._up = torch.zeros(6, 1).to(axes)
        self._up[5] = GRAVITY  # who stands still on the ground is accelerated upwards, against falling freely

    def __call__(self, joints: Tensor, velocities: Tensor) -> Motion:
        """What torques must overcome, joints (J, B) in rad and velocities (J, B) in rad/s."""
        sines, cosines = joints.sin(), joints.cos()
        moving = self._outwards(sines, cosines, velocities)  # (J, 3, 6, B)
        return self._inwards(sines, cosines, self._forces(moving), moving[:, 2])

    def _outwards(self, sines: Tensor, cosines: Tensor, velocities: Tensor) -> Tensor:
        """Each link's twist, how it is accelerated by the others' motion, and upwards, from the trunk to the hand."""
        still = torch.zeros_like(self._up)
        state = torch.stack([still, still, self._up], 1)  # (6, 3, 1): the trunk is the same for all
        states = []
        for k, (s, c, v) in enumerate(zip(sines, cosines, velocities, strict=True)):
            state = _blended(self._turns[k], state, s, c)
            twist = torch.addcmul(state[:, 0], self._twists[k, :, None], v)
            bent = torch.addcmul(state[:, 1], v, self._brackets[k] @ twist, value=-1)
            state = torch.stack([twist, bent, state[:, 2]], 1)
            states.append(state)
        return torch.stack(states).transpose(1, 2)

    def _forces(self, moving: Tensor) -> Tensor:
        """What each link's motion asks for, (J, 6, B)."""
        twists, bent = moving[:, 0], moving[:, 1]
        momenta = self._spatial @ twists
        turning, going, spinning, pushed = twists[:, :3], twists[:, 3:], momenta[:, :3], momenta[:, 3:]
        turned = torch.cat([_cross(turning, spinning) + _cross(going, pushed), _cross(turning, pushed)], 1)
        return self._spatial @ bent + turned

    def _inwards(self, sines: Tensor, cosines: Tensor, forces: Tensor, up: Tensor) -> Motion:
        """Collects what hangs on each joint, from the hand to the trunk."""
        count, _, batch = forces.shape
        inertia = forces.new_zeros(count, count, batch)
        drag, weight = [], []
        carried = forces.new_zeros(6, 1, batch)  # force of the links' motion, then momenta of the joints beyond
        body = self._inertias[-1].expand(10, batch)
        for k in reversed(range(count)):
            momentum = self._momenta[k] @ body  # (6, B)
            carried = torch.cat([carried[:, :1] + forces[k, :, None], momentum[:, None], carried[:, 1:]], 1)
            felt = torch.tensordot(self._twists[k], carried, 1)  # (1 + J - k, B)
            drag.append(felt[0])
            inertia[k, k:] = felt[1:]
            inertia[k:, k] = felt[1:]
            weight.append((momentum * up[k]).sum(0))
            if k:
                carried = _blended(self._returns[k], carried, sines[k], cosines[k])
                body = self._inertias[k - 1] + self._gathered(k, body, sines[k], cosines[k])
        return Motion(inertia, torch.stack(drag[::-1]), torch.stack(weight[::-1]))

    def _gathered(self, k: int, body: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
        """The moments of all that hangs on a joint, as the link before it has them, (10, B)."""
        a, b, c, d, e = (self._gathers[k] @ body).unflatten(0, (5, 10))
        inner = torch.addcmul(torch.addcmul(b, sine, d), cosine, e)
        return torch.addcmul(torch.addcmul(a, sine, inner), cosine, c)


def _blended(table: Tensor, vectors: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
    """Vectors turned by each arm's angle, (6, C, B) -> (6, C, B)."""
    a, b, c = (table @ vectors.flatten(1)).view(3, *vectors.shape)
    return torch.addcmul(torch.addcmul(a, sine, b), cosine, c)


def _cross(first: Tensor, second: Tensor) -> Tensor:
    """Cross products, (J, 3, B) twice -> (J, 3, B); several times as fast as `torch.linalg.cross` along this axis."""
    (a, b, c), (x, y, z) = first.unbind(1), second.unbind(1)
    return torch.stack([b * z - c * y, c * x - a * z, a * y - b * x], 1)


def _crosses(vectors: Tensor) -> Tensor:
    """The matrices of the cross products with vectors, (J, 3) -> (J, 3, 3)."""
    return torch.linalg.cross(vectors[:, :, None], torch.eye(3).to(vectors).expand(len(vectors), 3, 3), dim=1)


def _brackets(twists: Tensor) -> Tensor:
    """The matrices of the Lie brackets with twists, (J, 6) -> (J, 6, 6)."""
    turning, going = _crosses(twists[:, :3]), _crosses(twists[:, 3:])
    return torch.cat([torch.cat([turning, torch.zeros_like(turning)], 2), torch.cat([going, turning], 2)], 1)


def _hats(twists: Tensor) -> Tensor:
    """The matrices that give points (x, y, z, 1) the velocities of twists, (J, 6) -> (J, 4, 4)."""
    upper = torch.cat([_crosses(twists[:, :3]), twists[:, 3:, None]], 2)
    return torch.cat([upper, torch.zeros_like(upper[:, :1])], 1)


def _gathers(hats: Tensor) -> Tensor:
    """How a turn changes moments, for a blend with 1, sin, cos, sin^2 and sin cos, (J, 4, 4) -> (J, 50, 10)."""
    fixed, sine, cosine = torch.eye(4).to(hats) + hats @ hats, hats, -hats @ hats
    parts = (
        _of_moments(fixed, fixed) + _of_moments(cosine, cosine),  # cos^2 = 1 - sin^2
        2 * _of_moments(fixed, sine),
        2 * _of_moments(fixed, cosine),
        _of_moments(sine, sine) - _of_moments(cosine, cosine),
        2 * _of_moments(sine, cosine),
    )
    return torch.cat(parts, 1)


def _of_moments(first: Tensor, second: Tensor) -> Tensor:
    """How the moments of x become those of (first x, second x), symmetrised, (J, 4, 4) twice -> (J, 10, 10)."""
    both = torch.einsum("jac,jbd->jabcd", first, second)
    both = (both + both.transpose(1, 2)) / 2
    both = both + both.transpose(3, 4)  # x_c x_d is one moment with x_d x_c
    rows, columns = (torch.tensor([pair[i] for pair in _PAIRS]) for i in (0, 1))
    once = torch.where(rows == columns, 0.5, 1.0).to(first)
    return both[:, rows, columns][..., rows, columns] * once


def _moment_basis(like: Tensor) -> Tensor:
    """The spatial inertia that belongs to each moment, (10, 6, 6): of velocities (going + turning x place)."""
    moves = like.new_zeros(4, 3, 6)
    moves[3, :, 3:] = torch.eye(3)
    moves[:3, :, :3] = -_crosses(torch.eye(3).to(like))  # turning x e_a
    parts = [moves[a].mT @ moves[b] for a, b in _PAIRS]
    return torch.stack([p if a == b else p + p.mT for p, (a, b) in zip(parts, _PAIRS, strict=True)])
