"""What stable-baselines3 needs of this project; the only file here that imports it."""

from collections.abc import Sequence
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
from infant_env.senses.vision import GRAY_SIZE, LUMA, area_filter

from ..networks.autoencoder import ConvAutoencoder


class LatentExtractor(BaseFeaturesExtractor):  # type: ignore[misc]  # stable-baselines3 is not typed here
    """A policy's features: the latents of `eye` by a frozen encoder, and all else of the observation as it is.

    `SAC("MultiInputPolicy", env, policy_kwargs={"features_extractor_class": LatentExtractor, "features_extractor_kwargs":
    {"autoencoder": "runs/paper/autoencoder.safetensors"}})`. The replay buffer then holds pictures: a wrapper
    (`image_goals.LatentObservation`) needs far less memory and time, and gives the same numbers.

    Args:
        observation_space: with `eye`, (3, H, W) as stable-baselines3 turns it.
        autoencoder: the trained autoencoder's file.

    Raises:
        UserError: there is no `eye`, or the file is missing or damaged.
    """

    rows: Tensor
    columns: Tensor
    luma: Tensor

    def __init__(self, observation_space: spaces.Dict, autoencoder: str | Path) -> None:
        if "eye" not in observation_space.spaces:
            raise UserError(f"got the observations {list(observation_space.spaces)}, expected `eye` among them")
        encoder = ConvAutoencoder.load(autoencoder)
        self.others = [name for name in observation_space.spaces if name != "eye"]
        others = sum(spaces.flatdim(observation_space[name]) for name in self.others)
        super().__init__(observation_space, encoder.latent_size + others)
        self.encoder = encoder.requires_grad_(False).eval()
        size = observation_space["eye"].shape[1:]  # type: ignore[index]
        rows, columns = (torch.from_numpy(area_filter(s, t)).float() for s, t in zip(size, GRAY_SIZE, strict=True))
        self.register_buffer("rows", rows)
        self.register_buffer("columns", columns)
        self.register_buffer("luma", torch.from_numpy(255 * LUMA))

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Observations as stable-baselines3 prepares them, `eye` (B, 3, H, W) in [0, 1] -> features (B, D + others)."""
        luminance = torch.einsum("bchw,c->bhw", observations["eye"], self.luma)
        latents = self.encoder.encode(self.rows @ luminance @ self.columns.T)
        return torch.cat([latents, *(observations[name].flatten(1) for name in self.others)], 1)


class TogetherVecEnv(VecEnv):  # type: ignore[misc]
    """Several environments of the same spaces as one: such as one real infant beside imagined ones (Dyna).

    What one learns from is then real and imagined in the parts' proportion. Attributes and methods are those of the first.

    Args:
        parts: at least one, each closed with this one.

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
        """Seeds the parts one after the other."""
        starts = [0, *self._ends[:-1].tolist()]
        seeds = [part.seed(None if seed is None else seed + at) for part, at in zip(self.parts, starts, strict=True)]
        return [one for some in seeds for one in some]

    def reset(self) -> VecEnvObs:
        """Starts all episodes."""
        return _joined([part.reset() for part in self.parts])

    def step_async(self, actions: NDArray[Any]) -> None:
        """Hands each part its actions."""
        for part, some in zip(self.parts, np.split(actions, self._ends[:-1]), strict=True):
            part.step_async(some)

    def step_wait(self) -> VecEnvStepReturn:
        """Takes the step in all parts; see `VecEnv.step_wait`."""
        observations, rewards, dones, infos = zip(*(part.step_wait() for part in self.parts), strict=True)
        return (
            _joined(observations),
            np.concatenate(rewards),
            np.concatenate(dones),
            [i for some in infos for i in some],
        )

    def close(self) -> None:
        """Closes the parts."""
        for part in self.parts:
            part.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The first part's attribute, once for each environment asked for."""
        return [self.parts[0].get_attr(attr_name, 0)[0] for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Sets an attribute of all parts."""
        for part in self.parts:
            part.set_attr(attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """The first part's method, such as `compute_reward`; its answer, once for each environment asked for."""
        answer = self.parts[0].env_method(method_name, *method_args, indices=0, **method_kwargs)[0]
        return [answer for _ in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Whether the first part's environment is, for each environment asked for."""
        return [self.parts[0].env_is_wrapped(wrapper_class, 0)[0] for _ in self._get_indices(indices)]


def _joined(observations: Sequence[VecEnvObs]) -> VecEnvObs:
    return {name: np.concatenate([some[name] for some in observations]) for name in observations[0]}


class InfantVecEnv(VecEnv):  # type: ignore[misc]  # stable-baselines3 is not typed here
    """A Gymnasium vector environment as stable-baselines3's `VecEnv`.

    `InfantVecEnv(gym.make_vec("InfantArmReach-v0", num_envs=64))` goes wherever stable-baselines3 takes an environment, also
    inside `VecMonitor` and `VecNormalize`. The infants are one object: an attribute or a method is asked of it once, and the
    answer given for each; `reset` and `step` have no single infant.

    Args:
        env: any vector environment of Gymnasium's; episodes begin again in the step in which they end, as stable-baselines3
            asks for it, whatever its `autoreset_mode` is.

    Raises:
        UserError: it does not say how its episodes begin again.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        self._mode = env.metadata.get("autoreset_mode")
        if not isinstance(self._mode, AutoresetMode):
            raise UserError(
                f"got an environment with the autoreset_mode {self._mode}, expected one of Gymnasium's in "
                "env.metadata; make it by gym.make_vec"
            )
        self.env = env
        self._actions: NDArray[Any] = np.empty(0)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> VecEnvObs:
        """Starts all episodes, with the seeds of `seed` and the options of `set_options`."""
        observations, infos = self.env.reset(seed=self._seeds[0], options=_together(self._options))
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = _singly(infos, self.num_envs)
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keeps the actions, shape (N, J), for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Takes the step.

        Returns:
            Observations; rewards (N,), float32; which episodes ended (N,); and infos, of which those of ended episodes hold
            `terminal_observation` and `TimeLimit.truncated`.
        """
        observations, rewards, terminated, truncated, infos = self.env.step(self._actions)
        dones = terminated | truncated
        singly = _singly({name: infos[name] for name in infos if "final_" not in name}, self.num_envs)
        if dones.any() and self._mode is AutoresetMode.SAME_STEP:
            last, finals, firsts = infos["final_obs"], _singly(infos["final_info"], self.num_envs), singly
        elif dones.any():
            last, finals = list(iterate(self.env.observation_space, observations)), singly
            observations, infos = self.env.reset(options={"reset_mask": dones})
            firsts = _singly(infos, self.num_envs)
        for i in np.flatnonzero(dones):
            self.reset_infos[i] = firsts[i]
            singly[i] = finals[i] | {"terminal_observation": last[i]}
        for info, late in zip(singly, (truncated & ~terminated).tolist(), strict=True):
            info["TimeLimit.truncated"] = late
        return observations, rewards.astype(np.float32), dones, singly

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
        """The environment's attribute, once for each infant asked for; spaces are a single infant's."""
        single = f"single_{attr_name}"
        name = single if self.has_attr(single) else attr_name
        value = getattr(self.env if hasattr(self.env, name) else self.env.unwrapped, name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Sets the environment's attribute, for all infants.

        Raises:
            UserError: it shall be set for some of them only.
        """
        if set(self._get_indices(indices)) != set(range(self.num_envs)):
            raise UserError(f"got indices={indices} to set {attr_name!r}, expected None: all infants are one object")
        setattr(self.env.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Calls the environment's method once, such as `compute_reward`; its answer, once for each infant asked for."""
        answer = self.get_attr(method_name, indices=0)[0](*method_args, **method_kwargs)
        return [answer for _ in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for each infant asked for: wrappers of single environments are not to be found here."""
        return [False for _ in self._get_indices(indices)]


def _singly(infos: dict[str, Any], infants: int) -> list[dict[str, Any]]:
    """Gymnasium's infos, arrays by name with masks by _name, as a dictionary for each infant."""
    singly: list[dict[str, Any]] = [{} for _ in range(infants)]
    for name, values in infos.items():
        if not name.startswith("_"):
            rows = (
                _singly(values, infants)
                if isinstance(values, dict)
                else values.tolist()
                if values.ndim == 1
                else values
            )
            for i in np.flatnonzero(infos[f"_{name}"]):
                singly[i][name] = rows[i]
    return singly


def _together(options: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Options given to each infant, as rows.

    Raises:
        UserError: some infants have options that others lack.
    """
    if any(given.keys() != options[0].keys() for given in options):
        raise UserError(f"got the options {list(options)}, expected the same names for each infant")
    return {name: np.stack([given[name] for given in options]) for name in options[0]} or None
