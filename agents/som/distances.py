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


SIDE = 8
"""Neurons along a block's side."""
BLOCK = SIDE * SIDE
LEAVES = 4
"""Leaves of 4x4 neurons in a block."""
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

    def __init__(self, weights: Tensor, neurons: Tensor, real: Tensor) -> None:
        self.weights, self.neurons, self.real = weights, neurons, real
        self.low, self.high = weights.amin(2).T.contiguous(), weights.amax(2).T.contiguous()

    def split(self, parts: int) -> "Boxes":
        """Cuts every box into equal, consecutive parts: (boxes, size) -> (boxes * parts, size / parts)."""
        size = self.neurons.shape[1] // parts
        weights = self.weights.view(len(self.weights), -1, size)
        return Boxes(weights, self.neurons.view(-1, size), self.real.view(-1, size))

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

    A map whose sides are not multiples of 32 is padded with its own last row and column.

    Attributes:
        shape: rows and columns of the map.
        rows, columns: rows and columns with padding.
        blocks, leaves: the boxes of both sizes, row by row; block b consists of the leaves 4 b to 4 b + 3.
        distance: the map's distance.
    """

    def __init__(self, neurons: Tensor, shape: tuple[int, int], distance: Distance = "l1") -> None:
        """Arranges the neurons (X*Y, D) of a map of this shape."""
        self.shape, self.distance = shape, distance
        self.rows, self.columns = (-(-side // 32) * 32 for side in shape)
        x, y = (torch.arange(side, device=neurons.device) for side in (self.rows, self.columns))
        flat = x.clamp(max=shape[0] - 1)[:, None] * shape[1] + y.clamp(max=shape[1] - 1)  # (rows, columns)
        real = (x < shape[0])[:, None] & (y < shape[1])
        planes = neurons.T.reshape(1, -1, *shape)
        planes = functional.pad(planes, (0, self.columns - shape[1], 0, self.rows - shape[0]), mode="replicate")[0]
        self.blocks = Boxes(_by_block(planes), _by_block(flat[None])[0], _by_block(real[None])[0])
        self.leaves = self.blocks.split(LEAVES)


def _by_block(planes: Tensor) -> Tensor:
    """Reorders planes (P, rows, columns) block by block, and leaf by leaf in each block: (P, blocks, 64)."""
    half = SIDE // 2
    count, rows, columns = planes.shape
    parts = planes.reshape(count, rows // SIDE, 2, half, columns // SIDE, 2, half)
    return parts.permute(0, 1, 4, 2, 5, 3, 6).reshape(count, -1, BLOCK)
