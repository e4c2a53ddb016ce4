"""`ImaginedArmReach-v0` with many infants at once: `InfantArmReach-v0` in the world model, without a simulator."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import ArrayLike, NDArray

from infant_env.body.checks import check_counts, checked_eye_size, options_of, seed_of_each
from infant_env.body.model import ArmModel
from infant_env.body.servos import CONTROL_HZ, Servos
from infant_env.envs.many_env import Infants, Infos, ManyEnv, Observations
from infant_env.envs.simulated import as_arm
from infant_env.errors import UserError
from infant_env.given import shown, whole
from infant_env.senses.modalities import GAZE
from infant_env.tasks import rewards
from infant_env.tasks.reach_task import ReachTask
from infant_env.tasks.start import OPTIONS

from ..tools.threads import one_thread_after_fork
from .world_model import WorldModel

_SAME_HAND = 0.002  # m; largest difference of the hand's position between equal bodies


class ImaginedArmReachVectorEnv(ManyEnv, VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):  # skrl, too
    """`InfantArmReach-v0` with many imagined infants: spaces, goals, rewards and infos are those of the real environment.

    Code for `InfantArmReachVectorEnv` runs on it unmodified, with the same autoreset modes. The differences are:

    - the world model imagines the arm's motion and the pictures: there are no contacts, and pictures are gray, with the
      resolution of 64x64;
    - starts and goals are poses that the infant remembers, all equally likely;
    - all infants share one random generator, so an infant differs from a single one with the same seed.

    No simulator runs. The body only defines the spaces, and checks the options of a reset.

    ```python
    env = gym.make_vec(
        "agents:ImaginedArmReach-v0", 4096, vectorization_mode="vector_entry_point", world="runs/paper"
    )
    ```

    Args:
        num_envs: number of infants.
        max_episode_steps: an episode is truncated after this many steps.
        world: the world model, or the folder of its run.
        goal: see `InfantArmReachEnv`.
        reward: see `InfantArmReachEnv`.
        threshold: see `InfantArmReachEnv`.
        render_mode: None or "rgb_array": each infant's imagined picture, of the size of the run's frames, uint8.
        age_months: age of the infant; None: the run's own body.
        eye_size: see `InfantArmReachEnv`.
        arm: see `InfantArmReachEnv`; None: the run's own body.
        device: device of the world model if `world` is a folder.
        autoreset_mode: `AutoresetMode` or its value, see `ManyEnv`.

    Raises:
        UserError: an argument is unknown or out of range, there is no world model, or it belongs to another arm.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (Gymnasium's own form)
        "render_modes": ["rgb_array"],
        "render_fps": CONTROL_HZ,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    per_infant = ("goal_joints",)

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
        age_months: float | None = None,
        eye_size: tuple[int, int] | None = None,
        arm: ArmModel | Mapping[str, Any] | None = None,
        device: str = "cpu",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ) -> None:
        one_thread_after_fork()
        self.world = world if isinstance(world, WorldModel) else WorldModel.load(world, device)
        self.arm = (
            ArmModel.of(self.world.body, tested=True)
            if arm is None and age_months is None
            else as_arm(arm, age_months or 0.0)
        )
        self.eye_size = None if eye_size is None else checked_eye_size(eye_size)
        self.task = ReachTask(self.arm, goal, reward, threshold)
        check_counts(num_envs=num_envs)
        servos, space = Servos(self.arm, num_envs), self.task.observation_space(self.eye_size, gaze=True)
        super().__init__(
            num_envs, max_episode_steps, autoreset_mode, render_mode, space, servos.action_space, (*OPTIONS, "goal")
        )
        check_same_arm(self.world, self.arm)
        self._servos = servos
        self._poses = self.world.poses.clamp(*self.world.response.ranges.T)
        self._hands = self.world.hand(self._poses)
        self._size = self._poses.shape[1]
        # joints, followed by the gaze of an eye that moves
        self._joints = self._poses.new_zeros(num_envs, len(self.world.ranges))
        self._velocities = torch.zeros_like(self._joints)
        self.goal_joints: NDArray[np.float64] = np.zeros((num_envs, self._size))
        """Poses that reach the present goals, shape (N, 5), rad, for oracles."""
        self._goals = np.zeros((num_envs, *self.task.goal_space.shape), np.float32)

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """Rewards of any number of goals; see `InfantArmReachEnv.compute_reward`."""
        return self.task.compute_reward(achieved_goal, desired_goal)

    def action_for(self, joints: NDArray[Any], gaze: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """The actions whose targets are these joints, shape (N, 5), and this gaze; see `InfantArmEnv.action_for`."""
        return self._servos.action_for(joints, gaze)

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Each infant's imagined picture, of the size of the run's frames, uint8, if `render_mode` is "rgb_array"."""
        if self.render_mode is None:
            return None
        return tuple(self.world.format.to_rgb(self._pictures(slice(None)), self.world.eye_size))

    def _seed(self, seed: Any, infants: NDArray[np.bool_]) -> None:
        """Seeds the generator that all infants share; None for all infants continues its random numbers.

        Raises:
            UserError: see `seed_of_each`; or some infants have a seed and others have none.
        """
        each = seed_of_each(seed, self.num_envs)
        seeds = [one for one in each if one is not None]
        if not seeds:
            return
        if len(seeds) < len(each):
            raise UserError(
                f"got the seeds {shown(seed)}, expected numbers or None for all: imagined infants share one generator"
            )
        own = seeds[0] if whole(seed) is not None else int(np.random.SeedSequence(seeds).generate_state(1)[0])
        generator, _ = seeding.np_random(own)
        self._generators = [(generator, one) for one in seeds]

    def _random(self, infant: int) -> np.random.Generator:
        if self._generators[0] is None:
            generator, first = seeding.np_random()
            self._generators = [(generator, first)] * self.num_envs
        return super()._random(infant)

    def _begin(self, infants: Infants, options: dict[str, Any]) -> None:
        """Draws starts and goals from the remembered poses, unless the options give them."""
        random = self._random(0)
        given = [options_of(i, self.num_envs, options) for i in infants.tolist()] if options else []
        starts, goals = random.integers(len(self._poses), size=(2, len(infants)))
        self._joints[infants], self._velocities[infants] = self.world.looking_ahead(self._poses[starts]), 0
        self.goal_joints[infants] = _numpy(self._poses[goals]).astype(np.float64)
        hands = _numpy(self._hands[goals]).astype(np.float64)
        self._goals[infants] = self.task.goal_at(self.goal_joints[infants], hands)
        for infant, own in zip(infants.tolist(), given, strict=False):
            start = self.task.begin(random, own)
            if "joints" in own:
                self._joints[infant, : self._size] = torch.as_tensor(start.joints)
            self._joints[infant, self._size :] = torch.as_tensor(start.gaze)
            if "goal" in own:
                self._goals[infant], self.goal_joints[infant] = start.goal, start.goal_joints

    def _move(self, actions: NDArray[np.float32], infants: Infants | None) -> None:
        self._servos.targets(actions)  # checks them
        given = torch.as_tensor(np.asarray(actions, np.float32), device=self.world.device)
        rows = slice(None) if infants is None else infants
        moved = self.world.step(self._joints[rows], self._velocities[rows], given[rows])
        self._joints[rows], self._velocities[rows] = moved

    def _observe(self, infants: Infants | slice) -> Observations:
        joints, gaze = np.split(_numpy(self._joints[infants]), [self._size], axis=1)
        velocities = _numpy(self._velocities[infants])[:, : self._size]
        hands = _numpy(self.world.hand(self._joints[infants])).astype(np.float64)
        observations: Observations = {
            "observation": np.concatenate((joints, velocities), axis=1),
            "achieved_goal": self.task.goal_at(joints, hands),
            "desired_goal": self._goals[infants].copy(),
        }
        if self.eye_size is not None:
            observations["eye"] = self.world.format.to_rgb(self._pictures(infants), self.eye_size)
        if self.arm.gaze_joints:
            observations[GAZE] = gaze
        return observations

    def _evaluate(self, observations: Observations) -> tuple[NDArray[Any], Infos]:
        distances = self.task.distance(observations["achieved_goal"], observations["desired_goal"])
        return self.task.reward(distances), {"is_success": self.task.reached(distances), "distance": distances}

    def _pictures(self, infants: Infants | slice) -> NDArray[np.float32]:
        return _numpy(self.world.draw(self._joints[infants]))

    def _plain(self, value: Any) -> Any:
        return plain_world(value) if isinstance(value, WorldModel) else super()._plain(value)


def plain_world(world: WorldModel) -> Any:
    """The value of a world model in an environment's spec: its folder, or the model itself if it was not read from one."""
    return world if world.folder is None else str(world.folder)


def check_same_arm(world: WorldModel, arm: ArmModel) -> None:
    """Raises a UserError unless a world model was trained with an arm of this length, these joints and this gaze."""
    pose, data = world.poses[0].cpu().double().numpy(), arm.new_data()
    same_gaze = world.body.get("gaze", "held") == arm.body.gaze
    if (
        same_gaze
        and len(pose) == len(arm.joint_names)
        and np.allclose(world.response.ranges.cpu(), arm.joint_ranges, atol=1e-4)
    ):
        arm.place(data, pose)
        difference = arm.hand_position(data) - world.hand(world.poses[:1]).cpu().numpy()[0]
        if float(np.linalg.norm(difference)) < _SAME_HAND:
            return
    raise UserError(
        "got a world model that was trained with another body, expected the same joints, gaze and hand positions; give the run's "
        "own age_months or arm, or neither"
    )


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(values.cpu().numpy())
