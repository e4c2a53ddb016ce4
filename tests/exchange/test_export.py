"""Data sets out: others open them, and nothing is lost."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from infant_env.errors import UserError
from training.data.dataset import Dataset
from training.exchange import command, export
from training.exchange.exports import lerobot, minari

ROWS = slice(None)


@pytest.fixture(scope="module")
def exported(small_data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest data set in LeRobot's layout."""
    return export.run(export.LeRobot(source=small_data.path, out=tmp_path_factory.mktemp("lerobot") / "data"))


def test_the_files_are_where_lerobot_looks_for_them(exported: Path, small_data: Dataset):
    info = json.loads((exported / "meta" / "info.json").read_text())
    episodes = pq.read_table(exported / "meta" / "episodes" / "chunk-000" / "file-000.parquet").to_pylist()
    assert info["codebase_version"] == "v3.0"
    assert (info["total_frames"], info["total_episodes"], info["total_tasks"]) == (32, len(episodes), 1)
    assert info["splits"] == {"train": f"0:{len(episodes)}"}
    held = 0
    for number, episode in enumerate(episodes):
        place = {"chunk_index": episode["data/chunk_index"], "file_index": episode["data/file_index"]}
        table = pq.read_table(exported / info["data_path"].format(**place))
        own = table.filter(pc.field("episode_index") == number).to_pydict()
        assert (episode["episode_index"], episode["dataset_from_index"]) == (number, held)
        assert own["frame_index"] == list(range(episode["length"]))
        assert own["index"] == list(range(held, held + episode["length"]))
        assert own["timestamp"] == pytest.approx(np.arange(episode["length"]) / info["fps"])
        held = episode["dataset_to_index"]
    assert held == 32


def test_every_feature_has_the_type_and_the_shape_that_are_told(exported: Path):
    info = json.loads((exported / "meta" / "info.json").read_text())
    table = pq.read_table(exported / "data" / "chunk-000" / "file-000.parquet")
    stats = json.loads((exported / "meta" / "stats.json").read_text())
    assert set(table.column_names) == set(info["features"]) == set(stats)
    for name, feature in info["features"].items():
        kind = table.schema.field(name).type
        if feature["dtype"] == "image":
            assert [field.name for field in kind] == ["bytes", "path"]
            assert np.shape(stats[name]["mean"]) == (3, 1, 1)
            assert np.array(Image.open(io.BytesIO(table[name][0].as_py()["bytes"]))).shape == tuple(feature["shape"])
        elif feature["shape"] == [1]:
            assert str(kind) == feature["dtype"].replace("float32", "float")
        else:
            assert (kind.list_size, str(kind.value_type)) == (feature["shape"][0], "float")
            assert len(feature["names"]) == feature["shape"][0]


def test_pandas_finds_the_tasks_by_their_words(exported: Path):
    table = pq.read_table(exported / "meta" / "tasks.parquet")
    assert table.to_pylist() == [{"task_index": 0, "task": "watch the arm"}]
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["task"]


def test_what_lerobot_gets_comes_back_with_every_bit(exported: Path, small_data: Dataset, tmp_path: Path):
    hand = "observation.hand_position"
    again = command.run(command.LeRobot(source=exported, out=tmp_path / "again", shard_size=10, hand=(hand,)))
    assert np.array_equal(again.eye(ROWS), small_data.eye(ROWS))
    assert np.array_equal(again.joints, small_data.joints)
    assert np.array_equal(again.hand_position, small_data.hand_position)
    assert again.joint_names == small_data.joint_names


def test_minari_opens_what_it_gets_with_every_bit(small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    library = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    export.run(export.Minari(source=small_data.path, id="infant/small-v0"))
    loaded = library.load_dataset("infant/small-v0")
    assert loaded.total_episodes == 4  # one for each shard
    for name, known in (("eye", small_data.eye(ROWS)), ("joints", small_data.joints)):
        assert np.array_equal(np.concatenate([episode.observations[name] for episode in loaded]), known)
    first = loaded[0]
    assert first.actions == pytest.approx(2 * small_data.normalized_joints[1:10] - 1)
    assert first.truncations.tolist() == [False] * 8 + [True]
    assert all(loaded.observation_space.contains({k: v[0] for k, v in e.observations.items()}) for e in loaded)


@given(st.lists(st.integers(1, 900), min_size=1, max_size=40))
def test_files_hold_whole_episodes_in_order_and_not_too_many(lengths: list[int]):
    files = lerobot._packed(np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1]))
    assert [number for file in files for number in file] == list(range(len(lengths)))
    assert all(len(file) == 1 or sum(lengths[k] for k in file) <= 500 for file in files)


@pytest.mark.parametrize("kind", ["lerobot", "minari"])
def test_an_export_that_was_killed_has_no_name_and_goes_on(
    kind: str, small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    monkeypatch.setattr(lerobot, "_PER_FILE", 10)
    config = {
        "lerobot": export.LeRobot(source=small_data.path, out=tmp_path / "out"),
        "minari": export.Minari(source=small_data.path, id="out-v0"),
    }[kind]
    target = tmp_path / {"lerobot": "out", "minari": "out-v0/data"}[kind]
    module, name = {"lerobot": (lerobot, "_write_data"), "minari": (minari, "_episode")}[kind]
    usual, made = getattr(module, name), []

    def until_it_is_killed(*given: object) -> object:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(given)
        return usual(*given)

    monkeypatch.setattr(module, name, until_it_is_killed)
    with pytest.raises(KeyboardInterrupt):
        export.run(config)
    assert not target.exists()
    made[:] = [()]  # one of four parts is too many to be made again
    monkeypatch.setattr(module, name, lambda *given: (made.append(given), usual(*given))[1])
    assert export.run(config) == target
    assert len(made) == 1 + 2
    assert not list(target.parent.glob(".*"))
    with pytest.raises(UserError, match="is there already; choose another one"):
        export.run(config)
