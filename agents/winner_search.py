"""Exact winners without looking at every neuron: branch and bound over square tiles of a smooth map.

A map is cut into tiles, and these into blocks of 8x8 neurons. The smallest and largest value of each dimension within a
tile or block bound the distance to all its neurons from below; its neurons bound the best distance from above. Tiles,
then blocks, whose lower bound exceeds the best upper bound are dropped; the neurons of the few that stay are compared
by the same arithmetic as in a full search, so that the result is equal to the last bit. Bounds are relaxed by more than
all roundings together.
"""

import torch
from torch import Tensor

from .neuron_distances import BLOCK, PAIRS, SIDE, BlockedNeurons, Groups, l1_distances
from .tile_bounds import BoundQuery, Intervals

QUERIES = 1024
"""Queries that are searched together."""


class TileSearch:
    """Finds the best neuron of each of the k best tiles, exactly.

    With k = 1 that is the winner. A map without smoothness is searched as a whole, as soon as the bounds drop too
    little.
    Memory: tables of 64 numbers per dimension and block, 40 MB for 800x800 neurons of 13 dimensions.
    """

    def __init__(self, blocks: BlockedNeurons, tile: int) -> None:
        """Prepare the search over tiles of `tile` x `tile` neurons, 8, 16 or 32."""
        self.blocks = blocks
        side = tile // SIDE
        down, across = blocks.rows // SIDE, blocks.columns // SIDE
        order = torch.arange(down * across, device=blocks.weights.device).view(down // side, side, across // side, side)
        real = order.transpose(1, 2)[: -(-blocks.shape[0] // tile), : -(-blocks.shape[1] // tile)]  # no mere padding
        self.children = real.reshape(-1, side * side)  # (T, blocks of a tile)
        low, high = (extreme[:, self.children] for extreme in (blocks.low.T, blocks.high.T))
        self.intervals = Intervals.between(low.amin((1, 2)), high.amax((1, 2)))
        self.tile_lower = self.intervals.lower_table(low.amin(2)[:, None], high.amax(2)[:, None])
        self.block_lower = self.intervals.lower_table(low, high)
        self.tile_upper = self.intervals.upper_table(blocks.weights[:, self.children[:, -1], 0])  # one near the middle

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

    def within(self, queries: Tensor, groups: Groups, limit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All neurons not farther from each query than its limit (B,).

        Returns:
            Query, flat index and distance of each find, (F,) each.
        """
        query = BoundQuery(queries, groups, self.intervals)
        rows, _, blocks = self._open_blocks(query, query.lower(self.tile_lower), limit)
        found = []
        for row, block in zip(rows.split(PAIRS), blocks.split(PAIRS), strict=True):
            distances = self.blocks.distances(query.values, row, block, groups)
            fits = (distances <= limit[row][:, None]) & self.blocks.real[block]
            at, place = fits.nonzero().unbind(1)
            found.append((row[at], self.blocks.neurons[block[at], place], distances[at, place]))
        at, neurons, distances = (torch.cat(part) for part in zip(*found, strict=True))
        return at, neurons, distances

    def two_nearest(self, queries: Tensor, groups: Groups) -> Tensor:
        """The best and the second best neuron of each query, (B, 2): both lie in the two best tiles.

        Args:
            queries: shape (B, D); only the dimensions that `groups` names are looked at.
            groups: what votes, and how much.
        """
        found = [self._two(chunk, groups) for chunk in queries.split(QUERIES)]
        return torch.cat(found) if found else torch.empty((0, 2), dtype=torch.long, device=queries.device)

    def _two(self, queries: Tensor, groups: Groups) -> Tensor:
        winners = self.best(queries, groups)[1]  # (B, 1)
        neurons = self.best(queries, groups, min(2, len(self.children)))[1]
        tiles = self._tile_of(torch.cat([winners, neurons], 1))  # (B, 3)
        blocks = self.children[tiles].flatten(1)  # (B, b)
        rows = torch.arange(len(queries), device=blocks.device).repeat_interleave(blocks.shape[1])
        distances = self.blocks.distances(queries.T.contiguous(), rows, blocks.flatten(), groups).view(len(queries), -1)
        places = self.blocks.neurons[blocks].flatten(1)
        distances = torch.where(places == winners, torch.inf, distances)  # also where padding repeats the winner
        equal = distances == distances.amin(1, keepdim=True)
        none = self.blocks.shape[0] * self.blocks.shape[1]
        return torch.cat([winners, torch.where(equal, places, none).amin(1, keepdim=True)], 1)

    def _tile_of(self, neurons: Tensor) -> Tensor:
        tile = int(self.children.shape[1] ** 0.5) * SIDE
        columns = self.blocks.shape[1]
        return neurons // columns // tile * -(-columns // tile) + neurons % columns // tile

    def _chunk(self, queries: Tensor, groups: Groups, k: int) -> tuple[Tensor, Tensor]:
        query = BoundQuery(queries, groups, self.intervals)
        lower, upper = query.lower(self.tile_lower), query.upper(self.tile_upper)  # (B, T)
        limit = upper.amin(1) if k == 1 else upper.topk(k, 1, largest=False).values[:, -1]
        limit = torch.minimum(limit, self._probe(query, lower, upper, k))
        if int((lower <= limit[:, None]).sum()) > lower.numel() / 2:
            return self._everywhere(queries, groups, k)
        rows, tiles, blocks = self._open_blocks(query, lower, limit)
        if len(blocks) > len(query) * self.children.numel() / 3:
            return self._everywhere(queries, groups, k)
        bounds = query.box(rows, self.blocks.low[:, query.dims][blocks], self.blocks.high[:, query.dims][blocks])
        if k == 1:
            limit = self._tighten(query, rows, blocks, bounds, limit)
        keep = (bounds <= limit[rows]).nonzero().squeeze(1)
        return self._select(query, rows[keep], tiles[keep], blocks[keep], k)

    def _open_blocks(self, query: BoundQuery, lower: Tensor, limit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Blocks whose lower bound does not exceed the query's limit: query, tile and block of each pair, (P,) each."""
        rows, tiles = (lower <= limit[:, None]).nonzero().unbind(1)
        bounds = query.lower_of(self.block_lower, len(self.children), rows, tiles)
        pairs, child = (bounds <= limit[rows][:, None]).nonzero().unbind(1)
        return rows[pairs], tiles[pairs], self.children[tiles[pairs], child]

    def _probe(self, query: BoundQuery, lower: Tensor, upper: Tensor, k: int) -> Tensor:
        """A tighter upper bound of the k-th best tile: look into one block of each of some promising tiles, (B,)."""
        promising = torch.stack([lower.argmin(1), upper.argmin(1)], 1)
        tiles = promising if k == 1 else upper.topk(k, 1, largest=False).indices
        rows = torch.arange(len(tiles), device=tiles.device).repeat_interleave(tiles.shape[1])
        child = query.lower_of(self.block_lower, len(self.children), rows, tiles.flatten()).argmin(1)
        blocks = self.children[tiles.flatten(), child]
        found = self.blocks.nearest(query.values, rows, blocks, query.groups).view(tiles.shape)
        return found.amin(1) if k == 1 else found.amax(1)

    def _tighten(self, query: BoundQuery, rows: Tensor, blocks: Tensor, bounds: Tensor, limit: Tensor) -> Tensor:
        """Look into each query's most promising block once more: a still tighter upper bound of the best, (B,)."""
        lowest = torch.full_like(limit, torch.inf).scatter_reduce_(0, rows, bounds, "amin")
        first = (bounds == lowest[rows]).nonzero().squeeze(1)
        found = self.blocks.nearest(query.values, rows[first], blocks[first], query.groups)
        return limit.scatter_reduce(0, rows[first], found, "amin")

    def _select(self, query: BoundQuery, rows: Tensor, tiles: Tensor, blocks: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """From the blocks that stayed open to the k best tiles' best neurons."""
        count, per_query = len(query), 1 if k == 1 else len(self.children)
        owner = rows if k == 1 else rows * per_query + tiles
        nearest = self.blocks.nearest(query.values, rows, blocks, query.groups)
        best = nearest.new_full((count * per_query,), torch.inf).scatter_reduce_(0, owner, nearest, "amin")
        keep = nearest == best[owner]
        if k > 1:
            limit = best.view(count, per_query).topk(k, 1, largest=False).values[:, -1]
            keep &= nearest <= limit[rows]
        rows, owner, blocks = rows[keep], owner[keep], blocks[keep]
        none = self.blocks.shape[0] * self.blocks.shape[1]
        neurons = owner.new_full((count * per_query,), none)
        for row, own, block in zip(rows.split(PAIRS), owner.split(PAIRS), blocks.split(PAIRS), strict=True):
            equal = self.blocks.distances(query.values, row, block, query.groups) == best[own][:, None]
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
