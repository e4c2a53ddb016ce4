"""Any file of a run or its data set, damaged in any way: the same result, or one line whose advice ends with the same result."""

import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import small_run_commands
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mending import follow, run_command, run_to_the_end
from safetensors import safe_open

from agents import Imagination
from infant_env.errors import UserError
from training.data.dataset import Dataset
from training.data.shards import cache_path, shard_path

Damage = Callable[[bytes], bytes | None]


def flipped(content: bytes) -> bytes:
    """One bit in the middle is another."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


DAMAGES: dict[str, Damage] = {"flipped": flipped, "gone": lambda _: None}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run with all kinds of files, moved after it was made: its data set is found by its place."""
    made = tmp_path_factory.mktemp("made") / "run"
    for words in small_run_commands(made, seed=5):
        assert run_command(*words)[0] == 0
    return Path(shutil.move(made, tmp_path_factory.mktemp("whole") / "run"))


@pytest.fixture(scope="module")
def wanted(whole: Path) -> list[str]:
    """The errors of the small run."""
    return table(run_command("evaluate", "--run", whole)[1])


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another run, on other poses."""
    made = tmp_path_factory.mktemp("other") / "run"
    for words in small_run_commands(made, seed=6):
        assert run_command(*words)[0] == 0
    return made


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def files_of(run: Path) -> list[Path]:
    """All files that a command reads again."""
    hidden = (path.relative_to(run) for path in sorted(run.rglob("*")) if path.is_file())
    return [path for path in hidden if not path.name.startswith(".") and path.suffix != ".log"]


def table(printed: str) -> list[str]:
    """The printed errors, without what is not trained."""
    return [line for line in printed.splitlines() if line and "not trained" not in line]


def trained(run: Path, but: str = "") -> dict[str, dict[str, bytes]]:
    """All tensors of all files, and all poses; without one file."""
    found: dict[str, dict[str, bytes]] = {}
    for path in (path for path in run.glob("*.safetensors") if path.name != but):
        with safe_open(path, framework="np") as file:
            found[path.name] = {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118
    for path in (path for path in run.glob("dataset/shards/*") if path.name != but):
        with h5py.File(path) as file:
            found[path.name] = {name: file[name][:].tobytes() for name in file}
    return found


def end_of(run: Path) -> tuple[list[str], list[str]]:
    """The table in the end, if all advice is followed; and the lines of advice."""
    printed, lines = run_to_the_end("evaluate", "--run", run)
    never = re.compile("mvae|desom|dnm|mmcm|color_regressor")
    lost = [line for line in printed.splitlines() if "not trained" in line and not never.match(line)]
    for line in lost:
        assert not follow(line)
    return table(run_to_the_end("evaluate", "--run", run)[0] if lost else printed), lines


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_file_heals_or_its_advice_ends_with_the_same_table(whole: Path, tmp_path: Path, damage: str):
    wanted, _ = end_of(Path(shutil.copytree(whole, tmp_path / "sound")))
    for name in files_of(whole):
        run = Path(shutil.copytree(whole, tmp_path / "run"))
        content = DAMAGES[damage]((run / name).read_bytes())
        (run / name).unlink() if content is None else (run / name).write_bytes(content)
        found, lines = end_of(run)
        assert found == wanted, (name, lines)
        unread = "" if lines else name.name  # what no command has read is still damaged
        assert trained(run, unread) == trained(whole, unread), (name, lines)
        shutil.rmtree(run)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
def test_any_byte_of_any_file_gives_one_line_or_the_same_table(
    whole: Path, wanted: list[str], tmp_path_factory: Any, seed: int
):
    draw, run = random.Random(seed), tmp_path_factory.mktemp("any") / "run"
    shutil.copytree(whole, run)
    path = run / draw.choice(files_of(run))
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    status, printed, said = run_command("evaluate", "--run", run)
    assert (status, said.count("\n")) in ((0, 0), (2, 1))
    assert status == 2 or table(printed) == wanted
    shutil.rmtree(run)


@pytest.mark.parametrize("name", ["generator", "glance", "regressor", "som", "autoencoder", "pixel_som", "latent_mlp"])
def test_a_file_of_another_run_is_told_and_trained_again(run: Path, whole: Path, other: Path, name: str):
    shutil.copy(other / f"{name}.safetensors", run)
    assert run_command("evaluate", "--run", run)[0] == 2
    end_of(run)
    assert trained(run) == trained(whole)


@pytest.mark.parametrize("name", ["generator", "glance"])
def test_an_imagination_of_two_runs_does_not_load(run: Path, other: Path, name: str):
    shutil.copy(other / f"{name}.safetensors", run)
    with pytest.raises(UserError, match="was trained on another data set than som.safetensors"):
        Imagination.load(run)


@pytest.mark.parametrize("is_there", [True, False])
def test_the_config_of_another_run_is_deleted_and_nothing_is_trained_again(
    run: Path, whole: Path, other: Path, is_there: bool
):
    content = json.loads((other / "config.json").read_text())
    if not is_there:
        content["train-ae"]["data"] = "gone"
        del content["sha256"]
    (run / "config.json").write_text(json.dumps(content))
    _, lines = end_of(run)
    assert f"delete {run / 'config.json'} and run the same command again" in " ".join(lines)
    assert trained(run) == trained(whole)


def test_a_model_that_config_json_lists_with_other_settings_is_told(run: Path):
    status, _, _ = run_command("train-regressor", "--data", run / "dataset", "--run", run, "--epochs", 3, "--seed", 5)
    assert status == 0
    content = json.loads((run / "config.json").read_text())
    content["train-regressor"]["epochs"] = 2
    del content["sha256"]  # as one who edits the file is told
    (run / "config.json").write_text(json.dumps(content))
    _, _, said = run_command("evaluate", "--run", run)
    assert "was trained with epochs=3, but config.json lists epochs=2" in said


def test_without_metrics_json_the_training_curves_are_there_again(run: Path):
    before = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").unlink()
    run_to_the_end("report", "--run", run)
    after = json.loads((run / "metrics.json").read_text())
    for section in ("autoencoder", "som", "map", "generator", "glance", "regressor", "baselines", "world_model"):
        assert without_times(after[section]) == without_times(before[section])


def without_times(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: without_times(value) for name, value in content.items() if name != "seconds"}
    return [without_times(each) for each in content] if isinstance(content, list) else content


def test_a_data_set_without_its_description_gets_the_same_again(run: Path, whole: Path):
    (run / "dataset" / "dataset.json").unlink()
    end_of(run)
    assert (run / "dataset" / "dataset.json").read_bytes() == (whole / "dataset" / "dataset.json").read_bytes()


def test_a_data_set_without_its_description_is_not_overwritten_by_another(run: Path):
    (run / "dataset" / "dataset.json").unlink()
    words = ["--samples", 60, "--eye-size", 60, 100, "--shard-size", 20, "--seed", 9, "--workers", 1]
    _, _, said = run_command("collect", "--out", run / "dataset", *words)
    assert "holds another data set: seed 5" in said


@pytest.mark.parametrize("content", [b"", b"\x89", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_a_damaged_background_is_drawn_again(run: Path, whole: Path, content: bytes):
    (run / "dataset" / "background.png").write_bytes(content)
    assert np.array_equal(Dataset.open(run / "dataset").background, Dataset.open(whole / "dataset").background)
    assert (run / "dataset" / "background.png").read_bytes() == (whole / "dataset" / "background.png").read_bytes()


def test_a_cache_of_zeros_or_of_other_poses_is_made_again(run: Path, whole: Path):
    first, second = (cache_path(run / "dataset", shard) for shard in (0, 1))
    second.write_bytes(first.read_bytes())
    first.write_bytes(bytes(first.stat().st_size))
    assert np.array_equal(Dataset.open(run / "dataset").pictures, Dataset.open(whole / "dataset").pictures)


def test_a_shard_of_another_data_set_or_number_is_told_and_collected_again(run: Path, whole: Path, other: Path):
    for source in (shard_path(other / "dataset", 1), shard_path(whole / "dataset", 2)):
        shutil.copy(source, shard_path(run / "dataset", 1))
        with pytest.raises(UserError, match=r"shard-00001.h5 is damaged .* it collects only that shard"):
            Dataset.open(run / "dataset")
        end_of(run)
        assert trained(run) == trained(whole)


def test_a_damaged_frame_is_told_when_it_is_read_and_collected_again(run: Path, whole: Path):
    path = shard_path(run / "dataset", 1)
    with h5py.File(path) as file:
        place = file["eye"].id.get_chunk_info(3).byte_offset + 30
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"shard-00001.h5 is damaged") as caught:
        Dataset.open(run / "dataset").eye(23)
    assert not follow(str(caught.value))
    assert trained(run) == trained(whole)


def every_byte(content: bytes) -> Iterator[bytes]:
    for place in range(0, len(content), 31):
        yield content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :]


def test_no_byte_of_a_shard_changes_what_is_read(run: Path, whole: Path):
    path, info = shard_path(run / "dataset", 2), Dataset.open(run / "dataset").info
    content, wanted = path.read_bytes()[:4000], trained(whole)[path.name]
    rest, opened = path.read_bytes()[4000:], 0
    for changed in every_byte(content):
        path.write_bytes(changed + rest)
        try:
            data = Dataset.open(run / "dataset")
            found = {name: data.column(name)[40:].tobytes() for name in wanted}
        except UserError:
            continue
        assert (found, data.info) == (wanted, info)
        opened += 1
    assert opened
