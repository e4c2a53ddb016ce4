"""The goals of reaching: test pictures, a picture file, a pose, or pictures that the infant imagines."""

import itertools
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from tqdm import tqdm

from agents.babbling import Sample
from agents.mind import remembered_poses
from agents.mind.imagination import MOST, Imagination
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera

from ..data.babbled_shards import agent_of
from ..data.dataset import Dataset
from ..data.recipe.arm_options import hands_that_reach
from ..measure import metrics
from ..runs.config import Count, RunConfig
from ..runs.metrics import Hand
from .picture_files import read_picture

Hypotheses = Annotated[int, Meta(ge=1, le=MOST)]
"""A number of hypotheses for a picture."""
_NEW = 0x9E3779B9  # in the seeds of new poses, so that they are not those of usual data sets; below 2^32, so that none is cut
_ENOUGH = 1000  # poses; if none of them shows the hand, none does
_MANY = 10  # goals; fewer are drawn without a progress bar
_TOLERANCE = 0.03  # largest relative difference of a picture's aspect from the eye's


@dataclass(frozen=True)
class Goal:
    """One picture to reach for, and the pose that it shows, if it is known."""

    picture: NDArray[np.float32]
    """Preprocessed, in the format of the one who reaches."""
    joints: NDArray[np.float32] | None = None
    """Its pose, shape (J,), rad."""
    hands: NDArray[np.float32] | None = None
    """Places of the hands, shape (H, 3), meters."""
    shown: NDArray[np.bool_] | None = None
    """Whether the picture shows each hand, shape (H,)."""
    gaze: NDArray[np.float32] | None = None
    """Where an eye that moves looked, as it was felt, shape (2,), rad; None: straight ahead."""
    reaching: NDArray[np.bool_] | None = None
    """Whether each hand's error counts, shape (H,); None: of those that the picture shows."""

    def hand_error(self, hands: NDArray[Any]) -> float | None:
        """Distance of these hands (H, 3) from theirs, m, see `metrics.hand_distances`; None if their places are unknown."""
        if self.hands is None:
            return None
        counted = None if self._counted is None else self._counted[None]
        return float(metrics.hand_distances(hands[None], self.hands[None], counted)[0])

    def error_in_words(self, hands: NDArray[Any], arm: ArmModel) -> str | None:
        """What `hand_error` counts, hand by hand: `right 1.2, left 0.8 cm off`; None if the hands' places are unknown."""
        if self.hands is None:
            return None
        if len(arm.hands) == 1:
            return f"hand {100 * np.linalg.norm(hands[0] - self.hands[0]):.1f} cm off"
        apart = 100 * np.linalg.norm(hands - self.hands, axis=1)
        every = self._counted is None or not self._counted.any()
        counted = np.ones(len(arm.hands), bool) if every else self._counted
        parts = [
            f"{side} {cm:.1f}" for side, cm in zip(np.array(list(arm.hands))[counted], apart[counted], strict=True)
        ]
        return f"{', '.join(parts)} cm off"

    @property
    def _counted(self) -> NDArray[np.bool_] | None:
        return self.shown if self.reaching is None else self.reaching


def each_hand(goals: Sequence[Goal], hands: Sequence[NDArray[Any]], arm: ArmModel) -> dict[str, Hand]:
    """The errors of each of two hands over the goals whose pictures show it, by side; empty for one hand.

    Args:
        goals: goals whose poses are known.
        hands: the hands' places at the end of each reach, (H, 3) each, m.
        arm: the body.
    """
    wanted, shown = [goal.hands for goal in goals], [goal.shown for goal in goals]
    known = [np.ones(len(arm.hands), bool) if each is None else each for each in shown]
    return metrics.each_hand(np.stack(hands), np.stack(wanted), np.stack(known), arm)  # type: ignore[arg-type]


