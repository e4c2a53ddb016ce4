"""Distances -A of Eq. 2-3 between queries and neurons, all of them or block by block, equal to the last bit."""

from collections.abc import Sequence

import torch
from torch import Tensor

Groups = Sequence[tuple[Sequence[int], float]]
"""For each modality of a query: its dimensions within a neuron, and the factor c_m / n_m / sum(c) of Eq. 2-3."""

SIDE = 8
"""Neurons along a block's side."""
BLOCK = SIDE * SIDE
PAIRS = 2048
"""Pairs of a query and a block whose distances are computed together; they fit into a core's cache."""


def l1_distances(queries: Tensor, neurons: Tensor, groups: Groups) -> Tensor:
    """Distance -A (Eq. 2-3) between every query and every neuron.

    The order of the arithmetic is fixed (dimension after dimension, then modality after modality), so that a distance
    has the same bits however many neurons and queries are compared at once.

    Args:
        queries: shape (B, D); only the dimensions that `groups` names are looked at.
        neurons: shape (D, N), dimension by dimension.
        groups: what votes, and how much.

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
                    torch.sub(neurons[dim, None, first : first + width], query, out=target).abs_()
                    if position:
                        sums.add_(gaps)
                sums.mul_(scale)
                total = part.copy_(sums) if total is None else part.add_(sums)
    return out


class BlockedNeurons:
    """A map's weights laid out block by block, and the exact distances to the neurons of single blocks.

    A map whose sides are no multiple of 32 is padded by its own last rows and columns; a padded place carries the index
    of the neuron that it repeats.
    """

    def __init__(self, neurons: Tensor, shape: tuple[int, int]) -> None:
        """Lay out neurons (X*Y, D) of a map of the given shape."""
        device = neurons.device
        self.shape = shape
        self.rows, self.columns = (-(-side // 32) * 32 for side in shape)  # padded
        x = torch.arange(self.rows, device=device).clamp(max=shape[0] - 1)
        y = torch.arange(self.columns, device=device).clamp(max=shape[1] - 1)
        own = torch.arange(self.rows, device=device)[:, None] < shape[0]
        own = own & (torch.arange(self.columns, device=device) < shape[1])  # (rows, columns)
        flat = x[:, None] * shape[1] + y  # (rows, columns)
        self.neurons = self._by_block(flat)  # (blocks, 64): flat index on the map
        self.real = self._by_block(own)  # (blocks, 64): not padding
        self.weights = neurons.T.contiguous()[:, self.neurons]  # (D, blocks, 64)
        self.low, self.high = self.weights.amin(2).T.contiguous(), self.weights.amax(2).T.contiguous()  # (blocks, D)

    def _by_block(self, plane: Tensor) -> Tensor:
        return plane.view(self.rows // SIDE, SIDE, self.columns // SIDE, SIDE).transpose(1, 2).reshape(-1, BLOCK)

    def distances(self, queries: Tensor, rows: Tensor, blocks: Tensor, groups: Groups) -> Tensor:
        """Distances of pairs of a query and a block, bit for bit those of `l1_distances`: (P, 64).

        Args:
            queries: dimension by dimension, shape (D, B).
            rows: the query of each pair, shape (P,).
            blocks: the block of each pair, shape (P,).
            groups: what votes, and how much.
        """
        out = queries.new_empty((len(rows), BLOCK))
        sums, gaps = torch.empty_like(out), torch.empty_like(out)
        for number, (dims, scale) in enumerate(groups):
            for position, dim in enumerate(dims):
                target = sums if position == 0 else gaps
                torch.index_select(self.weights[dim], 0, blocks, out=target)
                target.sub_(queries[dim].index_select(0, rows)[:, None]).abs_()
                if position:
                    sums.add_(gaps)
            sums.mul_(scale)
            out = sums.clone() if number == 0 else out.add_(sums)
        return out

    def nearest(self, queries: Tensor, rows: Tensor, blocks: Tensor, groups: Groups) -> Tensor:
        """The smallest distance of each pair, (P,)."""
        pairs = zip(rows.split(PAIRS), blocks.split(PAIRS), strict=True)
        found = [self.distances(queries, row, block, groups).amin(1) for row, block in pairs]
        return torch.cat(found) if found else queries.new_empty(0)
