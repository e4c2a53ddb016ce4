"""Wrappers with a trained SOM-AE for any learning algorithm: goals as pictures, and pictures as latents.

The frozen encoder is part of the environment, so a replay buffer holds only a few numbers per picture.
"""

from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infant_env.body.checks import check_choice
from infant_env.envs.reach_env import InfantArmReachEnv
from infant_env.errors import UserError
from infant_env.senses.camera import HAND_IN_VIEW, EyeCamera
from infant_env.senses.modalities import GAZE, VISION
from infant_env.senses.vision import to_gray
from infant_env.tasks import rewards

from ..mind.som_autoencoder import SomAutoencoder

Observation = dict[str, NDArray[Any]]
_FARTHEST = 30.0  # bound of standardized latents, far beyond those of any picture
_MOST_GOALS = 1000  # draws in the search for a goal that shows the hand
_KEPT = "observation", GAZE  # of the wrapped environment's observation
_REWARDS = {"sparse": rewards.sparse, "dense": rewards.dense}


class ImageGoals(
    gym.Wrapper[Observation, NDArray[np.float32], Observation, NDArray[np.float32]], RecordConstructorArgs
):
    """`InfantArmReach-v0` with picture goals: the achieved and desired goals are latents of the eye's pictures.

    ```python
    env = ImageGoals(gym.make("InfantArmReach-v0", eye_size=(300, 500)), SomAutoencoder.load("runs/paper"))
    SAC("MultiInputPolicy", env, replay_buffer_class=HerReplayBuffer)  # hindsight works with pictures
    ```

    Goals are drawn until their picture shows the hand. The reward depends on the latents' distance; `info["is_success"]` and
    `info["distance"]` still come from the wrapped environment, so they compare poses, not pictures. An eye that moves sees its
    goals straight ahead, and observations also hold `gaze`. The infos of `reset` hold
    `goal_picture`, preprocessed, shape (64, 64), and the frame of the eye, `goal_frame`, shape (H, W, 3), uint8.

    Args:
        env: an environment with pictures (`eye_size`).
        mind: encodes the pictures.
        reward: "sparse": 0 if the latents' distance is at most the threshold, else -1; "dense": minus the distance.
        threshold: Euclidean distance of standardized latents at which a goal is reached; with .5, half of the hands are within
            2 cm.
        min_hand_in_view: a picture shows the hand if the hand covers this share of the pixels or more.

    Raises:
        UserError: the environment has no pictures, the reward is unknown, or the threshold is not above 0.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        mind: SomAutoencoder,
        reward: str = "sparse",
        threshold: float = 0.5,
        min_hand_in_view: float = HAND_IN_VIEW,
    ) -> None:
        own: dict[str, Any] = {"reward": reward, "threshold": threshold, "min_hand_in_view": min_hand_in_view}
        RecordConstructorArgs.__init__(self, mind=mind, **own, _disable_deepcopy=True)
        gym.Wrapper.__init__(self, env)
        _check_eye(env)
        if not 0 < threshold < np.inf:
            raise UserError(f"got threshold={threshold}, expected a distance of latents above 0, such as .5")
        check_choice("reward", reward, list(_REWARDS))
        self.mind, self.threshold, self._least = mind, threshold, min_hand_in_view
        self._reward = _REWARDS[reward]
        self._goal: NDArray[np.float32] = np.empty(0, np.float32)
        body = env.unwrapped
        assert isinstance(body, InfantArmReachEnv)
        self._body, self._data = body, body.arm.new_data()
        self._camera = EyeCamera(body.arm, env.observation_space["eye"].shape[:2], body.acuity)  # type: ignore[index]
        latents = _latent_space(mind)
        kept = {name: space for name, space in env.observation_space.spaces.items() if name in _KEPT}  # type: ignore[attr-defined]
        self.observation_space = spaces.Dict({**kept, "achieved_goal": latents, "desired_goal": latents})  # type: ignore[assignment]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode; a goal from the options need not show the hand.

        Raises:
            UserError: an option is wrong, or no goal shows the hand.
        """
        for _ in range(_MOST_GOALS):
            observation, info = self.env.reset(seed=seed, options=options)
            self._body.arm.place(self._data, self._body.goal_joints)
            if (options and "goal" in options) or self._shows_hand():
                frame = self._camera.render(self._data)
                picture = to_gray(frame)
                self._goal = _latents(self.mind, picture)
                return self._as_latents(observation), {**info, "goal_picture": picture, "goal_frame": frame}
            seed = None  # the random numbers continue
        raise UserError(
            f"got {_MOST_GOALS} goals whose pictures do not show the hand, expected an eye that sees it; turn the eye's camera "
            "to the arm, or lower min_hand_in_view"
        )

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Takes a step of the environment; the reward compares latents."""
        seen, _, terminated, truncated, info = self.env.step(action)
        observation = self._as_latents(seen)
        reward = self.compute_reward(observation["achieved_goal"], observation["desired_goal"], info)
        return observation, float(reward), terminated, truncated, info

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """Rewards of any number of latents: (..., D) and (..., D) -> (...); `info` is ignored."""
        return self._reward(rewards.hand_distance(achieved_goal, desired_goal), self.threshold)

    def close(self) -> None:
        """Frees the cameras."""
        self._camera.close()
        super().close()

    def _shows_hand(self) -> bool:
        """Whether the goal's picture shows the hand that must reach."""
        return self._camera.in_view(self._data)[1 + self._body.task.hand] >= self._least

    def _as_latents(self, seen: Observation) -> Observation:
        achieved = _latents(self.mind, to_gray(seen["eye"]), _looked(self.env, seen))
        kept = {name: values for name, values in seen.items() if name in _KEPT}
        return {**kept, "achieved_goal": achieved, "desired_goal": self._goal.copy()}


