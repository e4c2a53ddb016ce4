"""The settings of `infant-arm bench goals`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from ...runs.config import Checked, OnCluster, Seeds, Workers
from .agents.registry import AGENTS
from .goals import MOST


@dataclass(frozen=True, kw_only=True)
class GoalOptions(OnCluster, Checked):
    """What only the benchmark of image goals needs."""

    out: Path = Path("runs/bench_goals")
    """goals: the folder of the results; what is done there is not done again."""
    agent: tuple[str, ...] = tuple(AGENTS)
    """goals: agents by name, or your own, such as `examples/your_agent.py:NearestPicture`."""
    budgets: tuple[Annotated[int, Meta(ge=20, le=10_000_000)], ...] = (150, 3_000, 20_000)
    """goals: real control steps from which an agent may learn."""
    goals: Annotated[int, Meta(ge=1, le=MOST)] = MOST
    """goals: number of goals, the first of the 1,000."""
    seeds: Seeds = 3
    """goals: trainings of each agent at each budget, with `--seed` and the next ones."""
    workers: Workers = 1
    """goals: processes at a time."""
    validation: bool = False
    """goals: other goals, to choose the settings of an agent on."""
