"""Data sets of imperfect senses: what is recorded, and what is made of it again."""

import json
import shlex
from pathlib import Path
from typing import Any

import gymnasium as gym
import h5py
import numpy as np
import pytest
import torch

from agents.world.gaze_response import GazeResponse
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera
from infant_env.senses.seen.seen import Seen
from infant_env.senses.seen.seen_arm import SeenArm
from infant_env.senses.sense import Sense
from infant_env.senses.vision import to_gray
from training import cli
from training.act import goals, reach
from training.act.true_eye import TrueEye
from training.data import collect
from training.data.babbled_motion import babble
from training.data.dataset import Dataset
from training.data.info import collect_line
from training.measure import senses
from training.train.baselines import latent_mlp

SIZE = {"samples": 40, "eye_size": (60, 100), "shard_size": 25, "seed": 3, "workers": 1}
NOISY: dict[str, Any] = {"joints": (5.0, 120.0), "eye": (0.02, 0.0)}


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return collect.run(collect.Config(tmp_path_factory.mktemp("noisy") / "data", senses=NOISY, **SIZE))


@pytest.fixture(scope="module")
def perfect(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return collect.run(collect.Config(tmp_path_factory.mktemp("perfect") / "data", **SIZE))


def test_the_poses_are_those_of_perfect_senses(noisy: Dataset, perfect: Dataset):
    for name in ("joints", "hand_position", "arm_in_view", "rejected"):
        assert np.array_equal(noisy.column(name), perfect.column(name))


def test_joints_and_frames_have_the_noise_that_was_set(noisy: Dataset, perfect: Dataset):
    assert np.rad2deg(noisy.felt_joints - noisy.joints).std() == pytest.approx(5.0, rel=0.15)  # 200 numbers
    frames, clean = noisy.eye(slice(None)), perfect.eye(slice(None))
    middle = (clean > 40) & (clean < 215)
    assert (frames.astype(int) - clean)[middle].std() == pytest.approx(5.1, rel=0.02)
    assert not np.array_equal(frames[0].astype(int) - clean[0], frames[1].astype(int) - clean[1])


def test_perfect_senses_leave_no_trace(perfect: Dataset):
    assert perfect.senses == {}
    assert "senses" not in json.loads((perfect.path / "dataset.json").read_text())["config"]
    assert np.array_equal(perfect.felt_joints, perfect.joints)
    with pytest.raises(UserError):
        perfect.column("felt_joints")


def test_the_senses_are_made_again_from_the_data_set(noisy: Dataset):
    assert Dataset.open(noisy.path).senses == {"eye": Sense(0.02, 0.0), "joints": Sense(5.0, 120.0)}
    env = gym.make("InfantArm-v0", arm=noisy.arm, eye_size=noisy.eye_size, senses=noisy.senses)
    assert env.unwrapped.senses == noisy.senses


def test_values_of_an_age_are_recorded_as_numbers(tmp_path: Path):
    data = collect.run(collect.Config(tmp_path / "data", age_months=1.0, senses="age", **SIZE | {"samples": 2}))
    assert data.senses["eye"] == Sense(0.0, 204.3)
    assert json.loads((data.path / "dataset.json").read_text())["config"]["senses"]["joints"] == [9.7, 19.5]
    collect.run(collect.Config(tmp_path / "data", age_months=1.0, senses="age", **SIZE | {"samples": 2}))  # is there


def test_frames_and_background_are_blurred_to_the_acuity(tmp_path: Path):
    size: dict[str, Any] = SIZE | {"samples": 2, "eye_size": (300, 500), "age_months": 1.0}
    sharp = collect.run(collect.Config(tmp_path / "sharp", **size))
    blurred = collect.run(collect.Config(tmp_path / "blurred", acuity="age", **size))
    assert (sharp.acuity, blurred.acuity) == (None, pytest.approx(0.9))
    eye = EyeCamera(blurred.arm, blurred.eye_size, blurred.acuity)
    assert np.array_equal(blurred.background, to_gray(eye.background()))
    data = blurred.arm.new_data()
    blurred.arm.pose(data, blurred.joints[0])
    assert np.array_equal(blurred.eye(0), eye.render(data))
    assert not np.array_equal(blurred.eye(0), sharp.eye(0))
    eye.close()


def test_both_eyes_are_recorded(tmp_path: Path, noisy: Dataset):
    size: dict[str, Any] = SIZE | {"samples": 6, "shard_size": 4, "eyes": "both"}
    data = collect.run(collect.Config(tmp_path / "data", **size))
    assert list(data.arm.eyes) == ["eye", "eye_left"]
    eye, state = EyeCamera(data.arm, data.eye_size), data.arm.new_data()
    for k in range(6):
        data.arm.pose(state, data.joints[k])
        for name, frame in (("eye", data.eye(k)), ("eye_left", data.eye_left(k))):
            assert np.array_equal(frame, eye.render(state, name))
    eye.close()
    with h5py.File(data.path / "index.h5") as index:
        assert index["eye_left"].shape == index["eye"].shape == (6, 60, 100, 3)
    with pytest.raises(
        UserError, match="no frames of a second eye, expected a data set of `infant-arm collect --eyes both`"
    ):
        noisy.eye_left(0)


def test_the_fovea_is_recorded(tmp_path: Path, noisy: Dataset):
    config = collect.Config(tmp_path / "data", fovea=True, gaze="eyes", **SIZE | {"samples": 3})
    data = collect.run(config)
    assert data.fovea(slice(None)).shape == (3, 128, 128, 3)
    camera, now = EyeCamera(data.arm, data.eye_size), data.arm.new_data()
    data.arm.pose(now, data.joints[1], data.gaze[1])
    assert np.array_equal(data.fovea(1), camera.render(now, "fovea"))
    with h5py.File(tmp_path / "data" / "shards" / "shard-00000.h5") as file:
        assert file["fovea"].chunks == (1, 128, 128, 3)
        assert file["fovea"].compression == "gzip"
    with h5py.File(tmp_path / "data" / "index.h5") as index:
        assert index["fovea"].shape == (3, 128, 128, 3)
    assert data.info.recipe.as_json()["fovea"] is True
    assert "fovea" not in noisy.info.recipe.as_json()
    assert collect.run(config).fovea(2).any()  # is there
    with pytest.raises(
        UserError, match="has no frames of a fovea, expected a data set of `infant-arm collect --fovea`$"
    ):
        noisy.fovea(0)


def test_each_pose_has_a_gaze_of_its_own(tmp_path: Path):
    data = collect.run(collect.Config(tmp_path / "data", gaze="head", **SIZE))
    assert data.gaze.shape == (40, 2)
    degrees = np.rad2deg(data.gaze)
    assert (np.abs(degrees) <= [30, 20]).all()
    assert (np.ptp(degrees, axis=0) > [40, 25]).all()
    eye, state = EyeCamera(data.arm, data.eye_size), data.arm.new_data()
    data.arm.pose(state, data.joints[5], data.gaze[5])
    assert np.array_equal(eye.render(state), data.eye(5))
    data.arm.pose(state, data.joints[5])
    assert not np.array_equal(eye.render(state), data.eye(5))
    eye.close()


@pytest.mark.parametrize("gaze", ["eyes", "head"])
def test_babbled_motion_tells_how_servos_turn_the_gaze(gaze: str):
    arm = ArmModel.infant(gaze=gaze)
    seen, other = babble(arm, 150, seed=0), babble(arm, 150, seed=1)
    assert seen.actions.shape == (6, 25, 7)
    ranges, actions = torch.from_numpy(arm.gaze.ranges), torch.from_numpy(seen.actions[..., 5:])
    response = GazeResponse.fit(ranges, torch.from_numpy(seen.gazes), actions).to("cpu")
    angles, velocities, off = torch.from_numpy(other.gazes[:, 0]), torch.zeros(6, 2), []
    for step, action in enumerate(torch.from_numpy(other.actions[..., 5:]).unbind(1), start=1):
        angles, velocities = response.step(angles, velocities, action)
        off.append(np.abs(angles.numpy() - other.gazes[:, step]).max(1))
    free = ~other.touched  # an arm can push the head
    assert free.sum() > 30
    assert np.rad2deg(np.stack(off, 1)[free].max()) < 0.1


def test_a_held_gaze_has_no_angles(perfect: Dataset):
    assert perfect.gaze.shape == (40, 0)


def test_a_damaged_frame_of_the_left_eye_is_made_again(tmp_path: Path):
    config = collect.Config(tmp_path / "data", **SIZE | {"samples": 3, "eyes": "both"}, senses=NOISY)
    whole = collect.run(config).eye_left(slice(None))
    path = tmp_path / "data" / "shards" / "shard-00000.h5"
    with h5py.File(path) as file:
        place = file["eye_left"].id.get_chunk_info(1).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 50] ^= 255
    path.write_bytes(content)
    assert np.array_equal(collect.run(config).eye_left(slice(None)), whole)


