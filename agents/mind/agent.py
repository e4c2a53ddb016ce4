"""The agent of the paper's last page: it imagines a goal, reaches for it, looks, and corrects itself."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infant_env.errors import UserError

from .imagination import Hypotheses, Imagination
from .packed import unpack
from .planning import PosePlanner
from .search.goals import Goals

Observation = dict[str, NDArray[Any]]
_RESTS_BELOW = 0.05  # rad/s; a slower arm has arrived or is stopped by the body
_SETTLING = 4  # control steps before a resting arm counts as arrived
_BLOCKED = 0.1  # rad; if an arm rests farther from its targets, the body blocks it
_SAME_PICTURE = 2e-6  # mean squared difference of pictures; below it, corrections have no visible effect
_NO_MOVE = 2e-3  # rad; smaller corrections count as none
_HELPS = 0.5  # a correction helps if it leaves less than this share of the error
_PLAUSIBLE = 1.0  # a hypothesis is plausible if its error is at most this multiple of the best look's


@dataclass(frozen=True)
class Look:
    """A pose and what is seen in it; `error` is its mean squared difference from the goal, without new things in either."""

    joints: NDArray[np.float32]
    seen: Goals
    error: float


class MentalImageryAgent:
    """Takes a picture as its goal, finds poses that may show it, moves to the likeliest, looks, and corrects itself.

    ```python
    agent = MentalImageryAgent.load("runs/paper")
    agent.see_goal(goal_frame)  # or agent.imagine_goal(joints)
    observation, _ = env.reset()
    while not agent.done:
        observation, *_ = env.step(agent.act(observation))
    ```

    If the eye moves, a goal is a picture and the gaze of the eye that saw it, and the agent looks there all the time.

    `agent.hypotheses` holds these poses with probabilities. `agent.impossible` says whether the body probably cannot show the
    goal; the caller decides what to do, and the agent tries its best anyway.

    It is also a policy, for one infant or for many with a goal each:

    ```python
    env = InfantVecEnv(gym.make_vec("InfantArmReach-v0", 20, eye_size=(300, 500), goal_eye=True))
    mean, deviation = evaluate_policy(agent, env, n_eval_episodes=100)  # stable-baselines3's
    ```

    Args:
        imagination: the trained imagination.
        hypotheses: number of poses that may show the goal.
        looks: largest number of looks; with 0, it acts without looking.
    """

    def __init__(self, imagination: Imagination, hypotheses: int = 5, looks: int = 5) -> None:
        if looks < 0:
            raise UserError(f"got looks={looks}, expected 0 or more")
        self.imagination, self.count, self.most_looks = imagination, hypotheses, looks
        self.hypotheses: Hypotheses | None = None
        """Poses that may show the goal, a batch of one."""
        self.targets: NDArray[np.float32] | None = None
        """The joint targets, shape (J,), rad."""
        self.sent: NDArray[np.float32] | None = None
        """The joints of its last action: its targets, or a pose on a way around its body."""
        self._seen_goal: Goals | None = None  # the goal, and which of its pixels count; a batch of one
        self.gaze: NDArray[np.float32] | None = None
        """Where an eye that moves saw the goal, shape (2,), rad. It is None for straight ahead."""
        self.looks: list[Look] = []
        self.done = False
        """Whether it plans no further correction."""
        self._shown: NDArray[np.float32] | None = None  # the goal picture of the last observation that had one
        self._first: MentalImageryAgent | None = None  # the agent whose planner it shares
        self._others: list[MentalImageryAgent] = []  # agents of the other infants
        self._branch: list[Look] = []  # looks at the present hypothesis and its corrections
        self._way: deque[NDArray[np.float32]] = deque()  # remaining poses of a way around the body
        self._went_around = False  # whether it took a way around to these targets
        self._waited, self._untried = 0, 0  # control steps since the last new target; index of the next hypothesis

    @classmethod
    def load(
        cls, folder: str | Path, hypotheses: int = 5, looks: int = 5, device: str | torch.device = "cpu"
    ) -> "MentalImageryAgent":
        """Reads the trained imagination from a run's folder.

        Raises:
            UserError: a file is missing or damaged, or the files belong to different trainings.
        """
        return cls(Imagination.load(folder, device), hypotheses, looks)

    @classmethod
    def pretrained(
        cls,
        address: str | Path | None = None,
        hypotheses: int = 5,
        looks: int = 5,
        device: str | torch.device = "cpu",
    ) -> "MentalImageryAgent":
        """An infant that was trained already; its map is trained again in some seconds, and nothing is kept on disk.

        Args:
            address: a file of `infant-arm pack`, or an address such as `hf://NAME/REPOSITORY/infant.safetensors`; None: the
                infant that comes with this package, trained by the paper's preset.
            hypotheses: number of poses that may show the goal.
            looks: largest number of looks.
            device: where it computes.

        Raises:
            UserError: the file is missing or damaged, or it holds no infant.
        """
        return cls(unpack(address, device).imagination, hypotheses, looks)

    @property
    def goal(self) -> NDArray[np.float32] | None:
        """The goal picture, in the training's light, in [0, 1]; its shape is that of the imagination's format."""
        if self._seen_goal is None:
            return None
        return self._seen_goal.pictures.view(self.imagination.format.shape).cpu().numpy()

    def imagine(self, joints: NDArray[Any] | Tensor, gaze: NDArray[Any] | Tensor | None = None) -> NDArray[np.float32]:
        """What it would see in poses: joints (B, J), and the gaze (B, 2) or (2,), in rad -> pictures (B, 64, 64)."""
        return self.imagination.draw(joints, gaze).cpu().numpy()

    def imagine_goal(self, joints: NDArray[Any]) -> None:
        """Takes the imagined picture of a pose (J,), rad, as its goal, and forgets the pose."""
        self.set_goal(self.imagine(np.asarray(joints)[None])[0])

    def see_goal(self, eye: NDArray[np.uint8], gaze: NDArray[Any] | None = None) -> None:
        """Takes a frame of the eye as its goal, shape (H, W, 3), uint8; `gaze` as in `set_goal`."""
        self.set_goal(self.imagination.format.squeeze(eye), gaze=gaze)

    def set_goal(
        self,
        picture: NDArray[np.float32],
        hypotheses: Hypotheses | None = None,
        gaze: NDArray[Any] | None = None,
    ) -> None:
        """Takes a preprocessed picture as its goal, and finds hypotheses for it.

        Args:
            picture: in the format of its imagination, in [0, 1].
            hypotheses: hypotheses for this picture, a batch of one, if `Imagination.hypotheses` has found them already.
            gaze: where an eye that moves saw it, shape (2,), rad; None: straight ahead.

        Raises:
            UserError: the picture or the gaze has a wrong shape or holds NaN.
        """
        seen_goal = self._in_usual_view(picture, gaze)
        given = None if gaze is None else np.asarray(gaze, np.float32)[None]
        self.hypotheses = hypotheses or self.imagination.hypotheses(np.asarray(picture)[None], self.count, given)
        self._seen_goal, self.gaze = seen_goal, None if given is None else given[0]
        self.looks, self.done = [], False
        self._branch, self._untried = [], 1
        self._set_targets(self.hypotheses.joints[0, 0].cpu().numpy())

    def plan(self, start: NDArray[Any], goal: NDArray[Any]) -> NDArray[np.float32]:
        """A way between two poses, (J,) each, rad -> one pose per control step, (T, J); see `PosePlanner.plan`.

        `imagine` turns it into a film.
        """
        return self.planner.plan(start, goal)

    @cached_property
    def planner(self) -> PosePlanner:
        """Plans ways over its map; the first access takes some seconds."""
        return PosePlanner(self.imagination.mind) if self._first is None else self._first.planner

    @property
    def knows_ways(self) -> bool:
        """Whether its planner exists already."""
        return "planner" in vars(self)

    @property
    def trying(self) -> int:
        """Index of the present hypothesis, 0 for the likeliest."""
        return self._untried - 1

    @property
    def impossible(self) -> bool:
        """Whether the goal is stranger than 99 % of the pictures of this body."""
        return self.hypotheses is not None and float(self.hypotheses.strangeness[0]) > 1

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """The action toward the goal, in `InfantArm-v0`, or `InfantArmReach-v0` with an eye; looks when the arm rests.

        If the arm rests because the body blocks it, it first takes a planned way around.

        If the observation has a `goal` (a frame of the eye) that differs from the last one, the agent takes it as its goal.

        Args:
            observation: with `eye`, and with either `joints` and `joint_velocities` or `observation`, their concatenation.

        Returns:
            Joint targets scaled to [-1, 1], shape (J,); of an eye that moves, followed by its targets, (J + 2,).

        Raises:
            UserError: it has no goal yet, or the observation lacks an entry.
        """
        observation = _with_joints(observation)
        _take_goals([self], [observation])
        self._waited += 1
        resting = np.abs(observation["joint_velocities"]).max() < _RESTS_BELOW
        if not self.done and self._waited > _SETTLING and resting:
            self.look(observation)
        return self.action()

    @property
    def on_its_way(self) -> bool:
        """Whether its next action is a pose on a way around its body."""
        return bool(self._way)

    def action(self) -> NDArray[np.float32]:
        """Its next joint targets, and those of an eye that moves, scaled to [-1, 1], shape (J,) or (J + 2,)."""
        goal = self._checked_goal()
        if self._way:
            self._waited = 0
        self.sent = self._way.popleft() if self._way else self.targets
        joints = self.imagination.mind.normalize(np.asarray(self.sent))
        targets = torch.cat([joints, goal.gaze[0]]).cpu().numpy()
        return (2 * targets - 1).clip(-1, 1).astype(np.float32)

    def predict(
        self, observation: Observation, state: Any = None, episode_start: Any = False, deterministic: bool = True
    ) -> tuple[NDArray[np.float32], Any]:
        """`act` in the form of stable-baselines3's policies, for one infant or a batch (`evaluate_policy`).

        Each infant of a batch has its own goal, hypotheses and looks; goals that arrive together are processed together.
        At the start of an episode, an infant tries its goal again from the first hypothesis.

        Args:
            observation: as in `act`, or with a row for each infant.
            state: returned unchanged.
            episode_start: whether an episode starts, for all infants or for each, shape (N,).
            deterministic: ignored.

        Returns:
            Actions, shape (J,), or (N, J) for a batch, and the state.

        Raises:
            UserError: see `act`.
        """
        observation = _with_joints(observation)
        if np.ndim(observation["eye"]) == 3:
            batch, agents = [observation], [self]
        else:
            rows = range(len(observation["eye"]))
            batch, agents = (
                [{key: value[i] for key, value in observation.items()} for i in rows],
                self._agents(len(rows)),
            )
        for agent, starts in zip(agents, np.broadcast_to(episode_start, len(batch)), strict=True):
            if starts and agent.goal is not None:
                agent.set_goal(agent.goal, agent.hypotheses, agent.gaze)
        _take_goals(agents, batch)
        actions = np.stack([agent.act(one) for agent, one in zip(agents, batch, strict=True)])
        return (actions[0] if batch[0] is observation else actions), state

    def sibling(self, looks: int | None = None) -> "MentalImageryAgent":
        """An agent with the same imagination and planner, and without a goal.

        Args:
            looks: its largest number of looks; by default the same.
        """
        other = MentalImageryAgent(self.imagination, self.count, self.most_looks if looks is None else looks)
        other._first = self
        return other

    def _agents(self, infants: int) -> "list[MentalImageryAgent]":
        """One agent per infant, this one first; new agents take its goal."""
        while len(self._others) < infants - 1:
            other = self.sibling()
            if self.goal is not None:
                other.set_goal(self.goal, self.hypotheses, self.gaze)
            self._others.append(other)
        return [self, *self._others[: infants - 1]]

    def _new_goal(self, observation: Observation) -> NDArray[np.float32] | None:
        """The preprocessed goal of an observation; None if it has no goal, or the same as before."""
        if "goal" not in observation:
            return None
        picture = self.imagination.format.squeeze(observation["goal"])
        return None if self._shown is not None and np.array_equal(picture, self._shown) else picture

    def look(self, observation: Observation) -> None:
        """Compares what it sees with its goal, and chooses the next pose: a correction, or another hypothesis.

        If the arm rests far from its targets, the body blocks it; then it takes a way around instead, once.

        Args:
            observation: with `eye` and `joints`, when the arm rests.

        Raises:
            UserError: it has no goal yet.
        """
        goal = self._checked_goal()
        if self._goes_around(observation["joints"]):
            return
        if len(self.looks) >= self.most_looks:
            self.done = True
            return
        seen = self._seen(observation)
        error = float(goal.unlike(seen))
        joints = np.asarray(observation["joints"], np.float32)
        self.looks.append(Look(joints, seen, error))
        self._branch.append(self.looks[-1])
        if error < _SAME_PICTURE:
            self.done = True
        elif len(self.looks) == self.most_looks:
            self._settle()
        else:
            self._choose_next_pose()

    @property
    def best_look(self) -> Look | None:
        """The look whose picture is most similar to the goal."""
        return min(self.looks, key=lambda look: look.error, default=None)

    def compare(self, observation: Observation) -> float:
        """Mean absolute difference between what it sees and its goal picture.

        Raises:
            UserError: it has no goal yet.
        """
        seen = self._seen(observation)
        return float((seen.pictures - self._checked_goal().pictures).abs().mean())

    def _seen(self, observation: Observation) -> Goals:
        return self._in_usual_view(self.imagination.format.squeeze(observation["eye"]), observation.get("gaze"))

    def _in_usual_view(self, picture: NDArray[np.float32], gaze: NDArray[Any] | None) -> Goals:
        return self.imagination.in_usual_view(
            np.asarray(picture)[None], None if gaze is None else np.asarray(gaze)[None]
        )

    def _choose_next_pose(self) -> None:
        """Corrects the present pose as long as corrections remove most of the error; else tries another hypothesis."""
        *before, last = self._branch
        helped = not before or last.error < _HELPS * min(look.error for look in before)
        if not helped and self._another_is_plausible():
            assert self.hypotheses is not None
            self._set_targets(self.hypotheses.joints[0, self._untried].cpu().numpy())
            self._branch, self._untried = [], self._untried + 1
            return
        best = min(self._branch, key=lambda look: look.error)
        if best is last:
            self._correct(best)
        else:
            self._set_targets(((best.joints + last.joints) / 2).astype(np.float32))

    def _another_is_plausible(self) -> bool:
        """Whether the imagined error of the next hypothesis is not much above the error of the best look."""
        assert self.hypotheses is not None
        assert self.best_look is not None
        if self._untried >= self.hypotheses.joints.shape[1] or bool(self.hypotheses.repeated[0, self._untried]):
            return False
        return float(self.hypotheses.errors[0, self._untried]) < _PLAUSIBLE * self.best_look.error

    def _correct(self, look: Look) -> None:
        """Corrects the pose of this look by the error of its imagined picture."""
        joints = torch.from_numpy(look.joints).to(self.imagination.mind.device)
        targets = self.imagination.corrected(self._checked_goal(), look.seen, joints).cpu().numpy()
        if np.abs(targets - look.joints).max() < _NO_MOVE:
            self._settle()
        else:
            self._set_targets(targets)

    def _settle(self) -> None:
        """Moves to the pose of the best look and ends; if no correction helped, to the pose of the first look."""
        first, best = self.looks[0], self.best_look
        assert best is not None
        self._set_targets((best if best.error < _HELPS * first.error else first).joints)
        self.done = True

    def _set_targets(self, joints: NDArray[np.float32]) -> None:
        self.targets, self._waited = joints, 0
        self._way.clear()
        self._went_around = False

    def _goes_around(self, joints: NDArray[np.float32]) -> bool:
        """Plans a way around if the body blocks an arm that rests in this pose; returns whether it did."""
        assert self.targets is not None
        if self._went_around or np.abs(joints - self.targets).max() < _BLOCKED:
            return False
        low, high = self.planner.joint_ranges.T
        self._way.extend(self.plan(joints.clip(low, high), self.targets.clip(low, high)))
        self._went_around = True
        return True

    def _checked_goal(self) -> Goals:
        if self._seen_goal is None:
            raise UserError(
                "the agent has no goal; give it one with see_goal, imagine_goal or set_goal, or by observations that hold "
                "`goal`, such as those of InfantArmReach-v0 with goal_eye=True"
            )
        return self._seen_goal


def _with_joints(observation: Observation) -> Observation:
    """Adds `joints` and `joint_velocities` if the observation has only their concatenation, `observation`.

    Raises:
        UserError: the observation has no `eye` or no joints.
    """
    if "eye" in observation and "joints" in observation:
        return observation
    if "eye" not in observation or "observation" not in observation:
        raise UserError(
            f"got an observation of {list(observation)}, expected `eye`, and `joints` or `observation`; make the environment "
            "with eye_size=(300, 500)"
        )
    joints, velocities = np.split(observation["observation"], 2, axis=-1)
    return {**observation, "joints": joints, "joint_velocities": velocities}


def _take_goals(agents: Sequence[MentalImageryAgent], observations: Sequence[Observation]) -> None:
    """Sets the goals of all agents whose observations show a new one; computes their hypotheses together."""
    goals = [agent._new_goal(one) for agent, one in zip(agents, observations, strict=True)]
    new = [(agent, goal) for agent, goal in zip(agents, goals, strict=True) if goal is not None]
    if not new:
        return
    found = agents[0].imagination.hypotheses(np.stack([goal for _, goal in new]), agents[0].count)
    for number, (agent, goal) in enumerate(new):
        agent.set_goal(goal, found.of(number))
        agent._shown = goal
