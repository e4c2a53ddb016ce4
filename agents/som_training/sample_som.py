"""The plain pixel map at full size: a self-organizing map that stores its samples and their winners instead of weights.

After an epoch of the batch rule, each neuron is a mean of the samples, weighted by a Gaussian of the distance between
the neuron and the sample's winner. So the samples, their winners and the radius define the whole map, and a neuron's pixels
are computed on demand: 800x800 neurons of 64x64 pixels take 48 kB in addition to the samples; the paper needs 10.5 GB.

The search for winners starts with means of 8x8 pixels. Averaging commutes with the rule, so these means are a map too. The
mean absolute error of block means never exceeds the error of smaller blocks or of the pixels. So it rules out neurons, from
coarse to fine, and the result is exact.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from infant_env.errors import UserError

from ..som.distances import Distance, all_costs, cost
from ..som.grid import Grid
from ..som.modalities import Modalities
from ..som.samples import Samples, checked_shape, tensors, widths_of
from ..som.som import MultiModalSom
from ..tools.threads import in_threads
from .sample_neighborhoods import SampleNeighborhoods
from .start import check_memory

SIDES = (8, 4, 2, 1)
"""Sides of the pixel blocks whose means are compared, coarse to fine."""
MARGIN = 1e-5
"""Relative slack of the bounds, far above all rounding errors."""
FIRST_SAMPLES = 16
"""The winners of this many samples, the most similar ones by block means, give a query's first bound."""
QUERIES = 64
"""Number of pictures that one thread searches together."""
NUMBERS = 2**20
"""Number of weights that are computed together; 4 MB."""