def test_the_line_that_goes_on_gives_the_senses(noisy: Dataset):
    line = collect_line(noisy.path, noisy.info)
    assert "--senses eye 0.02 0.0 joints 5.0 120.0" in line
    assert cli.main(line.split()[1:]) == 0
    assert Dataset.open(noisy.path).fingerprint == noisy.fingerprint


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", "holds another data set: senses {'eye': [0.02, 0.0], 'joints': [5.0, 120.0]} (asked for: None)"),
        (
            "--senses nose 1 2",
            "got senses with the name 'nose', expected names among ['eye', 'joints', 'joint_velocities', 'gaze', 'touch']",
        ),
        ("--acuity 1000", "got --acuity 1000.0, expected age or a finite number from 0.05 up to 100"),
        ("--senses eye 2 0", "got 'eye' with noise=2, expected 0, or 0.003 to 0.25 of the 255 gray levels"),
        (
            "--senses joints 1 -2",
            "got --senses {'joints': (1.0, -2.0)}, expected age or a finite number from 0 up to 10,000",
        ),
    ],
)
def test_other_senses_are_refused(words: str, wanted: str, noisy: Dataset, capsys: pytest.CaptureFixture[str]):
    sizes = ["--samples", "40", "--eye-size", "60", "100", "--shard-size", "25", "--seed", "3", "--workers", "1"]
    assert cli.main(["collect", "--out", str(noisy.path), *sizes, *words.split()]) == 2
    assert wanted in capsys.readouterr().err