@dataclass(frozen=True)
class GoalConfig(RunConfig):
    """The options of a command that reaches for goals."""

    goals: Count = 100
    """Number of test pictures that show the hand to reach for."""
    hidden_hands: bool = False
    """Also use test pictures that do not show the hand."""
    hand: Literal["right", "left", "both"] | None = None
    """Reach with this hand, if both move: the test pictures show it, and its error counts (`both`: they show both, and the mean
    counts). By default the picture decides: each hand that it shows."""
    goal: Path | None = None
    """Reach for this picture instead (PNG or another format; a view of the eye with its aspect)."""
    goal_joints: tuple[float, ...] | None = None
    """Reach for the picture of this pose instead, in degrees."""
    imagine: bool = False
    """Reach for pictures that the infant imagines itself, of poses that it remembers, instead of the test pictures."""
    new_poses: bool = False
    """Reach for pictures of new random poses, drawn as those of the data set were, instead of the test pictures."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if sum(map(bool, (self.goal, self.goal_joints, self.imagine, self.new_poses))) > 1:
            raise UserError("got several of --goal, --goal-joints, --imagine and --new-poses, expected one of them")
        if self.hand and self.goal:
            raise UserError(
                f"got --goal with --hand {self.hand}, expected one of them: nobody knows where the hands of a picture file are"
            )

    @property
    def draws_poses(self) -> bool:
        """Whether the goals are new poses."""
        return self.new_poses


def goals_of(config: GoalConfig, data: Dataset, arm: ArmModel, imagination: Imagination | None) -> list[Goal]:
    """The goals that a command asks for, in the data set's format; imagined goals need an imagination.

    Raises:
        UserError: there is no goal or no imagination, the file is not a picture, the body cannot take the pose, or it does not
            move the hand.
    """
    if config.hand is None:
        return _any_goals(config, data, arm, imagination)
    counts = hands_that_reach(config.hand, arm)
    return [replace(goal, reaching=counts) for goal in _any_goals(config, data, arm, imagination, counts)]


def _any_goals(
    config: GoalConfig,
    data: Dataset,
    arm: ArmModel,
    imagination: Imagination | None,
    reaching: NDArray[np.bool_] | None = None,
) -> list[Goal]:
    if config.goal is not None:
        return [Goal(data.format.squeeze(goal_picture(config.goal, eye_size=data.eye_size)))]
    if config.goal_joints is not None:
        return [_pose(config.goal_joints, data, arm)]
    if config.imagine:
        if imagination is None:
            raise UserError(f"{config.run} has no generator for imagined goals; run `infant-arm train-generator` first")
        return imagined_goals(imagination, arm, config.goals, config.seed)
    if config.draws_poses:
        return new_goals(data, config.goals, config.seed, config.hidden_hands, reaching)
    if not config.hidden_hands:
        data.check_shows_hand(data.split("test"), "test picture", reaching)
    chosen = random_test_samples(data, config.goals, config.seed, config.hidden_hands, reaching)
    columns: tuple[Any, ...] = data.pictures, data.joints, data.hand_positions, data.shows_hands
    columns += () if data.body.gaze == "held" else (data.felt_gaze,)
    return [Goal(*(column[sample] for column in columns)) for sample in chosen]


def gazes_of(goals: Sequence[Goal]) -> NDArray[np.float32] | None:
    """The gazes of goals, (N, 2), rad; None if all are straight ahead."""
    if all(goal.gaze is None for goal in goals):
        return None
    return np.stack([np.zeros(2, np.float32) if goal.gaze is None else goal.gaze for goal in goals])


def random_test_samples(
    data: Dataset, count: int, seed: int, hidden_hands: bool, reaching: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Indices of random test samples, at most `count`: of those that show a hand (or each of these hands, (H,)), or of all."""
    test = data.split("test")
    wanted: NDArray[np.int64] = test if hidden_hands else test[data.shows(reaching)[test]]
    return np.random.default_rng(seed).permutation(wanted)[:count]


