"""`ImaginedArmReach-v0` with many infants at once: `InfantArmReach-v0` in the head; no simulator runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from infant_env import rewards
from infant_env.body import ArmModel
from infant_env.checks import check_choice, check_eye_size, check_options
from infant_env.reach_task import ReachTask
from infant_env.servos import CONTROL_HZ, Servos
from infant_env.vision import to_rgb

from .world_model import WorldModel

Observations = dict[str, NDArray[Any]]
Infos = dict[str, Any]
_SHOWN = (300, 500)  # rows and columns of rendered frames
_SAME_HAND = 0.002  # m


class ImaginedArmReachVectorEnv(VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):
    """`InfantArmReach-v0` with many imagined infants: spaces, goals, rewards and infos are those of the real environment.

    Code for `infant_env.vector_env.InfantArmReachVectorEnv` runs on it unmodified: episodes begin again in the step in which
    they end, and `infos["final_obs"]` holds the old one's last observation. What differs:

    - the arm moves, and is seen, as the world model imagines it: it touches nothing, and pictures are gray, with the sharpness
      of 64x64;
    - episodes begin, and goals lie, in poses that the infant remembers, each as likely as any other;
    - one random generator draws for all infants: an infant does not live the life of a single one seeded alike.

    Nothing is simulated. The body is looked at for the spaces, and when a reset is given options, to check these.

    ```python
    env = gym.make_vec(
        "agents.imagined_env:ImaginedArmReach-v0", 4096, vectorization_mode="vector_entry_point", world="runs/paper"
    )
    ```

    Args:
        num_envs: how many infants.
        max_episode_steps: after which an episode is truncated.
        world: the world model, or the folder of the run that holds it.
        goal: see `InfantArmReachEnv`, as all that follow but the last.
        reward: see there.
        threshold: see there.
        render_mode: None or "rgb_array": what each infant imagines to see, (300, 500, 3) uint8.
        age_months: see there; as in the run.
        eye_size: see there.
        arm: see there; the run's body.
        device: where to imagine, for a world model that is yet to be read.

    Raises:
        ValueError: an argument is unknown or out of range, there is no world model, or it is another arm's.
    """

    metadata = {  # noqa: RUF012 (Gymnasium's own form)
        "render_modes": ["rgb_array"],
        "render_fps": CONTROL_HZ,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = 25,
        *,
        world: WorldModel | str | Path,
        goal: str = "hand",
        reward: str = "sparse",
        threshold: float | None = None,
        render_mode: str | None = None,
        age_months: float = 12.0,
        eye_size: tuple[int, int] | None = None,
        arm: ArmModel | None = None,
        device: str = "cpu",
    ) -> None:
        check_choice("render_mode", render_mode, [None, *self.metadata["render_modes"]])
        if eye_size is not None:
            check_eye_size(eye_size)
        if min(num_envs, max_episode_steps) < 1:
            raise ValueError(
                f"got num_envs={num_envs} and max_episode_steps={max_episode_steps}, expected 1 or more each"
            )
        self.num_envs, self.max_episode_steps, self.render_mode = num_envs, max_episode_steps, render_mode
        self.arm = arm or ArmModel.infant(age_months)
        self.world = world if isinstance(world, WorldModel) else WorldModel.load(world, device)
        check_same_arm(self.world, self.arm)
        self.task = ReachTask(self.arm, goal, reward, threshold)
        self._servos, self._eye_size = Servos(self.arm, num_envs), eye_size
        self.single_action_space = self._servos.action_space
        self.single_observation_space = self.task.observation_space(eye_size)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._poses = self.world.poses.clamp(*self.world.response.ranges.T)
        self._hands = self.world.hand(self._poses)
        self._joints = self._poses.new_zeros(num_envs, self._poses.shape[1])
        self._velocities = torch.zeros_like(self._joints)
        self.goal_joints: NDArray[np.float64] = np.zeros(self._joints.shape)
        """Poses that reach the present goals, shape (N, 5), rad: what an oracle knows."""
        self._goals = np.zeros((num_envs, *self.task.goal_space.shape), np.float32)
        self._steps: int | None = None

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, Infos]:
        """Starts all episodes.

        Args:
            seed: a number or several, together of all infants; None: the random numbers go on.
            options: `joints` and `goal`, each for all infants, shape (J,), or for each of them, (N, J).

        Raises:
            ValueError: an option is unknown, misshapen or out of reach.
        """
        if seed is not None:
            own = seed if isinstance(seed, int) else np.random.SeedSequence([s or 0 for s in seed]).generate_state(1)[0]
            super().reset(seed=int(own))
        self._begin(check_options(options, ("joints", "goal")))
        observations = self._observe()
        return observations, self._infos(self._distances(observations))

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Imagines 40 ms with new targets of all servos; where episodes end, the next ones begin.

        Args:
            actions: shape (N, 5), in [-1, 1].

        Returns:
            Observations, rewards (N,), terminations (N,), truncations (N,), infos.

        Raises:
            ResetNeeded: before the first reset.
            ValueError: the actions are misshapen or not finite.
        """
        if self._steps is None:
            raise ResetNeeded("got a step before the first episode, expected reset() first")
        self._servos.targets(actions)  # checks them
        given = torch.as_tensor(np.asarray(actions, np.float32), device=self.world.device)
        self._joints, self._velocities = self.world.step(self._joints, self._velocities, given)
        self._steps += 1
        observations = self._observe()
        distances = self._distances(observations)
        infos, ended = self._infos(distances), self._steps >= self.max_episode_steps
        if ended:
            observations, infos = self._begin_again(observations, infos)
        rewarded = self.task.worth(distances)
        return observations, rewarded, np.zeros(self.num_envs, bool), np.full(self.num_envs, ended), infos

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """The rewards for goals, any number of them at once; see `InfantArmReachEnv.compute_reward`."""
        return self.task.compute_reward(achieved_goal, desired_goal)

    def action_for(self, joints: NDArray[Any]) -> NDArray[np.float32]:
        """The actions that send the arms to these joints, shape (N, 5); see `InfantArmEnv.action_for`."""
        return self._servos.action_for(joints)

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """What each infant imagines to see, (300, 500, 3) uint8, when `render_mode` is "rgb_array"."""
        return None if self.render_mode is None else tuple(to_rgb(self._pictures(), _SHOWN))

    def _begin(self, given: dict[str, Any]) -> None:
        """Starts all episodes; what is not given is drawn from the remembered poses."""
        starts, goals = self.np_random.integers(len(self._poses), size=(2, self.num_envs))
        self._joints, self._velocities = self._poses[starts].clone(), torch.zeros_like(self._joints)
        self.goal_joints = _numpy(self._poses[goals]).astype(np.float64)
        self._goals = self.task.goal_at(self.goal_joints, _numpy(self._hands[goals]).astype(np.float64))
        for infant in range(self.num_envs if given else 0):
            own = {name: np.asarray(v)[infant] if np.ndim(v) == 2 else v for name, v in given.items()}
            start = self.task.begin(self.np_random, own)
            if "joints" in own:
                self._joints[infant] = torch.as_tensor(start.joints)
            if "goal" in own:
                self._goals[infant], self.goal_joints[infant] = start.goal, start.goal_joints
        self._steps = 0

    def _begin_again(self, last: Observations, infos: Infos) -> tuple[Observations, Infos]:
        """Starts the next episodes; the infos keep what was observed last."""
        everyone = np.ones(self.num_envs, bool)
        each = np.empty(self.num_envs, object)
        each[:] = [{key: values[i] for key, values in last.items()} for i in range(self.num_envs)]
        self._begin({})
        observations = self._observe()
        final = {"final_obs": each, "_final_obs": everyone, "final_info": infos, "_final_info": everyone.copy()}
        return observations, self._infos(self._distances(observations)) | final

    def _observe(self) -> Observations:
        """What all infants feel, have achieved, desire and see; the caller's own."""
        joints = _numpy(self._joints)
        observations: Observations = {
            "observation": np.concatenate((joints, _numpy(self._velocities)), axis=1),
            "achieved_goal": self.task.goal_at(joints, _numpy(self.world.hand(self._joints)).astype(np.float64)),
            "desired_goal": self._goals.copy(),
        }
        if self._eye_size is not None:
            observations["eye"] = to_rgb(self._pictures(), self._eye_size)
        return observations

    def _pictures(self) -> NDArray[np.float32]:
        return _numpy(self.world.draw(self._joints))

    def _distances(self, observations: Observations) -> rewards.Floats:
        return self.task.distance(observations["achieved_goal"], observations["desired_goal"])

    def _infos(self, distances: rewards.Floats) -> Infos:
        """By name, and by _name for which infants it holds."""
        everyone = np.ones(self.num_envs, bool)
        reached = {"is_success": self.task.reached(distances), "_is_success": everyone}
        return reached | {"distance": distances, "_distance": everyone.copy()}


def check_same_arm(world: WorldModel, arm: ArmModel) -> None:
    """Raises a ValueError unless a world model was learned with an arm of this length and these joints."""
    pose, data = world.poses[0].cpu().double().numpy(), mujoco.MjData(arm.model)
    if len(pose) == len(arm.joint_names) and np.allclose(world.response.ranges.cpu(), arm.joint_ranges, atol=1e-4):
        arm.place(data, pose)
        apart = float(np.linalg.norm(arm.hand_position(data) - world.hand(world.poses[:1]).cpu().numpy()[0]))
        if apart < _SAME_HAND:
            return
    raise ValueError(
        "got a world model that was learned with another body than this one, expected the same joints and the hand in the same "
        "place; give the run's own age_months or arm"
    )


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(values.cpu().numpy())
