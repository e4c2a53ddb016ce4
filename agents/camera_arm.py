"""Any environment that has a camera and joints, in the form that the agent knows."""

import re
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike, NDArray

from infant_env.errors import UserError

RENDER = "render"
"""The camera's name where frames come from the environment's `render()`."""


class CameraArm(gym.Wrapper[Any, Any, Any, Any]):
    """An environment with a camera and joints, seen and moved as `MentalImageryAgent` does it.

    ```python
    agent = MentalImageryAgent.load("runs/mine")
    env = CameraArm(gym.make("YourArm-v0"), agent.imagination.mind.joint_ranges, eye="camera", joints="q")
    agent.see_goal(picture)
    observation, _ = env.reset()
    while not agent.done:
        observation, *_ = env.step(agent.act(observation))
    ```

    An observation has `eye` (a frame, (H, W, 3), uint8), `joints` (J,), rad, and `joint_velocities` (J,), rad/s. An action holds
    joint targets, scaled to [-1, 1] by the joint ranges.

    Where the environment's observation space does not tell the size of a frame, the environment is reset once to see one.

    Args:
        env: the environment.
        joint_ranges: lower and upper end of each joint's range, shape (J, 2), rad.
        eye: the entry of the observation that holds the frame, entries inside of others as `outer/inner`; `render`: what
            `env.render()` returns.
        joints: the entry of the joints, or a part of it, such as `qpos[0:5]`; a part alone, `[0:5]`, of an observation that is an
            array.
        velocities: the entry of the joints' velocities; by default, they follow from the joints and the time of a step.
        step_s: time of one step, s; by default 1 / `render_fps` of the environment, otherwise .04.
        degrees: whether the environment's joints, velocities and targets are in degrees.
        action: what the environment wants for joint targets (J,); by default the targets themselves, within its action space.

    Raises:
        UserError: an entry is missing, or does not fit.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        joint_ranges: ArrayLike,
        eye: str = "eye",
        joints: str = "joints",
        velocities: str | None = None,
        step_s: float | None = None,
        degrees: bool = False,
        action: Callable[[NDArray[np.float64]], Any] | None = None,
    ) -> None:
        super().__init__(env)
        self.joint_ranges = np.asarray(joint_ranges, np.float64).reshape(-1, 2)  # (J, 2)
        self._eye, self._joints, self._velocities = eye, joints, velocities
        self._step_s = step_s or 1 / float(env.metadata.get("render_fps") or 25)
        self._unit = np.pi / 180 if degrees else 1.0
        self._wanted = self._within_space if action is None else action
        self._before: NDArray[np.float64] | None = None
        count = len(self.joint_ranges)
        if action is None and getattr(env.action_space, "shape", None) != (count,):
            raise UserError(
                f"got an environment with the actions {env.action_space}, expected a Box of {count} joint targets; give action=, "
                "which turns the targets into an action"
            )
        self.action_space = gym.spaces.Box(-1, 1, (count,), np.float32)
        self.observation_space = gym.spaces.Dict(
            eye=gym.spaces.Box(0, 255, _shape(env, eye), np.uint8),
            joints=gym.spaces.Box(-np.inf, np.inf, (count,), np.float32),
            joint_velocities=gym.spaces.Box(-np.inf, np.inf, (count,), np.float32),
        )

    def reset(self, **options: Any) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Resets the environment; see `gymnasium.Env.reset`."""
        observation, info = self.env.reset(**options)
        self._before = None
        return self._seen(observation), info

    def step(self, action: NDArray[Any]) -> tuple[dict[str, NDArray[Any]], Any, bool, bool, dict[str, Any]]:
        """Moves toward joint targets that are scaled to [-1, 1]; see `gymnasium.Env.step`."""
        low, high = self.joint_ranges.T
        targets = low + (np.asarray(action, np.float64) + 1) / 2 * (high - low)
        observation, *rest = self.env.step(self._wanted(targets / self._unit))
        return self._seen(observation), *rest  # type: ignore[return-value]

    def _within_space(self, targets: NDArray[np.float64]) -> NDArray[Any]:
        space: Any = self.env.action_space
        return np.clip(targets, space.low, space.high).astype(space.dtype)

    def _seen(self, observation: Any) -> dict[str, NDArray[Any]]:
        angles = numbers_in(observation, self._joints) * self._unit
        if angles.shape != (len(self.joint_ranges),):
            raise UserError(
                f"got {angles.size} joints in {self._joints!r}, expected {len(self.joint_ranges)}, as the agent has learned"
            )
        if self._velocities is not None:
            velocities = numbers_in(observation, self._velocities) * self._unit
        else:
            velocities = (angles - (angles if self._before is None else self._before)) / self._step_s
        self._before = angles
        seen = {"joints": angles, "joint_velocities": velocities}
        return {"eye": frame_in(self.env, observation, self._eye)} | {n: v.astype(np.float32) for n, v in seen.items()}


def _shape(env: gym.Env[Any, Any], eye: str) -> tuple[int, ...]:
    """The shape of a frame."""
    space: Any = env.observation_space
    for part in eye.split("/") if eye != RENDER else [RENDER]:
        space = space.spaces.get(part) if isinstance(space, gym.spaces.Dict) else None
    return frame_in(env, env.reset()[0], eye).shape if space is None else tuple(space.shape)


def frame_in(env: gym.Env[Any, Any], observation: Any, eye: str) -> NDArray[np.uint8]:
    """The frame that an environment shows, (H, W, 3), uint8.

    Args:
        env: the environment.
        observation: its last observation.
        eye: see `CameraArm`.

    Raises:
        UserError: there is no such entry, or it is no frame.
    """
    frame = np.asarray(env.render() if eye == RENDER else entry(observation, eye))
    if frame.ndim != 3 or frame.shape[-1] != 3 or frame.dtype != np.uint8:
        mend = "; make the environment with render_mode='rgb_array'" if eye == RENDER else ""
        raise UserError(
            f"got {frame.dtype} of shape {frame.shape} from {eye!r}, expected an RGB frame (H, W, 3) of uint8{mend}"
        )
    return np.ascontiguousarray(frame)


def numbers_in(observation: Any, key: str) -> NDArray[np.float64]:
    """The numbers of an entry of an observation, or of a part of it such as `qpos[0:5]`, (D,).

    Raises:
        UserError: there is no such entry, or the key cannot be read.
    """
    name, part = key_of(key)
    return np.asarray(entry(observation, name), np.float64).reshape(-1)[part]


def key_of(text: str) -> tuple[str, slice]:
    """A quantity's name and the part of it that is meant, from a text such as `qpos[0:5]`.

    Raises:
        UserError: the text is no name, or a name with a part.
    """
    found = re.fullmatch(r"([^\[\]]*)(?:\[(\d*):(\d*)\])?", text)
    if found is None:
        raise UserError(f"got the key {text!r}, expected a name such as joints, or a part of it such as joints[0:5]")
    first, last = (int(end) if end else None for end in found.groups()[1:])
    return found[1], slice(first, last)


def entry(observation: Any, name: str) -> Any:
    """An entry of an observation; one inside of another has the name `outer/inner`, and `''` is the observation itself.

    Raises:
        UserError: there is no such entry.
    """
    at = observation
    for part in name.split("/") if name else ():
        if not isinstance(at, dict) or part not in at:
            known = list(at) if isinstance(at, dict) else f"an array {np.shape(at)}"
            raise UserError(f"got the entry {name!r}, but the observation has {known}")
        at = at[part]
    return at
