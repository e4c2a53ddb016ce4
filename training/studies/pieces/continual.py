"""Two maps from the literature whose neurons learn less the more they have learned, so that they keep it: CSOM and SatSOM."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from agents.som.grid import Grid
from agents.som.modalities import Modalities
from agents.som.samples import Samples, tensors, widths_of
from agents.som.som import MultiModalSom


class Fading:
    """A map in which each neuron has a learning rate and a radius of its own, which fall while it learns.

    It begins with random weights, with mean and spread of each feature in the samples that it is made for.

    Args:
        first: samples by sense, (N, width) each.
        side: rows and columns.
        c: influence of each sense on the winner; gaps are squared.
        seed: seed of the weights.
    """

    rate: float
    radius: float

    def __init__(self, first: Samples, side: int, c: Mapping[str, float], seed: int = 0) -> None:
        self._layout, self._side = Modalities.of(widths_of(tensors(first)), c, "l2"), side
        rows = torch.cat([torch.as_tensor(first[name]) for name in self._layout.widths], 1)
        noise = torch.randn((side**2, rows.shape[1]), generator=torch.Generator().manual_seed(seed))
        self.weights = rows.mean(0) + rows.std(0) * noise
        self.rates = torch.full((side**2,), self.rate)
        self.radii = torch.full((side**2,), self.radius)
        self._scales = self._layout.scales(self._layout.widths).to(rows)
        self._grid, self._every = Grid((side, side)), torch.arange(side**2)

    def learn(self, samples: Samples) -> None:
        """Learns samples (N, width) one after the other, each once."""
        for sample in torch.cat([torch.as_tensor(samples[name]) for name in self._layout.widths], 1):
            gaps = sample - self.weights
            winner = int(self._distances(gaps).argmin())
            self._step(winner, gaps, self._grid.squared_distances(torch.tensor([winner]), self._every).float())

    def as_map(self, c: Mapping[str, float]) -> MultiModalSom:
        """The present map, which is asked as the paper's is, with the L1 distance."""
        weights = self._layout.split(self.weights.view(self._side, self._side, -1))
        return MultiModalSom({name: each.clone() for name, each in weights.items()}, dict(c))

    def _distances(self, gaps: Tensor) -> Tensor:
        """Of all neurons from a sample, (N,), from gaps (N, D)."""
        return gaps.square() @ self._scales

    def _step(self, winner: int, gaps: Tensor, squares: Tensor) -> None:
        """Learns a sample, from gaps (N, D) and squared distances from the winner on the map, (N,)."""
        raise NotImplementedError


class Csom(Fading):
    """Continual SOM (Vaidya et al. 2024, arXiv 2402.12465), with the parameters of the authors' program.

    A gap counts relative to the root of the running variance of that neuron and feature. Neurons within the winner's radius
    learn, each with its own rate: w += rate * exp(-d^2 / (2 radius^2)) * (x - w). Their variances follow the squared gaps,
    more slowly the farther they are from the winner. Rate and radius of a neuron fall exponentially with the number of times
    that it won.
    """

    rate, radius, variance, kept = 0.05, 1.5, 0.5, 0.9
    wins_of_rate, wins_of_radius, least = 25.0, 15.0, 1e-5
    _SMALLEST = 1e-8
    """Share of a step at which the slowing of the variances is scaled."""

    def __init__(self, first: Samples, side: int, c: Mapping[str, float], seed: int = 0) -> None:
        super().__init__(first, side, c, seed)
        self.variances = torch.full_like(self.weights, self.variance)
        self.wins = torch.zeros(side**2)

    def _distances(self, gaps: Tensor) -> Tensor:
        return (gaps.square() / self.variances.sqrt()) @ self._scales

    def _step(self, winner: int, gaps: Tensor, squares: Tensor) -> None:
        radius, rate = self.radii[winner], self.rates[winner]
        near = (squares <= radius**2).nonzero().squeeze(1)
        steps = self.rates[near] * torch.exp(-squares[near] / (2 * radius**2))
        self.weights[near] += steps[:, None] * gaps[near]
        left = (1 - steps[:, None]) * gaps[near]
        scale = torch.log(rate / self._SMALLEST) * 2 * radius**2
        kept = (self.kept - 0.5 + torch.sigmoid(squares[near] / scale)).clamp(0, 1)[:, None]
        self.variances[near] = kept * self.variances[near] + (1 - kept) * left.square()
        self.wins[winner] += 1
        self.rates[winner] = max(self.least, self.rate * float(torch.exp(-self.wins[winner] / self.wins_of_rate)))
        self.radii[winner] = max(self.least, self.radius * float(torch.exp(-self.wins[winner] / self.wins_of_radius)))


class SatSom(Fading):
    """Saturation SOM (Urbanik and Gajewski 2025, arXiv 2506.10680), with the parameters of the authors' program.

    Saturation is the share of its first rate that a neuron has lost. Around the winner u, each neuron i has the neighborhood
    h = exp(-d^2 / (2 radius_u radius_i)) * (1 + bias * (1 - saturation)). It learns w += rate * h * (x - w), and then its rate
    and its radius fall by the factors exp(-h * fall_of_rate) and exp(-h * fall_of_radius).

    Departures: the joints are a sense of the map instead of labels beside it, and the winner recalls them instead of a mean
    over the nearest saturated neurons.
    """

    rate, radius, bias = 0.5, 50.0, 0.2
    fall_of_rate, fall_of_radius = 0.01, 0.05
    _LEAST = 1e-8

    def _step(self, winner: int, gaps: Tensor, squares: Tensor) -> None:
        products = (self.radii[winner] * self.radii).clamp(min=self._LEAST)
        h = torch.exp(-squares / (2 * products)) * (1 + self.bias * self.rates / self.rate)
        self.weights += (self.rates * h)[:, None] * gaps
        self.rates *= torch.exp(-self.fall_of_rate * h)
        self.radii *= torch.exp(-self.fall_of_radius * h)


def learned(
    kind: type[Fading], side: int, parts: Iterable[Samples], c: Mapping[str, float], seed: int
) -> MultiModalSom:
    """A map of one of these kinds that has learned parts one after the other; the first one gives its random weights.

    Args:
        kind: `Csom` or `SatSom`.
        side: rows and columns.
        parts: samples by sense, as they come.
        c: influence of each sense on the winner.
        seed: seed of the weights.
    """
    first, *others = parts
    som = kind(first, side, c, seed)
    for part in (first, *others):
        som.learn(part)
    return som.as_map(c)
