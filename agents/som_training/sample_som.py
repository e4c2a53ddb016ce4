"""The plain pixel map at full size: a self-organizing map that stores no weights, only where its samples won.

After an epoch of the batch rule each neuron is a mean of the samples, weighted by a Gaussian of the distance between
the neuron and the sample's winner. So one winner per sample, the radius and the samples themselves are the whole map,
and a neuron's pixels are computed when they are asked for: 800x800 neurons of 64x64 pixels take 48 kB beside the
samples, where the paper needs 10.5 GB.

Winners are sought on the means of 8x8 pixels. Averaging commutes with the rule, so that these means form a map of their
own; and the mean absolute error of block means never exceeds that of smaller blocks, nor that of the pixels: it
certifies, from coarse to fine, which neurons need no closer look.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from infant_env.errors import UserError

from ..som.modalities import Modalities, Samples, widths_of
from ..som.som import MultiModalSom
from ..tools.threads import in_threads
from .sample_neighborhoods import SampleNeighborhoods
from .start import check_memory, check_shape

SIDES = (8, 4, 2, 1)
"""Sides of the pixel blocks whose means are compared, coarse to fine."""
MARGIN = 1e-5
"""Relative slack of the certificate, far above all roundings."""
FIRST_LOOKS = 16
"""Samples most like the query, by block means, whose winners give a first bound."""
QUERIES = 64
"""Pictures that are searched together, by one thread."""
NUMBERS = 2**20
"""Numbers of neurons' weights that are computed together; 4 MB."""


