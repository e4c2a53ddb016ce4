"""`GazeResponse`: how servos turn an eye or a head, learned from seconds of babbling."""

import torch
from torch import Tensor

from ..tools import least_squares
from .servo_response import SUBSTEP, SUBSTEPS

_FIRST_VALUES = 500.0, 45.0  # stiffness (1/s^2) and damping (1/s) before the fit: a turn takes about .2 s
_UNIT = 0.01  # rad, of the residuals


class GazeResponse:
    """The physics of a gaze: each angle is turned by a spring with a damper, without weight.

        acceleration = stiffness (target - angle) - damping velocity

    The damping is evaluated at the end of each substep of 5 ms, as in `ServoResponse`. All this is linear, so a control step is
    one matrix for each angle. An angle stops at the end of its range.

    Args:
        ranges: lower and upper end of each angle's range, shape (G, 2), rad.
        parameters: logarithms of the stiffness (1/s^2) and of the damping (1/s) of each angle, shape (G, 2).
    """

    def __init__(self, ranges: Tensor, parameters: Tensor) -> None:
        self.ranges, self.parameters = ranges, parameters
        self._low, self._high = ranges.T
        stiffness, damping = parameters.exp().T
        braked = 1 / (1 + SUBSTEP * damping)
        pull, kept = -SUBSTEP * stiffness * braked, braked  # shares of distance and velocity in the next velocity
        rows = [1 + SUBSTEP * pull, SUBSTEP * kept, pull, kept]
        substep = torch.stack(rows, 1).view(-1, 2, 2)  # of (distance, velocity)
        self._moved = torch.linalg.matrix_power(substep, SUBSTEPS)

    def step(self, angles: Tensor, velocities: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """The gaze 40 ms later.

        Args:
            angles: shape (B, G), rad.
            velocities: shape (B, G), rad/s.
            actions: targets over the ranges, shape (B, G), in [-1, 1]; clipped.

        Returns:
            Angles and velocities, shape (B, G) each; the angles are within their ranges.
        """
        targets = self._low + (actions.clamp(-1, 1) + 1) / 2 * (self._high - self._low)
        distances, moved = torch.einsum("gab,bng->ang", self._moved, torch.stack([angles - targets, velocities]))
        free = targets + distances
        angles = torch.minimum(torch.maximum(free, self._low), self._high)
        return angles, torch.where(angles == free, moved, 0.0)

    @classmethod
    def fit(cls, ranges: Tensor, felt: Tensor, actions: Tensor) -> "GazeResponse":
        """Fits the response to episodes that begin at rest; nobody feels the velocity.

        Args:
            ranges: lower and upper end of each angle's range, shape (G, 2), rad.
            felt: the angles before each step and after the last, shape (N, E + 1, G), rad.
            actions: shape (N, E, G), in [-1, 1].
        """
        ranges, felt, actions = (values.double().cpu() for values in (ranges, felt, actions))

        def residuals(parameters: Tensor) -> Tensor:
            response, angles, velocities = cls(ranges, parameters.view(-1, 2)), felt[:, 0], torch.zeros_like(felt[:, 0])
            errors = []
            for target, after in zip(actions.unbind(1), felt[:, 1:].unbind(1), strict=True):
                angles, velocities = response.step(angles, velocities, target)
                errors.append((angles - after) / _UNIT)
            return torch.cat(errors).flatten()

        start = torch.tensor(_FIRST_VALUES, dtype=torch.float64).log().repeat(len(ranges))
        parameters, _ = least_squares.fit(residuals, start)
        return cls(ranges, parameters.view(-1, 2))

    def to(self, device: torch.device | str) -> "GazeResponse":
        """The same response in float32 on a device."""
        return GazeResponse(*(values.to(device, torch.float32) for values in (self.ranges, self.parameters)))
