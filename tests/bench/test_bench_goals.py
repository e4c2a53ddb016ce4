import re
from pathlib import Path

import numpy as np
import pytest

from infant_env import UserError
from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera
from training import cli
from training.bench.goals import goals as bench_goals
from training.bench.goals.agents.actor_critic import ActorCritic
from training.bench.goals.agents.cloning import Cloning
from training.bench.goals.agents.entry import LearningEnv, to_action
from training.bench.goals.agents.explorer import Explorer
from training.bench.goals.agents.imagery import Imagery
from training.bench.goals.agents.pictures import SeenPoses
from training.bench.goals.agents.planning import LatentPlanning
from training.bench.goals.agents.registry import AGENTS, new_agent
from training.bench.goals.agents.seen import HOLD, babble
from training.bench.goals.goals import CHECKSUM, MOST, Goals, checksum, poses
from training.bench.goals.table import rows_of
from training.bench.goals.tasks import Kept, Try
from training.bench.goals.trial import EPISODE, Outcome, tried

EXAMPLE = Path(__file__).parents[2] / "examples" / "your_agent.py"
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def goals(arm: ArmModel) -> Goals:
    return Goals(arm, poses(arm, 2))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what seed 0 sees in 60 steps of babbling."""
    folder = tmp_path_factory.mktemp("seen")
    babble(LearningEnv(60, 0, folder), 60, 0)
    return folder


# Goals


def test_all_machines_have_the_same_thousand_goals(arm: ArmModel):
    assert checksum(poses(arm, MOST)) == CHECKSUM


def test_fewer_goals_are_the_first_of_more_and_show_the_hand(arm: ArmModel):
    some, eye, data = poses(arm, 5), EyeCamera(arm), arm.new_data()
    assert np.array_equal(poses(arm, 3), some[:3])
    for pose in some:
        arm.pose(data, pose)
        assert eye.in_view(data)[1] > 0


def test_a_pose_whose_hand_is_behind_the_eye_is_no_goal(arm: ArmModel):
    data = arm.new_data()
    arm.place(data, np.array([arm.joint_ranges[0, 0], 0, 0, 0, 0]))  # the arm points backwards
    assert not bench_goals.shows_palm(arm, data)


# Learning


def test_a_budget_is_a_number_of_steps_in_one_life():
    env = LearningEnv(2, seed=1)
    first, info = env.reset()
    after, *_, told = env.step(np.ones(5, np.float32))
    assert env.left == 1
    assert env.reset()[0] is after  # a reset does not lift the arm back
    assert not np.array_equal(first["joints"], after["joints"])
    assert info == told == {}
    env.step(np.ones(5, np.float32))
    with pytest.raises(UserError, match="budget of 2"):
        env.step(np.ones(5, np.float32))
    with pytest.raises(UserError, match="expected none"):
        env.reset(options={"joints": np.zeros(5)})
    env.close()


def test_a_short_life_is_the_beginning_of_a_long_one(kept: Path):
    env, alone = LearningEnv(12, 0, kept), LearningEnv(12, 0)
    remembered, lived = babble(env, 12, 0), babble(alone, 12, 0)
    assert env.left == alone.left == 0  # they count either way
    for name in ("color", "joints", "velocities", "actions"):
        assert np.array_equal(getattr(remembered, name), getattr(lived, name)), name
    assert len(lived) == 13
    assert (np.diff(lived.actions, axis=0).any(axis=1).nonzero()[0] + 1).tolist() == [HOLD, 2 * HOLD]


def test_a_life_that_goes_on_after_babbling_is_lived(kept: Path):
    env = LearningEnv(13, 0, kept)
    seen = babble(env, 12, 0)
    now, _ = env.reset()
    assert env.left == 1
    assert np.array_equal(now["joints"], seen.joints[-1])  # the arm is where babbling left it


def test_networks_learn_from_nine_in_ten_pictures_and_validate_on_the_rest(arm: ArmModel, kept: Path):
    data = SeenPoses.of(babble(LearningEnv(60, 0, kept), 60, 0), arm)
    train, validation = data.split("train"), data.split("validation")
    assert sorted([*train, *validation]) == list(range(61))
    assert len(validation) == 6
    assert data.pictures.shape == (61, 64, 64)
    assert data.background.shape == (64, 64)
    camera = EyeCamera(arm)
    assert (
        np.abs(data.background - data.format.squeeze(camera.background())).mean() < 0.01
    )  # the arm is not in the median


@pytest.mark.parametrize("name", AGENTS)
def test_each_agent_learns_from_its_budget_and_is_tried(
    name: str, goals: Goals, kept: Path, monkeypatch: pytest.MonkeyPatch
):
    for kind in (Imagery, ActorCritic, Cloning, LatentPlanning, Explorer):
        for setting in {"encoding", "drawing", "training"} & set(dir(kind)):
            monkeypatch.setattr(kind, setting, 6)
    env, agent = LearningEnv(60, 0, kept), new_agent(name)
    agent.learn(env, 60, 0)
    assert env.left == (60 if name in ("constant", "random") else 0)
    outcome = tried(agent, name, Goals(goals._arm, goals.joints[:1]))
    assert all(0 < apart < 60 for apart in outcome.hand_cm)  # an arm's length is 30 cm
    assert all(6 <= steps <= EPISODE for steps in outcome.steps)


# Trials


class Oracle:
    """Knows the poses of the goals."""

    def __init__(self, arm: ArmModel, joints: np.ndarray) -> None:
        self.actions = [to_action(arm, pose) for pose in joints]
        self.number = -1

    def see_goal(self, eye: np.ndarray) -> None:
        self.number, self.steps = self.number + 1, 0

    def act(self, observation: dict) -> np.ndarray | None:
        self.steps += 1
        return self.actions[self.number] if self.steps <= 20 else None


def test_who_knows_the_poses_reaches_all_goals(arm: ArmModel, goals: Goals):
    outcome = tried(Oracle(arm, goals.joints), "oracle", goals)
    assert max(outcome.hand_cm) < 1
    assert min(outcome.arm_iou) > 0.9
    assert outcome.steps == [20, 20]


def test_an_action_of_a_wrong_shape_is_refused(arm: ArmModel, goals: Goals):
    agent = Oracle(arm, goals.joints)
    agent.actions[0] = agent.actions[0][:4]
    with pytest.raises(UserError, match=r"got from mine the action .* expected \(5,\) finite numbers"):
        tried(agent, "mine", goals)


# The command


def test_an_agent_of_twenty_lines_enters_and_is_not_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code = EXAMPLE.read_text().split("class NearestPicture", 1)[1].strip().splitlines()
    assert len([line for line in code if line and '"""' not in line]) <= 20
    mine = tmp_path / "mine.py"
    mine.write_text(EXAMPLE.read_text())
    line = ["bench", "goals", "--agent", f"{mine}:NearestPicture", "--budgets", "20", "--goals", "2", "--seeds", "1"]
    assert cli.main([*line, "--out", str(tmp_path / "out")]) == 0
    assert re.search(r"NearestPicture +20 ", capsys.readouterr().out)
    assert "| NearestPicture | 20 |" in (tmp_path / "out" / "goals.md").read_text()
    (outcome,) = (tmp_path / "out" / "test").iterdir()
    first = outcome.stat().st_mtime_ns
    assert cli.main([*line, "--out", str(tmp_path / "out")]) == 0
    assert outcome.stat().st_mtime_ns == first
    asked = Try(f"{mine}:NearestPicture", 20, 0, 2, False, tmp_path / "out")
    assert asked.kept() is not None
    mine.write_text(EXAMPLE.read_text() + "\n# changed\n")
    assert asked.kept() is None  # another agent


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("imagry", "expected one of imagery"),
        ("nowhere.py:Mine", "expected one of imagery"),
        (f"{EXAMPLE}:Nearest", "has no class Nearest"),
        (f"{EXAMPLE}:np", "has no class np"),
        (f"{__file__}:Oracle", "lacks learn"),
        ("random random", "two named random"),
    ],
)
def test_an_agent_that_is_none_is_one_line(agent: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["bench", "goals", "--agent", *agent.split(), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_table_counts_goals_within_each_distance():
    outcome = Outcome([0.5, 1.5, 3.0, 9.0], [1.0, 0.5, 0.5, 0.0], [10, 20, 10, 20], [1.0, 2.0, 3.0, 2.0])
    tries = [Try("imagery", 150, seed, 4, False, Path()) for seed in range(2)]
    (row,) = rows_of((one, Kept("", outcome, 150, 3.0)) for one in tries)
    assert [share.mean for share in row.within.values()] == [0.25, 0.5, 0.75]
    assert (row.median_cm, row.arm_iou.mean, row.steps, row.ms, row.seeds) == (2.25, 0.5, 15, 2, 2)
    assert row.within[2].low < 0.5 < row.within[2].high
