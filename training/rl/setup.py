"""The environments of `infant-arm train-rl`, and how near a policy comes to its goals in them."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecMonitor, VecNormalize, VecTransposeImage

import infant_env  # noqa: F401 (registers the environments)
from agents.mind.imagination import Imagination
from agents.mind.som_autoencoder import SomAutoencoder
from agents.rl import priors
from agents.rl.image_goals import ImageGoals, LatentObservation
from agents.rl.residual import Prior, Residual
from agents.rl.sb3 import InfantVecEnv, TogetherVecEnv
from agents.tools import checkpoints
from agents.world.world_model import KIND, WORLD_MODEL, WorldModel
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses.modalities import TOUCH
from infant_env.senses.sense import EYE

from ..data.info import read_info
from ..data.recipe.arm_options import hands_that_reach
from ..data.recipe.checks import check_simulated
from ..runs import folder as runs
from .config import Config

Policy = Callable[[Any], NDArray[np.float32]]
"""From a batch of observations to actions."""
PIXEL_ROWS, LEAST_COLUMNS = 60, 36
"""Rows and minimum columns of the pictures for `--observation pixels`; 60x100 for the paper's eye."""
EPISODE = 25
"""Control steps of an episode."""
GAMMA = 0.7
"""Discount. The arm arrives within .2 s. A larger discount blurs the value of the next 40 ms: with .7 a share of .83 of the goals
is reached within 2 cm after 8,000 steps, with .9 only .69 after 9,000."""
_FIRST_GOAL_SEED = 1_000_000  # far from the seeds of training
_JUDGED_TOGETHER = {True: 5, False: 20}  # infants, with and without pictures


