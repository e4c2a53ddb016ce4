"""Planning over the map: a way from pose to pose that stays where the infant has been.

The map knows no walls, but it was trained on poses that were possible: where its neurons lie thick the arm has room, and
where they lie thin it may be the body. So a way costs its length, and more where neurons are few; no simulator is asked.
"""

import itertools
import math
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from infant_env.arm_env import CONTROL_HZ

from .som_autoencoder import SomAutoencoder

_NODES = 10_000  # neurons at most that ways lead over, evenly spaced on the map
_COUNTED = 16  # familiar is where so many of them are near
_LINKS = 12  # of a node to its nearest
_CARE = 30.0  # how much longer a way may be to stay among familiar poses
_GRAIN = 0.05  # normalized joints, between the poses of a way that are looked at
_PASSES = 60  # of smoothing


class PosePlanner:
    """Plans ways between poses over a trained map.

    ```python
    planner = PosePlanner(mind)
    way = planner.plan(start, goal)  # (T, J) rad, one pose per control step
    ```

    Args:
        mind: the trained SOM-AE.
        speed: highest speed of a joint, rad/s.

    Raises:
        ValueError: the speed is not positive.
    """

    def __init__(self, mind: SomAutoencoder, speed: float = 3.0) -> None:
        if not 0 < speed < math.inf:
            raise ValueError(f"got speed={speed}, expected rad/s above 0, such as 3")
        self.mind, self.speed = mind, speed
        rows, columns = mind.som.shape
        stride = max(1, math.ceil(math.sqrt(rows * columns / _NODES)))
        weights = mind.som.weights("proprioception").view(rows, columns, -1)
        self.nodes = weights[::stride, ::stride].flatten(0, 1).clamp(0, 1)  # (M, J)

    def plan(self, start: NDArray[Any], goal: NDArray[Any]) -> NDArray[np.float32]:
        """A way over the map, or the straight line where that costs no more.

        Args:
            start: joints, shape (J,), rad.
            goal: joints, shape (J,), rad.

        Returns:
            Poses at 25 Hz, shape (T, J), rad: the first is the start, the last the goal, no joint faster than the speed
            limit, at rest at both ends (minimum jerk, Flash and Hogan 1985).

        Raises:
            ValueError: a pose is misshapen, not finite or outside of the joint ranges.
        """
        ends = torch.stack([self._checked(start), self._checked(goal)])
        line = _dense(ends)
        way = _smooth(_dense(self._over_nodes(ends)))
        return self._timed(way if self._cost(way) < self._cost(line) else line)

    def straight(self, start: NDArray[Any], goal: NDArray[Any]) -> NDArray[np.float32]:
        """The straight line in joint space, timed as `plan` times its ways; raises as it does."""
        return self._timed(torch.stack([self._checked(start), self._checked(goal)]))

    def unfamiliarity(self, joints: Tensor) -> Tensor:
        """How thin the map's neurons lie around poses, normalized (N, J) -> (N,): 0 at the median of its neurons or denser, 1 at
        the 90th percentile."""
        usual, rare = self._levels
        return ((self._thinness(joints) - usual) / (rare - usual)).clamp(min=0)

    @cached_property
    def _levels(self) -> tuple[float, float]:
        thin = self._thinness(self.nodes)
        usual, rare = thin.quantile(0.5).item(), thin.quantile(0.9).item()
        return usual, max(rare, usual + 1e-6)

    def _thinness(self, joints: Tensor) -> Tensor:
        count = min(_COUNTED, len(self.nodes))
        return torch.cat([torch.cdist(part, self.nodes).kthvalue(count, 1).values for part in joints.split(1000)])

    def _cost(self, way: Tensor) -> float:
        """Length of a dense way, longer where it is unfamiliar."""
        lengths = (way[1:] - way[:-1]).norm(dim=1)
        return float((lengths * self._dearness((way[1:] + way[:-1]) / 2)).sum())

    def _dearness(self, joints: Tensor) -> Tensor:
        return 1 + _CARE * self.unfamiliarity(joints).square()

    @cached_property
    def _links(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The nearest nodes of each node, and what the way to them costs, (M, links) each."""
        links = min(_LINKS + 1, len(self.nodes))
        near = [torch.cdist(part, self.nodes).topk(links, 1, largest=False) for part in self.nodes.split(1000)]
        lengths, to = (torch.cat(part)[:, 1:] for part in zip(*near, strict=True))  # without itself
        between = (self.nodes[:, None] + self.nodes[to]) / 2
        costs = (lengths + 1e-9) * self._dearness(between.flatten(0, 1)).view(lengths.shape)
        return to.cpu().numpy(), costs.double().cpu().numpy()

    def _over_nodes(self, ends: Tensor) -> Tensor:
        """The cheapest way from end to end over nodes, (n, J)."""
        to, costs = self._links
        count, links = to.shape
        spokes, nearest = torch.cdist(ends, self.nodes).topk(max(links, 1), 1, largest=False)  # (2, links)
        halfway = (ends[:, None] + self.nodes[nearest]) / 2
        spokes = (spokes + 1e-9) * self._dearness(halfway.flatten(0, 1)).view(spokes.shape)
        rows = np.concatenate([np.repeat(np.arange(count), links), np.repeat([count, count + 1], spokes.shape[1])])
        columns = np.concatenate([to.ravel(), nearest.cpu().numpy().ravel()])
        values = np.concatenate([costs.ravel(), spokes.double().cpu().numpy().ravel()])
        graph = csr_array((values, (rows, columns)), shape=(count + 2, count + 2))
        _, before = dijkstra(graph, directed=False, indices=count, return_predecessors=True)
        way = [count + 1]
        while before[way[-1]] >= 0:
            way.append(int(before[way[-1]]))
        inner = torch.tensor(way[1:-1][::-1], dtype=torch.long, device=ends.device)
        return torch.cat([ends[:1], self.nodes[inner], ends[1:]])

    def _timed(self, way: Tensor) -> NDArray[np.float32]:
        """Along a way by minimum jerk, as fast as the fastest joint may."""
        poses = self.mind.denormalize(way).double().cpu().numpy()
        travelled = np.concatenate(
            [[0.0], np.cumsum(np.abs(np.diff(poses, axis=0)).max(1))]
        )  # rad, of the fastest joint
        steps = max(1, math.ceil(1.875 * travelled[-1] / self.speed * CONTROL_HZ))  # 1.875: the peak of minimum jerk
        t = np.linspace(0, 1, steps + 1)
        at = travelled[-1] * (10 * t**3 - 15 * t**4 + 6 * t**5)
        return np.stack([np.interp(at, travelled, joint) for joint in poses.T], 1).astype(np.float32)

    def _checked(self, joints: NDArray[Any]) -> Tensor:
        normalized = self.mind.normalize(np.asarray(joints, np.float32))
        if normalized.ndim != 1 or not bool(((normalized > -1e-3) & (normalized < 1 + 1e-3)).all()):
            ranges = self.mind.joint_ranges.cpu().numpy().round(2).tolist()
            raise ValueError(f"got the pose {np.asarray(joints)}, expected one angle in rad per joint within {ranges}")
        return normalized.clamp(0, 1)


def _dense(way: Tensor) -> Tensor:
    """A way with poses no farther apart than the grain, (n, J) -> (m, J)."""
    parts = [way[:1]]
    for a, b in itertools.pairwise(way):
        count = max(1, math.ceil(float((b - a).norm()) / _GRAIN))
        parts.append(a + (b - a) * torch.linspace(0, 1, count + 1, device=way.device)[1:, None])
    return torch.cat(parts)


def _smooth(way: Tensor) -> Tensor:
    """Corners rounded: each pose moves to the middle between its neighbors and itself, again and again; the ends stay."""
    for _ in range(_PASSES):
        way = torch.cat([way[:1], (way[:-2] + 2 * way[1:-1] + way[2:]) / 4, way[-1:]])
    return way
