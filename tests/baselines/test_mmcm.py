from pathlib import Path

import pytest
import torch
from torch import Tensor

from agents.baselines.mmcm import ConvergenceMaps, neurons_at, places_of
from agents.som.som import MultiModalSom
from training.data.dataset import Dataset
from training.train.baselines import mmcm as mmcm_training
from training.train.baselines.mmcm import STAGE, Config, pictures_of

RANGE = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]])  # metres


def two_by_two() -> ConvergenceMaps:
    """Two neurons on each map, dark and light, bent and straight, near and far; the amodal map crosses what it holds.

    Its first neuron holds the dark picture with the straight arm and the hand far away, its second the opposite.
    """
    pictures = torch.stack([torch.zeros(4096), torch.ones(4096)]).view(1, 2, 4096)
    unimodal = {
        "vision": MultiModalSom({"vision": pictures[..., :256]}),
        "proprioception": MultiModalSom({"proprioception": torch.tensor([[[0.1, 0.1], [0.9, 0.8]]])}),
        "hand": MultiModalSom({"hand": torch.tensor([[[0.0, 0.0, 0.2], [1.0, 1.0, 0.8]]])}),
    }
    amodal = {
        "vision": torch.tensor([[[0.0, 0.1], [0.0, 0.9]]]),
        "proprioception": torch.tensor([[[0.0, 0.9], [0.0, 0.1]]]),
        "hand": torch.tensor([[[0.0, 1.0], [0.0, 0.0]]]),
    }
    return ConvergenceMaps(unimodal, pictures[0], MultiModalSom(amodal), RANGE)


def picture(brightness: float) -> Tensor:
    return torch.full((1, 64, 64), brightness)


def test_a_sense_is_recalled_through_the_amodal_map():
    told = two_by_two().recall({"vision": picture(0.2)})
    assert torch.equal(told["vision"], picture(0.0))
    assert told["proprioception"].tolist() == [pytest.approx([0.9, 0.8])]
    assert told["hand"].tolist() == [pytest.approx([0.5, 0.5, 0.4])]  # metres


def test_the_hand_tells_joints_and_picture():
    told = two_by_two().predict("hand", torch.tensor([[0.1, 0.0, 0.1]]))
    assert list(told) == ["vision", "proprioception"]
    assert torch.equal(told["vision"], picture(1.0))
    assert told["proprioception"].tolist() == [pytest.approx([0.1, 0.1])]


def test_the_majority_of_the_senses_decides():
    maps = two_by_two()
    doubtful = {"vision": picture(0.2), "proprioception": torch.tensor([[0.1, 0.1]])}
    told = maps.recall({**doubtful, "hand": torch.tensor([[0.0, 0.0, 0.1]])})
    assert torch.equal(told["vision"], picture(1.0))


def test_a_soft_recall_lies_between_what_the_neurons_hold():
    hard, soft = (two_by_two().recall({"vision": picture(0.2)}, readout)["hand"] for readout in ("winner", "soft"))
    assert bool((soft <= hard).all())
    assert bool((soft > torch.tensor([0.0, 0.0, 0.1])).all())


def test_places_and_neurons_are_each_others_inverse():
    som = MultiModalSom({"touch": torch.arange(12.0).view(3, 4, 1)})
    places = places_of(som, torch.tensor([[0.0], [6.2], [11.0]]))
    assert places.tolist() == [[0, 0], [0.5, pytest.approx(2 / 3)], [1, 1]]
    assert neurons_at(places, som.shape).tolist() == [0, 6, 11]
    assert neurons_at(torch.tensor([[-0.2, 1.3]]), som.shape).tolist() == [3]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ({}, "expected one or more of"),
        ({"smell": torch.zeros(1, 3)}, "smell.*expected one or more of"),
        ({"hand": torch.zeros(1, 2)}, "hand positions of shape"),
        ({"hand": torch.full((1, 3), torch.nan)}, "hand with NaN"),
        ({"vision": torch.zeros(1, 300, 500)}, "expected \\(B, 64, 64\\)"),
        ({"proprioception": torch.zeros(1, 3)}, "got proprioception of shape"),
        ({"hand": torch.zeros(2, 3), "proprioception": torch.zeros(1, 2)}, "one row per sample"),
    ],
)
def test_broken_questions_get_one_line(samples: dict[str, Tensor], message: str):
    with pytest.raises(ValueError, match=message) as error:
        two_by_two().recall(samples)
    assert "\n" not in str(error.value)


def test_maps_that_do_not_belong_together_are_refused():
    maps = two_by_two()
    with pytest.raises(ValueError, match="expected .*'hand'"):
        ConvergenceMaps({"vision": maps.unimodal["vision"]}, maps.pictures, maps.amodal, RANGE)
    with pytest.raises(ValueError, match="readout 'best'"):
        maps.recall({"hand": torch.zeros(1, 3)}, "best")


