"""The multi-modal self-organizing map: activity, winners, and recall between any of its modalities (Eq. 2-3)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, overload

import torch
from torch import Tensor

from infant_env.errors import UserError

from .distances import BlockedNeurons, Groups, l1_distances
from .modalities import Modalities, Samples, checked_shape
from .readout import Recall, candidate_weights, local_linear, weighted_mean, weighted_spread
from .search import TileSearch

Readout = Literal["winner", "tiles", "local_linear"]
READOUTS: tuple[Readout, ...] = ("winner", "tiles", "local_linear")

SMALL = 4096
"""Up to this many neurons, comparing all of them is fastest."""
RECALLS = 2**23
"""Weights of candidates that are read out together; 32 MB."""
RECALL_TILE = 16
"""Side of the tiles whose best neurons are the candidates of a recall, in neurons."""


class MultiModalSom:
    """A rectangular map of neurons, each of which holds a weight vector for every modality.

    A query is a mapping from some of the modalities to rows of features. Its winner is the neuron with the highest
    activity, i.e. the least weighted mean absolute error over what the query knows; what the winner holds for another
    modality is what it recalls. A row that is NaN throughout a modality is missing there, so rows of one call may know
    different things.

    The weights are not changed after construction: `train` and `train_literal` make new maps.

    Attributes:
        shape: rows and columns, (X, Y).
        modalities: name -> width.
        c: name -> influence c^(m) on the winner, unless a query says otherwise.
    """

    def __init__(self, weights: Mapping[str, Tensor], c: Mapping[str, float] | None = None) -> None:
        """Make a map of given weights.

        Args:
            weights: modality -> weights, shape (X, Y, width).
            c: influence of each modality, 1 if not given.

        Raises:
            UserError: no modality, an empty map, differing shapes, or weights that are not finite.
        """
        self.shape = checked_shape(weights)
        rows, columns = self.shape
        self._layout = Modalities.of({name: w.shape[2] for name, w in weights.items()}, c)
        self._weights = {name: w.to(torch.float32).reshape(rows * columns, -1) for name, w in weights.items()}

    @property
    def modalities(self) -> dict[str, int]:
        """Name -> width."""
        return dict(self._layout.widths)

    @property
    def c(self) -> dict[str, float]:
        """Name -> influence on the winner."""
        return dict(self._layout.c)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(iter(self._weights.values())).device

    def to(self, device: torch.device | str) -> "MultiModalSom":
        """The same map on another device."""
        weights = {name: w.view(*self.shape, -1).to(device) for name, w in self._weights.items()}
        return MultiModalSom(weights, self.c)

    def weights(self, modality: str) -> Tensor:
        """All neurons' weights of a modality, shape (X*Y, width); neuron (x, y) is row x * Y + y."""
        self._layout.check_known([modality])
        return self._weights[modality]

    def activity(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """Activity A of every neuron, Eq. 2-3: a picture of the map for each row of the query.

        The sum of c in Eq. 3 runs over the modalities that the row knows, so -A is a weighted mean absolute error.

        Args:
            query: some of the modalities, shape (B, width) each.
            c: influence of each modality on this query; those not named keep the map's own.

        Returns:
            Shape (B, X, Y), never positive; B * X * Y * 4 bytes.

        Raises:
            UserError: see `winners`.
        """
        features, has = self._query(query)
        out = features.new_empty((len(features), self.shape[0] * self.shape[1]))
        for rows, _, groups in self._alike(has, c):
            out[rows] = l1_distances(features[rows], self._by_dimension, groups)
        return out.neg_().view(-1, *self.shape)

    def winners(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """The neuron with the highest activity for each row of the query, exactly; the lowest index among equals.

        Args:
            query: some of the modalities, shape (B, width) each; a row of NaN is missing.
            c: influence of each modality on this query; those not named keep the map's own.

        Returns:
            Flat indices x * Y + y, shape (B,), int64.

        Raises:
            UserError: an unknown modality, wrong widths, single NaN or infinite values, a row that knows nothing or
                only modalities whose influence is 0.
        """
        return self.nearest(query, c)[1]

    def nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> tuple[Tensor, Tensor]:
        """Distance -A to the winner, and the winner, both (B,); see `winners`."""
        if self.shape[0] * self.shape[1] > SMALL:
            distances, neurons = self._search(query, c, 1, self._winner_search)
            return distances.squeeze(1), neurons.squeeze(1)
        best = self.activity(query, c).flatten(1).neg_().min(1)
        return best.values, best.indices

    def best_tiles(self, query: Samples, k: int, c: Mapping[str, float] | None = None) -> tuple[Tensor, Tensor]:
        """The best neuron of each of the k best 16x16 tiles, exactly.

        The map folds through the space of the samples, so that useful neighbors of a query lie on other folds, not
        beside the winner; this finds them.

        Returns:
            Distances -A, ascending, and flat indices, both (B, k); the first is as near as the winner. A map with fewer
            tiles than k gives as many as it has.
        """
        tiles = -(-self.shape[0] // RECALL_TILE) * -(-self.shape[1] // RECALL_TILE)
        return self._search(query, c, min(k, tiles), self._tile_search)

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
        """What the map associates with a query; `recall_with_confidence` without the confidence.

        Returns:
            Shape (B, width) for one wanted modality; a mapping of such for a list of them.
        """
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        self._check_recall(names, readout, k)
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
        """What the map associates with a query, and how sure it is.

        Args:
            query: some of the modalities, shape (B, width) each.
            wanted: modalities to recall; any, also those of the query.
            readout: "winner": the winner's weights, the paper's way. "tiles": the Gaussian-weighted mean of the k best
                tiles' best neurons. "local_linear": a linear fit through these from the known to the wanted dimensions,
                evaluated at the query and clamped to their range; the most exact.
            k: number of best tiles that are looked at.
            c: influence of each modality on this query; those not named keep the map's own.

        Raises:
            UserError: an unknown readout or modality; and see `winners`.
        """
        self._check_recall(wanted, readout, k)
        features, has = self._query(query)
        distance, winners = self.nearest(query, c)
        distances, neurons = self.best_tiles(query, k, c)
        values = {name: self.weights_at(name, winners) for name in wanted} if readout == "winner" else {}
        spread = {}
        for name in wanted:
            at = torch.arange(len(features), device=self.device).split(max(1, RECALLS // (k * self._layout.width)))
            parts = [self._read_out(features[i], has[i], name, readout, distances[i], neurons[i], c) for i in at]
            read, spread[name] = (torch.cat(both) for both in zip(*parts, strict=True))
            values.setdefault(name, read)
        return Recall(values, spread, distance, winners)

    def two_nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """The winner and the second best neuron of each row of the query, exactly: flat indices, (B, 2).

        Raises:
            UserError: the map has one neuron only; and see `winners`.
        """
        if self.shape[0] * self.shape[1] < 2:
            raise UserError("a map of a single neuron has no second best neuron")
        features, has = self._query(query)
        pairs = torch.empty((len(features), 2), dtype=torch.long, device=self.device)
        for rows, _, groups in self._alike(has, c):
            pairs[rows] = self._tile_search.two_nearest(features[rows], groups)
        return pairs

    def neurons_within(
        self, query: Samples, limit: Tensor, c: Mapping[str, float] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """All neurons not farther from each row of the query than its limit, (B,).

        Returns:
            Row of the query, flat index and distance -A of each find, (F,) each.
        """
        features, has = self._query(query)
        found = []
        for rows, _, groups in self._alike(has, c):
            row, neuron, distance = self._tile_search.within(features[rows], groups, limit[rows])
            found.append((rows[row], neuron, distance))
        rows, neurons, distances = (torch.cat(part) for part in zip(*found, strict=True))
        return rows, neurons, distances

    def weights_at(self, modality: str, neurons: Tensor) -> Tensor:
        """Some neurons' weights of a modality: flat indices (...,) -> (..., width)."""
        self._layout.check_known([modality])
        return self._weights[modality][neurons]

    def _query(self, query: Samples) -> tuple[Tensor, Tensor]:
        return self._layout.stack({name: rows.detach().to(self.device) for name, rows in query.items()})

    def _alike(self, has: Tensor, c: Mapping[str, float] | None) -> Iterator[tuple[Tensor, list[str], Groups]]:
        """Rows of a query that know the same modalities, with these and what votes."""
        for rows, names in self._layout.patterns(has):
            yield rows, names, self._layout.groups(names, c)

    def _check_recall(self, wanted: Sequence[str], readout: str, k: int) -> None:
        self._layout.check_known(wanted)
        if readout not in READOUTS:
            raise UserError(f"unknown readout {readout!r}; choose one of {list(READOUTS)}")
        if k < 1:
            raise UserError(f"a recall needs at least one candidate, got k={k}")

    def _read_out(
        self,
        features: Tensor,
        has: Tensor,
        wanted: str,
        readout: Readout,
        distances: Tensor,
        neurons: Tensor,
        c: Mapping[str, float] | None,
    ) -> tuple[Tensor, Tensor]:
        """One wanted modality read from the candidates: its values (B, width) and spread (B,)."""
        candidates, weights = self.weights_at(wanted, neurons), candidate_weights(distances)  # (B, K, width), (B, K)
        spread = weighted_spread(candidates, weights)
        if readout != "local_linear":
            return weighted_mean(candidates, weights), spread
        values = torch.empty_like(candidates[:, 0])
        influence = self._layout.influences(c)
        for rows, names in self._layout.patterns(has):
            voting = [name for name in names if influence[name] > 0]  # what does not vote does not enter the fit
            dims, scales = (x.to(self.device) for x in (self._layout.columns(voting), self._layout.scales(voting, c)))
            scales = scales / scales.amax()
            known = torch.cat([self.weights_at(name, neurons[rows]) for name in voting], 2) * scales
            values[rows] = local_linear(features[rows][:, dims] * scales, known, candidates[rows], weights[rows])
        return values, spread

    def _search(
        self, query: Samples, c: Mapping[str, float] | None, k: int, search: TileSearch
    ) -> tuple[Tensor, Tensor]:
        features, has = self._query(query)
        distances = features.new_empty((len(features), k))
        neurons = torch.empty((len(features), k), dtype=torch.long, device=self.device)
        for rows, _, groups in self._alike(has, c):
            distances[rows], neurons[rows] = search.best(features[rows], groups, k)
        return distances, neurons

    @cached_property
    def _by_dimension(self) -> Tensor:
        return torch.cat(list(self._weights.values()), 1).T.contiguous()  # (D, X*Y)

    @cached_property
    def _blocks(self) -> BlockedNeurons:
        return BlockedNeurons(torch.cat(list(self._weights.values()), 1), self.shape)

    @cached_property
    def _winner_search(self) -> TileSearch:
        return TileSearch(self._blocks, 32)

    @cached_property
    def _tile_search(self) -> TileSearch:
        return TileSearch(self._blocks, RECALL_TILE)
