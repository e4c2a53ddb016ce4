"""`ServoResponse`: the motion of an arm with servos, learned from seconds of babbling."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from infant_env.errors import UserError

from ..tools import least_squares
from .arm_chain import ArmChain
from .chain_dynamics import ChainDynamics, MotionTerms, moments

SUBSTEP, SUBSTEPS = 0.005, 8
"""Length of a step of the physics, s, and number of such steps in a control step of 40 ms."""
_SHARED = 2  # consecutive substeps that share one mass matrix, drag and weight, computed halfway
_WEIGHTS = 2  # point masses per link
_COLUMNS = 4 * _WEIGHTS + 5
_FIRST_VALUES = {"stiffness": 9.0, "damping": 0.6, "strength": 1.5, "friction": 0.05, "rotor": 0.002}
_FIRST_MASS = 0.1  # kg, of a link
_JOINT_UNIT, _VELOCITY_UNIT = 0.01, 0.2  # rad and rad/s, units of the residuals
_FITS = (1.0, 1e-2), (0.1, 1e-4)  # factor of the units and tolerance; after the rough fit, outliers are visible


class Transitions(NamedTuple):
    """Joints and velocities before and after N control steps."""

    joints: Tensor
    """Shape (N, J), rad."""
    velocities: Tensor
    """Shape (N, J), rad/s."""
    actions: Tensor
    """Shape (N, J), in [-1, 1]."""
    next_joints: Tensor
    next_velocities: Tensor


class ServoResponse:
    """An arm's physics without contacts.

    Each link is two point masses on a known chain of hinges. A servo pulls its joint to the target like a spring with a
    damper and carries the weight of the links beyond it, up to its strength; friction brakes the joint. With the mass matrix
    M, the centrifugal and Coriolis torques C v, and the weight w:

        M dv/dt = clip(stiffness (target - q) - damping v + w, +-strength) - w - friction v - C v

    Friction and damping are evaluated at the end of each substep of 5 ms (implicit in the velocity); then the joints move with
    the new velocity. A joint stops at the end of its range. A reached target is kept exactly.

    Args:
        chain: the joints' axes.
        ranges: lower and upper end of each joint's range, shape (J, 2), rad.
        parameters: learned numbers, one row per joint and its link: positions of the masses (m), then logarithms of the masses
            (kg), stiffness (N m/rad), damping (N m s/rad), strength (N m), friction (N m s/rad) and the rotor's inertia
            (kg m^2); shape (J, 13).
    """

    def __init__(self, chain: ArmChain, ranges: Tensor, parameters: Tensor) -> None:
        self.chain, self.ranges, self.parameters = chain, ranges, parameters
        places = parameters[:, : 3 * _WEIGHTS].unflatten(1, (_WEIGHTS, 3))  # (J, 2, 3)
        sizes = parameters[:, 3 * _WEIGHTS :].exp()
        self._dynamics = ChainDynamics(chain, moments(places, sizes[:, :_WEIGHTS]))
        columns = sizes[:, _WEIGHTS:, None].unbind(1)  # (J, 1) each
        self._stiffness, self._damping, self._strength, self._friction, self._rotor = columns
        self._low, self._high = ranges[:, :1], ranges[:, 1:]

    def step(self, joints: Tensor, velocities: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """The state of the arm 40 ms later.

        Args:
            joints: shape (B, J), rad.
            velocities: shape (B, J), rad/s.
            actions: targets over the joint ranges, shape (B, J), in [-1, 1]; clipped.

        Returns:
            Joints and velocities, shape (B, J) each; the joints are within their ranges.
        """
        q, v = joints.T, velocities.T  # (J, B): the dynamics have the batch last
        targets = self._low + (actions.T.clamp(-1, 1) + 1) / 2 * (self._high - self._low)
        for _ in range(SUBSTEPS // _SHARED):
            ahead = (_SHARED - 1) / 2 * SUBSTEP
            terms = self._dynamics(q + ahead * v, v)
            for _ in range(_SHARED):
                q, v = self._substep(q, v, targets, terms)
        return q.T, v.T

    def _substep(self, q: Tensor, v: Tensor, targets: Tensor, terms: MotionTerms) -> tuple[Tensor, Tensor]:
        inertia, drag, weight = terms
        pull = self._stiffness * (targets - q) - self._damping * v
        torque = torch.minimum(torch.maximum(pull, -self._strength - weight), self._strength - weight)
        braking = self._friction + torch.where(torque == pull, self._damping, 0.0)  # a servo at its limit does not damp
        implicit = inertia + torch.diag_embed((self._rotor + SUBSTEP * braking).T).permute(1, 2, 0)
        v = v + solve(implicit, SUBSTEP * (torque - self._friction * v - drag))
        free = q + SUBSTEP * v
        q = torch.minimum(torch.maximum(free, self._low), self._high)
        return q, torch.where(q == free, v, 0.0)

    @classmethod
    def fit(cls, chain: ArmChain, ranges: Tensor, seen: Transitions) -> "ServoResponse":
        """Fits the response to transitions of one control step each; 150 are enough.

        Transitions with contacts are outliers and count less (Huber's loss).

        Raises:
            UserError: there are too few transitions.
        """
        count = len(chain.axes)
        if len(seen.joints) < 2 * _COLUMNS:
            raise UserError(f"got {len(seen.joints)} transitions, expected {2 * _COLUMNS} or more to learn a response")
        chain, ranges = chain.double(), ranges.double().cpu()
        q, v, actions, after, velocities = (values.double().cpu() for values in seen)

        def residuals(parameters: Tensor, unit: float) -> Tensor:
            joints, speeds = cls(chain, ranges, parameters.view(count, _COLUMNS)).step(q, v, actions)
            errors = torch.cat([(joints - after) / _JOINT_UNIT, (speeds - velocities) / _VELOCITY_UNIT])
            return errors.flatten() / unit

        parameters = _first_parameters(chain).flatten()
        for unit, tolerance in _FITS:
            parameters, _ = least_squares.fit(partial(residuals, unit=unit), parameters, tolerance=tolerance)
        return cls(chain, ranges, parameters.view(count, _COLUMNS))

    def to(self, device: torch.device | str) -> "ServoResponse":
        """The same response in float32 on a device."""
        ranges, parameters = (values.to(device, torch.float32) for values in (self.ranges, self.parameters))
        return ServoResponse(self.chain.to(device), ranges, parameters)


def solve(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Solves a batch of symmetric positive definite equations by elimination, (J, J, B) and (J, B) -> (J, B)."""
    rows = torch.cat([matrices, vectors[:, None]], 1)  # (J, J + 1, B)
    pivots = []
    while len(rows):
        pivots.append(rows[0, 1:] / rows[0, 0])
        rows = rows[1:, 1:] - rows[1:, :1] * pivots[-1]
    solution = vectors[:0]
    for row in reversed(pivots):
        solution = torch.cat([(row[-1] - (row[:-1] * solution).sum(0))[None], solution])
    return solution


def _first_parameters(chain: ArmChain) -> Tensor:
    """Parameters of a plausible arm: each link's masses lie between its joint and the hand, all servos are equal."""
    along = ((chain.tip - chain.points) * chain.axes).sum(1, keepdim=True)
    nearest = chain.points + along * chain.axes  # each axis's nearest point to the hand, (J, 3)
    shares = (torch.arange(_WEIGHTS).to(chain.tip) + 0.5) / _WEIGHTS
    places = nearest[:, None] + shares[:, None] * (chain.tip - nearest)[:, None]  # (J, 2, 3)
    scattered = 0.02 * torch.randn(places.shape, generator=torch.Generator().manual_seed(0)).to(chain.tip)
    masses = torch.full((len(places), _WEIGHTS), _FIRST_MASS / _WEIGHTS)
    servos = torch.tensor(list(_FIRST_VALUES.values())).expand(len(places), -1)
    return torch.cat([(places + scattered).flatten(1), torch.cat([masses, servos], 1).log().to(chain.tip)], 1)
