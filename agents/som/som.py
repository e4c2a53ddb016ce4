"""The multi-modal self-organizing map: activity, winners, and recall between any of its modalities (Eq. 2-3)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import torch
from torch import Tensor

from infant_env.errors import UserError

from ..tools import checkpoints
from . import readout as readouts
from .distances import BlockedNeurons, Distance, Groups, all_distances
from .grid import Grid, Topology
from .modalities import Modalities
from .readout import Candidates, Readout, Recall
from .samples import Samples, own_weights
from .search import TileSearch, best_of_tiles

KIND = "som"
"""The kind of a map's checkpoint."""
_PREFIX = "weights."
TINY, SMALL = 1024, 4096
"""For maps with at most `SMALL` neurons, it is fastest to compare all of them."""
TILES = 2000
"""A recall takes its candidates from tiles of 16x16 neurons if there are at least this many of them, else from smaller ones;
on maps of at most `TINY` neurons any neuron is one."""


class MultiModalSom:
    """A map of neurons in rows and columns, each of which holds a weight vector for every modality.

    A query maps some of the modalities to rows of features. The winner of a row is the neuron with the highest activity, that
    is, with the least weighted mean absolute error over the known modalities. The map recalls the winner's weights of another
    modality. If a row has only NaN in a modality, the modality is missing there, so rows of one query may have different
    modalities.

    The map keeps a copy of its weights, which do not change: `train` and `train_literal` make new maps.

    Attributes:
        shape: rows and columns, (X, Y).
        topology: "plane", "torus" or "hexagonal".
        grid: the neurons' places, distances and neighbors, which follow from shape and topology.
        modalities: name -> width.
        c: name -> influence c^(m) on the winner, unless a query says otherwise.
        distance: "l1" or "l2".
    """

    grid: Grid

    def __init__(
        self,
        weights: Samples,
        c: Mapping[str, float] | None = None,
        distance: Distance = "l1",
        topology: Topology = "plane",
    ) -> None:
        """Makes a map from weights.

        Args:
            weights: modality -> weights, shape (X, Y, width).
            c: influence of each modality, by default 1.
            distance: how a gap between a feature and a weight counts. "l1", the paper's: its absolute value; where two senses
                disagree, the winner follows the stronger one. "l2": its square; the winner is a compromise, weighted by c.
            topology: which neurons are neighbors, see `Grid`. Winners and recalls do not depend on it; training and quality do.

        Raises:
            UserError: there is no modality, the map is empty, the shapes differ, weights are not finite, or an argument is
                unknown.
        """
        shape, own = own_weights(weights)
        self.grid = Grid(shape, topology)
        rows, columns = shape
        self._layout = Modalities.of({name: w.shape[2] for name, w in own.items()}, c, distance)
        self._layout.check_squares(own)
        self._weights = {name: w.reshape(rows * columns, -1).clone() for name, w in own.items()}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (X, Y)."""
        return self.grid.shape

    @property
    def topology(self) -> Topology:
        """Which neurons are neighbors."""
        return self.grid.topology

    @property
    def modalities(self) -> dict[str, int]:
        """Name -> width."""
        return dict(self._layout.widths)

    @property
    def c(self) -> dict[str, float]:
        """Name -> influence on the winner."""
        return dict(self._layout.c)

    @property
    def distance(self) -> Distance:
        """How a gap between a feature and a weight counts."""
        return self._layout.distance

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(iter(self._weights.values())).device

    def to(self, device: torch.device | str) -> "MultiModalSom":
        """The same map on another device."""
        weights = {name: w.view(*self.shape, -1).to(device) for name, w in self._weights.items()}
        return MultiModalSom(weights, self.c, self.distance, self.topology)

    def save(self, path: str | Path) -> None:
        """Writes the map to a safetensors file, completely or not at all."""
        checkpoints.write(Path(path), KIND, *self.as_file())

    def as_file(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The tensors and the header of the map's file."""
        weights = {f"{_PREFIX}{name}": w.view(*self.shape, -1) for name, w in self._weights.items()}
        header = {"c": self.c, "distance": self.distance, "topology": self.topology, "order": list(self.modalities)}
        return weights, header

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> "MultiModalSom":
        """Reads a map: one that `save` wrote, or the `som.safetensors` of a run.

        Raises:
            UserError: the file is missing or damaged, or holds no map.
        """
        tensors, header = checkpoints.read(Path(path), KIND)
        with checkpoints.fitting(Path(path)):
            return cls.of_file(tensors, header, device)

    @classmethod
    def of_file(
        cls, tensors: Mapping[str, Tensor], header: Mapping[str, Any], device: str | torch.device
    ) -> "MultiModalSom":
        """The map of a file's tensors and header; the inverse of `as_file`."""
        named = {name.removeprefix(_PREFIX): w for name, w in tensors.items() if name.startswith(_PREFIX)}
        order = header.get("order", sorted(named))
        weights = {name: named[name].to(device) for name in order}
        return cls(weights, header["c"], header.get("distance", "l1"), header.get("topology", "plane"))

    def weights(self, modality: str) -> Tensor:
        """The weights of all neurons for a modality, shape (X*Y, width); neuron (x, y) is row x * Y + y. Do not change them."""
        self._layout.check_known([modality])
        return self._weights[modality]

    def activity(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """Activity A of every neuron, Eq. 2-3: a picture of the map for each row of the query.

        The sum of c in Eq. 3 runs over the row's known modalities, so -A is a weighted mean absolute error,
        or with the distance l2 a weighted mean squared error.

        Args:
            query: some of the modalities, shape (B, width) each.
            c: influence of each modality on this query; by default the map's own.

        Returns:
            Shape (B, X, Y), never positive; B * X * Y * 4 bytes.

        Raises:
            UserError: see `winners`.
        """
        features, has = self._query(query)
        out = features.new_empty((len(features), self.shape[0] * self.shape[1]))
        for rows, _, groups in self._same_modalities(has, c):
            out[rows] = all_distances(features[rows], self._by_dimension, groups)
        return out.neg_().view(-1, *self.shape)

    def winners(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """The neuron with the highest activity for each row of the query, exactly; the lowest index among equals.

        Args:
            query: some of the modalities, shape (B, width) each; a row of NaN is missing.
            c: influence of each modality on this query; by default the map's own.

        Returns:
            Flat indices x * Y + y, shape (B,), int64.

        Raises:
            UserError: there is an unknown modality, a wrong width, a single NaN or infinite value, a row without
                modalities, or a row with only modalities whose influence is 0.
        """
        return self.nearest(query, c)[1]

    def nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> tuple[Tensor, Tensor]:
        """Distance -A between each row and its winner, and the winner, both (B,); see `winners`."""
        if self.shape[0] * self.shape[1] > SMALL:
            distances, neurons = self._search(query, c, 1, self._winner_search)
            return distances.squeeze(1), neurons.squeeze(1)
        best = self.activity(query, c).flatten(1).neg_().min(1)
        return best.values, best.indices

    def best_tiles(
        self, query: Samples, k: int, c: Mapping[str, float] | None = None, side: int = 16
    ) -> tuple[Tensor, Tensor]:
        """The best neuron of each of the k best tiles, exactly.

        The map folds through the space of the samples. So useful neighbors of a query often lie on other folds, far from the
        winner on the map; this finds them.

        Args:
            query: some of the modalities, shape (B, width) each.
            k: number of tiles.
            c: influence of each modality on this query; by default the map's own.
            side: side of a tile in neurons: 8 or 16; any on maps of 4,096 neurons or fewer.

        Returns:
            Distances -A, ascending, and flat indices, both (B, k); the first distance is the winner's. If the map has fewer
            tiles than k, there are as many columns as tiles.

        Raises:
            UserError: the map has no tiles of this side; and see `winners`.
        """
        if side < 1 or (side not in (8, 16) and self.shape[0] * self.shape[1] > SMALL):
            raise UserError(
                f"got tiles of side={side}, expected 8 or 16, or on maps of {SMALL:,} neurons or fewer 1 or more"
            )
        k = min(k, -(-self.shape[0] // side) * -(-self.shape[1] // side))
        if self.shape[0] * self.shape[1] <= SMALL:
            return best_of_tiles(self.activity(query, c).neg_(), side, k)
        return self._search(query, c, k, self._tile_search if side == 16 else self._small_tile_search)

    @overload
    def recall(
        self,
        query: Samples,
        wanted: str,
        readout: Readout = "winner",
        k: int = 64,
        c: Mapping[str, float] | None = None,
    ) -> Tensor: ...
    @overload
    def recall(
        self,
        query: Samples,
        wanted: list[str] | tuple[str, ...],
        readout: Readout = "winner",
        k: int = 64,
        c: Mapping[str, float] | None = None,
    ) -> dict[str, Tensor]: ...
    def recall(
        self,
        query: Samples,
        wanted: str | list[str] | tuple[str, ...],
        readout: Readout = "winner",
        k: int = 64,
        c: Mapping[str, float] | None = None,
    ) -> Tensor | dict[str, Tensor]:
        """The features that the map recalls for a query; like `recall_with_confidence`, without the confidence.

        Returns:
            Shape (B, width) for one wanted modality; a dictionary of these for a list of modalities.
        """
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        self._layout.check_known(names)
        readouts.check(readout, k)
        if readout == "winner":
            winners = self.winners(query, c)
            values = {name: self.weights_at(name, winners) for name in names}
        else:
            values = self.recall_with_confidence(query, names, readout, k, c).values
        return values[wanted] if isinstance(wanted, str) else values

    def recall_with_confidence(
        self,
        query: Samples,
        wanted: Sequence[str],
        readout: Readout = "winner",
        k: int = 64,
        c: Mapping[str, float] | None = None,
    ) -> Recall:
        """The features that the map recalls for a query, and measures of its confidence.

        Args:
            query: some of the modalities, shape (B, width) each.
            wanted: modalities to recall; those of the query are allowed too.
            readout: "winner": the winner's weights, as in the paper. "tiles": the mean of the best neurons of the k best tiles,
                weighted by a Gaussian. "local_linear": a linear fit to these neurons, from the known to the wanted dimensions,
                evaluated at the query and clamped to their range. The fit is the most accurate where the query lies close to
                the map; the farther away it lies, the more the fit approaches the mean, see `readout.local_linear`.
            k: number of best tiles, that is, of candidates.
            c: influence of each modality on this query; by default the map's own.

        Raises:
            UserError: the readout or a modality is unknown; and see `winners`.
        """
        self._layout.check_known(wanted)
        readouts.check(readout, k)
        distance, winners = self.nearest(query, c)
        found = Candidates(*self._query(query), *self.best_tiles(query, k, c, self._recall_side))
        values = {name: self.weights_at(name, winners) for name in wanted} if readout == "winner" else {}
        spread = {}
        for name in wanted:
            parts = [
                readouts.read_out(self.weights_at, self._layout, part, name, readout, c)
                for part in found.parts(self._layout.width)
            ]
            value, spread[name] = (torch.cat(both) for both in zip(*parts, strict=True))
            values.setdefault(name, value)
        return Recall(values, spread, distance, winners)

    def two_nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """The winner and the second best neuron of each row of the query, exactly: flat indices, (B, 2).

        Raises:
            UserError: the map has only one neuron; and see `winners`.
        """
        if self.shape[0] * self.shape[1] < 2:
            raise UserError("got a map of a single neuron, expected two or more: it has no second best neuron")
        features, has = self._query(query)
        pairs = torch.empty((len(features), 2), dtype=torch.long, device=self.device)
        for rows, _, groups in self._same_modalities(has, c):
            pairs[rows] = self._tile_search.two_nearest(features[rows], groups)
        return pairs

    def neurons_within(
        self, query: Samples, limit: Tensor, c: Mapping[str, float] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """All neurons whose distance from a row of the query is at most the row's limit, (B,).

        Returns:
            Row of the query, flat index and distance -A of each found neuron, (F,) each.
        """
        features, has = self._query(query)
        found = [(limit.new_empty(0, dtype=torch.long), limit.new_empty(0, dtype=torch.long), limit.new_empty(0))]
        for rows, _, groups in self._same_modalities(has, c):
            row, neuron, distance = self._tile_search.within(features[rows], groups, limit[rows])
            found.append((rows[row], neuron, distance))
        rows, neurons, distances = (torch.cat(part) for part in zip(*found, strict=True))
        return rows, neurons, distances

    def weights_at(self, modality: str, neurons: Tensor) -> Tensor:
        """The weights of some neurons for a modality: flat indices (...,) -> (..., width)."""
        self._layout.check_known([modality])
        return self._weights[modality][neurons]

    def _query(self, query: Samples) -> tuple[Tensor, Tensor]:
        return self._layout.stack(query, self.device)

    def _same_modalities(
        self, has: Tensor, c: Mapping[str, float] | None
    ) -> Iterator[tuple[Tensor, list[str], Groups]]:
        """Groups of rows with the same modalities: the rows, these modalities, and their voting dimensions."""
        for rows, names in self._layout.patterns(has):
            yield rows, names, self._layout.groups(names, c)

    def _search(
        self, query: Samples, c: Mapping[str, float] | None, k: int, search: TileSearch
    ) -> tuple[Tensor, Tensor]:
        features, has = self._query(query)
        distances = features.new_empty((len(features), k))
        neurons = torch.empty((len(features), k), dtype=torch.long, device=self.device)
        for rows, _, groups in self._same_modalities(has, c):
            distances[rows], neurons[rows] = search.best(features[rows], groups, k)
        return distances, neurons

    @cached_property
    def _by_dimension(self) -> Tensor:
        return torch.cat(list(self._weights.values()), 1).T.contiguous()  # (D, X*Y)

    @cached_property
    def _blocks(self) -> BlockedNeurons:
        return BlockedNeurons.of_neurons(torch.cat(list(self._weights.values()), 1), self.shape, self.distance)

    @property
    def _recall_side(self) -> int:
        """Side of the tiles that give a recall its candidates."""
        neurons = self.shape[0] * self.shape[1]
        if neurons <= SMALL:
            return 1 if neurons <= TINY else 2
        return 16 if neurons >= TILES * 16**2 else 8

    @cached_property
    def _winner_search(self) -> TileSearch:
        return TileSearch.of_winners(self._blocks)

    @cached_property
    def _tile_search(self) -> TileSearch:
        return TileSearch(self._blocks, 16)

    @cached_property
    def _small_tile_search(self) -> TileSearch:
        return TileSearch(self._blocks, 8)
