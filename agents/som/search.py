"""Search for exact winners that skips most neurons: branch and bound over square tiles of a smooth map.

A map is cut into tiles, tiles into blocks of 8x8 neurons, and blocks into leaves of 4x4. The smallest and largest value of
each dimension in such a box bound the distance to all its neurons from below; any of its neurons bounds the best distance
from above. The search drops tiles, then blocks, then leaves whose lower bound exceeds the best upper bound. It compares the
neurons of the remaining leaves with the same arithmetic as a full search, so the result has the same bits. The bounds have
more slack than all rounding errors together.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ..tools.threads import in_threads
from .bounds import BoundQuery, Intervals
from .distances import AT_ONCE, BLOCK, LEAVES, SIDE, BlockedNeurons, Groups, all_distances

CHUNK = 4096, 256
"""Most queries that one thread searches together, and fewest queries for which another thread starts."""
LARGE = 2**18
"""From this many neurons on, tiles of 32x32 are faster for winners than tiles of 16x16."""
TILES, BLOCKS = 4, 4
"""For a first upper bound, each query is compared with this many blocks of this many promising tiles."""


class TileSearch:
    """Finds the best neuron of each of the k best tiles, exactly.

    With k = 1 that is the winner. If the bounds rule out too little, because the map is not smooth, all neurons are compared.
    Memory for 800x800 neurons of 13 dimensions: 15 MB for bounds and tables, and 33 MB for the weights in blocks.
    """

    def __init__(self, neurons: BlockedNeurons, tile: int) -> None:
        """Prepares the search over tiles of `tile` x `tile` neurons, 8, 16 or 32."""
        self.shape, self.blocks, self.leaves = neurons.shape, neurons.blocks, neurons.leaves
        self.tile, side = tile, tile // SIDE
        down, across = neurons.down, neurons.across
        order = torch.arange(down * across, device=self.blocks.weights.device)
        order = order.view(down // side, side, across // side, side).transpose(1, 2)
        real = order[: -(-self.shape[0] // tile), : -(-self.shape[1] // tile)]  # without tiles of padding only
        self.children = real.reshape(-1, side * side)  # (T, blocks of a tile)
        low, high = (extreme[:, self.children] for extreme in (self.blocks.low.T, self.blocks.high.T))
        self.intervals = Intervals.between(low.amin((1, 2)), high.amax((1, 2)), neurons.distance)
        self.tile_lower = self.intervals.lower_table(low.amin(2), high.amax(2))
        self.within_tile = torch.cat([low, high], 2)  # (D, T, 2 * blocks of a tile)
        leaf_low, leaf_high = (e.T.reshape(len(e.T), -1, LEAVES) for e in (self.leaves.low, self.leaves.high))
        self.within_block = torch.cat([leaf_low, leaf_high], 2)  # (D, blocks, 2 * leaves of a block)
        self.tile_upper = self.intervals.upper_table(
            self.blocks.weights[:, self.children[:, -1], 0]
        )  # one near the middle

    @classmethod
    def of_winners(cls, neurons: BlockedNeurons) -> "TileSearch":
        """The search with tiles of the best size for winners."""
        return cls(neurons, 32 if neurons.shape[0] * neurons.shape[1] >= LARGE else 16)

    def best(self, queries: Tensor, groups: Groups, k: int = 1) -> tuple[Tensor, Tensor]:
        """The k best tiles of each query.

        Args:
            queries: shape (B, D); only the dimensions in `groups` are used.
            groups: the voting dimensions and their factors.
            k: number of tiles.

        Returns:
            Distance of the best neuron of each tile, ascending, and its flat index, both (B, k). Among equally distant
            neurons of a tile, and among equal tiles within the k, the lowest index comes first.
        """
        if not len(queries):
            return queries.new_empty((0, k)), torch.empty((0, k), dtype=torch.long, device=queries.device)
        found = in_threads(lambda chunk: self._best_of_chunk(chunk, groups, k), queries, *CHUNK)
        return torch.cat([distances for distances, _ in found]), torch.cat([neurons for _, neurons in found])

    def within(self, queries: Tensor, groups: Groups, limit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All neurons whose distance from a query is at most its limit (B,).

        Returns:
            Query, flat index and distance of each found neuron, (F,) each.
        """
        query = BoundQuery(queries, groups, self.intervals)
        relaxed = query.relaxed(limit)
        rows, tiles = (query.lower(self.tile_lower) <= relaxed[:, None]).nonzero().unbind(1)
        rows, tiles, blocks, _ = self._open_blocks(query, rows, tiles, relaxed)
        rows, _, leaves = self._open_leaves(query, rows, tiles, blocks, relaxed)
        found = []
        pairs = AT_ONCE // self.leaves.neurons.shape[1]
        for row, leaf in zip(rows.split(pairs), leaves.split(pairs), strict=True):
            distances = self.leaves.distances(query.values, row, leaf, groups)
            fits = (distances <= limit[row][:, None]) & self.leaves.real[leaf]
            at, place = fits.nonzero().unbind(1)
            found.append((row[at], self.leaves.neurons[leaf[at], place], distances[at, place]))
        at, neurons, distances = (torch.cat(part) for part in zip(*found, strict=True))
        return at, neurons, distances

    def two_nearest(self, queries: Tensor, groups: Groups) -> Tensor:
        """The best and the second best neuron of each query, (B, 2); both lie in the two best tiles.

        Args:
            queries: shape (B, D); only the dimensions in `groups` are used.
            groups: the voting dimensions and their factors.
        """
        found = in_threads(lambda chunk: self._two_of_chunk(chunk, groups), queries, *CHUNK)
        return torch.cat(found) if found else torch.empty((0, 2), dtype=torch.long, device=queries.device)

    def _two_of_chunk(self, queries: Tensor, groups: Groups) -> Tensor:
        winners = self.best(queries, groups)[1]  # (B, 1)
        neurons = self.best(queries, groups, min(2, len(self.children)))[1]
        tiles = self._tile_of(torch.cat([winners, neurons], 1))  # (B, 3)
        blocks = self.children[tiles].flatten(1)  # (B, b)
        rows = torch.arange(len(queries), device=blocks.device).repeat_interleave(blocks.shape[1])
        distances = self.blocks.distances(queries.T.contiguous(), rows, blocks.flatten(), groups).view(len(queries), -1)
        places = self.blocks.neurons[blocks].flatten(1)
        distances = torch.where(places == winners, torch.inf, distances)  # also where padding repeats the winner
        equal = distances == distances.amin(1, keepdim=True)
        none = self.shape[0] * self.shape[1]
        return torch.cat([winners, torch.where(equal, places, none).amin(1, keepdim=True)], 1)

    def _tile_of(self, neurons: Tensor) -> Tensor:
        columns, tile = self.shape[1], self.tile
        return neurons // columns // tile * -(-columns // tile) + neurons % columns // tile

    def _best_of_chunk(self, queries: Tensor, groups: Groups, k: int) -> tuple[Tensor, Tensor]:
        query = BoundQuery(queries, groups, self.intervals)
        lower, upper = query.lower(self.tile_lower), query.upper(self.tile_upper)  # (B, T)
        limit = query.relaxed(self._first_limit(query, lower, upper, k))
        tiles, rows = (limit >= lower.T).nonzero().unbind(1)  # tile by tile
        if len(rows) > lower.numel() / 2:
            return self._full_search(queries, groups, k)
        rows, tiles, blocks, bounds = self._open_blocks(query, rows, tiles, limit)
        if len(blocks) > len(query) * self.children.numel() / 3:
            return self._full_search(queries, groups, k)
        if k == 1:
            limit = torch.minimum(limit, query.relaxed(self._best_in_lowest_block(query, rows, blocks, bounds)))
        keep = (bounds <= limit[rows]).nonzero().squeeze(1)
        return self._select(query, *self._open_leaves(query, rows[keep], tiles[keep], blocks[keep], limit), k)

    def _first_limit(self, query: BoundQuery, lower: Tensor, upper: Tensor, k: int) -> Tensor:
        """An upper bound of the k-th best tile's distance, from some blocks of promising tiles, (B,)."""
        tiles = (lower + upper).topk(min(max(k, TILES), lower.shape[1]), 1, largest=False).indices  # (B, t)
        rows = torch.arange(len(tiles), device=tiles.device)[:, None]
        bounds = query.lower_within(self.within_tile, rows.expand(tiles.shape).flatten(), tiles.flatten())
        bounds, blocks = bounds.view(len(tiles), -1, self.children.shape[1]), self.children[tiles]
        if k == 1:  # the best blocks among all these tiles; else the best block of each tile
            bounds, blocks = bounds.flatten(1)[:, None], blocks.flatten(1)[:, None]
        best = bounds.topk(min(BLOCKS, blocks.shape[2]) if k == 1 else 1, 2, largest=False).indices
        blocks = blocks.gather(2, best).flatten(1)
        rows = rows.expand(blocks.shape).flatten()
        found = self.blocks.nearest(query.values, rows, blocks.flatten(), query.groups).view(blocks.shape)
        if k == 1:
            return torch.minimum(found.amin(1), upper.amin(1))
        return torch.minimum(found, upper.gather(1, tiles)).kthvalue(k, 1).values

    def _open_blocks(
        self, query: BoundQuery, rows: Tensor, tiles: Tensor, limit: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Blocks of open tiles whose lower bound does not exceed the limit: query, tile, block and bound, (P,) each."""
        bounds = query.lower_within(self.within_tile, rows, tiles)
        pairs, child = (bounds <= limit[rows][:, None]).nonzero().unbind(1)
        return rows[pairs], tiles[pairs], self.children[tiles[pairs], child], bounds[pairs, child]

    def _open_leaves(
        self, query: BoundQuery, rows: Tensor, tiles: Tensor, blocks: Tensor, limit: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Leaves of open blocks whose own lower bound does not exceed the limit: query, tile and leaf, (P,) each."""
        bounds = query.lower_within(self.within_block, rows, blocks)
        pairs, leaf = (bounds <= limit[rows][:, None]).nonzero().unbind(1)
        return rows[pairs], tiles[pairs], blocks[pairs] * LEAVES + leaf

    def _best_in_lowest_block(self, query: BoundQuery, rows: Tensor, blocks: Tensor, bounds: Tensor) -> Tensor:
        """The best distance in the block with the lowest bound of each query, (B,)."""
        best = torch.full((len(query),), torch.inf, device=bounds.device)
        lowest = best.scatter_reduce(0, rows, bounds, "amin")
        first = (bounds == lowest[rows]).nonzero().squeeze(1)
        found = self.blocks.nearest(query.values, rows[first], blocks[first], query.groups)
        return best.scatter_reduce_(0, rows[first], found, "amin")

    def _select(self, query: BoundQuery, rows: Tensor, tiles: Tensor, leaves: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """The best neurons of the k best tiles, from the leaves that are still open."""
        count, per_query = len(query), 1 if k == 1 else len(self.children)
        owner = rows if k == 1 else rows * per_query + tiles
        nearest = self.leaves.nearest(query.values, rows, leaves, query.groups)
        best = nearest.new_full((count * per_query,), torch.inf).scatter_reduce_(0, owner, nearest, "amin")
        keep = nearest == best[owner]
        if k > 1:
            limit = best.view(count, per_query).topk(k, 1, largest=False).values[:, -1]
            keep &= nearest <= limit[rows]
        rows, owner, leaves = rows[keep], owner[keep], leaves[keep]
        equal = self.leaves.distances(query.values, rows, leaves, query.groups) == best[owner][:, None]
        none = self.shape[0] * self.shape[1]
        lowest = torch.where(equal, self.leaves.neurons[leaves], none).amin(1)
        neurons = owner.new_full((count * per_query,), none).scatter_reduce_(0, owner, lowest, "amin")
        return _ranked(best.view(count, per_query), neurons.view(count, per_query), k)

    def _full_search(self, queries: Tensor, groups: Groups, k: int) -> tuple[Tensor, Tensor]:
        """The same result from a comparison with all neurons, for maps that are not smooth."""
        weights, none = self.blocks.weights.flatten(1), self.shape[0] * self.shape[1]
        found = []
        for chunk in queries.split(max(1, 2**24 // weights.shape[1])):
            distances = all_distances(chunk, weights, groups).view(len(chunk), -1, BLOCK)  # (b, blocks, 64)
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


def best_of_tiles(distances: Tensor, side: int, k: int) -> tuple[Tensor, Tensor]:
    """The best neuron of each of the k best tiles, from the distances to all neurons.

    Args:
        distances: distance between each query and each neuron, shape (B, X, Y).
        side: side of a tile in neurons.
        k: number of tiles.

    Returns:
        As `TileSearch.best`.
    """
    rows, columns = distances.shape[1:]
    edges = (0, -columns % side, 0, -rows % side)
    neurons = torch.arange(rows * columns, device=distances.device).view(1, 1, rows, columns)
    padded = functional.pad(distances[:, None], edges, value=torch.inf)
    inside = functional.unfold(padded, side, stride=side)  # (B, side^2, tiles)
    places = functional.unfold(functional.pad(neurons, edges, value=rows * columns).double(), side, stride=side).long()
    best = inside.amin(1)  # (B, tiles)
    lowest = torch.where(inside == best[:, None], places, rows * columns).amin(1)
    return _ranked(best, lowest, k)


def _ranked(distances: Tensor, neurons: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest distances with their neurons, ordered by distance, then by neuron."""
    if distances.shape[1] == 1:
        return distances, neurons
    at = distances.topk(k, 1, largest=False).indices
    neurons, order = neurons.gather(1, at).sort(1)
    distances = distances.gather(1, at).gather(1, order)
    distances, order = distances.sort(dim=1, stable=True)
    return distances, neurons.gather(1, order)
