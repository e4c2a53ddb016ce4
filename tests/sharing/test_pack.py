"""A trained infant in one small file."""

from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents import MentalImageryAgent
from agents.mind import packed
from agents.mind.imagination import Imagination
from agents.som.quality import quantization_error
from agents.tools import checkpoints
from infant_env.errors import UserError
from training import cli
from training.act import reach
from training.act.goals import new_goals
from training.data.dataset import Dataset
from training.measure.senses import features
from training.runs import folder as runs
from training.sharing import pack


@pytest.fixture(scope="module")
def file(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The infant of the tiny run, packed."""
    return pack.run(pack.Config(tiny_run, out=tmp_path_factory.mktemp("packed") / "infant.safetensors"))


@pytest.fixture(scope="module")
def infant(file: Path) -> packed.PackedInfant:
    return packed.unpack(file)


def matrices(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: each for name, each in tensors.items() if name.endswith("weight") and each.ndim > 1}


def test_a_packed_infant_is_the_infant_of_the_run_up_to_rounding(infant: packed.PackedInfant, tiny_run: Path):
    own, whole = infant.imagination, Imagination.load(tiny_run)
    for mine, theirs in ((own.generator, whole.generator), (own.glance, whole.glance)):
        assert mine is not None
        assert theirs is not None
        rounded = matrices(theirs.state_dict())
        for name, each in mine.state_dict().items():
            expected = theirs.state_dict()[name]
            assert torch.equal(each, expected.half().float() if name in rounded else expected), name
    poses = torch.rand(20, 5, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(own.generator.draw(poses), whole.generator.draw(poses), atol=5e-3)
    assert own.calibration == whole.calibration
    assert torch.equal(own.mind.joint_ranges, whole.mind.joint_ranges)
    assert (own.mind.som.shape, own.mind.som.c) == (whole.mind.som.shape, whole.mind.som.c)
    assert list(own.mind.som.modalities) == list(whole.mind.som.modalities)


def test_its_map_is_trained_again_to_the_same_bytes_on_any_number_of_threads(
    infant: packed.PackedInfant, file: Path, tiny_run: Path
):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    again = packed.unpack(file).imagination.mind.som
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)
    som, of_run = infant.imagination.mind.som, Imagination.load(tiny_run).mind.som
    for name in som.modalities:
        assert torch.equal(som.weights(name), again.weights(name))
    samples = features(tiny_run, Dataset.open(runs.data_of(tiny_run)), "test", torch.device("cpu"))
    assert quantization_error(som, samples) == pytest.approx(quantization_error(of_run, samples), rel=0.1)


def test_a_file_is_not_replaced_by_another_infant(file: Path, tiny_run: Path, tmp_path: Path):
    before = file.read_bytes()
    assert pack.run(pack.Config(tiny_run, out=file)) == file
    with pytest.raises(UserError, match="already another .*choose another file with --out"):
        pack.run(pack.Config(tiny_run, out=file, precision="bfloat16"))
    with pytest.raises(UserError, match=r"already another .*som.safetensors"):
        pack.run(pack.Config(tiny_run, out=tiny_run / "som.safetensors"))
    assert file.read_bytes() == before


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_file_with_one_bit_changed_is_answered_by_one_line(file: Path, tmp_path: Path, place: float, bit: int):
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    (tmp_path / "damaged.safetensors").write_bytes(content)
    with pytest.raises(UserError, match=r"get it again, or pack one|version") as error:
        packed.unpack(tmp_path / "damaged.safetensors")
    assert "\n" not in str(error.value)


def test_other_files_are_answered_by_one_line(tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for path in (tiny_run / "som.safetensors", tiny_run / "config.json", tmp_path / "none", "memory://none"):
        words = ["reach", "--infant", str(path), "--run", str(tmp_path / "out")]
        assert cli.main(words) == 2
        said = capsys.readouterr().err
        assert said.startswith("infant-arm: ")
        assert said.count("\n") == 1
        assert "train-" not in said
        assert not (tmp_path / "out").exists()


def test_an_infant_at_an_address_is_read_and_kept_nowhere(file: Path):
    memory: Any = fsspec.filesystem("memory")
    memory.pipe_file("/infants/mine.safetensors", file.read_bytes())
    agent = MentalImageryAgent.pretrained("memory://infants/mine.safetensors", looks=2)
    memory.store.clear()
    assert agent.most_looks == 2
    agent.imagine_goal(np.zeros(5, np.float32))
    assert agent.hypotheses is not None


def test_further_files_travel_with_it(tiny_run: Path, tmp_path: Path):
    samples = {"vision": torch.rand(30, 8), "proprioception": torch.rand(30, 5)}
    told, files = pack.map_settings(tiny_run), {"body.zip": bytes(range(256))}
    packed.pack(tmp_path / "a", tiny_run, samples, told, {}, files=files)
    assert packed.unpack(tmp_path / "a").files == files
    with pytest.raises(UserError, match="does not say which body it has"):
        reach.run(reach.Config(tmp_path / "out", infant=str(tmp_path / "a")))


# Reaching


def test_a_packed_infant_reaches_without_a_data_set(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    words = ["reach", "--infant", str(file), "--run", str(out), "--goals", "2", "--steps", "3", "--looks", "1"]
    assert cli.main(words) == 0
    found = runs.metrics_of(out).reach["new poses"]
    assert set(found) == {"imagination", "looks"}
    assert found["looks"].hand_error_cm is not None
    assert (out / "videos" / "first_reach.mp4").stat().st_size > 1000
    assert {path.name for path in out.iterdir()} == {"config.json", "metrics.json", "videos"}


def test_the_folder_of_a_run_is_not_mixed_with_a_packed_infant(file: Path, tiny_run: Path):
    before = (tiny_run / "metrics.json").read_bytes()
    with pytest.raises(UserError, match="another one was trained there"):
        reach.run(reach.Config(tiny_run, infant=str(file)))
    assert (tiny_run / "metrics.json").read_bytes() == before


def test_reaching_needs_a_run_or_a_packed_infant():
    with pytest.raises(UserError, match="got neither --run nor --pretrained"):
        reach.Config()


def test_new_poses_are_the_same_for_equal_seeds_and_are_none_of_the_data_set(tiny_run: Path):
    data = Dataset.open(runs.data_of(tiny_run))
    goals, again, others = (new_goals(data, 2, seed, hidden_hands=False) for seed in (0, 0, 1))
    for goal, same, other in zip(goals, again, others, strict=True):
        assert np.array_equal(goal.picture, same.picture)
        assert not np.array_equal(goal.picture, other.picture)
        assert goal.joints is not None
        assert goal.shown is not None
        assert goal.shown.any()
        assert np.abs(data.joints - goal.joints).max(1).min() > 1e-3


# The infant that comes with the package


def test_it_is_small_and_was_made_by_the_papers_preset():
    header = checkpoints.read_header(packed.PRETRAINED, packed.KIND)
    assert packed.PRETRAINED.stat().st_size <= 8_000_000
    assert header["map"]["shape"] == [800, 800]
    assert header["about"]["dataset"]["accepted"] == 20_000
    assert "/" not in str(header["about"]["versions"])
