"""Dynamics of a chain of hinges: mass matrix, velocity-dependent torques and weight.

Composite rigid bodies and Newton-Euler's recursion (Featherstone, *Rigid Body Dynamics Algorithms*, 2008), in the links'
frames with all joints at 0. There a joint's twist is constant, and a rotation is linear in sine and cosine. So each step of
the recursions is one product with a constant matrix and one blend of three terms, for all arms at once; the batch is the
last axis.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .arm_chain import ArmChain

GRAVITY = 9.81
"""m/s^2, along -z."""
_PAIRS = [(a, b) for a in range(4) for b in range(a, 4)]  # of the coordinates (x, y, z, 1): ten moments


class MotionTerms(NamedTuple):
    """Terms of the equation of motion: torques = inertia * acceleration + drag + weight."""

    inertia: Tensor
    """Mass matrix, shape (J, J, B), kg m^2."""
    drag: Tensor
    """Centrifugal and Coriolis torques, shape (J, B), N m."""
    weight: Tensor
    """Torques that carry the arm's weight, shape (J, B), N m."""


def moments(places: Tensor, masses: Tensor) -> Tensor:
    """Moments of point masses: sums of mass times products of (x, y, z, 1), (..., K, 3) m and (..., K) kg -> (..., 10)."""
    full = torch.cat([places, torch.ones_like(places[..., :1])], -1)
    return torch.stack([(masses * full[..., a] * full[..., b]).sum(-1) for a, b in _PAIRS], -1)


