"""Recordings in: what is imported is what was recorded, and bad recordings are one line."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio.v3 as iio
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import recordings
from hypothesis import given
from hypothesis import strategies as st

from infant_env.errors import UserError
from infant_env.senses.vision import to_gray
from training import cli
from training.data.dataset import Dataset, in_random_pieces
from training.exchange import command
from training.exchange.command import Env, LeRobot, Minari, Pictures, Video
from training.exchange.sources import env, pictures
from training.exchange.sources.lerobot import lerobot_source
from training.exchange.sources.tables import numbers_of, read_table

JOINTS = recordings.poses(60)
TABLE = {"joints": recordings.NAMES, "shard_size": 25}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures with a table."""
    return recordings.write_pictures(tmp_path_factory.mktemp("recorded") / "pictures", JOINTS)


@pytest.fixture(scope="module")
def imported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same as a data set that knows the hand."""
    out = tmp_path_factory.mktemp("imported") / "data"
    return command.run(Pictures(source=folder, table=folder / "joints.csv", out=out, hand=("x", "y", "z"), **TABLE))


@pytest.fixture
def mine(folder: Path, tmp_path: Path) -> Path:
    """Pictures of one's own to damage."""
    return Path(shutil.copytree(folder, tmp_path / "mine"))


def from_folder(mine: Path, out: Path, **options: Any) -> Dataset:
    return command.run(Pictures(source=mine, table=mine / "joints.csv", out=out, **TABLE | options))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "shards").iterdir())}


def test_pictures_and_joints_are_those_that_were_recorded(imported: Dataset):
    assert np.array_equal(imported.eye(slice(None)), recordings.frames(JOINTS))
    assert imported.joints == pytest.approx(JOINTS, abs=1e-6)
    assert imported.hand_position == pytest.approx(recordings.hands(JOINTS), abs=1e-6)
    assert imported.joint_names == recordings.NAMES
    assert imported.recorded
    assert imported.info.accepted == 60


def test_the_room_without_the_arm_is_the_median_of_the_frames(imported: Dataset):
    seen = iio.imread(imported.path / "background.png")
    assert (seen == recordings.ROOM).all(-1).mean() > 0.98  # the shoulder is always there
    (imported.path / "background.png").unlink()
    assert Dataset.open(imported.path).background.shape == (64, 64)
    assert np.array_equal(iio.imread(imported.path / "background.png"), seen)


def test_a_range_is_that_of_the_recording_and_a_margin_or_as_given(folder: Path, imported: Dataset, tmp_path: Path):
    low, high = JOINTS.min(0), JOINTS.max(0)
    assert imported.joint_ranges == pytest.approx(
        np.stack([low, high], 1) + np.outer(high - low, [-0.05, 0.05]), abs=1e-5
    )
    told = from_folder(folder, tmp_path / "told", joint_ranges={"elbow": (0.0, 2.0)}, margin=0.0)
    assert told.joint_ranges == pytest.approx(np.array([[low[0], high[0]], [0, 2]]), abs=1e-5)


def test_degrees_become_radians(mine: Path, imported: Dataset, tmp_path: Path):
    recordings.write_csv(mine / "joints.csv", dict(zip(recordings.NAMES, np.degrees(JOINTS).T, strict=True)))
    assert from_folder(mine, tmp_path / "data", degrees=True).joints == pytest.approx(imported.joints, abs=1e-6)


def test_frames_of_any_aspect_are_squeezed_to_a_square(tmp_path: Path):
    high = np.random.default_rng(0).integers(0, 256, (6, 90, 40, 3)).astype(np.uint8)
    (tmp_path / "high").mkdir()
    for k, frame in enumerate(high):
        iio.imwrite(tmp_path / "high" / f"{k}.png", frame)
    recordings.write_csv(tmp_path / "high" / "joints.csv", dict(zip(recordings.NAMES, JOINTS[:6].T, strict=True)))
    data = from_folder(tmp_path / "high", tmp_path / "data")
    assert data.eye_size == (90, 40)
    assert np.array_equal(data.pictures, to_gray(high))
    assert np.array_equal(data.eye(slice(None)), high)


def test_every_third_frame(folder: Path, imported: Dataset, tmp_path: Path):
    third = from_folder(folder, tmp_path / "data", every=3)
    assert np.array_equal(third.joints, imported.joints[::3])
    assert np.array_equal(third.eye(slice(None)), imported.eye(np.arange(0, 60, 3)))


