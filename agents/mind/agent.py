"""The agent of the paper's last page: it imagines a situation, remembers how to get there, looks, and corrects itself."""

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
from infant_env.senses.vision import to_gray

from .imagination import Hypotheses, Imagination
from .planning import PosePlanner

Observation = dict[str, NDArray[Any]]
_RESTS_BELOW = 0.05  # rad/s: the arm has arrived, or cannot go on
_SETTLING = 4  # control steps before a resting arm counts as arrived
_HELD_UP = 0.1  # rad: an arm that rests farther from where it should be has met the body
_ALIKE = 2e-6  # mean squared difference of pictures: no correction would show
_NO_MOVE = 2e-3  # rad: a correction below this is none
_HELPS = 0.5  # a correction that leaves less than this share of the error helps
_PLAUSIBLE = 1.0  # another hypothesis is, up to this many times the error of the best look


@dataclass(frozen=True)
class Look:
    """What it saw in a pose: `error` is the mean squared difference from the goal picture."""

    joints: NDArray[np.float32]
    picture: NDArray[np.float32]
    error: float


class MentalImageryAgent:
    """Takes a picture as its goal, thinks of poses that may show it, goes to the likeliest, looks, and corrects itself.

    ```python
    agent = MentalImageryAgent.load("runs/paper")
    agent.see_goal(goal_frame)  # or agent.imagine_goal(joints)
    observation, _ = env.reset()
    while not agent.done:
        observation, *_ = env.step(agent.act(observation))
    ```

    `agent.hypotheses` tells what it thought of, with probabilities; `agent.impossible` whether it doubts that its body can
    show the goal at all; the caller decides. It then still does what it can.

    It is also a policy, for one infant or many, of which each has its own goal:

    ```python
    env = InfantVecEnv(gym.make_vec("InfantArmReach-v0", 20, eye_size=(300, 500), goal_eye=True))
    mean, deviation = evaluate_policy(agent, env, n_eval_episodes=100)  # stable-baselines3's
    ```

    Args:
        imagination: what was trained.
        hypotheses: poses that it keeps in mind.
        looks: how often it looks at most; 0 acts with the eyes closed.
    """

    def __init__(self, imagination: Imagination, hypotheses: int = 5, looks: int = 5) -> None:
        if looks < 0:
            raise UserError(f"got looks={looks}, expected 0 or more")
        self.imagination, self.count, self.most_looks = imagination, hypotheses, looks
        self.goal: NDArray[np.float32] | None = None
        """The picture to reach, in the light of the training, shape (64, 64), in [0, 1]."""
        self.hypotheses: Hypotheses | None = None
        """What it thought of, a batch of one."""
        self.targets: NDArray[np.float32] | None = None
        """The joints that it goes to, shape (J,), rad."""
        self.sent: NDArray[np.float32] | None = None
        """The joints that its last action asked for: its targets, or a pose on a way around its body."""
        self.looks: list[Look] = []
        self.done = False
        """It has no further correction in mind."""
        self._shown: NDArray[np.float32] | None = None  # the goal that an observation gave
        self._first: MentalImageryAgent | None = None  # of several infants, whose planner this one shares
        self._others: list[MentalImageryAgent] = []  # those beside the first
        self._branch: list[Look] = []  # looks at the present hypothesis and its corrections
        self._way: deque[NDArray[np.float32]] = deque()  # poses that it still takes on its way to the targets
        self._went_around = False  # on its way to these targets
        self._waited, self._untried = 0, 0

    @classmethod
    def load(
        cls, folder: str | Path, hypotheses: int = 5, looks: int = 5, device: str | torch.device = "cpu"
    ) -> "MentalImageryAgent":
        """Reads all that was trained from a run's folder.

        Raises:
            UserError: a file is missing, damaged, or of another training than the others.
        """
        return cls(Imagination.load(folder, device), hypotheses, looks)

    def imagine(self, joints: NDArray[Any] | Tensor) -> NDArray[np.float32]:
        """What it would see in these poses, joints (B, J) in rad -> pictures (B, 64, 64) in [0, 1]."""
        return self.imagination.draw(joints).cpu().numpy()

    def imagine_goal(self, joints: NDArray[Any]) -> None:
        """Takes as its goal what it imagines to see in a pose (J,), rad; only the picture is kept."""
        self.set_goal(self.imagine(np.asarray(joints)[None])[0])

    def see_goal(self, eye: NDArray[np.uint8]) -> None:
        """Takes a frame of the eye as its goal, shape (H, W, 3), uint8."""
        self.set_goal(to_gray(eye))

    def set_goal(self, picture: NDArray[np.float32], hypotheses: Hypotheses | None = None) -> None:
        """Takes a preprocessed picture as its goal, and thinks.

        Args:
            picture: shape (64, 64), in [0, 1].
            hypotheses: what `Imagination.hypotheses` found for it, a batch of one, when that is known already.

        Raises:
            UserError: the picture is misshapen or holds NaN.
        """
        self.hypotheses = hypotheses or self.imagination.hypotheses(np.asarray(picture)[None], self.count)
        self.goal, self.looks, self.done = self._usual(picture), [], False
        self._branch, self._untried = [], 1
        self._go(self.hypotheses.joints[0, 0].cpu().numpy())

    def plan(self, start: NDArray[Any], goal: NDArray[Any]) -> NDArray[np.float32]:
        """A way over the map from pose to pose, (J,) each, rad -> one pose per control step, (T, J); see `PosePlanner.plan`.

        `imagine` makes a film of it.
        """
        return self.planner.plan(start, goal)

    @cached_property
    def planner(self) -> PosePlanner:
        """Plans over its map; takes some seconds when it is first asked for."""
        return PosePlanner(self.imagination.mind) if self._first is None else self._first.planner

    @property
    def knows_ways(self) -> bool:
        """Whether its planner was asked for already, or given to it."""
        return "planner" in vars(self)

    @property
    def trying(self) -> int:
        """Which of its hypotheses it is at, 0 for the likeliest."""
        return self._untried - 1

    @property
    def impossible(self) -> bool:
        """Whether the goal is stranger than 99 of 100 pictures of this body."""
        return self.hypotheses is not None and float(self.hypotheses.strangeness[0]) > 1

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """The action towards the goal, in `InfantArm-v0`, or `InfantArmReach-v0` with an eye; looks when the arm rests.

        Where it rests because the body is in its way, the arm takes a planned way around before anything else.

        An observation that has a `goal` (a frame of the eye) gives the agent its goal, whenever that changes.

        Args:
            observation: with `eye`, and with `joints` and `joint_velocities`, or `observation`, which holds both in a row.

        Returns:
            Joint targets scaled to [-1, 1], shape (J,).

        Raises:
            UserError: it has no goal yet, or the observation lacks what it needs.
        """
        observation = _felt(observation)
        _take_goals([self], [observation])
        self._waited += 1
        resting = np.abs(observation["joint_velocities"]).max() < _RESTS_BELOW
        if not self.done and self._waited > _SETTLING and resting:
            self.look(observation)
        return self.action()

    @property
    def on_its_way(self) -> bool:
        """Whether its next action is but a pose on a way around its body."""
        return bool(self._way)

    def action(self) -> NDArray[np.float32]:
        """Its next joint targets, scaled to [-1, 1], shape (J,)."""
        self._wanted()
        if self._way:
            self._waited = 0
        self.sent = self._way.popleft() if self._way else self.targets
        normalized = self.imagination.mind.normalize(np.asarray(self.sent)).cpu().numpy()
        return (2 * normalized - 1).clip(-1, 1).astype(np.float32)

    def predict(
        self, observation: Observation, state: Any = None, episode_start: Any = False, deterministic: bool = True
    ) -> tuple[NDArray[np.float32], Any]:
        """`act` as stable-baselines3 asks for it, for one infant or a batch of them (`evaluate_policy`).

        Each infant of a batch has a goal, hypotheses and looks of its own; those that get a goal together think together.
        When an episode starts an infant goes for its goal anew, by its first idea.

        Args:
            observation: as in `act`, or with a row for each infant.
            state: given back.
            episode_start: whether an episode starts, for all infants or for each, shape (N,).
            deterministic: of no account.

        Returns:
            Actions, shape (J,), or (N, J) of a batch, and the state.

        Raises:
            UserError: see `act`.
        """
        observation = _felt(observation)
        if np.ndim(observation["eye"]) == 3:
            batch, minds = [observation], [self]
        else:
            rows = range(len(observation["eye"]))
            batch, minds = [{key: value[i] for key, value in observation.items()} for i in rows], self._minds(len(rows))
        for mind, starts in zip(minds, np.broadcast_to(episode_start, len(batch)), strict=True):
            if starts and mind.goal is not None:
                mind.set_goal(mind.goal, mind.hypotheses)
        _take_goals(minds, batch)
        actions = np.stack([mind.act(one) for mind, one in zip(minds, batch, strict=True)])
        return (actions[0] if batch[0] is observation else actions), state

    def _minds(self, infants: int) -> "list[MentalImageryAgent]":
        """Itself and as many others as there are infants beside the first; new ones take its goal."""
        while len(self._others) < infants - 1:
            other = MentalImageryAgent(self.imagination, self.count, self.most_looks)
            other._first = self
            if self.goal is not None:
                other.set_goal(self.goal, self.hypotheses)
            self._others.append(other)
        return [self, *self._others[: infants - 1]]

    def _unseen_goal(self, observation: Observation) -> NDArray[np.float32] | None:
        """The goal that an observation gives, preprocessed; None where it gives none, or the same as before."""
        if "goal" not in observation:
            return None
        wanted = to_gray(observation["goal"])
        return None if self._shown is not None and np.array_equal(wanted, self._shown) else wanted

    def look(self, observation: Observation) -> None:
        """Compares what it sees with its goal, and takes the next pose: a correction, or another hypothesis.

        When the arm is not where it should be it has met the body; then it takes a way around instead, once.

        Args:
            observation: with `eye` and `joints`, when the arm rests.

        Raises:
            UserError: it has no goal yet.
        """
        goal = self._wanted()
        if self._goes_around(observation["joints"]):
            return
        if len(self.looks) >= self.most_looks:
            self.done = True
            return
        picture = self._usual(to_gray(observation["eye"]))
        error = float(np.square(picture - goal).mean())
        joints = np.asarray(observation["joints"], np.float32)
        self.looks.append(Look(joints, picture, error))
        self._branch.append(self.looks[-1])
        if error < _ALIKE:
            self.done = True
        elif len(self.looks) == self.most_looks:
            self._return()
        else:
            self._next()

    @property
    def best_look(self) -> Look | None:
        """The look that resembled the goal most."""
        return min(self.looks, key=lambda look: look.error, default=None)

    def compare(self, observation: Observation) -> float:
        """How far what it sees is from its goal: mean absolute difference of the pictures.

        Raises:
            UserError: it has no goal yet.
        """
        return float(np.abs(self._usual(to_gray(observation["eye"])) - self._wanted()).mean())

    def _usual(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.imagination.in_usual_light(picture[None])[0].cpu().numpy()

    def _next(self) -> None:
        """In a right pose a correction makes most of the error vanish: go on as long as it does, else try another hypothesis."""
        *before, last = self._branch
        helped = not before or last.error < _HELPS * min(look.error for look in before)
        if not helped and self._another_is_plausible():
            assert self.hypotheses is not None
            self._go(self.hypotheses.joints[0, self._untried].cpu().numpy())
            self._branch, self._untried = [], self._untried + 1
            return
        best = min(self._branch, key=lambda look: look.error)
        if best is last:
            self._correct(best)
        else:
            self._go(((best.joints + last.joints) / 2).astype(np.float32))

    def _another_is_plausible(self) -> bool:
        """Whether a hypothesis is left that is imagined to fit not much worse than the best look."""
        assert self.hypotheses is not None
        assert self.best_look is not None
        if self._untried >= self.hypotheses.joints.shape[1] or bool(self.hypotheses.repeated[0, self._untried]):
            return False
        return float(self.hypotheses.errors[0, self._untried]) < _PLAUSIBLE * self.best_look.error

    def _correct(self, look: Look) -> None:
        """A step by what the imagination got wrong in the pose of this look."""
        device = self.imagination.mind.device
        goal, seen, joints = (
            torch.from_numpy(np.asarray(values)).to(device) for values in (self.goal, look.picture, look.joints)
        )
        targets = self.imagination.corrected(goal, seen, joints).cpu().numpy()
        if np.abs(targets - look.joints).max() < _NO_MOVE:
            self._return()
        else:
            self._go(targets)

    def _return(self) -> None:
        """Back to the pose that looked best, for good; where no correction helped, looking told nothing: to the first idea."""
        first, best = self.looks[0], self.best_look
        assert best is not None
        self._go((best if best.error < _HELPS * first.error else first).joints)
        self.done = True

    def _go(self, joints: NDArray[np.float32]) -> None:
        self.targets, self._waited = joints, 0
        self._way.clear()
        self._went_around = False

    def _goes_around(self, joints: NDArray[np.float32]) -> bool:
        """Whether an arm that rests in this pose was held up, and now takes a way around."""
        assert self.targets is not None
        if self._went_around or np.abs(joints - self.targets).max() < _HELD_UP:
            return False
        low, high = self.planner.joint_ranges.T
        self._way.extend(self.plan(joints.clip(low, high), self.targets.clip(low, high)))
        self._went_around = True
        return True

    def _wanted(self) -> NDArray[np.float32]:
        if self.goal is None:
            raise UserError(
                "the agent has no goal; give it one with see_goal, imagine_goal or set_goal, or by observations that hold "
                "`goal`, as those of InfantArmReach-v0 with goal_eye=True do"
            )
        return self.goal


def _felt(observation: Observation) -> Observation:
    """An observation with `joints` and `joint_velocities`, also where `observation` holds both in a row.

    Raises:
        UserError: the arm cannot be seen or felt in it.
    """
    if "eye" in observation and "joints" in observation:
        return observation
    if "eye" not in observation or "observation" not in observation:
        raise UserError(
            f"got an observation of {list(observation)}, expected `eye` and what the joints feel; make the environment "
            "with eye_size=(300, 500)"
        )
    joints, velocities = np.split(observation["observation"], 2, axis=-1)
    return {**observation, "joints": joints, "joint_velocities": velocities}


def _take_goals(agents: Sequence[MentalImageryAgent], observations: Sequence[Observation]) -> None:
    """Lets the agents to whom a new goal is shown think of it, all together."""
    shown = [agent._unseen_goal(one) for agent, one in zip(agents, observations, strict=True)]
    pictures = [picture for picture in shown if picture is not None]
    if not pictures:
        return
    first = agents[0]
    found = first.imagination.hypotheses(np.stack(pictures), first.count)
    thinking = [agent for agent, picture in zip(agents, shown, strict=True) if picture is not None]
    for number, (agent, picture) in enumerate(zip(thinking, pictures, strict=True)):
        agent.set_goal(picture, found.of(number))
        agent._shown = picture
