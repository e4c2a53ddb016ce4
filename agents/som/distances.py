"""Distances -A of Eq. 2-3 between queries and neurons, for all neurons or box by box, with the same bits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Distance = Literal["l1", "l2"]
"""How a gap between a feature and a weight counts: "l1" its absolute value (paper, Eq. 2), "l2" its square (Euclid)."""
DISTANCES: tuple[Distance, ...] = ("l1", "l2")


@dataclass(frozen=True)
class Groups:
    """The voting dimensions of a query, and how a gap in one of them counts.

    Attributes:
        parts: for each modality of the query, its dimensions in a neuron and the factor c_m / n_m / sum(c).
        distance: see `Distance`.
    """

    parts: Sequence[tuple[Sequence[int], float]]
    distance: Distance = "l1"

    def __iter__(self) -> Iterator[tuple[Sequence[int], float]]:
        return iter(self.parts)

    def cost(self, gaps: Tensor) -> Tensor:
        """What gaps cost, computed in place: |gap| or gap^2."""
        return cost(gaps, self.distance)


SIDE, HALF = 8, 4
"""Neurons along the side of a block, and of a leaf."""
BLOCK, LEAVES = 64, 4
"""Neurons and leaves in a block."""
WHOLE = 32
"""Neurons along the side of the largest tile of a search."""
AT_ONCE = 2**19
"""Number of distances or bounds that are computed together; they fit into a core's cache."""


ROUNDING = 2**-21
"""Eight times the relative error of one rounding in float32."""


def cost(gaps: Tensor, distance: Distance) -> Tensor:
    """What gaps between features and weights cost, computed in place: |gap| or gap^2."""
    return gaps.abs_() if distance == "l1" else gaps.square_()


def all_costs(features: Tensor, others: Tensor, distance: Distance) -> Tensor:
    """Sums of the gaps' costs between all pairs of rows, (B, w) and (N, w) -> (B, N); fast, but not in a fixed order."""
    if distance == "l1":
        return torch.cdist(features, others, p=1)
    return torch.cdist(features, others, compute_mode="donot_use_mm_for_euclid_dist").square_()