class Setup:
    """The environments and fixed policies that a config asks for, with the body and the checkpoints of its run.

    Args:
        config: the command's settings.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.device = torch.device("cpu")  # it sees one picture at a time
        self.info = read_info(runs.data_of(config.run))
        check_simulated(self.info.recipe, runs.data_of(config.run), "`infant-arm train-rl`")
        if config.sees and self.info.recipe.displaced:
            told = f"got the run {config.run}, whose data were collected with --seen"
            raise UserError(
                f"{told}, expected a run without --seen: policies that see need an arm that is seen where it is"
            )
        if config.hand is not None:
            hands_that_reach(config.hand, self.arm)
        self.hand = config.hand if len(self.arm.hands) > 1 else None
        """The hand that reaches, if both move; None: the first one."""

    @property
    def arm(self) -> ArmModel:
        """The body that collected the run's data."""
        return self.info.arm

    @property
    def eye_size(self) -> tuple[int, int]:
        """Rows and columns of the eye's frames."""
        return self.info.recipe.eye_size

    @property
    def pixels(self) -> tuple[int, int]:
        """Rows and columns of the pictures for `--observation pixels`."""
        rows, columns = self.eye_size
        return PIXEL_ROWS, max(round(PIXEL_ROWS * columns / rows), LEAST_COLUMNS)

    @cached_property
    def mind(self) -> SomAutoencoder:
        """The trained SOM-AE."""
        return SomAutoencoder.load(self.config.run, self.device)

    @cached_property
    def world(self) -> WorldModel:
        """The trained world model."""
        return WorldModel.load(self.config.run, self.device)

    @cached_property
    def prior(self) -> Prior:
        """The agent's own guess of the pose for a goal, with its eyes closed."""
        if self.config.goal == "image":
            return priors.of_pictures(Imagination.load(self.config.run, self.device))
        return priors.of_places(self.world)

    def infant(self) -> gym.Env[Any, Any]:
        """One simulated infant with the goals and observations of the config."""
        config = self.config
        without = (TOUCH,) if config.sees else (TOUCH, EYE)
        size = self.pixels if config.observation == "pixels" else self.eye_size
        env = gym.make(
            "InfantArmReach-v0",
            goal="hand" if config.goal == "image" else config.goal,
            reward=config.reward,
            hand=self.hand,
            eye_size=size if config.sees else None,
            arm=self.arm,
            fovea=False,  # the policy sees the wide view alone
            senses={name: sense for name, sense in self.info.recipe.imperfect.items() if name not in without},
            acuity=self.info.recipe.acuity if config.sees else None,
        )
        if config.goal == "image":
            env = ImageGoals(env, self.mind, reward=config.reward, min_hand_in_view=self.info.recipe.min_hand_in_view)
        elif config.observation in ("latents", "winner"):
            env = LatentObservation(env, self.mind, config.observation)
        return Residual(env, self.prior) if config.residual else env

    def training_env(self) -> VecEnv:
        """The environment of the training."""
        config = self.config
        if config.world_model == "imagined":
            return self._vector_env("agents:ImaginedArmReach-v0", config.infants_at_once, world=self.world)
        if config.infants_at_once > 1 and config.world_model == "none" and not config.sees:
            return self._vector_env("InfantArmReach-v0", config.infants_at_once, hand=self.hand)
        real = DummyVecEnv([lambda: Monitor(self.infant()) for _ in range(config.infants_at_once)])
        if config.world_model == "dyna":
            imagined = config.imagined * config.infants_at_once
            return TogetherVecEnv([real, self._vector_env("agents:ImaginedArmReach-v0", imagined, world=self.world)])
        return real

    def scaled(self, env: VecEnv) -> VecNormalize:
        """The environment with normalized observations; without them SAC reaches nothing in 7,000 steps."""
        names = [name for name in env.observation_space.spaces if name != "eye"]
        if self.config.observation == "pixels":
            env = VecTransposeImage(env)
        dense = self.config.reward == "dense"
        return VecNormalize(env, norm_reward=dense, norm_obs_keys=names, clip_obs=5.0, gamma=GAMMA)

    def fixed_policy(self, env: VecEnv, seed: int) -> Policy:
        """A policy that does not learn: random actions, the oracle, or the agent's own guess without a correction."""
        random = np.random.default_rng(seed)
        if self.config.algorithm == "random":
            return lambda _: random.uniform(-1, 1, (env.num_envs, *env.action_space.shape)).astype(np.float32)
        if self.config.algorithm == "oracle":
            body = env.unwrapped.envs[0].unwrapped
            return lambda _: body.action_for(np.stack(env.get_attr("goal_joints"))).clip(-1, 1)
        return lambda _: np.zeros((env.num_envs, *env.action_space.shape), np.float32)

    @property
    def real_share(self) -> float:
        """Real steps per training step."""
        return 1 / (1 + self.config.imagined) if self.config.world_model == "dyna" else 1.0

    @property
    def model_steps(self) -> int:
        """Real steps that trained the world model; 0 if the policy does not use it."""
        config = self.config
        uses_it = config.world_model in ("dyna", "imagined") or (config.residual and config.goal == "hand")
        return checkpoints.read_header(config.run / WORLD_MODEL, KIND)["config"]["steps"] if uses_it else 0

    def judging_env(self) -> VecEnv:
        """The simulated infants that judge a policy, side by side."""
        return DummyVecEnv([self.infant] * min(_JUDGED_TOGETHER[self.config.sees], self.config.goals))

    def _vector_env(self, name: str, infants: int, **keywords: Any) -> VecEnv:
        """Many simulated or imagined infants in one process."""
        env = gym.make_vec(
            name,
            num_envs=infants,
            vectorization_mode="vector_entry_point",
            goal=self.config.goal,
            reward=self.config.reward,
            arm=self.arm,
            **keywords,
        )
        return VecMonitor(InfantVecEnv(env))


def final_distances(env: VecEnv, policy: Policy, goals: int) -> NDArray[np.float64]:
    """Distances between infant and goal at the end of episodes with fixed goals.

    Args:
        env: infants side by side; equal numbers of infants get equal goals.
        policy: the policy.
        goals: number of episodes.

    Returns:
        `info["distance"]` of each episode's last step, shape (goals,).
    """
    ends: list[float] = []
    while len(ends) < goals:
        env.seed(_FIRST_GOAL_SEED + len(ends))
        observations = env.reset()
        for _ in range(EPISODE):
            observations, _, _, infos = env.step(policy(observations))
        ends += [info["distance"] for info in infos]
    return np.array(ends[:goals])