def test_a_noisy_sample_depends_on_seed_and_number_alone(noisy: Dataset, tmp_path: Path):
    halves = collect.run(collect.Config(tmp_path / "data", senses=NOISY, **SIZE | {"shard_size": 7, "workers": 2}))
    assert np.array_equal(halves.felt_joints, noisy.felt_joints)
    assert np.array_equal(halves.eye(slice(None)), noisy.eye(slice(None)))


def test_goals_and_the_true_eye_are_as_blurred_as_the_data(tmp_path: Path):
    data = collect.run(collect.Config(tmp_path / "data", acuity=0.2, **SIZE))
    sharp = TrueEye(data.arm, data.eye_size)
    blurred = TrueEye(data.arm, data.eye_size, data.acuity)
    joints = torch.from_numpy(data.normalized_joints[:3])
    recorded = data.pictures[:3]
    assert np.abs(blurred(joints).numpy() - recorded).max() < 0.02
    assert np.abs(sharp(joints).numpy() - recorded).max() > 0.1
    degrees = tuple(np.rad2deg(data.joints[0]).tolist())
    config = reach.Config(tmp_path / "run", goal_joints=degrees)
    goal = goals.goals_of(config, data, data.arm, None)[0]
    assert np.abs(goal.picture - recorded[0]).max() < 0.05
    sharp.close()
    blurred.close()


def test_a_network_that_is_not_told_the_gaze_refuses_an_eye_that_moves(tmp_path: Path):
    data = collect.run(collect.Config(tmp_path / "data", gaze="head", **SIZE))
    with pytest.raises(UserError, match="needs an eye that does not move"):
        latent_mlp.STAGE.run(latent_mlp.Config(tmp_path / "run", data=data.path, epochs=1))


