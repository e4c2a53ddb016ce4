"""`infant-arm study forget`: five ranges of shoulder flexion, one after the other; what does a map still know at the end?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from agents.som_training.coarse_to_fine import train
from infant_env.senses.modalities import PROPRIOCEPTION

from ..runs.config import Count, Seeds, Side
from ..show import tables
from .frame.rows import Row, Rows
from .frame.study import Findings, Study, StudyConfig
from .pieces import learners
from .pieces.continual import Csom, SatSom, learned
from .pieces.samples import Samples

RANGES = 5
JOINT = 0
"""The shoulder's flexion is the first joint."""
JOINT_TRAINING, FIRST = "joint training on all", "the first range alone"
OF_PAPERS = {"CSOM": (Csom, 30), "SatSOM": (SatSom, 100)}
"""Maps of the literature, with the rows and columns of their own studies."""
TESTS = [*(f"range {number + 1}" for number in range(RANGES)), "all"]


@dataclass(frozen=True)
class Config(StudyConfig):
    """Study what a map forgets that learns five ranges of shoulder flexion, one after the other."""

    part: Count = 500
    """Number of samples that are learned at once; batch rules compute the whole map after each part."""
    rows: Side = 800
    """Rows and columns of the map."""
    seeds: Seeds = 3
    """Number of seeds: of the initial map and of the order of the samples."""


def prepare(config: Config) -> Callable[[int], list[Row]]:
    """The samples of the ranges."""
    samples = Samples.of(config.run, config.device)
    edges = quantiles(samples.train[PROPRIOCEPTION][:, JOINT], RANGES)
    ranges, tests = list(in_ranges(samples.train, edges)), [*in_ranges(samples.test, edges), samples.test]
    shape, c = (config.rows, config.rows), samples.c

    def seed_of(seed: int) -> list[Row]:
        first = train(ranges[0], shape, c, seed)
        parts = [part for later in ranges[1:] for part in learners.shuffled(later, config.part, seed)]
        trained = {
            JOINT_TRAINING: partial(train, samples.train, shape, c, seed),
            FIRST: partial(train, ranges[0], shape, c, seed),
        }
        stream = [*learners.shuffled(ranges[0], config.part, seed), *parts]
        for name, (kind, side) in OF_PAPERS.items():
            trained[of_size(JOINT_TRAINING, side)] = partial(train, samples.train, (side, side), c, seed)
            trained[of_size(name, side)] = partial(learned, kind, side, stream, c, seed)
        return learners.outcomes(trained, first, parts, dict(zip(TESTS, tests, strict=True)))

    return seed_of


def judge(config: Config, rows: Rows) -> Findings:
    """The table: the error on each range after the last one was learned."""
    best = min(learners.LEARNERS, key=lambda label: rows.where(learner=label, test="all").mean("error"))
    factor = learners.factor(rows, best, "all", JOINT_TRAINING)
    rise = tables.number(rows.where(learner=FIRST, test=TESTS[-2]).mean("error"), 2)
    return Findings(
        [
            f"Of all ways to go on learning, {best} ends with the least error, {factor.mean():.2f} times that of "
            f"{JOINT_TRAINING}.",
            *(of_paper(name, side, rows) for name, (_, side) in OF_PAPERS.items()),
            learners.WITHOUT_ANCHOR,
        ],
        figures={"errors": learners.figure(rows, TESTS[:-1], groups())},
        captions={
            "errors": "Error on each range after the last one was learned; bands: standard deviation of the seeds. A map of "
            f"the first range alone is left out; its error rises to {rise}."
        },
        tables={learners.legend("forget", config): learners.table(rows, TESTS, {"all": JOINT_TRAINING})},
    )


def groups() -> dict[str, list[str]]:
    """The learners by panel of the figure."""
    of_papers = [of_size(each, side) for name, (_, side) in OF_PAPERS.items() for each in (JOINT_TRAINING, name)]
    return {
        "maps of the literature": [JOINT_TRAINING, *of_papers],
        "ways to go on": [JOINT_TRAINING, *learners.LEARNERS],
    }


def of_size(name: str, side: int) -> str:
    """The name of a row for a smaller map."""
    return f"{name}, {side}x{side}"


def of_paper(name: str, side: int, rows: Rows) -> str:
    """What a map of the literature keeps."""
    own = of_size(name, side)
    alone, large = (
        learners.factor(rows, own, "all", base).mean() for base in (of_size(JOINT_TRAINING, side), JOINT_TRAINING)
    )
    first, last = (
        learners.factor(rows, own, test, of_size(JOINT_TRAINING, side)).mean() for test in (TESTS[0], TESTS[-2])
    )
    return (
        f"{name} ends at {alone:.2f} times the error of a map of its size that learned all ranges together ({first:.2f} "
        f"times on the first range, {last:.2f} times on the last one), and at {large:.2f} times that of the large one."
    )


def quantiles(values: Tensor, count: int) -> Tensor:
    """The borders of `count` ranges with equally many values, (count + 1,); the outer ones are infinite."""
    edges = values.quantile(torch.linspace(0, 1, count + 1).to(values))
    edges[0], edges[-1] = -torch.inf, torch.inf
    return edges


def in_ranges(samples: Mapping[str, Tensor], edges: Tensor) -> Iterator[learners.Samples]:
    """The samples of each range of the joint."""
    joint = samples[PROPRIOCEPTION][:, JOINT]
    for low, high in pairwise(edges.tolist()):
        rows = (joint >= low) & (joint < high)
        yield {name: values[rows] for name, values in samples.items()}


STUDY = Study(
    name="forget",
    question="What does a map still know of five ranges of shoulder flexion that it learned one after the other?",
    known="A self-organizing map that is taught one class after the other forgets the first ones. CSOM nearly "
    "doubles a map's accuracy on sequential MNIST (arXiv 2402.12465); SatSOM approaches the nearest neighbor (arXiv "
    "2506.10680); a map with a VAE that replays gains 10 and 7 % on CIFAR-10 and CIFAR-100 (arXiv 2508.21240).",
    method="The training poses come in five ranges of the first joint with equally many poses, one range after the "
    "other. No learner is told where a range ends. At the end, each is asked for the joints of all test pictures. CSOM and "
    "SatSOM learn all ranges sample by sample, each sample once, from random weights, with the sizes (30x30 and 100x100) and "
    "the parameters of their authors' programs. Their rates count wins of single neurons, which are rare in a large map; so "
    "each of them is compared with a map of its own size that learned all ranges together.",
    config=Config,
    prepare=prepare,
    judge=judge,
)