class SampleSom(MultiModalSom):
    """A `MultiModalSom` for pictures that computes its weights on demand.

    Winners are exact. `best_tiles`, and therefore the readouts `tiles` and `local_linear`, choose their candidates by the
    means of pixel blocks. Queries without pictures are as fast as on a `MultiModalSom`; a picture takes milliseconds.
    """

    def __init__(
        self,
        samples: Samples,
        winners: Tensor,
        sigma: float,
        shape: tuple[int, int],
        pictures: Mapping[str, tuple[int, int]],
        c: Mapping[str, float] | None = None,
        distance: Distance = "l1",
    ) -> None:
        """Makes the map from samples and their winners.

        Args:
            samples: modality -> features, shape (N, width), all modalities of all samples.
            winners: row and column of each sample's winner, shape (N, 2), int.
            sigma: radius of the neighborhood in neurons.
            shape: rows and columns of the map.
            pictures: the modalities that are pictures, with their height and width, multiples of 8.
            c: influence of each modality, by default 1.
            distance: how a gap between a feature and a weight counts, see `MultiModalSom`.

        Raises:
            UserError: samples are incomplete, pictures do not have the given size, or winners lie outside the map.
        """
        shape = checked_shape(shape)
        self.grid = Grid(shape)
        self.pictures = dict(pictures)
        self.sigma = sigma
        self._layout = Modalities.of(widths_of(tensors(samples)), c, distance)
        self.samples = complete(samples, self._layout)
        self.sample_winners = winners
        limit = torch.tensor(shape, device=winners.device)
        if winners.shape != (len(next(iter(self.samples.values()))), 2) or bool(
            ((winners < 0) | (winners >= limit)).any()
        ):
            raise UserError(
                f"got winners of shape {tuple(winners.shape)}, expected one (row, column) per sample on the "
                f"{shape[0]}x{shape[1]} map; take the winners of this map"
            )
        self._neighborhoods = SampleNeighborhoods(winners, sigma, shape)
        self._levels = {side: pool(self.samples, self.pictures, side) for side in SIDES}
        neurons = torch.arange(shape[0] * shape[1], device=winners.device)
        means = {name: self._means(name, neurons, SIDES[0]).view(*shape, -1) for name in self.modalities}
        self._pooled = MultiModalSom(means, self.c, distance)

    @property
    def device(self) -> torch.device:
        """The device of the samples."""
        return self.sample_winners.device

    def to(self, device: torch.device | str) -> "SampleSom":
        """The same map on another device."""
        samples = {name: rows.to(device) for name, rows in self.samples.items()}
        winners = self.sample_winners.to(device)
        return SampleSom(samples, winners, self.sigma, self.shape, self.pictures, self.c, self.distance)

    def weights(self, modality: str) -> Tensor:
        """The weights of all neurons for a modality, (X*Y, width); for pictures on a large map use `weights_at`.

        Raises:
            UserError: the modality is unknown, or the weights exceed the memory.
        """
        self._layout.check_known([modality])
        if modality not in self.pictures:
            return self._pooled.weights(modality)
        check_memory(self.shape, self._layout.widths[modality], self.device)
        return self.weights_at(modality, torch.arange(self.shape[0] * self.shape[1], device=self.device))

    def weights_at(self, modality: str, neurons: Tensor) -> Tensor:
        """The weights of some neurons for a modality: flat indices (...,) -> (..., width)."""
        self._layout.check_known([modality])
        return self._means(modality, neurons.flatten(), 1).view(*neurons.shape, -1)

    def activity(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """Activity A of every neuron, Eq. 2-3, (B, X, Y); each call computes the pixels of all neurons."""
        features, has = self._query(query)
        total = features.new_zeros((len(features), self.shape[0] * self.shape[1]))
        for neurons in torch.arange(total.shape[1], device=self.device).split(NUMBERS // self._layout.width + 1):
            weights = torch.cat([self.weights_at(name, neurons) for name in self.modalities], 1)
            for rows, _, groups in self._same_modalities(has, c):
                for dims, scale in groups:
                    gaps = all_costs(features[rows][:, dims], weights[:, dims], self.distance)
                    total[rows[:, None], neurons] -= scale * gaps
        return total.view(-1, *self.shape)

    def nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> tuple[Tensor, Tensor]:
        """Distance -A between each row and its winner, and the winner, both (B,), exactly."""
        features, has = self._query(query)
        distances = features.new_empty(len(features))
        neurons = torch.empty(len(features), dtype=torch.long, device=self.device)
        for rows, names, _ in self._same_modalities(has, c):
            known = {name: values for name, values in self._layout.split(features).items() if name in names}

            def search(part: Tensor, known: dict[str, Tensor] = known) -> tuple[Tensor, Tensor]:
                return self._exact_winners({name: values[part] for name, values in known.items()}, c)

            found = in_threads(search, rows, QUERIES)
            distances[rows], neurons[rows] = (torch.cat(part) for part in zip(*found, strict=True))
        return distances, neurons

    def best_tiles(
        self, query: Samples, k: int, c: Mapping[str, float] | None = None, side: int = 16
    ) -> tuple[Tensor, Tensor]:
        """The best neuron of each of the k best tiles, by the means of pixel blocks; see `MultiModalSom`."""
        features, has = self._query(query)
        known = self._layout.per_dimension(has)
        values = self._layout.split(torch.where(known, features, torch.nan))
        means = pool({name: values[name] for name in query}, self.pictures, SIDES[0])
        return self._pooled.best_tiles(means, k, c, side)

    def two_nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """The two nearest neurons by the means of pixel blocks, (B, 2)."""
        self._query(query)
        return self._pooled.two_nearest(pool(tensors(query), self.pictures, SIDES[0]), c)

    def _exact_winners(self, query: dict[str, Tensor], c: Mapping[str, float] | None) -> tuple[Tensor, Tensor]:
        """Distances and winners; compares, with finer and finer blocks, all neurons that are not ruled out yet."""
        levels = {side: pool(query, self.pictures, side) for side in SIDES}
        start = self._winners_of_similar(levels[SIDES[0]], c)  # (B, k)
        rows = torch.arange(len(start), device=start.device).repeat_interleave(start.shape[1])
        best = self._distances(levels, 1, rows, start.flatten(), c).view(start.shape).amin(1)
        rows, neurons, _ = self._pooled.neurons_within(levels[SIDES[0]], relaxed(best), c)
        for side in SIDES[1:-1]:
            bounds = self._distances(levels, side, rows, neurons, c)
            lowest = torch.full_like(best, torch.inf).scatter_reduce_(0, rows, bounds, "amin")
            first = (bounds == lowest[rows]).nonzero().squeeze(1)
            best.scatter_reduce_(0, rows[first], self._distances(levels, 1, rows[first], neurons[first], c), "amin")
            keep = bounds <= relaxed(best)[rows]
            rows, neurons = rows[keep], neurons[keep]
        exact = self._distances(levels, 1, rows, neurons, c)
        best = torch.full_like(best, torch.inf).scatter_reduce_(0, rows, exact, "amin")
        none = self.shape[0] * self.shape[1]
        equal = torch.where(exact == best[rows], neurons, none)
        return best, torch.full_like(start[:, 0], none).scatter_reduce_(0, rows, equal, "amin")

    def _winners_of_similar(self, query: dict[str, Tensor], c: Mapping[str, float] | None) -> Tensor:
        """The winners of the samples that are most similar to the query, by block means: flat indices (B, k)."""
        influences, samples = self._layout.influences(c), self._levels[SIDES[0]]
        gaps = torch.stack(
            [
                all_costs(values, samples[name], self.distance) * (influences[name] / values.shape[1])
                for name, values in query.items()
            ]
        ).sum(0)
        nearest = gaps.topk(min(FIRST_SAMPLES, gaps.shape[1]), 1, largest=False).indices
        return self.sample_winners[nearest, 0] * self.shape[1] + self.sample_winners[nearest, 1]

    def _distances(
        self,
        levels: dict[int, dict[str, Tensor]],
        side: int,
        rows: Tensor,
        neurons: Tensor,
        c: Mapping[str, float] | None,
    ) -> Tensor:
        """Distances of pairs of a query and a neuron by the means of blocks of this side, (P,); exact for side 1."""
        query, influences = levels[side], self._layout.influences(c)
        total = sum(influences[name] for name in query)
        out = torch.zeros(len(rows), device=rows.device)
        for name, values in query.items():
            for part in torch.arange(len(rows), device=rows.device).split(NUMBERS // values.shape[1] + 1):
                gaps = self._means(name, neurons[part], side).sub_(values.index_select(0, rows[part]))
                out[part] += cost(gaps, self.distance).mean(1) * (influences[name] / total)
        return out

    def _means(self, modality: str, neurons: Tensor, side: int) -> Tensor:
        """The weights of some neurons for a modality, as means of blocks of this side: flat indices (n,) -> (n, width)."""
        values = self._levels[side][modality]
        parts = neurons.split(NUMBERS // values.shape[1] + 1)
        return torch.cat([self._neighborhoods.means(part, values) for part in parts])


def relaxed(distances: Tensor) -> Tensor:
    """Distances plus the slack for rounding errors; a bound above this rules a neuron out."""
    return distances * (1 + MARGIN) + 1e-7


def pool(samples: Mapping[str, Tensor], pictures: Mapping[str, tuple[int, int]], side: int) -> dict[str, Tensor]:
    """Reduces pictures to means of blocks of side x side pixels; other modalities do not change.

    Raises:
        UserError: a picture does not have the given size, or its sides are not multiples of 8.
    """
    pooled = dict(samples)
    for name, (height, width) in pictures.items():
        if name not in samples:
            continue
        rows = samples[name]
        if rows.shape[1] != height * width or height % SIDES[0] or width % SIDES[0]:
            raise UserError(
                f"got {name} of {rows.shape[1]} dimensions as pictures of {height}x{width} pixels, expected {height * width} "
                f"dimensions and sides that are multiples of {SIDES[0]}"
            )
        if side > 1:
            pooled[name] = functional.avg_pool2d(rows.view(-1, 1, height, width), side).flatten(1)
    return pooled


def complete(samples: Samples, layout: Modalities) -> dict[str, Tensor]:
    """The checked samples as float32.

    Raises:
        UserError: a sample lacks a modality.
    """
    rows = tensors(samples)
    if not bool(layout.stack(rows)[1].all()):
        raise UserError(
            "got samples that lack a modality, expected all modalities of each; leave incomplete samples out"
        )
    return rows