def test_an_import_that_was_killed_goes_on_to_the_same_bytes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = from_folder(folder, tmp_path / "whole")
    read = pictures.read_frame

    def until_it_is_killed(path: Path) -> Any:
        if path.name == "frame-30.png":
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(pictures, "read_frame", until_it_is_killed)
    with pytest.raises(KeyboardInterrupt):
        from_folder(folder, tmp_path / "killed")
    assert len(digests(tmp_path / "killed")) == 1
    line = r"infant-arm import pictures \S+pictures --out \S+killed .*--joints shoulder elbow"
    with pytest.raises(UserError, match=f"not complete; run `{line}"):
        Dataset.open(tmp_path / "killed")
    monkeypatch.undo()
    again = from_folder(folder, tmp_path / "killed")
    assert digests(again.path) == digests(whole.path)
    assert again.fingerprint == whole.fingerprint


def test_another_recording_does_not_go_into_the_same_folder(mine: Path, tmp_path: Path):
    from_folder(mine, tmp_path / "data")
    iio.imwrite(mine / "frame-7.png", recordings.frames(JOINTS[8:9])[0])
    with pytest.raises(UserError, match="holds another data set"):
        from_folder(mine, tmp_path / "data")


def test_a_video_is_read_frame_by_frame(imported: Dataset, folder: Path, tmp_path: Path):
    video = recordings.write_video(tmp_path / "film.mp4", JOINTS)
    pq.write_table(pa.table(dict(zip(recordings.NAMES, JOINTS.T, strict=True))), tmp_path / "joints.parquet")
    data = command.run(Video(source=video, table=tmp_path / "joints.parquet", out=tmp_path / "data", **TABLE))
    assert np.array_equal(data.eye(slice(None)), imported.eye(slice(None)))
    assert np.array_equal(data.joints, imported.joints)


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_lerobot_data_set_is_read_by_its_published_layout(version: str, imported: Dataset, tmp_path: Path):
    source = recordings.write_lerobot(tmp_path / "robot", JOINTS, [20, 15, 25], version)
    data = command.run(LeRobot(source=source, out=tmp_path / "data", shard_size=25))
    assert np.array_equal(data.eye(slice(None)), imported.eye(slice(None)))
    assert np.array_equal(data.joints, imported.joints)
    assert data.joint_names == recordings.NAMES
    assert np.bincount(data.column("episode")).tolist() == [20, 15, 25]
    assert data.info.camera.name == recordings.CAMERA


@pytest.mark.filterwarnings("ignore:`.*` is set to None", "ignore:env_spec is None")
def test_a_minari_data_set_of_the_infant_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    infant = gym.make("InfantArmReach-v0", eye_size=(36, 60))
    episodes = []
    for seed in range(2):
        infant.action_space.seed(seed)
        seen, actions = [infant.reset(seed=seed)[0]], [infant.action_space.sample() for _ in range(5)]
        seen += [infant.step(action)[0] for action in actions]
        together = {key: np.array([each[key] for each in seen]) for key in seen[0]}
        told = {"rewards": [0.0] * 5, "terminations": [False] * 5, "truncations": [False] * 5}
        episodes.append(
            minari.data_collector.EpisodeBuffer(seed, observations=together, actions=actions, infos={}, **told)
        )
    spaces = {"observation_space": infant.observation_space, "action_space": infant.action_space}
    minari.create_dataset_from_buffers("infant/reach/few-v0", episodes, **spaces, jpeg_encoding=False)
    infant.close()
    options = {"joints": ("observation[0:5]",), "hand": ("achieved_goal",)}
    data = command.run(Minari(source="infant/reach/few-v0", out=tmp_path / "data", **options))
    assert len(data) == 12
    assert np.array_equal(data.eye(slice(6)), episodes[0].observations["eye"])
    assert np.array_equal(data.joints[6:], episodes[1].observations["observation"][:, :5])
    assert np.array_equal(data.hand_position[6:], episodes[1].observations["achieved_goal"].astype(np.float32))


def test_any_environment_with_a_camera_and_joints_is_recorded(tmp_path: Path):
    words = ["--options", '{"eye_size": [36, 60]}', "--samples", "9", "--per-episode", "4", "--hold", "2"]
    for out in ("one", "two"):
        assert cli.main(["collect", "--env", "InfantArm-v0", "--out", str(tmp_path / out), *words]) == 0
    data = Dataset.open(tmp_path / "one")
    assert np.bincount(data.column("episode")).tolist() == [4, 4, 1]
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert not list(data.path.glob(".recorded*"))
    infant = gym.make("InfantArm-v0", eye_size=(36, 60))
    infant.reset(seed=0)
    infant.action_space.seed(0)
    action = infant.action_space.sample()
    seen = [infant.step(action)[0] for _ in range(2)][-1]
    infant.close()
    assert np.array_equal(data.eye(0), seen["eye"])
    assert np.array_equal(data.joints[0], seen["joints"])


