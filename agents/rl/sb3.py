"""Adapters to stable-baselines3; the only file of the agents that imports it."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import iterate
from numpy.typing import NDArray
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn
from torch import Tensor

from infant_env.errors import UserError
from infant_env.senses.sense import EYE, EYE_LEFT, FOVEA
from infant_env.senses.vision import GRAY_SIZE, LUMA, area_filter

from ..networks.autoencoder import ConvAutoencoder


class LatentExtractor(BaseFeaturesExtractor):  # type: ignore[misc]  # stable-baselines3 is not typed here
    """A policy's features: the latents of each eye's frame from a frozen encoder, and the rest of the observation unchanged.

    A fovea is left out: the encoder knows the wide view alone.

    `SAC("MultiInputPolicy", env, policy_kwargs={"features_extractor_class": LatentExtractor, "features_extractor_kwargs":
    {"autoencoder": "runs/paper/autoencoder.safetensors"}})`. With it, the replay buffer holds pictures. The wrapper
    `image_goals.LatentObservation` needs far less memory and time, and gives the same numbers.

    Args:
        observation_space: a space with `eye`, (3, H, W), as transposed by stable-baselines3.
        autoencoder: file of the trained autoencoder.

    Raises:
        UserError: there is no `eye`, the file is missing or damaged, or its eye moves.
    """

    rows: Tensor
    columns: Tensor
    luma: Tensor

    def __init__(self, observation_space: spaces.Dict, autoencoder: str | Path) -> None:
        if EYE not in observation_space.spaces:
            raise UserError(
                f"got the observations {list(observation_space.spaces)}, expected `eye` too; give eye_size=(300, 500)"
            )
        encoder = ConvAutoencoder.load(autoencoder)
        if encoder.told:
            raise UserError(
                f"got {autoencoder} of an eye that moves, expected one of an eye that is held; the wrapper "
                "`image_goals.LatentObservation` tells it the gaze"
            )
        self.eyes = [name for name in (EYE, EYE_LEFT) if name in observation_space.spaces]
        self.others = [name for name in observation_space.spaces if name not in (*self.eyes, FOVEA)]
        others = sum(spaces.flatdim(observation_space[name]) for name in self.others)
        super().__init__(observation_space, encoder.latent_size * len(self.eyes) + others)
        self.encoder = encoder.requires_grad_(False).eval()
        size = observation_space[EYE].shape[1:]  # type: ignore[index]
        rows, columns = (torch.from_numpy(area_filter(s, t)).float() for s, t in zip(size, GRAY_SIZE, strict=True))
        self.register_buffer("rows", rows)
        self.register_buffer("columns", columns)
        self.register_buffer("luma", torch.from_numpy(255 * LUMA))

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Observations preprocessed by stable-baselines3, `eye` (B, 3, H, W) in [0, 1] -> features (B, D + others)."""
        seen = [self._latents(observations[name]) for name in self.eyes]
        return torch.cat([*seen, *(observations[name].flatten(1) for name in self.others)], 1)

    def _latents(self, frames: Tensor) -> Tensor:
        luminance = torch.einsum("bchw,c->bhw", frames, self.luma)
        return self.encoder.encode(self.rows @ luminance @ self.columns.T)


