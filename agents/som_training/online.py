"""A map that goes on learning: the batch rule with forgetting, or the literal rule, sample by sample or in batches."""

import math
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from infant_env.errors import UserError

from ..som.modalities import Modalities
from ..som.quality import remembered_neurons
from ..som.samples import Samples
from ..som.search import TileSearch
from ..som.som import MultiModalSom
from ..tools import checkpoints
from .cell_memory import CellMemory
from .literal import factors_of
from .neighborhoods import gaussian
from .schedule import geometric, sigma_for
from .start import checked_epochs
from .tiled_map import TiledMap

Rule = Literal["batch", "literal"]
RULES: tuple[Rule, ...] = ("batch", "literal")
KIND = "online_som"
LITERAL_SIGMA = 0.5
"""Default radius of the literal rule, the last one of `train_literal`."""
FEW = 256
"""Up to this many samples, the winners are sought in the changing tiles; more samples make an index worth its cost."""
MOST = 10
"""Epochs of an update with self-replay at most, unless the caller gives their number."""
AT_ONCE = 16
"""Samples whose winners are sought together in the tiles."""
REMEMBER = 1000
"""The literal rule looks for the neurons that it remembers again after this many steps."""


class OnlineSom:
    """A map that goes on learning from new samples, without the old ones.

    ```python
    online = OnlineSom(som, replay=1.0)
    online.update({"vision": latents, "proprioception": joints})
    som = online.snapshot()
    ```

    - **batch.** Each cell keeps a sum of the samples that won there, and their number, discounted by `forget` with each new
      sample. A neuron is the mean of these samples, weighted by a Gaussian of the distance on the map, as in `train`. What a
      map remembers of its own training is read from its weights: around each remembered sample, neurons are most alike. An old
      sample is only replaced where new ones contradict it. With `replay`, each update also moves the remembered samples to
      better cells (self-replay), so that new samples find room.
    - **literal.** Eq. 2-5 sample by sample with a small radius. With `replay`, each new sample is followed by that many of the
      map's own remembered neurons.

    Winners are exact at any moment. Equal calls give equal bytes on the CPU; a saved and resumed map goes on as if it had never
    stopped.

    Args:
        som: the map to start from.
        rule: "batch" or "literal".
        sigma: radius of the neighborhood in neurons; by default as at the end of the training of a map with as many samples
            ("batch"), or .5 ("literal").
        forget: share of its weight that a remembered sample loses with each new sample; batch rule only. With 1e-4, 10,000
            new samples leave it 37 %.
        learning_rate: lambda of Eq. 4; literal rule only.
        replay: batch rule: whether updates move remembered samples, 0 or 1. Literal rule: number of remembered neurons that
            follow each sample.
        seed: seed of the order in which the literal rule replays neurons.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        som: MultiModalSom,
        rule: Rule = "batch",
        sigma: float | None = None,
        forget: float = 0.0,
        learning_rate: float = 1.0,
        replay: float = 0.0,
        seed: int = 0,
    ) -> None:
        remembered = remembered_neurons(som)
        usual = sigma_for(som.shape, len(remembered)) if rule == "batch" else LITERAL_SIGMA
        self.rule, self.sigma, self.forget = rule, usual if sigma is None else float(sigma), float(forget)
        self.learning_rate, self.replay, self.seed = float(learning_rate), float(replay), seed
        self._check()
        self.shape, self.grid, self.layout = som.shape, som.grid, Modalities.of(som.modalities, som.c, som.distance)
        weights = torch.cat([som.weights(name) for name in som.modalities], 1)  # (X*Y, D)
        spans = [self.layout.slice(name) for name in som.modalities]
        self._tiled = TiledMap(weights, som.shape, spans, som.distance, som.topology)
        self._memory = CellMemory(self.layout, som.grid, som.device)
        if rule == "batch":
            cells = remembered if self.sigma >= 1 else torch.arange(len(weights), device=som.device)
            self._memory.add(weights[cells], torch.ones((len(cells), len(spans)), device=som.device), cells)
        self.steps = 0
        """Number of samples learned so far."""
        self._remembered: Tensor | None = None

    def update(self, samples: Samples, epochs: int | None = None, first_sigma: float | None = None) -> Tensor:
        """Learns from samples.

        Args:
            samples: modality -> features, shape (B, width); a row of NaN is missing.
            epochs: batch rule: how often the samples seek a better cell; each epoch computes the whole map. By default once,
                and with self-replay up to 10 times while more than a tenth of the samples lack room, as samples unlike all
                earlier ones do.
            first_sigma: radius of the first of several epochs; by default `sigma`.

        Returns:
            The distance -A between each sample and its winner before it was learned, shape (B,).

        Raises:
            UserError: see `MultiModalSom.winners`; the number of epochs is below 1; or the literal rule is given epochs.
        """
        if (checked_epochs(epochs) or 1) > 1 and self.rule == "literal":
            raise UserError(f"got epochs={epochs}, expected 1 for the literal rule")
        features, has = self.layout.stack(samples, self._tiled.weights.device)
        if not len(features):
            return features.new_empty(0)
        if self.rule == "literal":
            return self._learn_literally(features, has)
        winners, distances = self._nearest(features, has)
        self._memory.fade(self.forget, len(features))
        sigmas = geometric(max(first_sigma or self.sigma, self.sigma), self.sigma, epochs or 1)
        if len(sigmas) == 1 and not self.replay and len(features) <= FEW:
            self._memory.add(features, has.float(), winners)
            for winner in winners.unique().tolist():
                self._memory.refresh(self._tiled, winner, self.sigma)
        else:
            most = MOST - 1 if self.replay and epochs is None else 0
            self._memory.rearrange(self._tiled, features, has, winners, sigmas, self.replay > 0, most)
        self.steps += len(features)
        return distances

    def winners(self, query: Samples) -> Tensor:
        """The winner of each row of a query on the present map, exactly: flat indices, (B,)."""
        return self._nearest(*self.layout.stack(query, self._tiled.weights.device))[0]

    def recall(self, query: Samples, wanted: str) -> Tensor:
        """What the winners of a query hold of a modality on the present map, (B, width); without the time of a `snapshot`."""
        return self._tiled.at(self.winners(query))[:, self.layout.slice(wanted)]

    def snapshot(self) -> MultiModalSom:
        """The present map, which later updates do not change."""
        weights = self.layout.split(self._tiled.flat().view(*self.shape, -1))
        return MultiModalSom(weights, self.layout.c, self.layout.distance, self.grid.topology)

    def save(self, path: str | Path) -> None:
        """Writes the whole state to a safetensors file, completely or not at all."""
        settings = {
            name: getattr(self, name) for name in ("rule", "sigma", "forget", "learning_rate", "replay", "seed")
        }
        tensors, header = self.snapshot().as_file()
        tensors |= self._memory.state()
        if self._remembered is not None:
            tensors["remembered"] = self._remembered
        checkpoints.write(Path(path), KIND, tensors, {**header, "settings": settings, "steps": self.steps})

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> "OnlineSom":
        """Reads a state that `save` wrote; it goes on exactly as the saved one would.

        Raises:
            UserError: the file is missing or damaged, or holds something else.
        """
        tensors, header = checkpoints.read(Path(path), KIND)
        with checkpoints.fitting(Path(path)):
            online = cls(MultiModalSom.of_file(tensors, header, device), **header["settings"])
            online._memory.resume(tensors)
            online.steps, online._remembered = header["steps"], tensors.get("remembered")
        return online

    def _check(self) -> None:
        checks = {
            "rule": (self.rule in RULES, f"one of {list(RULES)}"),
            "sigma": (0 < self.sigma < math.inf, "a radius in neurons above 0"),
            "forget": (0 <= self.forget < 1, "a share from 0 to below 1"),
            "learning_rate": (0 < self.learning_rate <= 2, "a number above 0, at most 2"),
            "replay": (0 <= self.replay < math.inf, "a number of 0 or more"),
            "seed": (isinstance(self.seed, int) and 0 <= self.seed < 2**43, "a whole number from 0 to 2^43 - 1"),
        }
        for name, (fits, expected) in checks.items():
            if not fits:
                raise UserError(f"got {name}={getattr(self, name)!r}, expected {expected}")

    def _nearest(self, features: Tensor, has: Tensor) -> tuple[Tensor, Tensor]:
        """Winners on the present map, and their distances, (B,) each."""
        if len(features) > FEW:
            return self._nearest_by_index(features, has)
        factors = factors_of(self.layout, has)
        parts = zip(features.split(AT_ONCE), factors.split(AT_ONCE), strict=True)
        found = [self._tiled.winners(rows, factor) for rows, factor in parts]
        return torch.cat([winners for winners, _ in found]), torch.cat([distances for _, distances in found])

    def _nearest_by_index(self, features: Tensor, has: Tensor) -> tuple[Tensor, Tensor]:
        search = TileSearch.of_winners(self._tiled.blocked())
        winners = torch.empty(len(features), dtype=torch.long, device=features.device)
        distances = torch.empty_like(features[:, 0])
        for rows, names in self.layout.patterns(has):
            distance, winner = search.best(features[rows], self.layout.groups(names))
            distances[rows], winners[rows] = distance.squeeze(1), winner.squeeze(1)
        return winners, distances

    def _learn_literally(self, features: Tensor, has: Tensor) -> Tensor:
        factors, known = factors_of(self.layout, has), has.to(features)
        distances = []
        for row in range(len(features)):
            part = slice(row, row + 1)
            winners, distance = self._tiled.winners(features[part], factors[part])
            self._tiled.step(winners, features[part], known[part], self.learning_rate, gaussian, self.sigma)
            distances.append(distance)
            self._replay()
            self.steps += 1
        return torch.cat(distances)

    def _replay(self) -> None:
        """Presents some of the map's own remembered neurons as samples."""
        count = int(self.replay * (self.steps + 1)) - int(self.replay * self.steps)
        if not count:
            return
        if self._remembered is None or self.steps % REMEMBER == 0:
            self._remembered = remembered_neurons(self.snapshot())
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.steps)
        chosen = self._remembered[torch.randint(len(self._remembered), (count,), generator=generator)]
        for neuron in chosen.split(1):
            own = self._tiled.at(neuron)  # (1, D)
            known = own.new_ones((1, len(self.layout.widths)))
            self._tiled.step(neuron, own, known, self.learning_rate, gaussian, self.sigma)