def nearest_of_all(features: Tensor, others: Tensor, distance: Distance) -> Tensor:
    """The cheapest of all other rows for each row by `all_costs`: (B, w) and (N, w) -> (B,).

    Squares come from a matrix product, which is fast but rounds more. So where the two cheapest are too close to tell, all
    costs are computed again, gap by gap. The result does not depend on how the rows are divided into calls.
    """
    parts = features.split(max(1, AT_ONCE // len(others)))
    quick = distance == "l2" and torch.get_float32_matmul_precision() == "highest"
    find = _by_product(others, len(parts[0])) if quick else lambda part: _least(all_costs(part, others, distance))
    return torch.cat([find(part) for part in parts])


def _by_product(others: Tensor, rows: int) -> Callable[[Tensor], Tensor]:
    """The search of `nearest_of_all` for squares, by a matrix product: at most so many rows -> their nearest others."""
    centre = others.mean(0)
    columns = (others - centre).T
    squares = columns.square().sum(0)
    largest, share = squares.max(), ROUNDING * (len(centre) + 4)
    columns = torch.cat([-2 * columns, squares[None]])
    buffers = [columns.new_ones((rows, len(columns))), columns.new_empty((rows, len(others)))]

    def find(features: Tensor) -> Tensor:
        left, costs = (buffer[: len(features)] for buffer in buffers)
        torch.sub(features, centre, out=left[:, :-1])
        torch.mm(left, columns, out=costs)  # without the squares of the features
        best = _least(costs)
        lowest = costs.gather(1, best[:, None])
        second = costs.scatter_(1, best[:, None], torch.inf).amin(1, keepdim=True)
        size = left[:, :-1].square().sum(1, keepdim=True) + largest
        sure = second - lowest > size * share  # False for NaN
        unsure = (~sure.squeeze(1)).nonzero().squeeze(1)
        if len(unsure):
            best[unsure] = _least(all_costs(features[unsure], others, "l2"))
        return best

    return find


def _least(costs: Tensor) -> Tensor:
    """The column of the least value of each row, the first of equals: (B, N) -> (B,)."""
    return costs.argmin(1) if costs.is_cuda else torch.from_numpy(costs.numpy().argmin(1))  # numpy is ten times as fast


def all_distances(queries: Tensor, neurons: Tensor, groups: Groups) -> Tensor:
    """Distance -A (Eq. 2-3) between every query and every neuron.

    The order of the arithmetic is fixed: dimension after dimension, then modality after modality. So a distance has the same
    bits for any number of neurons and queries.

    Args:
        queries: shape (B, D); only the dimensions in `groups` are used.
        neurons: shape (D, N), dimension by dimension.
        groups: the voting dimensions and their factors.

    Returns:
        Shape (B, N).
    """
    out = queries.new_empty((len(queries), neurons.shape[1]))
    by_dimension = queries.T.contiguous()
    width = min(neurons.shape[1], 8192)
    height = max(1, 65536 // max(width, 1))
    buffers = [out.new_empty(height * width) for _ in range(2)]
    for first in range(0, out.shape[1], width):
        for top in range(0, len(queries), height):
            part = out[top : top + height, first : first + width]
            sums, gaps = (buffer[: part.numel()].view(part.shape) for buffer in buffers)
            total = None
            for dims, scale in groups:
                for position, dim in enumerate(dims):
                    target = sums if position == 0 else gaps
                    query = by_dimension[dim, top : top + height, None]
                    groups.cost(torch.sub(neurons[dim, None, first : first + width], query, out=target))
                    if position:
                        sums.add_(gaps)
                sums.mul_(scale)
                total = part.copy_(sums) if total is None else part.add_(sums)
    return out


class Boxes:
    """A map's weights in square boxes of neurons, and exact distances to the neurons of single boxes.

    Attributes:
        weights: dimension by dimension, shape (D, boxes, size).
        neurons: flat index of each neuron on the map, shape (boxes, size); padding repeats real neurons.
        real: mask of the neurons that are not padding, shape (boxes, size).
        low, high: smallest and largest weight in each box, shape (boxes, D).
    """

    def __init__(
        self, weights: Tensor, neurons: Tensor, real: Tensor, low: Tensor | None = None, high: Tensor | None = None
    ) -> None:
        self.weights, self.neurons, self.real = weights, neurons, real
        self.low = weights.amin(2).T.contiguous() if low is None else low
        self.high = weights.amax(2).T.contiguous() if high is None else high

    def distances(self, queries: Tensor, rows: Tensor, boxes: Tensor, groups: Groups) -> Tensor:
        """Distances for pairs of a query and a box, with the same bits as `all_distances`: (P, size).

        Args:
            queries: dimension by dimension, shape (D, B).
            rows: the query of each pair, shape (P,).
            boxes: the box of each pair, shape (P,).
            groups: the voting dimensions and their factors.
        """
        out = queries.new_empty((len(rows), self.neurons.shape[1]))
        more, gaps = torch.empty_like(out), torch.empty_like(out)
        for number, (dims, scale) in enumerate(groups):
            sums = more if number else out
            for position, dim in enumerate(dims):
                target = gaps if position else sums
                torch.index_select(self.weights[dim], 0, boxes, out=target)
                groups.cost(target.sub_(queries[dim].index_select(0, rows)[:, None]))
                if position:
                    sums.add_(gaps)
            sums.mul_(scale)
            if number:
                out.add_(sums)
        return out

    def nearest(self, queries: Tensor, rows: Tensor, boxes: Tensor, groups: Groups) -> Tensor:
        """The smallest distance of each pair, (P,)."""
        pairs = AT_ONCE // self.neurons.shape[1]
        parts = zip(rows.split(pairs), boxes.split(pairs), strict=True)
        return torch.cat([self.distances(queries, row, box, groups).amin(1) for row, box in parts])


class BlockedNeurons:
    """A map in blocks of 8x8 neurons, each with four leaves of 4x4.

    A map whose sides are not multiples of 32 is padded with its own last neurons.

    Attributes:
        shape: rows and columns of the map.
        down, across: blocks along both sides, with padding.
        blocks, leaves: the boxes of both sizes, row by row; block b consists of the leaves 4 b to 4 b + 3.
        distance: the map's distance.
    """

    def __init__(self, weights: Tensor, shape: tuple[int, int], distance: Distance = "l1") -> None:
        """Arranges a map.

        Args:
            weights: see `by_block`: shape (D, blocks, 64), with its last rows and columns repeated up to whole blocks.
            shape: rows and columns of the map.
            distance: the map's distance.
        """
        self.shape, self.distance = shape, distance
        inner = [-(-side // SIDE) for side in shape]
        self.down, self.across = (-(-side // WHOLE) * WHOLE // SIDE for side in shape)
        neurons, real = block_neurons(shape, weights.device)
        if inner != [self.down, self.across]:
            x, y = (torch.arange(side, device=weights.device) for side in (self.down, self.across))
            repeated = (x.clamp(max=inner[0] - 1)[:, None] * inner[1] + y.clamp(max=inner[1] - 1)).flatten()
            own = ((x < inner[0])[:, None] & (y < inner[1])).flatten()
            weights, neurons, real = weights[:, repeated], neurons[repeated], real[repeated] & own[:, None]
        self.leaves = Boxes(*(part.view(*part.shape[:-2], -1, BLOCK // LEAVES) for part in (weights, neurons, real)))
        low, high = (extreme.unflatten(0, (-1, LEAVES)) for extreme in (self.leaves.low, self.leaves.high))
        self.blocks = Boxes(weights, neurons, real, low.amin(1), high.amax(1))

    @classmethod
    def of_neurons(cls, neurons: Tensor, shape: tuple[int, int], distance: Distance = "l1") -> "BlockedNeurons":
        """The neurons (X*Y, D) of a map of this shape."""
        return cls(by_block(neurons.T.reshape(-1, *shape)), shape, distance)


def block_neurons(shape: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """The flat index of each neuron of a map's blocks, and a mask of those that are not padding, both (blocks, 64)."""
    x, y = (torch.arange(-(-side // SIDE) * SIDE, device=device) for side in shape)
    flat = x.clamp(max=shape[0] - 1)[:, None] * shape[1] + y.clamp(max=shape[1] - 1)
    real = (x < shape[0])[:, None] & (y < shape[1])
    return by_block(flat[None])[0], by_block(real[None])[0]


def by_block(planes: Tensor) -> Tensor:
    """Reorders planes (P, X, Y) block by block, and leaf by leaf in each block: (P, blocks, 64).

    Incomplete blocks repeat the last row and column.
    """
    edges = (0, -planes.shape[2] % SIDE, 0, -planes.shape[1] % SIDE)
    if any(edges):
        planes = functional.pad(planes[None], edges, mode="replicate")[0]
    parts = planes.reshape(len(planes), -1, 2, HALF, planes.shape[2] // SIDE, 2, HALF)
    return parts.permute(0, 1, 4, 2, 5, 3, 6).reshape(len(planes), -1, BLOCK)


def planes_of(blocks: Tensor, shape: tuple[int, int]) -> Tensor:
    """The inverse of `by_block`: (P, blocks, 64) -> (P, X, Y), with the padding of incomplete blocks."""
    down, across = (-(-side // SIDE) for side in shape)
    parts = blocks.reshape(-1, down, across, 2, 2, HALF, HALF).permute(0, 1, 3, 5, 2, 4, 6)
    return parts.reshape(-1, down * SIDE, across * SIDE)