class TogetherVecEnv(VecEnv):  # type: ignore[misc]
    """Combines vector environments with equal spaces, for example a real infant and imagined ones (Dyna).

    The mixture of real and imagined transitions follows from the parts' numbers of infants. Attributes and methods are those
    of the first part.

    Args:
        parts: one or more environments; `close` closes them all.

    Raises:
        UserError: their spaces differ.
    """

    def __init__(self, parts: Sequence[VecEnv]) -> None:
        first = parts[0]
        for part in parts[1:]:
            if (part.observation_space, part.action_space) != (first.observation_space, first.action_space):
                raise UserError(
                    f"got environments of the spaces {first.observation_space} and {part.observation_space}, "
                    "expected equal ones"
                )
        self.parts = list(parts)
        self._ends = np.cumsum([part.num_envs for part in parts])
        super().__init__(int(self._ends[-1]), first.observation_space, first.action_space)

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Seeds all parts with consecutive seeds."""
        starts = [0, *self._ends[:-1].tolist()]
        seeds = [part.seed(None if seed is None else seed + at) for part, at in zip(self.parts, starts, strict=True)]
        return [one for seeds_of_part in seeds for one in seeds_of_part]

    def reset(self) -> VecEnvObs:
        """Starts all episodes."""
        return _concatenated([part.reset() for part in self.parts])

    def step_async(self, actions: NDArray[Any]) -> None:
        """Passes each part its actions."""
        for part, own in zip(self.parts, np.split(actions, self._ends[:-1]), strict=True):
            part.step_async(own)

    def step_wait(self) -> VecEnvStepReturn:
        """Takes the step in all parts; see `VecEnv.step_wait`."""
        observations, rewards, dones, infos = zip(*(part.step_wait() for part in self.parts), strict=True)
        return _concatenated(observations), np.concatenate(rewards), np.concatenate(dones), list(chain(*infos))

    def close(self) -> None:
        """Closes the parts."""
        for part in self.parts:
            part.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The first part's attribute, once per selected environment."""
        return [self.parts[0].get_attr(attr_name, 0)[0] for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Sets an attribute of all parts."""
        for part in self.parts:
            part.set_attr(attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Calls a method of the first part, such as `compute_reward`; its result, once per selected environment."""
        answer = self.parts[0].env_method(method_name, *method_args, indices=0, **method_kwargs)[0]
        return [answer for _ in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Whether the first part's environment has the wrapper, once per selected environment."""
        return [self.parts[0].env_is_wrapped(wrapper_class, 0)[0] for _ in self._get_indices(indices)]


def _concatenated(observations: Sequence[VecEnvObs]) -> VecEnvObs:
    return {name: np.concatenate([part[name] for part in observations]) for name in observations[0]}


class InfantVecEnv(VecEnv):  # type: ignore[misc]  # stable-baselines3 is not typed here
    """A Gymnasium vector environment as stable-baselines3's `VecEnv`.

    `InfantVecEnv(gym.make_vec("InfantArmReach-v0", num_envs=64))` works wherever stable-baselines3 takes an environment, also
    inside `VecMonitor` and `VecNormalize`. The infants are one object: attributes are read and methods are called once, with
    the result for every infant; `reset` and `step` always act on all infants.

    Args:
        env: any Gymnasium vector environment. For any `autoreset_mode`, episodes restart in the step in which they end, as
            stable-baselines3 expects.

    Raises:
        UserError: the environment has no `autoreset_mode`.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        self._mode = env.metadata.get("autoreset_mode")
        if not isinstance(self._mode, AutoresetMode):
            raise UserError(
                f"got an environment with the autoreset_mode {self._mode}, expected one of Gymnasium's in "
                "env.metadata; make it with gym.make_vec"
            )
        self.env = env
        self._actions: NDArray[Any] = np.empty(0)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> VecEnvObs:
        """Starts all episodes, with the seeds of `seed` and the options of `set_options`."""
        observations, infos = self.env.reset(seed=self._seeds[0], options=_stacked(self._options))
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = _per_infant(infos, self.num_envs)
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keeps the actions, shape (N, J), for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Takes the step.

        Returns:
            Observations; rewards (N,), float32; the mask of ended episodes (N,); and infos, with `TimeLimit.truncated`, and
            with `terminal_observation` for ended episodes.
        """
        observations, rewards, terminated, truncated, infos = self.env.step(self._actions)
        dones = terminated | truncated
        each = _per_infant({name: infos[name] for name in infos if "final_" not in name}, self.num_envs)
        if dones.any() and self._mode is AutoresetMode.SAME_STEP:
            last, finals, firsts = infos["final_obs"], _per_infant(infos["final_info"], self.num_envs), each
        elif dones.any():
            last, finals = list(iterate(self.env.observation_space, observations)), each
            observations, infos = self.env.reset(options={"reset_mask": dones})
            firsts = _per_infant(infos, self.num_envs)
        for i in np.flatnonzero(dones):
            self.reset_infos[i] = firsts[i]
            each[i] = finals[i] | {"terminal_observation": last[i]}
        for info, late in zip(each, (truncated & ~terminated).tolist(), strict=True):
            info["TimeLimit.truncated"] = late
        return observations, rewards.astype(np.float32), dones, each

    def close(self) -> None:
        """Closes the environment."""
        self.env.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Each infant from outside."""
        images: Sequence[Any] = self.env.render() or [None] * self.num_envs
        return images

    def has_attr(self, attr_name: str) -> bool:
        """Whether the environment has an attribute."""
        return hasattr(self.env, attr_name) or hasattr(self.env.unwrapped, attr_name)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The environment's attribute, once per selected infant; spaces are those of a single infant."""
        single = f"single_{attr_name}"
        name = single if self.has_attr(single) else attr_name
        value = getattr(self.env if hasattr(self.env, name) else self.env.unwrapped, name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Sets the environment's attribute for all infants.

        Raises:
            UserError: `indices` selects only some of them.
        """
        if set(self._get_indices(indices)) != set(range(self.num_envs)):
            raise UserError(f"got indices={indices} to set {attr_name!r}, expected None: all infants are one object")
        setattr(self.env.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Calls a method of the environment once, such as `compute_reward`; its result, once per selected infant."""
        answer = self.get_attr(method_name, indices=0)[0](*method_args, **method_kwargs)
        return [answer for _ in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for each selected infant: there are no wrappers of single environments."""
        return [False for _ in self._get_indices(indices)]


def _per_infant(infos: dict[str, Any], infants: int) -> list[dict[str, Any]]:
    """Converts Gymnasium's infos, arrays by name with masks by _name, into one dictionary per infant."""
    each: list[dict[str, Any]] = [{} for _ in range(infants)]
    for name, values in infos.items():
        if name.startswith("_"):
            continue
        if isinstance(values, dict):
            rows: Any = _per_infant(values, infants)
        else:
            rows = values.tolist() if values.ndim == 1 else values
        for i in np.flatnonzero(infos[f"_{name}"]):
            each[i][name] = rows[i]
    return each


def _stacked(options: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Stacks the infants' options, one row per infant.

    Raises:
        UserError: some infants have options that others lack.
    """
    if any(given.keys() != options[0].keys() for given in options):
        raise UserError(f"got the options {list(options)}, expected the same names for each infant")
    return {name: np.stack([given[name] for given in options]) for name in options[0]} or None
