"""`infant-arm study forget`: five ranges of shoulder flexion, one after the other; what does a map still know at the end?"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from agents.som_training.coarse_to_fine import train
from infant_env.senses.modalities import PROPRIOCEPTION

from .config import Config, Prepared
from .learners import Outcome, Samples, add_seed, shuffled, table

RANGES = 5
JOINT = 0
"""The shoulder's flexion is the first joint."""
JOINT_TRAINING = "joint training on all"


def run(config: Config, prepared: Prepared) -> str:
    """The table: the error on each range after the last one was learned."""
    edges = quantiles(prepared.train[PROPRIOCEPTION][:, JOINT], RANGES)
    tests = [*in_ranges(prepared.test, edges), prepared.test]
    outcomes: dict[str, list[Outcome]] = {}
    for seed in config.all_seeds():
        ranges = list(in_ranges(prepared.train, edges))
        first = train(ranges[0], config.shape, prepared.c, seed)
        stream = [part for later in ranges[1:] for part in shuffled(later, config.part, seed)]
        trained = {
            JOINT_TRAINING: partial(train, prepared.train, config.shape, prepared.c, seed),
            "the first range alone": partial(train, ranges[0], config.shape, prepared.c, seed),
        }
        add_seed(outcomes, trained, first, stream, tests)
    names = [*(f"range {number + 1}" for number in range(RANGES)), "all"]
    return table(outcomes, names, {"all": JOINT_TRAINING})


def quantiles(values: Tensor, count: int) -> Tensor:
    """The borders of `count` ranges with equally many values, (count + 1,); the outer ones are infinite."""
    edges = values.quantile(torch.linspace(0, 1, count + 1).to(values))
    edges[0], edges[-1] = -torch.inf, torch.inf
    return edges


def in_ranges(samples: Mapping[str, Tensor], edges: Tensor) -> Iterator[Samples]:
    """The samples of each range of the joint."""
    joint = samples[PROPRIOCEPTION][:, JOINT]
    for low, high in pairwise(edges.tolist()):
        rows = (joint >= low) & (joint < high)
        yield {name: values[rows] for name, values in samples.items()}
