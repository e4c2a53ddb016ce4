from pathlib import Path

import pytest
import torch

from training.data.dataset import Dataset
from training.methods.readings import PixelMapReading
from training.train import pixel_som as train_pixel_som
from training.train.pixel_som import Config, load_pixel_som


def test_loaded_again_it_answers_the_same(small_data: Dataset, tmp_path: Path):
    som = train_pixel_som.run(Config(tmp_path, data=small_data.path, rows=9, columns=8, device="cpu"))
    again = PixelMapReading(load_pixel_som(tmp_path, small_data))
    pictures = torch.from_numpy(small_data.pictures[small_data.split("test")])
    told = again.predict("vision", pictures)
    winners = som.winners({"vision": pictures.flatten(1)})
    assert torch.equal(told["vision"].flatten(1), som.weights_at("vision", winners))
    assert torch.equal(told["proprioception"], som.weights("proprioception")[winners])


def test_the_same_map_is_not_trained_twice(small_data: Dataset, tmp_path: Path):
    train_pixel_som.run(Config(tmp_path, data=small_data.path, rows=9, columns=8))
    before = (tmp_path / "pixel_som.safetensors").stat().st_mtime_ns
    train_pixel_som.run(Config(tmp_path, data=small_data.path, rows=9, columns=8))
    assert (tmp_path / "pixel_som.safetensors").stat().st_mtime_ns == before
    train_pixel_som.run(Config(tmp_path, data=small_data.path, rows=9, columns=8, seed=1))
    assert (tmp_path / "pixel_som.safetensors").stat().st_mtime_ns != before


def test_a_map_of_other_samples_is_refused(small_data: Dataset, tiny_run: Path, tmp_path: Path):
    train_pixel_som.run(Config(tmp_path, data=small_data.path, rows=9, columns=8))
    with pytest.raises(ValueError, match="trained on another data set"):
        load_pixel_som(tmp_path, Dataset.open(tiny_run / "dataset"))


def test_a_map_of_one_row_is_refused(small_data: Dataset, tmp_path: Path):
    with pytest.raises(ValueError, match="got --rows 1, expected a whole number from 2 "):
        Config(tmp_path, data=small_data.path, rows=1, columns=8)
