"""Color and the fovea as senses of the map: autoencoders of their own beside that of vision, which stays as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents.mind.som_autoencoder import AUTOENCODER, SomAutoencoder
from agents.networks.autoencoder import KIND, ConvAutoencoder, further_senses
from agents.tools import checkpoints
from infant_env.errors import UserError
from infant_env.senses.vision import COLOR as RGB
from infant_env.senses.vision import GRAY
from training.compare import evaluate
from training.compare.config import Config as Comparison
from training.data import collect
from training.data.dataset import Dataset
from training.measure.error_tables import between_senses
from training.runs.folder import metrics_of
from training.train import autoencoder, som
from training.train.autoencoder import Training
from training.train.skeleton import matches, usual_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("fovea") / "data"
    return collect.run(collect.Config(folder, 40, (36, 60), 20, fovea=True, workers=1))


def trained(data: Dataset, run: Path, **options: Any) -> ConvAutoencoder:
    return autoencoder.run(autoencoder.Config(run, data=data.path, epochs=2, width=4, device="cpu", **options))


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    trained(data, folder, also=("color", "fovea"))
    som.run(som.Config(folder, rows=6, columns=5, device="cpu"))
    evaluate.run(Comparison(folder, device="cpu"))
    return folder


def test_vision_is_learned_to_the_bit_as_without_further_senses(data: Dataset, run: Path, tmp_path: Path):
    alone, both = trained(data, tmp_path), ConvAutoencoder.load(run / AUTOENCODER)
    assert (further_senses(tmp_path / AUTOENCODER), further_senses(run / AUTOENCODER)) == ((), ("color", "fovea"))
    tensors = both.state_dict()
    for name, values in alone.state_dict().items():
        assert torch.equal(values, tensors[name]), name
    assert both.senses == ("vision", "color", "fovea")
    assert [both.shape_of(sense) for sense in both.senses] == [(64, 64), (3, 64, 64), (64, 64)]


def test_the_pictures_of_a_sense_are_those_of_its_frames(data: Dataset):
    rows = data.split("test")
    np.testing.assert_array_equal(data.seen_as("color").pictures[rows], RGB.squeeze(data.eye(rows)))
    np.testing.assert_array_equal(data.seen_as("fovea").pictures[rows], GRAY.squeeze(data.fovea(rows)))
    assert data.seen_as("vision") is data
    assert data.seen_as("fovea") is data.seen_as("fovea")  # pictures are read once
    fovea = data.seen_as("fovea")
    off = np.abs(fovea.pictures - fovea.background)  # the arm hides a part of the background, not all of it
    assert 0.1 < (off < 2 / 255).mean() < 1
    assert np.abs(fovea.pixel_directions).max() < 15.1  # degrees: it is 30 degrees wide
    assert np.abs(data.pixel_directions).max() > 40


def test_the_map_recalls_every_sense_from_every_other(data: Dataset, run: Path):
    mind, rows = SomAutoencoder.load(run), data.split("test")[:3]
    assert list(mind.som.modalities) == ["vision", "proprioception", "color", "fovea"]
    for sense in ("color", "fovea"):
        told = torch.from_numpy(data.seen_as(sense).pictures[rows])
        recalled = mind.predict(sense, told)
        assert {name: tuple(each.shape[1:]) for name, each in recalled.items()} == {
            "vision": (64, 64), "proprioception": (5,), "color": (3, 64, 64), "fovea": (64, 64),
        }  # fmt: skip
        with pytest.raises(UserError, match="got pictures of shape"):
            mind.predict(sense, told[..., :32])


def test_the_table_between_all_senses_has_rows_and_columns_of_color_and_fovea(run: Path):
    found = between_senses(metrics_of(run).table1)
    assert found is not None
    header, rows = found
    assert header == ["method", "from", "-> vision", "-> joints", "-> color", "-> fovea"]
    assert [row[1] for row in rows if row[0] == "som_ae"] == ["vision", "joints", "color", "fovea"]
    assert {row[0] for row in rows} == {"som_ae", "som_ae_local_linear"}, "other methods do without them"


def test_a_training_that_was_killed_in_a_further_sense_ends_as_if_it_had_not_been(
    data: Dataset, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    finish, done = Training.finish, []

    def stops_at_color(training: Training) -> None:
        done.append(training)
        if len(done) == 2:
            raise KeyboardInterrupt
        finish(training)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "finish", stops_at_color)
        with pytest.raises(KeyboardInterrupt):
            trained(data, tmp_path, also=("color", "fovea"))
    trained(data, tmp_path, also=("color", "fovea"))
    assert (tmp_path / AUTOENCODER).read_bytes() == (run / AUTOENCODER).read_bytes()
    assert not list(tmp_path.glob("*.training.safetensors"))


def test_an_autoencoder_of_before_counts_as_one_without_further_senses(data: Dataset, tmp_path: Path):
    trained(data, tmp_path)
    header = checkpoints.read_header(tmp_path / AUTOENCODER, KIND)
    before = {**header, "config": {name: value for name, value in header["config"].items() if name != "also"}}
    config = autoencoder.Config(tmp_path, data=data.path, epochs=2, width=4)
    for also, equal in (((), True), (("color",), False)):
        settings = autoencoder.Config(tmp_path, data=data.path, epochs=2, width=4, also=also)
        assert matches(autoencoder.STAGE.identity(settings, data), before, usual_of(type(config))) is equal


def test_a_sense_that_the_data_do_not_have_is_refused_before_any_training(small_data: Dataset, tmp_path: Path):
    with pytest.raises(
        UserError, match="has no frames of a fovea, expected a data set of `infant-arm collect --fovea`$"
    ):
        trained(small_data, tmp_path, also=("fovea",))
    assert not (tmp_path / AUTOENCODER).exists()
    with pytest.raises(UserError, match="got --also color color, expected each sense once"):
        trained(small_data, tmp_path, also=("color", "color"))


def test_a_moving_eye_sees_in_color_too(tmp_path: Path):
    moving = collect.run(collect.Config(tmp_path / "data", 20, (36, 60), 20, fovea=True, gaze="eyes", workers=1))
    model = trained(moving, tmp_path, also=("color", "fovea"))
    gaze = torch.from_numpy(moving.normalized_gaze[:2])
    for sense in ("color", "fovea"):
        pictures = torch.from_numpy(moving.seen_as(sense).pictures[:2])
        latents = model.encode(pictures, gaze, sense)
        assert latents.shape == (2, 8)
        assert model.decode(latents, gaze, sense).shape == pictures.shape
