"""The plain pixel map at full size: a self-organizing map that stores no weights, only where its samples won.

After an epoch of the batch rule each neuron is a mean of the samples, weighted by a Gaussian of the distance between
the neuron and the sample's winner. So one winner per sample, the radius and the samples themselves are the whole map,
and a neuron's pixels are computed when they are asked for: 800x800 neurons of 64x64 pixels take 48 kB beside the
samples, where the paper needs 10.5 GB.

Winners are sought on the means of 8x8 pixels. Averaging commutes with the rule, so that these means form a map of their
own; and the mean absolute error of block means never exceeds that of the pixels, so that it certifies which neurons
need no look.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from .modalities import Modalities, Samples, widths_of
from .neuron_distances import Groups
from .som import MultiModalSom
from .som_schedule import smooth
from .som_start import check_memory, check_shape

POOL = 8
"""Side of the pixel blocks whose means are searched."""
REACH = 34.0
"""A sample is left out of a neuron's mean when its squared distance exceeds the nearest one's by this many sigma^2
(4e-8)."""
MARGIN = 1e-5
"""Relative slack of the certificate, far above all roundings."""
FIRST_LOOK = 16
"""Neurons per query whose pixels are computed first."""


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
            ValueError: incomplete samples, pictures of another size than said, or winners off the map.
        """
        check_shape(shape)
        self.shape = shape
        self.pictures = dict(pictures)
        self.sigma = sigma
        self._layout = Modalities.of(widths_of(samples), c)
        self._samples = complete(samples, self._layout)
        self.sample_winners = winners
        limit = torch.tensor(shape, device=winners.device)
        if winners.shape != (len(next(iter(samples.values()))), 2) or bool(((winners < 0) | (winners >= limit)).any()):
            raise ValueError(f"winners must be one (row, column) on the {shape[0]}x{shape[1]} map for each sample")
        self._pooled = MultiModalSom(self._pooled_weights(), self.c)

    @property
    def device(self) -> torch.device:
        """Where the samples lie."""
        return self.sample_winners.device

    def to(self, device: torch.device | str) -> "SampleSom":
        """The same map on another device."""
        samples = {name: rows.to(device) for name, rows in self._samples.items()}
        return SampleSom(samples, self.sample_winners.to(device), self.sigma, self.shape, self.pictures, self.c)

    def weights(self, modality: str) -> Tensor:
        """All neurons' weights of a modality, (X*Y, width); for pictures on a large map see `weights_at`.

        Raises:
            ValueError: an unknown modality, or the weights exceed the memory.
        """
        self._layout.check_known([modality])
        if modality not in self.pictures:
            return self._pooled.weights(modality)
        check_memory(self.shape, self._layout.widths[modality], self.device)
        return self.weights_at(modality, torch.arange(self.shape[0] * self.shape[1], device=self.device))

    def weights_at(self, modality: str, neurons: Tensor) -> Tensor:
        """Some neurons' weights of a modality: flat indices (...,) -> (..., width)."""
        self._layout.check_known([modality])
        flat = neurons.flatten()
        if modality not in self.pictures:
            return self._pooled.weights_at(modality, neurons)
        found = [self._mean(self._samples[modality], part) for part in flat.split(512)]
        found = found or [self._samples[modality][:0]]
        return torch.cat(found).view(*neurons.shape, self._layout.widths[modality])

    def activity(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """Activity A of every neuron, Eq. 2-3, (B, X, Y); with pictures, the pixels of all neurons are computed
        once."""
        features, has = self._query(query)
        total = features.new_zeros((len(features), self.shape[0] * self.shape[1]))
        factors = torch.zeros_like(features)
        for rows, _, groups in self._alike(has, c):
            for dims, scale in groups:
                factors[rows[:, None], torch.tensor(dims, device=self.device)] = scale
        for name in self.modalities:
            at = self._layout.slice(name)
            if bool(factors[:, at].any()):
                for first, planes in self._smoothed(self._samples[name]):
                    part = slice(at.start + first, at.start + first + len(planes))
                    for plane, values, scale in zip(planes, features[:, part].T, factors[:, part].T, strict=True):
                        total += (plane - values[:, None]).abs_().mul_(scale[:, None])
        return total.neg_().view(-1, *self.shape)

    def nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> tuple[Tensor, Tensor]:
        """Distance -A to the winner, and the winner, both (B,): exact, certified by the means of pixel blocks."""
        features, has = self._query(query)
        distances = features.new_empty(len(features))
        neurons = torch.empty(len(features), dtype=torch.long, device=self.device)
        for rows, names, groups in self._alike(has, c):
            asked = self._layout.split(features[rows])
            pooled = self._pool({name: asked[name] for name in names})
            if not any(name in self.pictures for name in names):
                distances[rows], neurons[rows] = self._pooled.nearest(pooled, c)
                continue
            for part in torch.arange(len(rows), device=self.device).split(64):
                some = {name: values[part] for name, values in pooled.items()}
                found = self._certified(features[rows[part]], groups, some, c)
                distances[rows[part]], neurons[rows[part]] = found
        return distances, neurons

    def best_tiles(self, query: Samples, k: int, c: Mapping[str, float] | None = None) -> tuple[Tensor, Tensor]:
        """The best neuron of each of the k best 16x16 tiles, by the means of pixel blocks; see `MultiModalSom`."""
        features, has = self._query(query)
        known = self._layout.per_dimension(has)
        values = self._layout.split(torch.where(known, features, torch.nan))
        return self._pooled.best_tiles(self._pool({name: values[name] for name in query}), k, c)

    def two_nearest(self, query: Samples, c: Mapping[str, float] | None = None) -> Tensor:
        """The two neurons that are nearest by the means of pixel blocks, (B, 2)."""
        self._query(query)
        return self._pooled.two_nearest(self._pool(query), c)

    def _certified(
        self, features: Tensor, groups: Groups, pooled: Samples, c: Mapping[str, float] | None
    ) -> tuple[Tensor, Tensor]:
        """Look at the pixels of every neuron whose block means do not rule it out, most promising first."""
        start = self._pooled.nearest(pooled, c)[1]
        rows = torch.arange(len(start), device=start.device)
        best = self._distances(features, rows, start, groups)
        rows, neurons, bounds = self._pooled.neurons_within(pooled, best * (1 + MARGIN) + 1e-7, c)
        order = bounds.argsort(stable=True)
        order = order[rows[order].argsort(stable=True)]  # by query, then by bound
        rows, neurons, bounds = rows[order], neurons[order], bounds[order]
        first = torch.searchsorted(rows, torch.arange(len(best), device=rows.device))
        rank = torch.arange(len(rows), device=rows.device) - first[rows]
        exact = torch.full_like(bounds, torch.inf)
        low = 0
        while bool((rank >= low).any()):
            due = (rank >= low) & (rank < low + FIRST_LOOK) & (bounds <= best[rows] * (1 + MARGIN) + 1e-7)
            exact[due] = self._distances(features, rows[due], neurons[due], groups)
            best = best.scatter_reduce(0, rows[due], exact[due], "amin")
            low += FIRST_LOOK
        none = self.shape[0] * self.shape[1]
        winners = torch.full_like(start, none).scatter_reduce_(
            0, rows, torch.where(exact == best[rows], neurons, none), "amin"
        )
        return best, torch.where(winners == none, start, winners)

    def _distances(self, features: Tensor, rows: Tensor, neurons: Tensor, groups: Groups) -> Tensor:
        """Distances of pairs of a query and a neuron by their pixels, (P,)."""
        names = list(self.modalities)
        found = []
        for row, neuron in zip(rows.split(256), neurons.split(256), strict=True):
            weights = torch.cat([self.weights_at(name, neuron) for name in names], 1)
            gaps = (weights - features[row]).abs_()
            found.append(torch.stack([gaps[:, dims[0] : dims[-1] + 1].sum(1) * scale for dims, scale in groups]).sum(0))
        return torch.cat(found) if found else features.new_empty(0)

    def _mean(self, values: Tensor, neurons: Tensor) -> Tensor:
        """Neighborhood-weighted means of the samples: flat indices (n,) -> (n, width)."""
        places = torch.stack([neurons // self.shape[1], neurons % self.shape[1]], 1)
        squared = torch.cdist(
            places.double(), self.sample_winners.double(), compute_mode="donot_use_mm_for_euclid_dist"
        )
        squared = squared.square_().sub_(squared.amin(1, keepdim=True)).float()  # (n, N)
        near = squared <= REACH * self.sigma**2
        rows, samples = near.nonzero().unbind(1)
        weights = torch.exp(squared[rows, samples] / (-2 * self.sigma**2))
        weights = weights / torch.zeros_like(squared[:, 0]).index_add_(0, rows, weights)[rows]
        offsets = torch.searchsorted(rows, torch.arange(len(neurons), device=rows.device))
        return functional.embedding_bag(samples, values, offsets, mode="sum", per_sample_weights=weights)

    def _pool(self, samples: Samples) -> dict[str, Tensor]:
        return pool(samples, self.pictures)

    def _pooled_weights(self) -> dict[str, Tensor]:
        """Weights (X, Y, width) of the map of block means."""
        weights = {}
        for name, values in self._pool(self._samples).items():
            planes = torch.cat([planes for _, planes in self._smoothed(values)])  # (width, X*Y)
            weights[name] = planes.T.reshape(*self.shape, -1).contiguous()
        return weights

    def _smoothed(self, values: Tensor, step: int = 8) -> Iterator[tuple[int, Tensor]]:
        """Neurons' weights, some dimensions at a time: first dimension and planes (step, X*Y)."""
        cells = self.sample_winners[:, 0] * self.shape[1] + self.sample_winners[:, 1]
        size = self.shape[0] * self.shape[1]
        weight = torch.zeros(size, dtype=torch.float64, device=self.device)
        weight.index_add_(0, cells, torch.ones(len(cells), dtype=torch.float64, device=self.device))
        total = smooth(weight.view(1, *self.shape), self.sigma, reach=20.0).flatten()
        far = (total <= 1e-290).nonzero().squeeze(1)
        for first in range(0, values.shape[1], step):
            part = values[:, first : first + step]
            sums = torch.zeros((part.shape[1], size), dtype=torch.float64, device=self.device)
            sums.index_add_(1, cells, part.T.double())
            planes = (smooth(sums.view(-1, *self.shape), self.sigma, reach=20.0).flatten(1) / total).float()
            if len(far):
                planes[:, far] = torch.cat([self._mean(part.contiguous(), some).T for some in far.split(512)], 1)
            yield first, planes


def pool(samples: Samples, pictures: Mapping[str, tuple[int, int]]) -> dict[str, Tensor]:
    """Pictures as means of 8x8 pixels, all else as it is.

    Raises:
        ValueError: a picture of another size than said, or of sides that are no multiples of 8.
    """
    pooled = dict(samples)
    for name, (height, width) in pictures.items():
        if name not in samples:
            continue
        rows = samples[name]
        if rows.shape[1] != height * width or height % POOL or width % POOL:
            raise ValueError(
                f"{name} is said to be pictures of {height}x{width} pixels, multiples of {POOL}, "
                f"but has {rows.shape[1]} dimensions"
            )
        pooled[name] = functional.avg_pool2d(rows.view(-1, 1, height, width), POOL).flatten(1)
    return pooled


def complete(samples: Samples, layout: Modalities) -> dict[str, Tensor]:
    """The checked samples as float32, if each has every modality.

    Raises:
        ValueError: one lacks a modality.
    """
    rows = {name: values.to(torch.float32) for name, values in samples.items()}
    features, has = layout.stack(rows)
    del features
    if not bool(has.all()):
        raise ValueError("a map that keeps its samples needs all modalities of each; leave incomplete samples out")
    return rows
