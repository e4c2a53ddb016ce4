"""`infant-arm bench query`: exact winners by branch and bound, compared with the activity of every neuron."""

from functools import partial

import torch
from torch import Tensor

from agents.som.som import MultiModalSom
from agents.tools.threads import in_threads
from infant_env.senses.modalities import VISION

from ..data.dataset import Dataset
from ..measure.senses import features
from ..runs import folder as runs
from .config import Config
from .imagine import mind_of
from .turns import Benchmark, Workload

FAR = 0.5
"""Noise of the queries far from the map, in standard deviations."""


def winners(config: Config) -> Benchmark:
    """The time for a winner in both ways, near the map and far from it, and how many winners differ."""
    som = mind_of(config).som
    count = 400 * config.repeats
    near = _queries(config, som, max(count, config.check))
    few = {name: rows[: config.repeats] for name, rows in near.items()}
    queries = {}
    for place, samples in (("", near), (", far from the map", _with_noise(near, FAR, config.seed + 1))):
        for names in (*([name] for name in samples), list(samples)):
            queries[" and ".join(names) + place] = {name: samples[name] for name in names}
    workloads = {"every neuron, both modalities": Workload(config.repeats, partial(_winners_of_all, som, few))}
    for label, query in queries.items():
        part = {name: rows[:count] for name, rows in query.items()}
        workloads[label] = Workload(count, partial(som.winners, part))

    def differences() -> list[str]:
        lines = []
        for label, query in queries.items():
            part = {name: rows[: config.check] for name, rows in query.items()}
            wrong = int((som.winners(part) != _winners_of_all(som, part)).sum())
            lines.append(f"{label}: {wrong} of {config.check:,} winners differ from a look at every neuron")
        return lines

    return workloads, differences


def _winners_of_all(som: MultiModalSom, query: dict[str, Tensor]) -> Tensor:
    """Winners by the activity of every neuron (Eq. 3); among equals the neuron with the lowest index wins."""

    def find(rows: Tensor) -> Tensor:
        activity = som.activity({name: features[rows] for name, features in query.items()}).flatten(1)
        return (activity == activity.amax(1, keepdim=True)).to(torch.uint8).argmax(1)

    count = len(next(iter(query.values())))
    return torch.cat(in_threads(find, torch.arange(count), 32))


def _queries(config: Config, som: MultiModalSom, count: int) -> dict[str, Tensor]:
    """Held-out samples of the run, or the weights of neurons without a run; small noise makes all queries different."""
    generator = torch.Generator().manual_seed(config.seed)
    if config.run is None:
        at = torch.randint(som.shape[0] * som.shape[1], (count,), generator=generator)
        exact = {name: som.weights_at(name, at.to(som.device)) for name in som.modalities}
    else:
        data = Dataset.open(runs.data_of(config.run))
        splits = [features(config.run, data, split, som.device) for split in ("validation", "test")]
        held_out = {name: torch.cat([split[name] for split in splits]) for name in som.modalities}
        at = torch.randint(len(held_out[VISION]), (count,), generator=generator)
        exact = {name: rows[at] for name, rows in held_out.items()}
    return _with_noise(exact, 0.1 if config.run is None else 0.01, config.seed)


def _with_noise(samples: dict[str, Tensor], share: float, seed: int) -> dict[str, Tensor]:
    """The samples with noise of a share of their standard deviation."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: rows + share * rows.std() * torch.randn(rows.shape, generator=generator).to(rows)
        for name, rows in samples.items()
    }
