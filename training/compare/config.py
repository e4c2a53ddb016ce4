"""The options of `infant-arm evaluate`."""

from dataclasses import dataclass
from typing import Literal

from infant_env.errors import UserError

from ..runs.config import Count, OnCluster, RunConfig, Seeds, Workers


@dataclass(frozen=True)
class Config(RunConfig, OnCluster):
    """Compute Table 1 on the test split, with yardsticks for comparison."""

    methods: Literal["trained", "all"] = "trained"
    """trained: only the trained methods; all: also trains what is missing, and writes `comparison.html` and `RESULTS.md`."""
    seeds: Seeds = 1
    """all: number of trainings of every method on the same poses, with the run's seed and the next ones."""
    workers: Workers = 2
    """all: number of training processes on this machine."""
    imagery: bool = False
    """trained: also score the agent's imagery; this takes minutes."""
    neighbors: Count = 4
    """Number of neighbors that `knn` averages."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.seeds > 1 and self.methods == "trained":
            raise UserError(f"got --seeds {self.seeds} without --methods all, which alone trains several seeds; add it")