class LatentObservation(gym.ObservationWrapper[Observation, NDArray[np.float32], Observation], RecordConstructorArgs):
    """Replaces the eye's picture in an observation by its latents or by its winner on the map.

    Args:
        env: an environment of this project whose observation holds `eye`.
        mind: encodes the picture.
        kind: `latents`: the D standardized latents; `winner`: row and column of the map's winner, scaled to [0, 1].

    Raises:
        UserError: the environment has no pictures, or the kind is unknown.
    """

    def __init__(
        self, env: gym.Env[Any, Any], mind: SomAutoencoder, kind: Literal["latents", "winner"] = "latents"
    ) -> None:
        RecordConstructorArgs.__init__(self, mind=mind, kind=kind, _disable_deepcopy=True)
        gym.ObservationWrapper.__init__(self, env)
        _check_eye(env)
        if kind not in ("latents", "winner"):
            raise UserError(f"got kind={kind!r}, expected 'latents' or 'winner'")
        self.mind, self.kind = mind, kind
        code = _latent_space(mind) if kind == "latents" else spaces.Box(0, 1, (2,), np.float32)
        kept = {name: space for name, space in env.observation_space.spaces.items() if name != "eye"}  # type: ignore[attr-defined]
        self.observation_space = spaces.Dict({**kept, kind: code})  # type: ignore[assignment]

    def observation(self, observation: Observation) -> Observation:
        """The observation with the picture's latents or winner instead of the picture."""
        picture, gaze = to_gray(observation["eye"]), _looked(self.env, observation)
        code = _latents(self.mind, picture, gaze) if self.kind == "latents" else self._winner(picture, gaze)
        return {**{name: value for name, value in observation.items() if name != "eye"}, self.kind: code}

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """Rewards of the wrapped environment, which must have goals."""
        return self.env.get_wrapper_attr("compute_reward")(achieved_goal, desired_goal, info)

    def _winner(self, picture: NDArray[np.float32], gaze: Tensor | None) -> NDArray[np.float32]:
        rows, columns = self.mind.som.shape
        known = {} if gaze is None else {GAZE: gaze.to(self.mind.device)}
        winner = int(self.mind.som.winners({VISION: self.mind.latents(picture[None], gaze), **known})[0])
        return np.array([winner // columns / max(rows - 1, 1), winner % columns / max(columns - 1, 1)], np.float32)


def _check_eye(env: gym.Env[Any, Any]) -> None:
    space = env.observation_space
    if not isinstance(space, spaces.Dict) or "eye" not in space.spaces:
        raise UserError(
            f"got an environment that observes {space}, expected one with `eye`; make it with eye_size=(300, 500)"
        )


def _latent_space(mind: SomAutoencoder) -> spaces.Box:
    return spaces.Box(-_FARTHEST, _FARTHEST, (mind.autoencoder.latent_size,), np.float32)


def _looked(env: gym.Env[Any, Any], seen: Observation) -> Tensor | None:
    """The gaze of an eye that moves, in [0, 1], shape (1, 2); None if it is held."""
    if GAZE not in seen:
        return None
    body: Any = env.unwrapped
    return torch.from_numpy(body.arm.gaze.normalize(seen[GAZE][None]).astype(np.float32))


@torch.inference_mode()
def _latents(mind: SomAutoencoder, picture: NDArray[np.float32], gaze: Tensor | None = None) -> NDArray[np.float32]:
    return mind.latents(picture[None], gaze)[0].clamp(-_FARTHEST, _FARTHEST).cpu().numpy()
