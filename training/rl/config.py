"""What `infant-arm train-rl` can be asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stable_baselines3 import PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm

from infant_env.errors import UserError

from ..runs.config import check_counts
from ..runs.device import Device

ALGORITHMS: dict[str, type[BaseAlgorithm]] = {"SAC": SAC, "TD3": TD3, "PPO": PPO}


@dataclass(frozen=True)
class Config:
    """Learn to reach by reinforcement, judged on fixed goals in real physics; goes on where it stopped."""

    run: Path
    """The run's folder, with what was trained; the results go to its `rl/NAME`."""
    algorithm: Literal["SAC", "TD3", "PPO", "random", "oracle", "imagery"] = "SAC"
    """SAC and TD3 learn with hindsight (HER), PPO on many infants. Not learned: random actions; an oracle that knows a pose
    for the goal; imagery: the agent's own idea, with its eyes closed."""
    goal: Literal["hand", "joints", "image"] = "hand"
    """Where the hand shall be, which pose, or what the eye shall see (as latents)."""
    observation: Literal["joints", "latents", "winner", "pixels"] = "joints"
    """What it observes beside its joints: nothing, the picture's latents, the map's winner, or the picture."""
    world_model: Literal["none", "dyna", "imagined", "residual"] = "none"
    """dyna: imagined infants beside the real one; imagined: no real one; residual: corrects the agent's own idea."""
    steps: int = 20_000
    """Control steps of the real infant (of imagined ones when there is no real one)."""
    seeds: int = 1
    """How many seeds, one after the other."""
    infants: int = 0
    """Infants at once; 0: 64 for PPO, 8 when these see or when SAC's or TD3's are imagined, else 1."""
    imagined: int = 3
    """Imagined infants beside a real one (dyna)."""
    reward: Literal["sparse", "dense"] = "dense"
    """dense: minus the distance; sparse: 0 where the goal is reached, else -1."""
    goals: int = 100
    """Fixed goals that a policy is judged on."""
    judged_every: int = 1_000
    """Real steps between judgments."""
    kept_every: int = 5_000
    """Real steps between checkpoints."""
    name: str = ""
    """Of the results; by default what is learned, and how."""
    video: bool = True
    """Write a film of what the first seed learned."""
    seed: int = 0
    """The first seed: of the policy, of what it tries, and of its goals."""
    device: Device = "cpu"
    """Where the policy is trained; such small networks are slower on a GPU."""
    threads: int = 1
    """Processor threads."""

    def __post_init__(self) -> None:
        check_counts(self, "steps", "seeds", "imagined", "goals", "judged_every", "kept_every", "threads")
        if self.infants < 0:
            raise UserError(f"got infants={self.infants}, expected 1 or more, or 0 for as many as usual")
        if self.goal == "image" and self.observation != "joints":
            raise UserError(
                f"got --goal image --observation {self.observation}, expected --observation joints: "
                "what is achieved and desired are latents already"
            )
        if self.world_model in ("dyna", "imagined") and (self.goal == "image" or self.observation != "joints"):
            raise UserError(
                f"got --world-model {self.world_model} with pictures, expected --goal hand or joints "
                "and --observation joints"
            )
        if self.residual and self.goal == "joints":
            raise UserError(
                "got --goal joints for the agent's own idea, expected --goal hand or image: the pose is the goal"
            )
        if self.algorithm == "PPO" and self.world_model == "dyna":
            raise UserError("got --algorithm PPO --world-model dyna, expected SAC or TD3: PPO has no replay buffer")

    @property
    def folder(self) -> Path:
        """Where the results go."""
        parts = [self.algorithm.lower(), self.goal]
        parts += [part for part in (self.observation, self.world_model) if part not in ("joints", "none")]
        return self.run / "rl" / (self.name or "_".join(parts))

    @property
    def learns(self) -> bool:
        """Whether there is anything to learn."""
        return self.algorithm in ALGORITHMS

    @property
    def residual(self) -> bool:
        """Whether actions shift the agent's own idea."""
        return self.world_model == "residual" or self.algorithm == "imagery"

    @property
    def sees(self) -> bool:
        """Whether pictures are rendered."""
        return self.goal == "image" or self.observation != "joints"

    @property
    def at_once(self) -> int:
        """Infants at once."""
        several = self.algorithm == "PPO" or self.world_model == "imagined"
        usual = 1 if not several else 64 if self.algorithm == "PPO" and not self.sees else 8
        return self.infants or usual
