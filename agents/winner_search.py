"""Exact winners without looking at every neuron: branch and bound over square tiles of a smooth map.

A map is cut into tiles, and these into blocks of 8x8 neurons. The smallest and largest value of each dimension within a
tile bound the distance to all its neurons from below, one of its neurons bounds the best distance from above. Both
bounds are sums over dimensions of a number that depends on the query's value in that dimension alone; tabulated for 64
intervals of values, the bounds of all tiles are a sum of table rows (`embedding_bag`), which is fast in plain torch.
Tiles, then blocks, whose lower bound exceeds the best upper bound are dropped; the neurons of the few that stay are
compared by the same arithmetic as in a full search, so that the result is equal to the last bit.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

Groups = Sequence[tuple[Sequence[int], float]]
"""For each modality of a query: its dimensions within a neuron, and the factor c_m / n_m / sum(c) of Eq. 2-3."""

SIDE = 8
"""Neurons along a block's side."""
BLOCK = SIDE * SIDE
INTERVALS = 64
"""Intervals per dimension in the tables of bounds."""
QUERIES = 1024
"""Queries that are searched together."""
PAIRS = 1024
"""Pairs of a query and a block whose distances are computed together; they fit into a core's cache."""


def l1_distances(queries: Tensor, neurons: Tensor, groups: Groups) -> Tensor:
    """Distance -A (Eq. 2-3) between every query and every neuron.

    The order of the arithmetic is fixed (dimension after dimension, then modality after modality), so that a distance has the same
    bits however many neurons and queries are compared at once.

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


class _Bounds:
    """Tables of bounds of the distance to the members of many boxes, summed up by `embedding_bag`.

    Row (dimension, interval, group) of a table holds one number per box of the group.
    """

    def __init__(self, low: Tensor, high: Tensor, edges: Tensor) -> None:
        dims, self.groups, boxes = low.shape  # (D, G, boxes of a group)
        below, above = edges[:, :-1, None, None], edges[:, 1:, None, None]  # (D, I, 1, 1)
        rows = dims * INTERVALS * self.groups
        self.table = torch.maximum(low[:, None] - above, below - high[:, None]).clamp_(min=0).view(rows, boxes)

    def __call__(self, cells: Tensor, factors: Tensor, group: Tensor | None = None) -> Tensor:
        """Bounds of some queries to all boxes of a group, (P, boxes); `cells` are rows of (dimension, interval)."""
        index = cells if group is None else cells * self.groups + group[:, None]
        weights = factors.expand(index.shape).contiguous()
        return functional.embedding_bag(index, self.table, mode="sum", per_sample_weights=weights)


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
        flat = x[:, None] * shape[1] + y  # (rows, columns)
        places = flat.view(self.rows // SIDE, SIDE, self.columns // SIDE, SIDE).transpose(1, 2)
        self.neurons = places.reshape(-1, BLOCK)  # (blocks, 64): flat index on the map
        self.weights = neurons.T.contiguous()[:, self.neurons]  # (D, blocks, 64)

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


class TileSearch:
    """Finds the best neuron of each of the k best tiles, exactly.

    With k = 1 that is the winner. Memory: two tables of 64 numbers per dimension and block, 40 MB for 800x800 neurons of 13
    dimensions.
    """

    def __init__(self, blocks: BlockedNeurons, tile: int) -> None:
        """Prepare the search over tiles of `tile` x `tile` neurons, 8, 16 or 32."""
        self.blocks = blocks
        side = tile // SIDE
        down, across = blocks.rows // SIDE, blocks.columns // SIDE
        order = torch.arange(down * across, device=blocks.weights.device).view(down // side, side, across // side, side)
        real = order.transpose(1, 2)[: -(-blocks.shape[0] // tile), : -(-blocks.shape[1] // tile)]  # without mere padding
        self.children = real.reshape(-1, side * side)  # (T, blocks of a tile)
        low, high = (extreme[:, self.children] for extreme in (blocks.weights.amin(2), blocks.weights.amax(2)))
        edges = _edges(low.amin((1, 2)), high.amax((1, 2)))
        self.edges = edges
        self.cuts = edges[:, 1:-1].contiguous()
        self.tile_lower = _Bounds(low.amin(2)[:, None], high.amax(2)[:, None], edges)
        self.block_lower = _Bounds(low, high, edges)
        middle = blocks.weights[:, self.children[:, -1], 0]  # (D, T): a neuron near the tile's middle
        self.tile_upper = _farthest(middle, edges)

    def best(self, queries: Tensor, groups: Groups, k: int = 1) -> tuple[Tensor, Tensor]:
        """The k best tiles of each query.

        Args:
            queries: shape (B, D); only the dimensions that `groups` names are looked at.
            groups: what votes, and how much.
            k: tiles wanted.

        Returns:
            Distance of the best neuron of each tile, ascending, and its flat index, both (B, k). Among equally distant
            neurons of a tile, and among equal tiles within the k, the lowest index comes first.
        """
        if not len(queries):
            return queries.new_empty((0, k)), torch.empty((0, k), dtype=torch.long, device=queries.device)
        found = [self._chunk(chunk, groups, k) for chunk in queries.split(QUERIES)]
        return torch.cat([distances for distances, _ in found]), torch.cat([neurons for _, neurons in found])

    def _chunk(self, queries: Tensor, groups: Groups, k: int) -> tuple[Tensor, Tensor]:
        dims = [dim for names, _ in groups for dim in names]
        scales = [scale for names, scale in groups for _ in names]
        factors = queries.new_tensor(scales)
        slack = (4 * len(dims) + 64) * 2.0**-24  # more than all roundings together
        by_dimension = queries.T.contiguous()
        cells, beyond = self._cells(by_dimension, dims, factors)
        lower = self.tile_lower(cells, factors).add_(beyond[:, None]).mul_(1 - slack).sub_(1e-37)  # (B, T)
        upper = functional.embedding_bag(
            cells, self.tile_upper, mode="sum", per_sample_weights=factors.expand(cells.shape).contiguous()
        )
        upper.add_(beyond[:, None]).mul_(1 + slack).add_(1e-37)
        limit = upper.amin(1) if k == 1 else upper.topk(k, 1, largest=False).values[:, -1]
        limit = torch.minimum(limit, self._probe(by_dimension, cells, factors, groups, lower, upper, k))
        open_tiles = (lower <= limit[:, None]).nonzero()
        if len(open_tiles) > lower.numel() / 2:
            return self._everywhere(queries, groups, k)
        rows, tiles = open_tiles.unbind(1)
        bounds = self.block_lower(cells[rows], factors, tiles).add_(beyond[rows, None]).mul_(1 - slack).sub_(1e-37)
        if k == 1:
            limit = self._tighten(by_dimension, groups, rows, tiles, bounds, limit)
        open_blocks = (bounds <= limit[rows][:, None]).nonzero()
        if len(open_blocks) > len(queries) * self.children.numel() / 3:
            return self._everywhere(queries, groups, k)
        pairs, child = open_blocks.unbind(1)
        rows, tiles = rows[pairs], tiles[pairs]
        return self._select(by_dimension, groups, rows, tiles, self.children[tiles, child], k)

    def _cells(self, queries: Tensor, dims: list[int], factors: Tensor) -> tuple[Tensor, Tensor]:
        """Table rows (dimension, interval) of each query (B, d), and how far it lies outside of all tables (B,)."""
        columns, beyond = [], torch.zeros_like(queries[0])
        for position, dim in enumerate(dims):
            columns.append(torch.bucketize(queries[dim], self.cuts[dim], right=True).add_(dim * INTERVALS))
            inside = queries[dim].clamp(self.edges[dim, 0], self.edges[dim, -1])
            beyond += (queries[dim] - inside).abs_() * factors[position]
        return torch.stack(columns, 1), beyond

    def _probe(
        self, queries: Tensor, cells: Tensor, factors: Tensor, groups: Groups, lower: Tensor, upper: Tensor, k: int
    ) -> Tensor:
        """A tighter upper bound of the k-th best tile: look into the most promising block of promising tiles, (B,)."""
        if k == 1:
            tiles = torch.stack([lower.argmin(1), upper.argmin(1)], 1)
        else:
            tiles = upper.topk(k, 1, largest=False).indices
        rows = torch.arange(len(tiles), device=tiles.device).repeat_interleave(tiles.shape[1])
        flat = tiles.flatten()
        child = self.block_lower(cells[rows], factors, flat).argmin(1)
        found = self.blocks.nearest(queries, rows, self.children[flat, child], groups).view(tiles.shape)
        return found.amin(1) if k == 1 else found.amax(1)

    def _tighten(
        self, queries: Tensor, groups: Groups, rows: Tensor, tiles: Tensor, bounds: Tensor, limit: Tensor
    ) -> Tensor:
        """Look into each query's most promising block once more: a still tighter upper bound of the best, (B,)."""
        best, child = bounds.min(1)
        lowest = torch.full_like(limit, torch.inf).scatter_reduce_(0, rows, best, "amin")
        first = (best == lowest[rows]).nonzero().squeeze(1)
        found = self.blocks.nearest(queries, rows[first], self.children[tiles[first], child[first]], groups)
        return limit.scatter_reduce(0, rows[first], found, "amin")

    def _select(
        self, queries: Tensor, groups: Groups, rows: Tensor, tiles: Tensor, blocks: Tensor, k: int
    ) -> tuple[Tensor, Tensor]:
        """From the blocks that stayed open to the k best tiles' best neurons."""
        count, per_query = queries.shape[1], 1 if k == 1 else len(self.children)
        owner = rows if k == 1 else rows * per_query + tiles
        nearest = self.blocks.nearest(queries, rows, blocks, groups)
        best = queries.new_full((count * per_query,), torch.inf).scatter_reduce_(0, owner, nearest, "amin")
        keep = nearest == best[owner]
        if k > 1:
            limit = best.view(count, per_query).topk(k, 1, largest=False).values[:, -1]
            keep &= nearest <= limit[rows]
        rows, owner, blocks = rows[keep], owner[keep], blocks[keep]
        none = self.blocks.shape[0] * self.blocks.shape[1]
        neurons = owner.new_full((count * per_query,), none)
        for row, own, block in zip(rows.split(PAIRS), owner.split(PAIRS), blocks.split(PAIRS), strict=True):
            equal = self.blocks.distances(queries, row, block, groups) == best[own][:, None]
            lowest = torch.where(equal, self.blocks.neurons[block], none).amin(1)
            neurons.scatter_reduce_(0, own, lowest, "amin")
        return _ranked(best.view(count, per_query), neurons.view(count, per_query), k)

    def _everywhere(self, queries: Tensor, groups: Groups, k: int) -> tuple[Tensor, Tensor]:
        """The same by comparing all neurons: what a map without smoothness needs."""
        weights, none = self.blocks.weights.flatten(1), self.blocks.shape[0] * self.blocks.shape[1]
        found = []
        for chunk in queries.split(max(1, 2**24 // weights.shape[1])):
            distances = l1_distances(chunk, weights, groups).view(len(chunk), -1, BLOCK)  # (b, blocks, 64)
            if k == 1:
                best = distances.amin((1, 2))
                lowest = torch.where(distances == best[:, None, None], self.blocks.neurons, none).amin((1, 2))
                found.append((best[:, None], lowest[:, None]))
                continue
            best = distances.amin(2)[:, self.children].amin(2)  # (b, T)
            tiles = best.topk(k, 1, largest=False).indices  # (b, k)
            blocks = self.children[tiles]  # (b, k, blocks of a tile)
            inside = distances[torch.arange(len(chunk), device=tiles.device)[:, None, None], blocks].flatten(2)
            best = best.gather(1, tiles)
            neurons = torch.where(inside == best[..., None], self.blocks.neurons[blocks].flatten(2), none).amin(2)
            found.append(_ranked(best, neurons, k))
        return torch.cat([distances for distances, _ in found]), torch.cat([neurons for _, neurons in found])


def _ranked(distances: Tensor, neurons: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest distances with their neurons, ordered by distance, then by neuron."""
    if k == 1:
        return distances, neurons
    at = distances.topk(k, 1, largest=False).indices
    neurons, order = neurons.gather(1, at).sort(1)
    distances = distances.gather(1, at).gather(1, order)
    distances, order = distances.sort(dim=1, stable=True)
    return distances, neurons.gather(1, order)


def _edges(low: Tensor, high: Tensor) -> Tensor:
    """Borders of the intervals of each dimension from its smallest to its largest value, (D, INTERVALS + 1)."""
    steps = torch.linspace(0, 1, INTERVALS + 1, device=low.device)
    edges = low[:, None] + steps * (high - low)[:, None]
    edges[:, -1] = high
    return edges.cummax(1).values


def _farthest(neurons: Tensor, edges: Tensor) -> Tensor:
    """For neurons (D, T): largest distance to any value of an interval, a table (D * INTERVALS, T)."""
    to_below = (neurons[:, None] - edges[:, :-1, None]).abs_()
    to_above = (neurons[:, None] - edges[:, 1:, None]).abs_()
    return torch.maximum(to_below, to_above).flatten(0, 1)
