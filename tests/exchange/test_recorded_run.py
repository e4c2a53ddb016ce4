"""A run on a recording: everything trains and is measured that needs no body, and what needs one is refused in one line."""

import re
import shutil
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import recordings

from agents import CameraArm, MentalImageryAgent
from agents.world import arm_chain
from infant_env.errors import UserError
from training import cli
from training.compare import comparison, tune
from training.compare.config import Config
from training.data.dataset import Dataset
from training.measure import metrics
from training.measure.arms import RecordedArm, arm_of
from training.measure.probabilities import right_ones
from training.methods import mend
from training.runs.folder import metrics_of

POSES = recordings.poses(100, seed=1)
pytestmark = pytest.mark.usefixtures("one_thread")


def commands(run: Path) -> list[list[object]]:
    of, both = ["--run", run], ["--data", run / "dataset", "--run", run]
    return [
        ["train-ae", *both, "--epochs", 2, "--width", 4],
        ["train-som", *of, "--rows", 8, "--columns", 7],
        ["train-generator", *both, "--epochs", 2, "--width", 1, "--points", 2],
        ["train-glance", *both, "--epochs", 2],
        ["train-regressor", *both, "--epochs", 2],
        ["train-pixel-som", *both, "--rows", 8, "--columns", 7],
        ["calibrate", *of, "--samples", 10],
        ["evaluate", *of],
        ["imagery", *of, "--goals", 10],
        ["report", *of],
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on pictures without the place of the hand, through the command line."""
    folder = tmp_path_factory.mktemp("recorded") / "run"
    source = recordings.write_pictures(folder.parent / "pictures", POSES)
    words = ["import", "pictures", source, "--table", source / "joints.csv", "--joints", *recordings.NAMES]
    for command in [[*words, "--out", folder / "dataset"], *commands(folder)]:
        assert cli.main([str(word) for word in command]) == 0, command
    return folder


@pytest.fixture(scope="module")
def with_hand(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same recording, with the place of the hand."""
    source, out = run.parent / "pictures", tmp_path_factory.mktemp("with_hand") / "data"
    words = ["import", "pictures", source, "--table", source / "joints.csv", "--joints", *recordings.NAMES]
    assert cli.main([str(word) for word in [*words, "--hand", "x", "y", "z", "--out", out]]) == 0
    return Dataset.open(out)


def test_a_run_on_a_recording_is_scored_without_a_hand(run: Path):
    measured = metrics_of(run)
    scores = measured.details["som_ae"]["vision->proprioception"]
    assert list(scores) == ["all"]  # nobody knows which pictures show the hand
    assert set(scores["all"].joint_error_deg) == set(recordings.NAMES)
    assert scores["all"].hand_error_cm is None
    assert measured.imagery is not None
    assert measured.imagery.hypotheses.all.hand_first is None
    assert 0 <= measured.imagery.hypotheses.all.pose_first <= 1
    assert not measured.imagery.disturbed
    page = (run / "report.html").read_text()
    assert "does not know where the hand is" in page
    assert "Recorded, not simulated" in page
    assert "<h2>Hand</h2>" not in page


@pytest.mark.parametrize(
    "command",
    ["reach", "plan", "train-world-model", "train-rl", "study adapt", "ablate --what age"],
)
def test_what_needs_a_body_is_refused_in_one_line(command: str, run: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main([*command.split(), "--run", str(run)]) == 2
    assert re.search(r"was recorded and has no body, and .* needs one.*agents\.CameraArm", capsys.readouterr().err)


def test_the_hand_in_other_poses_follows_from_a_fitted_chain(with_hand: Dataset):
    arm = arm_of(with_hand)
    assert isinstance(arm, RecordedArm)
    assert arm is arm_of(with_hand)  # fitted once
    others = recordings.poses(20, seed=2)
    found = metrics.hand_positions(arm.normalize(others).astype(np.float32), arm)
    assert found[:, 0] == pytest.approx(recordings.hands(others), abs=1e-4)
    assert re.search(r"fitted to the recorded positions.* 0\.0 mm off", arm.remark)


def test_a_hypothesis_is_right_by_its_hand_only_if_that_is_known(run: Path, with_hand: Dataset):
    without = Dataset.open(run / "dataset")
    far = without.joints[:3, None] + np.radians([[[9.0, 9.0]], [[0.0, 0.0]], [[11.0, 0.0]]], dtype=np.float32)
    assert right_ones(far, np.arange(3), without)[:, 0].tolist() == [True, True, False]
    assert right_ones(far, np.arange(3), with_hand)[:, 0].tolist() == [False, True, False]


def test_hands_that_no_chain_explains_give_no_errors_of_the_hand(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(arm_chain, "_STARTS", 2)
    source = Path(shutil.copytree(run.parent / "pictures", tmp_path / "pictures"))
    places = dict(zip("xyz", np.random.default_rng(0).random((3, 100)), strict=True))
    recordings.write_csv(source / "joints.csv", dict(zip(recordings.NAMES, POSES.T, strict=True)) | places)
    words = ["import", "pictures", source, "--table", source / "joints.csv", "--joints", *recordings.NAMES]
    assert cli.main([str(word) for word in [*words, "--hand", "x", "y", "z", "--out", tmp_path / "data"]]) == 0
    arm = arm_of(Dataset.open(tmp_path / "data"))
    assert not arm.hands
    assert "no chain of 2 hinges explains" in arm.remark


def test_methods_that_learn_the_hand_are_left_out_where_it_is_unknown(run: Path, capsys: pytest.CaptureFixture[str]):
    tasks = [task.name for task in comparison.tasks_of(Config(run, methods="all"), 0, run)]
    tried = {attempt.method for attempt in tune.attempts_of(tune.Config(run))}
    told = "\n".join(mend.missing(run))
    for method, known in (("mvae", True), ("mmcm", False)):
        assert (f"train-baseline-{method} 0" in tasks) == known
        assert (method in tried) == known
        assert (method in told) == known


def test_the_place_of_an_unknown_hand_is_not_given(run: Path):
    with pytest.raises(UserError, match="does not know where the hand is; import the recording with --hand"):
        _ = Dataset.open(run / "dataset").hand_position


class Robot(gym.Env):
    """A robot of one's own: its observation has a camera inside of another entry, and a gripper beside the joints, in degrees."""

    action_space = gym.spaces.Box(-90, 90, (2,))
    observation_space = gym.spaces.Dict()

    def reset(self, seed=None, options=None):
        self.degrees = np.array([0.0, 40.0, 7.0])
        return self._seen(), {}

    def step(self, action):
        assert action in self.action_space
        self.degrees[:2] = action
        return self._seen(), 0.0, False, False, {}

    def render(self):
        return recordings.frames(np.radians(self.degrees[None, :2]))[0]

    def _seen(self):
        return {"camera": {"front": self.render()}, "state": self.degrees}


def test_the_agent_of_a_recording_acts_in_an_environment_of_ones_own(run: Path):
    agent = MentalImageryAgent.load(run, looks=2)
    ranges = agent.imagination.mind.joint_ranges
    env = CameraArm(Robot(), ranges, eye="camera/front", joints="state[0:2]", degrees=True)
    agent.see_goal(recordings.frames(POSES[:1])[0])
    observation, _ = env.reset()
    assert observation["joints"] == pytest.approx(np.radians([0, 40]))
    for _ in range(60):
        observation, *_ = env.step(agent.act(observation))
    assert agent.done
    assert len(agent.looks) == 2
    low, high = ranges.T.cpu().numpy()
    assert observation["joints"] == pytest.approx(np.clip(agent.targets, low, high), abs=1e-5)


def test_an_environment_that_does_not_fit_is_told():
    ranges = np.array([[-1.0, 1.0], [0.0, 2.0]])
    env = CameraArm(Robot(), ranges, eye="render", joints="state[0:2]", degrees=True, step_s=0.1)
    assert np.array_equal(env.reset()[0]["eye"], env.unwrapped.render())
    turned = env.step(np.array([1.0, 0.0]))[0]
    assert turned in env.observation_space
    assert turned["joints"] == pytest.approx([1, 1])
    assert turned["joint_velocities"] == pytest.approx((np.array([1, 1]) - np.radians([0, 40])) / 0.1)
    for options, told in (
        ({"joints": "state"}, "got 3 joints in 'state', expected 2, as the agent has learned"),
        ({"eye": "wrist"}, "got the entry 'wrist', but the observation has .*'camera', 'state'"),
        ({"eye": "state"}, "got float64 of shape .* expected an RGB frame"),
        ({"joints": "state[0"}, "expected a name such as joints"),
    ):
        with pytest.raises(UserError, match=told):
            CameraArm(Robot(), ranges, **{"eye": "render", "joints": "state[0:2]"} | options).reset()
    with pytest.raises(UserError, match="expected a Box of 1 joint targets; give action="):
        CameraArm(Robot(), ranges[:1])