class SampleSom(MultiModalSom):
    """A map of the same kind as `MultiModalSom`, for pictures: the weights are computed on demand.

    Winners are exact. `best_tiles`, and with it the readouts `tiles` and `local_linear`, choose their candidates by the
    means of pixel blocks. A query by modalities that are no pictures is as fast as on the other map; a picture takes
    milliseconds.
    """

    def __init__(
        self,
        samples: Samples,
        winners: Tensor,
        sigma: float,
        shape: tuple[int, int],
        pictures: Mapping[str, tuple[int, int]],
        c: Mapping[str, float] | None = None,
    ) -> None:
        """Make the map from what it is made of.

        Args:
            samples: modality -> features, shape (N, width), all modalities of all samples.
            winners: row and column of each sample's winner, shape (N, 2), int.
            sigma: radius of the neighborhood in neurons.
            shape: rows and columns of the map.
            pictures: the modalities that are pictures, with their height and width, multiples of 8.
            c: influence of each modality, 1 if not given.

        Raises:
            UserError: incomplete samples, pictures of another size than said, or winners off the map.
        """
        check_shape(shape)
        self.shape = shape
        self.pictures = dict(pictures)
        self.sigma = sigma
        self._layout = Modalities.of(widths_of(samples), c)
        self.samples = complete(samples, self._layout)
        self.sample_winners = winners
        limit = torch.tensor(shape, device=winners.device)
        if winners.shape != (len(next(iter(samples.values()))), 2) or bool(((winners < 0) | (winners >= limit)).any()):
            raise UserError(f"winners must be one (row, column) on the {shape[0]}x{shape[1]} map for each sample")
        self._neighborhoods = SampleNeighborhoods(winners, sigma, shape)
        self._levels = {side: pool(self.samples, self.pictures, side) for side in SIDES}
        neurons = torch.arange(shape[0] * shape[1], device=winners.device)
        means = {name: self._means(name, neurons, SIDES[0]).view(*shape, -1) for name in self.modalities}
        self._pooled = MultiModalSom(means, self.c)

    @property
    def device(self) -> torch.device:
        """Where the samples lie."""
        return self.sample_winners.device

    def to(self, device: torch.device | str) -> "SampleSom":
        """The same map on another device."""
        samples = {name: rows.to(device) for name, rows in self.samples.items()}
        return SampleSom(samples, self.sample_winners.to(device), self.sigma, self.shape, self.pictures, self.c)

    def weights(self, modality: str) -> Tensor:
        """All neurons' weights of a modality, (X*Y, width); for pictures on a large map see `weights_at`.

        Raises:
            UserError: an unknown modality, or the weights exceed the memory.
        """
        self._layout.check_known([modality])
        if modality not in self.pictures:
            return self._pooled.weights(modality)
        check_memory(self.shape, self._layout.widths[modality], self.device)
        return self.weights_at(modality, torch.arange(self.shape[0] * self.shape[1], device=self.device))

    def weights_at(self, modality: str, neurons: Tensor) -> Tensor:
        """Some neurons' weights of a modality: flat indices (...,) -> (..., width)."""
        self._layout.check_known([modality])
        return self._means(modality, neurons.flatten(), 1).view(*neurons.shape, -1)

    def activity(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """Activity A of every neuron, Eq. 2-3, (B, X, Y); with pictures, the pixels of all neurons are computed
        once."""
        features, has = self._query(query)
        total = features.new_zeros((len(features), self.shape[0] * self.shape[1]))
        for neurons in torch.arange(total.shape[1], device=self.device).split(NUMBERS // self._layout.width + 1):
            weights = torch.cat([self.weights_at(name, neurons) for name in self.modalities], 1)
            for rows, _, groups in self._same_modalities(has, c):
                for dims, scale in groups:
                    gaps = torch.cdist(features[rows][:, dims], weights[:, dims], p=1)
                    total[rows[:, None], neurons] -= scale * gaps
        return total.view(-1, *self.shape)

    def nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> tuple[Tensor, Tensor]:
        """Distance -A to the winner, and the winner, both (B,): exact, certified by the means of pixel blocks."""
        features, has = self._query(query)
        distances = features.new_empty(len(features))
        neurons = torch.empty(len(features), dtype=torch.long, device=self.device)
        for rows, names, _ in self._same_modalities(has, c):
            asked = {name: values for name, values in self._layout.split(features).items() if name in names}

            def search(part: Tensor, asked: dict[str, Tensor] = asked) -> tuple[Tensor, Tensor]:
                return self._certified({name: values[part] for name, values in asked.items()}, c)

            found = in_threads(search, rows, QUERIES)
            distances[rows], neurons[rows] = (torch.cat(part) for part in zip(*found, strict=True))
        return distances, neurons

    def best_tiles(self, query: Samples, k: int, c: Mapping[str, float] | None = None) -> tuple[Tensor, Tensor]:
        """The best neuron of each of the k best 16x16 tiles, by the means of pixel blocks; see `MultiModalSom`."""
        features, has = self._query(query)
        known = self._layout.per_dimension(has)
        values = self._layout.split(torch.where(known, features, torch.nan))
        return self._pooled.best_tiles(pool({name: values[name] for name in query}, self.pictures, SIDES[0]), k, c)

    def two_nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """The two neurons that are nearest by the means of pixel blocks, (B, 2)."""
        self._query(query)
        return self._pooled.two_nearest(pool(query, self.pictures, SIDES[0]), c)

    def _certified(self, query: dict[str, Tensor], c: Mapping[str, float] | None) -> tuple[Tensor, Tensor]:
        """Look closer, block side by block side, at every neuron whose block means do not rule it out."""
        levels = {side: pool(query, self.pictures, side) for side in SIDES}
        start = self._winners_of_alike(levels[SIDES[0]], c)  # (B, k)
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

    def _winners_of_alike(self, query: dict[str, Tensor], c: Mapping[str, float] | None) -> Tensor:
        """The winners of the samples that are most like the query, by block means: flat indices (B, k)."""
        influences, samples = self._layout.influences(c), self._levels[SIDES[0]]
        gaps = torch.stack(
            [
                torch.cdist(values, samples[name], p=1) * (influences[name] / values.shape[1])
                for name, values in query.items()
            ]
        ).sum(0)
        nearest = gaps.topk(min(FIRST_LOOKS, gaps.shape[1]), 1, largest=False).indices
        return self.sample_winners[nearest, 0] * self.shape[1] + self.sample_winners[nearest, 1]

    def _distances(
        self,
        levels: dict[int, dict[str, Tensor]],
        side: int,
        rows: Tensor,
        neurons: Tensor,
        c: Mapping[str, float] | None,
    ) -> Tensor:
        """Distances of pairs of a query and a neuron by the means of blocks of this side, (P,); of side 1, exactly."""
        query, influences = levels[side], self._layout.influences(c)
        total = sum(influences[name] for name in query)
        out = torch.zeros(len(rows), device=rows.device)
        for name, values in query.items():
            for part in torch.arange(len(rows), device=rows.device).split(NUMBERS // values.shape[1] + 1):
                gaps = self._means(name, neurons[part], side).sub_(values.index_select(0, rows[part])).abs_()
                out[part] += gaps.mean(1) * (influences[name] / total)
        return out

    def _means(self, modality: str, neurons: Tensor, side: int) -> Tensor:
        """Some neurons' weights of a modality, as means of blocks of this side: flat indices (n,) -> (n, width)."""
        values = self._levels[side][modality]
        parts = neurons.split(NUMBERS // values.shape[1] + 1)
        return torch.cat([self._neighborhoods.means(part, values) for part in parts])


def relaxed(distances: Tensor) -> Tensor:
    """Somewhat more than these distances: what a bound must exceed to rule a neuron out."""
    return distances * (1 + MARGIN) + 1e-7


def pool(samples: Samples, pictures: Mapping[str, tuple[int, int]], side: int) -> dict[str, Tensor]:
    """Pictures as means of blocks of side x side pixels, all else as it is.

    Raises:
        UserError: a picture of another size than said, or of sides that are no multiples of 8.
    """
    pooled = dict(samples)
    for name, (height, width) in pictures.items():
        if name not in samples:
            continue
        rows = samples[name]
        if rows.shape[1] != height * width or height % SIDES[0] or width % SIDES[0]:
            raise UserError(
                f"{name} is said to be pictures of {height}x{width} pixels, multiples of {SIDES[0]}, "
                f"but has {rows.shape[1]} dimensions"
            )
        if side > 1:
            pooled[name] = functional.avg_pool2d(rows.view(-1, 1, height, width), side).flatten(1)
    return pooled


def complete(samples: Samples, layout: Modalities) -> dict[str, Tensor]:
    """The checked samples as float32, if each has every modality.

    Raises:
        UserError: one lacks a modality.
    """
    rows = {name: values.to(torch.float32) for name, values in samples.items()}
    features, has = layout.stack(rows)
    del features
    if not bool(has.all()):
        raise UserError("a map that keeps its samples needs all modalities of each; leave incomplete samples out")
    return rows
