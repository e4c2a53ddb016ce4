"""`infant-arm study new-body`: the body changes; how well does the map know the new one, and how much of the old one is left?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from agents.som_training.coarse_to_fine import train
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..measure.senses import features
from ..runs import folder as runs
from ..runs.config import Count, Seeds, Side
from ..runs.device import pick_device
from .frame.rows import Row, Rows
from .frame.study import Findings, Study, StudyConfig
from .pieces import learners
from .pieces.samples import Samples

OLD, NEW, BOTH = "trained on the old body alone", "trained on the new body alone", "trained on both"
TESTS = ["old body", "new body"]


@dataclass(frozen=True)
class Config(StudyConfig):
    """Study a map that has learned the poses of the run's body, and now sees a body that has changed."""

    changed: Path | None = None
    """A data set of the other body, such as `infant-arm collect --age-months 18` makes."""
    old_samples: Count = 8000
    """Training samples of the run's body."""
    new_samples: Count = 2000
    """Training samples of the other body."""
    part: Count = 500
    """Number of samples that are learned at once; batch rules compute the whole map after each part."""
    rows: Side = 800
    """Rows and columns of the map."""
    seeds: Seeds = 3
    """Number of seeds: of the initial map and of the order of the samples."""


def prepare(config: Config) -> Callable[[int], list[Row]]:
    """The samples of both bodies.

    Raises:
        UserError: no data set of another body is given, or its joints are not those of the run's body.
    """
    changed = opened(config)
    cache, device = config.run / "studies" / "new-body", pick_device(config.device)
    samples = Samples.of(config.run, config.device)
    old = first(samples.train, config.old_samples)
    new = first(features(config.run, changed, "train", device, cache), config.new_samples)
    both = {name: torch.cat([old[name], new[name]]) for name in old}
    tests = {TESTS[0]: samples.test, TESTS[1]: features(config.run, changed, "test", device, cache)}

    def seed_of(seed: int) -> list[Row]:
        train_on = partial(train, shape=(config.rows, config.rows), c=samples.c, seed=seed)
        trained = {label: partial(train_on, each) for label, each in ((OLD, old), (NEW, new), (BOTH, both))}
        return learners.outcomes(trained, train_on(old), list(learners.shuffled(new, config.part, seed)), tests)

    return seed_of


def judge(config: Config, rows: Rows) -> Findings:
    """The table: errors on both bodies after the new one was learned."""
    best = min(learners.LEARNERS, key=lambda label: rows.where(learner=label).mean("error"))
    kept, gained = (learners.factor(rows, best, *pair).mean() for pair in zip(TESTS, (BOTH, NEW), strict=True))
    return Findings(
        [
            f"{best[0].upper()}{best[1:]} knows both bodies best: its error is {kept:.2f} times that of a map of "
            f"both on the old body, and {gained:.2f} times that of a map of the new one on the new body.",
            learners.WITHOUT_ANCHOR,
        ],
        figures={"errors": learners.figure(rows, TESTS)},
        captions={
            "errors": "Error on both bodies after the new one was learned; bands: standard deviation of the seeds."
        },
        tables={learners.legend("new-body", config): learners.table(rows, TESTS, {TESTS[0]: BOTH, TESTS[1]: NEW})},
    )


def opened(config: Config) -> Dataset:
    """The data set of the other body."""
    if config.changed is None:
        raise UserError(
            "got no --changed, expected a data set of another body; "
            "`infant-arm collect --age-months 18 --samples 4000 --out data/18_months` makes one"
        )
    changed, own = Dataset.open(config.changed), Dataset.open(runs.data_of(config.run))
    if changed.joint_names != own.joint_names:
        raise UserError(
            f"{config.changed} has the joints {', '.join(changed.joint_names)}, expected those of the run: "
            f"{', '.join(own.joint_names)}; collect it with the same kind of body"
        )
    return changed


def first(samples: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """The first samples of each sense."""
    return {name: rows[:count] for name, rows in samples.items()}


STUDY = Study(
    name="new-body",
    question="The body has changed: how well does the map know the new one, and how much of the old one is left?",
    known="An infant's arm grows by 4 to 7 mm a month. A map that was trained at 12 months brings 77 % of the hands "
    "within 2 cm at 12 months, 59 % at 9 and 20 % at 18 (measured with this project). At ages 8 to 16, the felt "
    "hand is ahead of growth (Experimental Brain Research 2021).",
    method="The map has learned poses of the run's body, and then sees those of the changed one, in parts. The "
    "autoencoder is that of the run. At the end, each learner is asked for the joints of the test pictures of both "
    "bodies.",
    config=Config,
    prepare=prepare,
    judge=judge,
)
