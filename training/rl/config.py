"""The settings of `infant-arm train-rl`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from infant_env.errors import UserError

from ..runs.config import Count, Many, OnCluster, RunConfig, Seeds, Threads
from ..runs.device import Device


@dataclass(frozen=True)
class Config(RunConfig, OnCluster):
    """Learn to reach by reinforcement. Fixed goals in the simulator judge each policy. An interrupted training goes on.

    The results go to the folder `rl/NAME` of the run.
    """

    algorithm: Literal["SAC", "TD3", "PPO", "random", "oracle", "imagery"] = "SAC"
    """SAC and TD3 learn with hindsight (HER), PPO on many infants. The others do not learn: random actions; an oracle that
    knows a pose for each goal; imagery: the agent's own guess of the pose, with its eyes closed."""
    goal: Literal["hand", "joints", "image"] = "hand"
    """What the goal is: a place of the hand, a pose, or a picture (as latents)."""
    hand: Literal["right", "left"] | None = None
    """The hand that reaches, if both move; by default the right one. The observation and the actions are those of both arms."""
    observation: Literal["joints", "latents", "winner", "pixels"] = "joints"
    """What the policy observes in addition to the joints: nothing, the picture's latents, the map's winner, or the picture."""
    world_model: Literal["none", "dyna", "imagined", "residual"] = "none"
    """dyna: imagined infants together with real ones; imagined: only imagined infants; residual: the actions correct the
    agent's own guess."""
    steps: Annotated[int, Meta(ge=1, le=100_000_000)] = 20_000
    """Control steps of the real infants; with `--world-model imagined`, of the imagined infants."""
    seeds: Seeds = 1
    """Number of seeds, beginning with `--seed`. They are trained one after the other; on a cluster at the same time."""
    infants: Annotated[int, Meta(ge=0, le=10_000)] = 0
    """Infants at the same time. 0: 64 for PPO, 8 for PPO with pictures and for imagined infants alone, otherwise 1."""
    imagined: Annotated[int, Meta(ge=1, le=1000)] = 3
    """Imagined infants for each real infant (dyna)."""
    reward: Literal["sparse", "dense"] = "dense"
    """dense: minus the distance; sparse: 0 if the goal is reached, otherwise -1."""
    goals: Count = 100
    """Fixed goals that judge a policy."""
    judged_every: Many = 1_000
    """Real steps between judgments."""
    kept_every: Many = 5_000
    """Real steps between checkpoints."""
    name: str = ""
    """Name of the results; by default it is made from the settings."""
    video: bool = True
    """Write a film of the first seed's policy."""
    device: Device = "cpu"
    """Where the policy is trained. Networks of this size are slower on a GPU."""
    threads: Threads = 1
    """Processor threads."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.goal == "image" and self.observation != "joints":
            raise UserError(
                f"got --goal image --observation {self.observation}, expected --observation joints: "
                "with picture goals the policy observes the latents already"
            )
        if self.hand and self.goal == "joints":
            raise UserError(
                f"got --goal joints with --hand {self.hand}, expected --goal hand or image: all joints must reach a pose"
            )
        if self.world_model in ("dyna", "imagined") and self.sees:
            raise UserError(
                f"got --world-model {self.world_model} with pictures, expected --goal hand or joints "
                "and --observation joints"
            )
        if self.residual and self.goal == "joints":
            raise UserError(
                "got --goal joints with the agent's own guess of the pose, expected --goal hand or image: "
                "the goal is the pose itself"
            )
        if self.algorithm == "PPO" and self.world_model == "dyna":
            raise UserError("got --algorithm PPO --world-model dyna, expected SAC or TD3: PPO has no replay buffer")

    @property
    def folder(self) -> Path:
        """The folder of the results."""
        parts = [self.algorithm.lower(), self.goal]
        parts += [
            part for part in (self.hand, self.observation, self.world_model) if part not in (None, "joints", "none")
        ]
        return self.run / "rl" / (self.name or "_".join(parts))

    @property
    def learns(self) -> bool:
        """Whether the algorithm learns."""
        return self.algorithm in ("SAC", "TD3", "PPO")

    @property
    def residual(self) -> bool:
        """Whether the actions correct the agent's own guess of the pose."""
        return self.world_model == "residual" or self.algorithm == "imagery"

    @property
    def sees(self) -> bool:
        """Whether pictures are rendered."""
        return self.goal == "image" or self.observation != "joints"

    @property
    def infants_at_once(self) -> int:
        """Infants at the same time."""
        several = self.algorithm == "PPO" or self.world_model == "imagined"
        usual = 1 if not several else 64 if self.algorithm == "PPO" and not self.sees else 8
        return self.infants or usual