def test_a_recording_that_was_killed_keeps_its_episodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    options = {"options": '{"eye_size": [36, 60]}', "samples": 9, "per_episode": 3, "hold": 1}
    usual, made = env._record, list[int]()

    def until_it_is_killed(*given: Any) -> None:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(given[2])
        usual(*given)

    monkeypatch.setattr(env, "_record", until_it_is_killed)
    with pytest.raises(KeyboardInterrupt):
        command.run(Env(source="InfantArm-v0", out=tmp_path / "killed", **options))
    made.clear()
    command.run(Env(source="InfantArm-v0", out=tmp_path / "killed", **options))
    assert made == [2]
    made.clear()
    monkeypatch.setattr(env, "_record", usual)
    command.run(Env(source="InfantArm-v0", out=tmp_path / "whole", **options))
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_the_splits_of_a_recording_share_no_moment_and_keep_neighbors_together(lengths: list[int]):
    episodes = np.arange(len(lengths)).repeat(lengths)
    order = in_random_pieces(episodes)
    assert sorted(order.tolist()) == list(range(len(episodes)))
    ends = np.flatnonzero(np.diff(order) != 1)
    most = len(lengths) + len(episodes) / max(1, len(episodes) // 20)
    assert len(ends) < most  # all others follow each other


def damaged_csv(values: dict[int, Any]) -> Callable[[Path], Any]:
    def change(mine: Path) -> None:
        elbow = JOINTS[:, 1].astype(object)
        for row, value in values.items():
            elbow[row] = value
        recordings.write_csv(mine / "joints.csv", {"shoulder": JOINTS[:, 0], "elbow": elbow})

    return change


def one_picture(frame: Any) -> Callable[[Path], Any]:
    return lambda mine: iio.imwrite(mine / "frame-9.png", frame)


BAD: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str]] = {
    "a missing frame": (lambda mine: (mine / "frame-9.png").unlink(), {}, "has 59 frames and .*joints.csv has 60 rows"),
    "NaN": (damaged_csv({4: "nan"}), {}, "got nan for the joint elbow in row 5"),
    "an empty cell": (damaged_csv({4: ""}), {}, "got nan for the joint elbow in row 5"),
    "a word": (damaged_csv({4: "left"}), {}, "has 'left' in column elbow, row 5, expected a number"),
    "a constant joint": (damaged_csv(dict.fromkeys(range(60), 0.5)), {}, "joint elbow that is 0.5 throughout"),
    "degrees": (damaged_csv({4: 90.0}), {}, "from .* to 90 rad.*if they are degrees, give --degrees"),
    "no such column": (lambda _: None, {"joints": ("wrist",)}, "got --joints wrist, .* one of .*'shoulder', 'elbow'"),
    "two columns of the hand": (lambda _: None, {"hand": ("x", "y")}, "got 2 numbers of --hand, expected three"),
    "a range that is too small": (lambda _: None, {"joint_ranges": {"elbow": (0.0, 1.0)}}, "the recording has .* to 1.5"),
    "a range of another joint": (lambda _: None, {"joint_ranges": {"wrist": (0.0, 1.0)}}, "expected joints among"),
    "another size": (one_picture(np.zeros((30, 60, 3), np.uint8)), {}, "frame-9.png is 60x30 pixels, frame-0.png is 60x36"),
    "no picture": (lambda mine: (mine / "frame-9.png").write_bytes(b"no"), {}, "frame-9.png cannot be read as a picture"),
    "no pictures": (lambda mine: [p.unlink() for p in mine.glob("*.png")], {}, "has no pictures, expected files that end"),
    "no table": (lambda mine: (mine / "joints.csv").unlink(), {}, "there is no table"),
    "a table of another kind": (lambda _: None, {"table": Path("joints.txt")}, "there is no table joints.txt"),
    "a row that is cut off": (
        lambda mine: (mine / "joints.csv").write_text("shoulder,elbow\n1,2\n3\n"), {}, "has 1 values in row 2, expected 2"
    ),
    "a name that comes twice": (
        lambda mine: (mine / "joints.csv").write_text("elbow,elbow\n1,2\n"), {}, "has two columns 'elbow'"
    ),
    "a name too few": (lambda _: None, {"joint_names": ("a",)}, "got 1 --joint-names, expected 2"),
    "a background of another size": (
        lambda mine: iio.imwrite(mine.parent / "room.png", np.zeros((8, 8, 3), np.uint8)), {"background": Path("room.png")},
        "got a --background of 8x8 pixels, expected 60x36",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_recording_is_one_line(what: str, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    damage, options, told = BAD[what]
    damage(mine)
    given = {"table": mine / "joints.csv", **TABLE, **options}
    with pytest.raises(UserError, match=told) as error:
        command.run(Pictures(source=mine, out=tmp_path / "data", **given))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "data" / "shards").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"no video", "cannot be read as a video"), (None, "there is no video")],
)
def test_a_bad_video_is_one_line(content: bytes | None, told: str, mine: Path, tmp_path: Path):
    if content is not None:
        (tmp_path / "film.mp4").write_bytes(content)
    with pytest.raises(UserError, match=told):
        command.run(Video(source=tmp_path / "film.mp4", table=mine / "joints.csv", out=tmp_path / "data", **TABLE))


