"""What `infant-arm evaluate` can be asked for."""

from dataclasses import dataclass
from typing import Literal

from infant_env.errors import UserError

from ..runs.config import RunConfig


@dataclass(frozen=True)
class Config(RunConfig):
    """Compute Table 1 on the test split, beside honest yardsticks."""

    methods: Literal["trained", "all"] = "trained"
    """trained: what lies in the run's folder; all: also trains what is missing, and writes `comparison.html` and `RESULTS.md`."""
    seeds: int = 1
    """all: so many trainings of every method on the same poses, with the run's seed and the next ones."""
    workers: int = 2
    """all: processes that train side by side."""
    imagery: bool = False
    """trained: also what the agent's imagination recalls; it thinks of every test picture, for minutes."""
    neighbors: int = 4
    """How many neighbors `knn` averages."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.seeds > 1 and self.methods == "trained":
            raise UserError(
                f"got --seeds {self.seeds} without --methods all, which is what trains several seeds; add it"
            )
