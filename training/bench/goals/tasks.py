"""One task for each agent, budget and seed: it learns, is tried, and its outcome is a file that is not made again."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from agents.tools import files, json_files
from agents.tools.files import DamagedFileError, write_json
from infant_env.body.model import ArmModel

from ...runs.device import threads
from ...runs.pool import Task, run_all
from .agents.entry import LearningEnv
from .agents.registry import content_of, label_of, new_agent
from .config import GoalOptions
from .goals import TEST, VALIDATION, Goals, checksum, poses
from .trial import EPISODE, Outcome, tried

VERSION = 1
"""Rises when the benchmark changes, so that older outcomes do not count."""
SEEN = "seen"
"""Folder of what was seen while babbling; may be deleted."""


class Kept(Struct, frozen=True):
    """The file of a task."""

    key: str
    """What the outcome depends on."""
    outcome: Outcome
    taken: int
    """Real steps that were used."""
    learning_s: float
    """Processor seconds of learning, without the simulator's."""


@dataclass(frozen=True)
class Try:
    """One agent at one budget with one seed."""

    agent: str
    budget: int
    seed: int
    goals: int
    validation: bool
    out: Path

    @property
    def path(self) -> Path:
        """Its file."""
        of = "validation" if self.validation else "test"
        return self.out / of / f"{label_of(self.agent)}-{self.budget}-seed{self.seed}.json"

    @property
    def key(self) -> str:
        """What the outcome depends on."""
        about = {"version": VERSION, "goals": self.goals, "episode": EPISODE, "file": content_of(self.agent)}
        return files.checksum(about)

    def kept(self) -> Kept | None:
        """The outcome, if it is there and was made with the same settings."""
        try:
            found = json_files.read(self.path, Kept, "it is made again")
        except (FileNotFoundError, DamagedFileError):
            return None
        return found if found.key == self.key else None


def tries_of(options: GoalOptions, first_seed: int) -> list[Try]:
    """All tries, those of the first seed first, of small budgets first."""
    seeds = range(first_seed, first_seed + options.seeds)
    sizes = options.goals, options.validation, options.out
    return [Try(agent, budget, seed, *sizes) for seed in seeds for budget in options.budgets for agent in options.agent]


def run_missing(tries: list[Try], options: GoalOptions) -> None:
    """Runs the tries that are not done; on a cluster, or in some processes."""
    missing = [one for one in tries if one.kept() is None]
    log = options.out / "goals.log"
    tasks = [Task(f"{label_of(t.agent)} {t.budget:,} seed {t.seed}", learn_and_try, t, log) for t in missing]
    if tasks:
        run_all(tasks, options.out, options.workers, options.cluster)


def learn_and_try(asked: Try) -> None:
    """Learns, tries all goals, and writes the outcome."""
    with threads(1):
        agent, arm = new_agent(asked.agent), ArmModel.infant()
        env = LearningEnv(asked.budget, asked.seed, asked.out / SEEN)
        start = time.process_time()
        agent.learn(env, asked.budget, asked.seed)
        learning = time.process_time() - start - env.simulated_s
        env.close()
        goals = Goals(arm, poses(arm, asked.goals, VALIDATION if asked.validation else TEST))
        outcome = tried(agent, asked.agent, goals)
        goals.close()
    write_json(asked.path, json_files.plain(Kept(asked.key, outcome, env.taken, round(learning, 1))))


def outcomes(tries: list[Try]) -> Iterator[tuple[Try, Kept]]:
    """What is there of these tries."""
    for one in tries:
        found = one.kept()
        if found is not None:
            yield one, found


def goals_checksum(count: int, validation: bool = False) -> str:
    """The checksum of the goals on this machine."""
    return checksum(poses(ArmModel.infant(), count, VALIDATION if validation else TEST))
