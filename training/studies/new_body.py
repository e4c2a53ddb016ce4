"""`infant-arm study new-body`: the body changes; how well does the map know the new one, and how much of the old one is left?"""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from agents.som_training.coarse_to_fine import train
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..measure.senses import features
from ..runs import folder as runs
from .config import Config, Prepared
from .learners import Outcome, add_seed, shuffled, table

OLD, NEW, BOTH = "trained on the old body alone", "trained on the new body alone", "trained on both"


def run(config: Config, prepared: Prepared) -> str:
    """The table: errors on both bodies after the new one was learned.

    Raises:
        UserError: no data set of another body is given, or its joints are not those of the run's body.
    """
    changed = opened(config)
    cache = config.run / "studies" / "new-body"
    device = next(iter(prepared.train.values())).device
    old = first(prepared.train, config.old_samples)
    new = first(features(config.run, changed, "train", device, cache), config.new_samples)
    both = {name: torch.cat([old[name], new[name]]) for name in old}
    tests = [prepared.test, features(config.run, changed, "test", device, cache)]
    outcomes: dict[str, list[Outcome]] = {}
    for seed in config.all_seeds():
        known = train(old, config.shape, prepared.c, seed)
        parts = list(shuffled(new, config.part, seed))
        trained = {
            label: partial(train, samples, config.shape, prepared.c, seed)
            for label, samples in ((OLD, old), (NEW, new), (BOTH, both))
        }
        add_seed(outcomes, trained, known, parts, tests)
    return table(outcomes, ["old body", "new body"], {"old body": BOTH, "new body": NEW})


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