def imagined_goals(imagination: Imagination, arm: ArmModel, count: int, seed: int) -> list[Goal]:
    """Imagined pictures of random poses that the infant remembers."""
    poses = remembered_poses.at_random(imagination.mind, count, seed)
    pictures, joints, state = imagination.draw(poses).cpu().numpy(), poses.cpu().numpy(), arm.new_data()
    goals = []
    for picture, pose in zip(pictures, joints, strict=True):
        arm.pose(state, pose.astype(np.float64))
        goals.append(Goal(picture, pose, arm.hand_positions(state).astype(np.float32)))
    return goals


def new_goals(
    data: Dataset, count: int, seed: int, hidden_hands: bool, reaching: NDArray[np.bool_] | None = None
) -> list[Goal]:
    """Pictures of new poses, drawn as those of the data set were: of poses that show a hand (or each of these hands, (H,)).

    Raises:
        UserError: none of the first 1,000 poses shows the hand.
    """
    agent, goals = agent_of(data.info, seed ^ _NEW), list[Goal]()
    with closing(agent), tqdm(total=count, desc="new poses", unit="goal", disable=count < _MANY) as bar:
        for number in itertools.takewhile(lambda _: len(goals) < count, itertools.count()):
            if number == _ENOUGH and not goals:
                raise UserError(f"none of {_ENOUGH} new poses shows the hand; give --hidden-hands, or another --seed")
            goal = _goal_of(agent.sample(number), data)
            assert goal.shown is not None
            if hidden_hands or (goal.shown.any() if reaching is None else goal.shown[reaching].all()):
                goals.append(goal)
                bar.update()
    return goals


def _goal_of(sample: Sample, data: Dataset) -> Goal:
    places, shares = [sample.hand_position], [sample.hand_in_view]
    if sample.left_hand_position is not None and sample.left_hand_in_view is not None:
        places.append(sample.left_hand_position)
        shares.append(sample.left_hand_in_view)
    shown = np.array(shares) >= data.info.recipe.min_hand_in_view
    gaze = None if data.body.gaze == "held" else sample.felt_gaze
    return Goal(data.format.squeeze(sample.eye), sample.joints, np.stack(places), shown, gaze)


def _pose(degrees: tuple[float, ...], data: Dataset, arm: ArmModel) -> Goal:
    """The goal for a pose in degrees; the eye renders its picture."""
    joints, (low, high) = np.radians(degrees), arm.joint_ranges.T
    if joints.shape != low.shape or not ((joints >= low) & (joints <= high)).all():
        ranges = ", ".join(
            f"{n} {a:.0f}..{b:.0f}" for n, a, b in zip(arm.joint_names, *np.degrees([low, high]), strict=True)
        )
        raise UserError(f"got --goal-joints {degrees}, expected degrees within {ranges}")
    state = arm.new_data()
    arm.pose(state, joints)
    camera = EyeCamera(arm, data.eye_size, data.acuity)
    picture = data.format.squeeze(camera.render(state))
    camera.close()
    return Goal(picture, joints.astype(np.float32), arm.hand_positions(state).astype(np.float32))


def goal_picture(path: Path, content: bytes | None = None, eye_size: tuple[int, int] = (300, 500)) -> NDArray[np.uint8]:
    """A picture file as a goal, an RGB frame, shape (H, W, 3), uint8.

    Args:
        path: the file.
        content: its content, if it was read already.
        eye_size: rows and columns of the eye's frames; the picture must have their aspect, within 3 %.

    Raises:
        UserError: the file cannot be read, see `read_picture`, or the picture has another aspect.
    """
    picture = read_picture(path, content)
    (rows, columns), (high, wide) = picture.shape[:2], eye_size
    if abs(columns / rows - wide / high) > _TOLERANCE * wide / high:
        aspect = f"{wide // math.gcd(wide, high)}:{high // math.gcd(wide, high)}"
        raise UserError(
            f"{path} is {columns}x{rows} pixels, expected the eye's aspect {aspect} such as {wide}x{high}; crop it"
        )
    return picture
