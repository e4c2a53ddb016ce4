"""Planning over the map: a way between two poses through familiar poses.

The map does not know obstacles, but its training poses were valid: the arm is free where the map remembers many poses, and
may touch the body where it remembers none. So a straight line is bent until it leads through familiar poses. This needs no
simulator.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from infant_env.body.servos import CONTROL_HZ
from infant_env.errors import UserError

from .familiarity import Familiarity, Progress, remembered
from .som_autoencoder import SomAutoencoder

_WAVES = 8  # number of sines that bend a way, per joint
_POINTS = 64  # number of poses at which a way's cost is computed
_TRIES = 4  # ways that are optimized together: one starts straight, the others bent
_BENT = 0.15  # standard deviation of the first bends, normalized joints
_STEPS, _RATE = 100, 0.03  # steps and learning rate of the optimization
_CARE = 30.0  # cost of unfamiliar poses, in squared normalized lengths
_FAMILIAR = -0.15  # poses above this familiarity cost almost nothing
_SHARP = 16.0  # sharpness of this threshold


class PosePlanner:
    """Plans ways between poses over a trained map.

    ```python
    planner = PosePlanner(mind)
    way = planner.plan(start, goal)  # (T, J) rad, one pose per control step
    film = mind.imagine(way)  # the pictures along the way
    ```

    Args:
        mind: the trained SOM-AE.
        speed: highest speed of a joint, rad/s.
        seed: seed of the training of `Familiarity` (which takes some seconds), and of the first bends.
        progress: called with the percentage of that training.

    Raises:
        UserError: the speed is not positive.
    """

    def __init__(
        self, mind: SomAutoencoder, speed: float = 3.0, seed: int = 0, progress: Progress | None = None
    ) -> None:
        if not 0 < speed < math.inf:
            raise UserError(f"got speed={speed}, expected rad/s above 0, such as 3")
        self.speed = speed
        self.joint_ranges = mind.joint_ranges.cpu().numpy()  # (J, 2)
        self.familiarity = Familiarity(remembered(mind.som), seed, progress=progress)
        joints = len(self.joint_ranges)
        self._bends = torch.zeros(_TRIES, _WAVES, joints)
        random = torch.Generator().manual_seed(seed)
        self._bends[1:, 0] = _BENT * torch.randn((_TRIES - 1, joints), generator=random)

    def plan(self, start: NDArray[Any], goal: NDArray[Any]) -> NDArray[np.float32]:
        """A way through familiar poses; the straight line in joint space if its poses are familiar.

        A way is q(s) = line(s) + sum over k of b_k sin(k pi s) / k. Its cost is its squared length plus its unfamiliarity.

        Args:
            start: joints, shape (J,), rad.
            goal: joints, shape (J,), rad.

        Returns:
            Poses at 25 Hz, shape (T, J), rad, from the start to the goal. They are at rest at both ends (minimum jerk, Flash
            and Hogan 1985), and no joint exceeds the speed limit.

        Raises:
            UserError: a pose has a wrong shape, is not finite or is outside of the joint ranges.
        """
        ends = np.stack([self._checked(start), self._checked(goal)])
        return self._timed(ends, self._best_bends(self._normalized(ends)).numpy())

    def straight(self, start: NDArray[Any], goal: NDArray[Any]) -> NDArray[np.float32]:
        """The straight line in joint space, with the timing and the errors of `plan`."""
        ends = np.stack([self._checked(start), self._checked(goal)])
        return self._timed(ends, np.zeros(self._bends.shape[1:]))

    def least_familiar(self, way: NDArray[Any]) -> float:
        """Familiarity of the least familiar pose of a way (T, J), rad; see `Familiarity`."""
        return float(self.familiarity(self._normalized(np.asarray(way, np.float32))).min())

    @torch.inference_mode(False)
    @torch.enable_grad()
    def _best_bends(self, ends: Tensor) -> Tensor:
        """The best bends of the line between two normalized poses, (2, J) -> (waves, J)."""
        ends = ends.clone()
        at = np.linspace(0, 1, _POINTS)
        line = ends[0] + torch.from_numpy(at).float()[:, None] * (ends[1] - ends[0])  # (points, J)
        if bool((self.familiarity(line) >= _FAMILIAR).all()):
            return torch.zeros_like(self._bends[0])
        waves, slopes = (torch.from_numpy(part).float() for part in _waves(at))
        bends = self._bends.clone().requires_grad_()
        optimizer = torch.optim.Adam([bends], _RATE)
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
        for _ in range(_STEPS):
            optimizer.zero_grad()
            self._cost(line + waves @ bends, ends[1] - ends[0] + slopes @ bends).sum().backward()
            optimizer.step()
            slower.step()
        best = self._cost(line + waves @ bends, ends[1] - ends[0] + slopes @ bends).argmin()
        return bends.detach()[best]

    def _cost(self, poses: Tensor, speeds: Tensor) -> Tensor:
        """Cost of ways from their poses and speeds, (tries, points, J) each -> (tries,)."""
        strange = F.softplus(_SHARP * (_FAMILIAR - self.familiarity(poses))) / _SHARP
        outside = (poses - poses.clamp(0, 1)).abs().sum(-1)
        return speeds.square().sum(-1).mean(-1) + _CARE * (strange + 10 * outside).mean(-1)

    def _timed(self, ends: NDArray[np.float32], bends: NDArray[Any]) -> NDArray[np.float32]:
        """Poses along a bent way with minimum jerk, at the highest speed that the speed limit allows."""
        difference = (ends[1] - ends[0]).astype(np.float64)
        scaled = bends * np.ptp(self.joint_ranges, axis=1)  # rad
        at, rate = _minimum_jerk(np.linspace(0, 1, 1001))
        fastest = np.abs((difference + _waves(at)[1] @ scaled) * rate[:, None]).max()  # rad per duration
        steps = max(1, math.ceil(1.001 * fastest / self.speed * CONTROL_HZ))
        at, _ = _minimum_jerk(np.linspace(0, 1, steps + 1))
        way = ends[0] + at[:, None] * difference + _waves(at)[0] @ scaled
        way = way.astype(np.float32).clip(*self.joint_ranges.T)
        way[[0, -1]] = ends
        return way

    def _normalized(self, joints: NDArray[np.float32]) -> Tensor:
        low, high = self.joint_ranges.T
        return torch.from_numpy((joints - low) / (high - low))

    def _checked(self, joints: NDArray[Any]) -> NDArray[np.float32]:
        low, high = self.joint_ranges.T
        pose = np.asarray(joints, np.float32)
        if pose.shape != low.shape or not ((pose >= low - 1e-5) & (pose <= high + 1e-5)).all():
            ranges = self.joint_ranges.round(2).tolist()
            raise UserError(f"got the pose {pose.tolist()}, expected one angle in rad per joint within {ranges}")
        return pose.clip(low, high)


def _waves(at: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """sin(k pi s) / k and its slope, s (n,) -> (n, waves) each."""
    waves = np.arange(1, _WAVES + 1)
    angles = np.pi * waves * at[:, None]
    return np.sin(angles) / waves, np.pi * np.cos(angles)


def _minimum_jerk(t: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Done share of a way after a share t of its time, and the rate of change."""
    return t**3 * (10 - 15 * t + 6 * t**2), 30 * (t * (1 - t)) ** 2