def test_gaze_and_touch_are_recorded_as_they_are_and_as_they_are_felt(tmp_path: Path):
    common: dict[str, Any] = SIZE | {"samples": 24, "shard_size": 12, "gaze": "eyes", "touch": True, "touching": True}
    noise = {"gaze": (4.0, 50.0), "touch": (0.3, 20.0)}
    perfect = collect.run(collect.Config(tmp_path / "perfect", min_arm_in_view=0.0, **common))
    noisy = collect.run(collect.Config(tmp_path / "noisy", min_arm_in_view=0.0, senses=noise, **common))
    assert perfect.felt_gaze is perfect.gaze
    assert perfect.felt_touch is perfect.touch
    assert noisy.senses == {"gaze": Sense(4.0, 50.0), "touch": Sense(0.3, 20.0)}
    assert noisy.agent_senses == {"gaze": Sense(4.0, 50.0)}
    for name in ("joints", "gaze", "touch"):  # the noise changes neither the poses nor what they are
        assert np.array_equal(getattr(noisy, name), getattr(perfect, name))
    assert np.rad2deg(noisy.felt_gaze - noisy.gaze).std() == pytest.approx(4.0, rel=0.3)
    assert (noisy.felt_touch - noisy.touch).std() == pytest.approx(0.3, rel=0.03)
    rows = noisy.split("test")
    felt, true = senses.given(noisy, rows), senses.true(noisy, rows)
    assert np.array_equal(true["gaze"], perfect.normalized_gaze[rows])
    assert not np.array_equal(felt["gaze"], true["gaze"])
    strong = perfect.touch.max(axis=1) > 10 * 0.3
    assert strong.any()
    assert not np.isnan(noisy.felt_place[strong]).any()


def test_noise_of_touch_alone_is_no_touch(tmp_path: Path):
    common: dict[str, Any] = SIZE | {"samples": 12, "touch": True, "senses": {"touch": (0.3, 0.0)}}
    data = collect.run(collect.Config(tmp_path / "data", **common))
    nowhere = np.isnan(data.touched_place).all(axis=1)
    assert nowhere.any()
    assert np.isnan(data.felt_place[nowhere]).all()


def test_touch_that_is_not_recorded_has_no_noise(tmp_path: Path):
    with pytest.raises(UserError, match="got senses with 'touch' without touch=True, expected both"):
        collect.run(collect.Config(tmp_path / "data", senses={"touch": (1.0, 0.0)}, **SIZE))


SEEN = '{"turn": 15, "offsets": {"right_elbow_flexion": 0.3}}'


def test_an_arm_that_is_seen_elsewhere_is_collected_and_recorded(tmp_path: Path):
    size = SIZE | {"samples": 6, "shard_size": 3}
    usual = collect.run(collect.Config(tmp_path / "usual", **size))
    data = collect.run(collect.Config(tmp_path / "data", seen=SEEN, **size))
    shown = Seen(turn=15.0, offsets={"right_elbow_flexion": 0.3})
    assert (usual.seen, data.seen) == (None, shown)
    assert "seen" not in json.loads((usual.path / "dataset.json").read_text())["config"]
    assert np.array_equal(data.background, usual.background)
    eye, state, arm = EyeCamera(data.arm, data.eye_size), data.arm.new_data(), SeenArm(data.arm, shown)
    for k in range(6):
        data.arm.pose(state, data.joints[k])
        assert np.array_equal(data.eye(k), eye.render(state, seen=arm))
        assert data.column("arm_in_view", k) == pytest.approx(eye.in_view(state, arm)[0])
        assert not np.array_equal(data.eye(k), eye.render(state))
    eye.close()
    line = collect_line(data.path, data.info)
    assert cli.main(shlex.split(line)[1:]) == 0  # it is there
    assert collect.again(data, tmp_path / "more", 5, 1).recipe.displaced == shown
    with pytest.raises(UserError, match="and reaching needs an arm that is seen where it is"):
        data.check_seen_arm("reaching")
    usual.check_seen_arm("reaching")


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        ("15", "got --seen '15', expected fields of infant_env.Seen as JSON"),
        ("{turn: 15}", "got --seen '{turn: 15}', expected fields of infant_env.Seen as JSON"),
        ('{"twist": 15}', "expected a Seen, such as Seen(turn=15.0), or a dictionary with names among"),
        ('{"turn": 1000}', "got a seen arm with turn=1000, expected degrees from -360 to 360"),
        ('{"offsets": {"left_knee": 1}}', "left_knee"),
    ],
)
def test_an_arm_that_cannot_be_seen_so_is_refused(
    seen: str, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["collect", "--out", str(tmp_path / "data"), "--samples", "4", "--seen", seen]) == 2
    error = capsys.readouterr().err
    assert wanted in error
    assert error.count("\n") == 1
    assert not (tmp_path / "data" / "shards").exists()
