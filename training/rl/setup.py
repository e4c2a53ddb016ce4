"""Environments for reinforcement learning, as `infant-arm train-rl` asks for them, and how well a policy does in them."""

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

from ..data.info import read_info
from ..runs import folder as runs
from .config import Config

Act = Callable[[Any], NDArray[np.float32]]
"""From a batch of observations to actions."""
PIXEL_ROWS, LEAST_COLUMNS = 60, 36
"""Rows, and fewest columns, of the pictures that a policy is given as they are; of the paper's aspect they are 60x100."""
EPISODE = 25
"""Control steps of an episode."""
GAMMA = 0.7
"""Discount. An arm arrives within .2 s; looking farther ahead only blurs what the next 40 ms are worth: .83 of the goals are
reached within 2 cm at 8,000 steps, and with .9 no more than .69 at 9,000."""
_FIRST_GOAL_SEED = 1_000_000  # far from those of training
_SIDE_BY_SIDE = {True: 5, False: 20}  # infants that are judged together, with and without pictures


class Setup:
    """What a run's body, mind and imagination offer for learning.

    Args:
        config: the command's config.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.device = torch.device("cpu")  # one picture at a time
        self.info = read_info(runs.data_of(config.run))

    @property
    def arm(self) -> ArmModel:
        """The body that the run's data were collected with."""
        return self.info.arm

    @property
    def eye_size(self) -> tuple[int, int]:
        """Rows and columns of the eye's frames."""
        return self.info.recipe.eye_size

    @property
    def pixels(self) -> tuple[int, int]:
        """Rows and columns of the pictures that a policy is given as they are."""
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
        """Where the agent would go for a goal, with its eyes closed."""
        if self.config.goal == "image":
            return priors.of_pictures(Imagination.load(self.config.run, self.device))
        return priors.of_places(self.world)

    def infant(self) -> gym.Env[Any, Any]:
        """One infant with all that the config asks for, in real physics."""
        config = self.config
        size = self.pixels if config.observation == "pixels" else self.eye_size
        env = gym.make(
            "InfantArmReach-v0",
            goal="hand" if config.goal == "image" else config.goal,
            reward=config.reward,
            eye_size=size if config.sees else None,
            arm=self.arm,
        )
        if config.goal == "image":
            env = ImageGoals(env, self.mind, reward=config.reward)
        elif config.observation in ("latents", "winner"):
            env = LatentObservation(env, self.mind, config.observation)
        return Residual(env, self.prior) if config.residual else env

    def learning(self) -> VecEnv:
        """What is learned in."""
        config = self.config
        if config.world_model == "imagined":
            return self._many("agents:ImaginedArmReach-v0", config.at_once, world=self.world)
        if config.at_once > 1 and config.world_model == "none" and not config.sees:
            return self._many("InfantArmReach-v0", config.at_once)
        real = DummyVecEnv([lambda: Monitor(self.infant()) for _ in range(config.at_once)])
        if config.world_model == "dyna":
            imagined = config.imagined * config.at_once
            return TogetherVecEnv([real, self._many("agents:ImaginedArmReach-v0", imagined, world=self.world)])
        return real

    def scaled(self, env: VecEnv) -> VecNormalize:
        """With observations of one size, whatever their units: otherwise SAC reaches nothing in 7,000 steps."""
        names = [name for name in env.observation_space.spaces if name != "eye"]
        if self.config.observation == "pixels":
            env = VecTransposeImage(env)
        dense = self.config.reward == "dense"
        return VecNormalize(env, norm_reward=dense, norm_obs_keys=names, clip_obs=5.0, gamma=GAMMA)

    def unlearned(self, env: VecEnv, seed: int) -> Act:
        """What acts without having learned: at random, as an oracle that knows a pose for each goal, or by its own idea alone."""
        random = np.random.default_rng(seed)
        if self.config.algorithm == "random":
            return lambda _: random.uniform(-1, 1, (env.num_envs, *env.action_space.shape)).astype(np.float32)
        if self.config.algorithm == "oracle":
            body = env.unwrapped.envs[0].unwrapped
            return lambda _: body.action_for(np.stack(env.get_attr("goal_joints"))).clip(-1, 1)
        return lambda _: np.zeros((env.num_envs, *env.action_space.shape), np.float32)

    @property
    def real_share(self) -> float:
        """Real steps per step that is learned from."""
        return 1 / (1 + self.config.imagined) if self.config.world_model == "dyna" else 1.0

    @property
    def model_steps(self) -> int:
        """Real steps that the world model was learned from, when there is one in what is learned."""
        config = self.config
        asked = config.world_model in ("dyna", "imagined") or (config.residual and config.goal == "hand")
        return checkpoints.read_header(config.run / WORLD_MODEL, KIND)["config"]["steps"] if asked else 0

    def judging(self) -> VecEnv:
        """Infants that are judged side by side, in real physics."""
        return DummyVecEnv([self.infant] * min(_SIDE_BY_SIDE[self.config.sees], self.config.goals))

    def _many(self, name: str, infants: int, **keywords: Any) -> VecEnv:
        """Many infants in one process, real or imagined."""
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


def distances(env: VecEnv, act: Act, goals: int) -> NDArray[np.float64]:
    """How far from fixed goals episodes end, for one policy: `info["distance"]` of their last steps, shape (goals,).

    Args:
        env: infants side by side.
        act: the policy.
        goals: how many; the same for equal numbers of infants.
    """
    ends: list[float] = []
    while len(ends) < goals:
        env.seed(_FIRST_GOAL_SEED + len(ends))
        observations = env.reset()
        for _ in range(EPISODE):
            observations, _, _, infos = env.step(act(observations))
        ends += [info["distance"] for info in infos]
    return np.array(ends[:goals])