class ChainDynamics:
    """The dynamics of a chain of hinges.

    Args:
        chain: the axes.
        inertias: moments of each link, shape (J, 10), see `moments`.
    """

    def __init__(self, chain: ArmChain, inertias: Tensor) -> None:
        axes, points = chain.axes, chain.points
        self._twists = torch.cat([axes, torch.linalg.cross(points, axes)], 1)  # (J, 6): angular, linear at the origin
        self._inertias = inertias[..., None]  # (J, 10, 1)
        basis = _moment_basis(inertias)  # (10, 6, 6)
        self._spatial = torch.einsum("jm,mab->jab", inertias, basis)  # (J, 6, 6)
        self._momenta = torch.einsum("mab,jb->jam", basis, self._twists)  # (J, 6, 10): moments -> momenta
        brackets = _brackets(self._twists)  # (J, 6, 6)
        squares, one = brackets @ brackets, torch.eye(6).to(brackets)
        self._brackets = brackets
        self._turns = torch.cat([one + squares, -brackets, -squares], 1)  # (J, 18, 6): blend with 1, sin, cos
        self._returns = torch.cat([(one + squares).mT, -brackets.mT, -squares.mT], 1)
        self._moment_turns = _moment_turns(_hats(self._twists))  # (J, 50, 10): blend with 1, sin, cos, sin^2, sin cos
        self._up = torch.zeros(6, 1).to(axes)
        self._up[5] = GRAVITY  # gravity acts like an upward acceleration of the trunk

    def __call__(self, joints: Tensor, velocities: Tensor) -> MotionTerms:
        """Terms of the equation of motion at joints (J, B) in rad and velocities (J, B) in rad/s."""
        sines, cosines = joints.sin(), joints.cos()
        moving = self._outwards(sines, cosines, velocities)  # (J, 3, 6, B)
        return self._inwards(sines, cosines, self._forces(moving), moving[:, 2])

    def _outwards(self, sines: Tensor, cosines: Tensor, velocities: Tensor) -> Tensor:
        """Each link's twist, its velocity-dependent acceleration and the upward one, from trunk to hand: (J, 3, 6, B)."""
        zero = torch.zeros_like(self._up)
        state = torch.stack([zero, zero, self._up], 1)  # (6, 3, 1): the trunk is the same for all arms
        states = []
        for k, (s, c, v) in enumerate(zip(sines, cosines, velocities, strict=True)):
            state = _rotated(self._turns[k], state, s, c)
            twist = torch.addcmul(state[:, 0], self._twists[k, :, None], v)
            acceleration = torch.addcmul(state[:, 1], v, self._brackets[k] @ twist, value=-1)
            state = torch.stack([twist, acceleration, state[:, 2]], 1)
            states.append(state)
        return torch.stack(states).transpose(1, 2)

    def _forces(self, moving: Tensor) -> Tensor:
        """Spatial force of each link's motion, (J, 6, B)."""
        twists, accelerations = moving[:, 0], moving[:, 1]
        momenta = self._spatial @ twists
        angular, linear, spin, push = twists[:, :3], twists[:, 3:], momenta[:, :3], momenta[:, 3:]
        gyroscopic = torch.cat([_cross(angular, spin) + _cross(linear, push), _cross(angular, push)], 1)
        return self._spatial @ accelerations + gyroscopic

    def _inwards(self, sines: Tensor, cosines: Tensor, forces: Tensor, up: Tensor) -> MotionTerms:
        """Sums the forces and moments of all links beyond each joint, from the hand to the trunk."""
        count, _, batch = forces.shape
        inertia = forces.new_zeros(count, count, batch)
        drag, weight = [], []
        carried = forces.new_zeros(6, 1, batch)  # force of the links' motion, then momenta of the joints beyond
        body = self._inertias[-1].expand(10, batch)
        for k in reversed(range(count)):
            momentum = self._momenta[k] @ body  # (6, B)
            carried = torch.cat([carried[:, :1] + forces[k, :, None], momentum[:, None], carried[:, 1:]], 1)
            torques = torch.tensordot(self._twists[k], carried, 1)  # (1 + J - k, B)
            drag.append(torques[0])
            inertia[k, k:] = torques[1:]
            inertia[k:, k] = torques[1:]
            weight.append((momentum * up[k]).sum(0))
            if k:
                carried = _rotated(self._returns[k], carried, sines[k], cosines[k])
                body = self._inertias[k - 1] + self._rotated_moments(k, body, sines[k], cosines[k])
        return MotionTerms(inertia, torch.stack(drag[::-1]), torch.stack(weight[::-1]))

    def _rotated_moments(self, k: int, body: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
        """Moments of all links beyond joint k in the frame of the link before it, (10, B)."""
        a, b, c, d, e = (self._moment_turns[k] @ body).unflatten(0, (5, 10))
        inner = torch.addcmul(torch.addcmul(b, sine, d), cosine, e)
        return torch.addcmul(torch.addcmul(a, sine, inner), cosine, c)


def _rotated(table: Tensor, vectors: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
    """Rotates vectors by each arm's joint angle, (6, C, B) -> (6, C, B)."""
    a, b, c = (table @ vectors.flatten(1)).view(3, *vectors.shape)
    return torch.addcmul(torch.addcmul(a, sine, b), cosine, c)


def _cross(first: Tensor, second: Tensor) -> Tensor:
    """Cross products, (J, 3, B) twice -> (J, 3, B); `torch.linalg.cross` is several times slower along this axis."""
    (a, b, c), (x, y, z) = first.unbind(1), second.unbind(1)
    return torch.stack([b * z - c * y, c * x - a * z, a * y - b * x], 1)


def _crosses(vectors: Tensor) -> Tensor:
    """Matrices of the cross products with vectors, (J, 3) -> (J, 3, 3)."""
    return torch.linalg.cross(vectors[:, :, None], torch.eye(3).to(vectors).expand(len(vectors), 3, 3), dim=1)


def _brackets(twists: Tensor) -> Tensor:
    """Matrices of the Lie brackets with twists, (J, 6) -> (J, 6, 6)."""
    angular, linear = _crosses(twists[:, :3]), _crosses(twists[:, 3:])
    return torch.cat([torch.cat([angular, torch.zeros_like(angular)], 2), torch.cat([linear, angular], 2)], 1)


def _hats(twists: Tensor) -> Tensor:
    """Matrices from points (x, y, z, 1) to their velocities under twists, (J, 6) -> (J, 4, 4)."""
    upper = torch.cat([_crosses(twists[:, :3]), twists[:, 3:, None]], 2)
    return torch.cat([upper, torch.zeros_like(upper[:, :1])], 1)


def _moment_turns(hats: Tensor) -> Tensor:
    """Matrices that rotate moments, for a blend with 1, sin, cos, sin^2 and sin cos, (J, 4, 4) -> (J, 50, 10)."""
    fixed, sine, cosine = torch.eye(4).to(hats) + hats @ hats, hats, -hats @ hats
    parts = (
        _moment_map(fixed, fixed) + _moment_map(cosine, cosine),  # cos^2 = 1 - sin^2
        2 * _moment_map(fixed, sine),
        2 * _moment_map(fixed, cosine),
        _moment_map(sine, sine) - _moment_map(cosine, cosine),
        2 * _moment_map(sine, cosine),
    )
    return torch.cat(parts, 1)


def _moment_map(first: Tensor, second: Tensor) -> Tensor:
    """Matrix from the moments of x to those of (first x, second x), symmetrized, (J, 4, 4) twice -> (J, 10, 10)."""
    both = torch.einsum("jac,jbd->jabcd", first, second)
    both = (both + both.transpose(1, 2)) / 2
    both = both + both.transpose(3, 4)  # x_c x_d and x_d x_c are one moment
    rows, columns = (torch.tensor([pair[i] for pair in _PAIRS]) for i in (0, 1))
    halves = torch.where(rows == columns, 0.5, 1.0).to(first)  # the sum counted x_c x_c twice
    return both[:, rows, columns][..., rows, columns] * halves


def _moment_basis(like: Tensor) -> Tensor:
    """The spatial inertia of each moment, (10, 6, 6), for velocities (linear + angular x position)."""
    moves = like.new_zeros(4, 3, 6)
    moves[3, :, 3:] = torch.eye(3)
    moves[:3, :, :3] = -_crosses(torch.eye(3).to(like))  # angular x e_a
    parts = [moves[a].mT @ moves[b] for a, b in _PAIRS]
    return torch.stack([p if a == b else p + p.mT for p, (a, b) in zip(parts, _PAIRS, strict=True)])