def test_saved_and_loaded_it_answers_the_same(tmp_path: Path):
    maps = two_by_two()
    maps.save(tmp_path / "mmcm.safetensors", {"note": 1})
    again = ConvergenceMaps.load(tmp_path / "mmcm.safetensors")
    for name, rows in maps.recall({"vision": picture(0.7)}).items():
        assert torch.equal(again.recall({"vision": picture(0.7)})[name], rows)
    assert again.amodal.c == maps.amodal.c
    with pytest.raises(ValueError, match="there is no"):
        ConvergenceMaps.load(tmp_path / "other.safetensors")


def quick(data: Dataset, run: Path, seed: int = 0) -> Config:
    return Config(run, data=data.path, epochs=5, batch_size=1, rows=14, columns=14, last_sigma=0.2, seed=seed)


@pytest.fixture(scope="module")
def run(small_data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with maps of the smallest data set."""
    folder = tmp_path_factory.mktemp("mmcm")
    STAGE.run(quick(small_data, folder))
    return folder


def samples_of(data: Dataset, split: str = "train") -> dict[str, Tensor]:
    columns = {"vision": data.pictures, "proprioception": data.normalized_joints, "hand": data.hand_position}
    return {name: torch.from_numpy(column[data.split(split)]) for name, column in columns.items()}


@pytest.mark.parametrize("source", ["vision", "proprioception"])
def test_the_hand_is_remembered_from_each_other_sense(run: Path, small_data: Dataset, source: str):
    known = samples_of(small_data)
    told = ConvergenceMaps.load(run / "mmcm.safetensors").recall({source: known[source]})["hand"]
    error = (told - known["hand"]).norm(dim=1).mean()
    constant = (known["hand"].median(0).values - known["hand"]).norm(dim=1).mean()
    assert error < constant / 2


def test_joints_and_picture_are_remembered_from_the_hand(run: Path, small_data: Dataset):
    known = samples_of(small_data)
    told = ConvergenceMaps.load(run / "mmcm.safetensors").predict("hand", known["hand"])
    for name, rows in told.items():
        error, constant = ((answer - known[name]).abs().mean() for answer in (rows, known[name].median(0).values))
        assert error < constant / 2


def test_equal_seeds_give_equal_bytes(run: Path, small_data: Dataset, tmp_path: Path):
    STAGE.run(quick(small_data, tmp_path))
    assert (tmp_path / "mmcm.safetensors").read_bytes() == (run / "mmcm.safetensors").read_bytes()
    STAGE.run(quick(small_data, tmp_path, seed=1))
    assert (tmp_path / "mmcm.safetensors").read_bytes() != (run / "mmcm.safetensors").read_bytes()


@pytest.mark.parametrize("epochs", [1, 12, 17])
def test_killed_after_any_epoch_it_ends_with_the_same(
    run: Path, small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int
):
    save, left = mmcm_training.Training._save, iter(range(epochs - 1))

    def killed(training: mmcm_training.Training, *where: object) -> None:
        save(training, *where)
        if next(left, None) is None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mmcm_training.Training, "_save", killed)
        with pytest.raises(KeyboardInterrupt):
            STAGE.run(quick(small_data, tmp_path))
    config = quick(small_data, tmp_path)
    STAGE.run(config)
    assert (tmp_path / "mmcm.safetensors").read_bytes() == (run / "mmcm.safetensors").read_bytes()
    assert not (tmp_path / "mmcm.training.safetensors").exists()


def test_trained_maps_are_loaded_as_a_method_of_table_1(run: Path, small_data: Dataset):
    maps = STAGE.load(run, small_data, torch.device("cpu"))
    told = maps.predict("proprioception", samples_of(small_data, "test")["proprioception"])
    assert {name: rows.shape[1:] for name, rows in told.items()} == {"vision": (64, 64), "proprioception": (5,)}


def test_a_neuron_looks_like_the_pictures_that_won_there():
    som = MultiModalSom({"vision": torch.stack([torch.zeros(256), torch.ones(256)]).view(1, 2, 256)})
    images = torch.tensor([0.1, 0.3, 0.9])[:, None, None].expand(3, 64, 64)
    samples = torch.tensor([0.1, 0.3, 0.9])[:, None].expand(3, 256)
    pictures = pictures_of(som, samples, images, sigma=0.1)
    assert pictures[:, 0].tolist() == [pytest.approx(0.2, abs=1e-3), pytest.approx(0.9, abs=1e-3)]


@pytest.mark.parametrize(("field", "value"), [("rows", 0), ("last_sigma", 0.0), ("batch_size", 0)])
def test_settings_that_cannot_be_are_refused(field: str, value: float, tmp_path: Path):
    with pytest.raises(ValueError, match=f"got --{field.replace('_', '-')} {value}, expected"):
        Config(tmp_path, data=tmp_path, **{field: value})