def without_a_row(robot: Path) -> None:
    path = robot / "data" / "chunk-000" / "file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table.slice(0, 7), table.slice(8)]), path)


def shorter_video(robot: Path) -> None:
    recordings.write_video(robot / "videos" / recordings.CAMERA / "chunk-000" / "file-000.mp4", JOINTS[:20])


def told_otherwise(**changes: Any) -> Callable[[Path], Any]:
    def change(robot: Path) -> None:
        path = robot / "meta" / "info.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def meta_of(robot: Path, episodes: int) -> bytes:
    """The table of fewer episodes."""
    buffer = io.BytesIO()
    pq.write_table(pq.read_table(next(robot.glob("meta/episodes/*/*"))).slice(0, episodes), buffer)
    return buffer.getvalue()


BAD_ROBOTS: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str]] = {
    "a missing row": (without_a_row, {}, "episode 0 of .* has 19 frames, expected 20"),
    "a short video": (shorter_video, {}, "file-000.mp4 ends after 20 frames, expected a frame 20"),
    "no video": (lambda robot: shutil.rmtree(robot / "videos"), {}, "file-000.mp4 is missing"),
    "no data": (lambda robot: shutil.rmtree(robot / "data"), {}, "data is missing"),
    "an old version": (told_otherwise(codebase_version="v1.6"), {}, "version 'v1.6', expected v2.0, v2.1 or v3.0"),
    "no LeRobot data set": (lambda robot: shutil.rmtree(robot / "meta"), {}, "holds no meta/info.json"),
    "an episode that meta does not know": (
        lambda robot: next(robot.glob("meta/episodes/*/*")).write_bytes(meta_of(robot, 2)), {}, "frames of episode 2, which"
    ),
    "another camera": (lambda _: None, {"eye": "wrist"}, "got --eye wrist, .*observation.images.top"),
    "another feature": (lambda _: None, {"joints": ("qpos",)}, "got --joints qpos, .*observation.state"),
    "a part that is empty": (lambda _: None, {"joints": ("observation.state[2:5]",)}, "part of observation.state that is empty"),
    "a part that is none": (lambda _: None, {"joints": ("observation.state[a]",)}, "expected a name such as joints"),
}  # fmt: skip


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recordings.write_lerobot(tmp_path_factory.mktemp("robots") / "robot", JOINTS, [20, 15, 25], "v3.0")


@pytest.mark.parametrize("what", BAD_ROBOTS)
def test_a_bad_lerobot_data_set_is_one_line(what: str, robot: Path, tmp_path: Path):
    damage, options, told = BAD_ROBOTS[what]
    mine = Path(shutil.copytree(robot, tmp_path / "robot"))
    damage(mine)
    with pytest.raises(UserError, match=told) as error:
        command.run(LeRobot(source=mine, out=tmp_path / "data", **options))
    assert "\n" not in str(error.value)


@given(st.sampled_from([".csv", ".parquet"]), st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_whatever_a_table_holds_is_numbers_or_a_users_mistake(robot: Path, ending: str, content: bytes):
    path = robot.parent / f"table{ending}"
    path.write_bytes(content)
    with suppress(UserError):
        for name, column in read_table(path).items():
            with suppress(UserError):
                assert len(numbers_of(column, name, path)) == len(column)


JUNK = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.just({"a": [1]})
)


@given(st.sampled_from(["codebase_version", "fps", "features", "data_path", "video_path", "chunks_size"]), JUNK)
def test_whatever_a_description_says_is_read_or_a_users_mistake(robot: Path, name: str, value: Any):
    path = robot / "meta" / "info.json"
    usual = path.read_text()
    path.write_text(json.dumps(json.loads(usual) | {name: value}))
    with suppress(UserError):
        lerobot_source(robot, None, ["observation.state"], ())
    path.write_text(usual)


def test_bad_environments_are_one_line(tmp_path: Path):
    for source, options, told in (
        ("NoSuchEnv-v0", {}, "the environment NoSuchEnv-v0 cannot be made"),
        ("CartPole-v1", {"joints": ("[0:2]",)}, "got the entry 'eye', but the observation has an array"),
        ("CartPole-v1", {"options": "[1"}, "got --options .*expected a JSON object"),
    ):
        with pytest.raises(UserError, match=told):
            command.run(Env(source=source, out=tmp_path / "data", **options))


def test_a_library_that_is_missing_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, robot: Path, tmp_path: Path
):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(UserError, match=r"needs pyarrow .*pip install 'infant-arm\[recordings\]'"):
        command.run(LeRobot(source=robot, out=tmp_path / "data"))
