from pathlib import Path

import pytest
import torch
from torch import Tensor

from agents.baselines.mmcm import ConvergenceMaps, neurons_at, places_of
from agents.som import MultiModalSom

RANGE = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]])  # metres


def two_by_two() -> ConvergenceMaps:
    """Two neurons on each map, dark and light, bent and straight, near and far; the amodal map crosses what it holds.

    Its first neuron holds the dark picture with the straight arm and the hand far away, its second the opposite.
    """
    pictures = torch.stack([torch.zeros(4096), torch.ones(4096)]).view(1, 2, 4096)
    unimodal = {
        "vision": MultiModalSom({"vision": pictures}),
        "proprioception": MultiModalSom({"proprioception": torch.tensor([[[0.1, 0.1], [0.9, 0.8]]])}),
        "hand": MultiModalSom({"hand": torch.tensor([[[0.0, 0.0, 0.2], [1.0, 1.0, 0.8]]])}),
    }
    amodal = {
        "vision": torch.tensor([[[0.0, 0.1], [0.0, 0.9]]]),
        "proprioception": torch.tensor([[[0.0, 0.9], [0.0, 0.1]]]),
        "hand": torch.tensor([[[0.0, 1.0], [0.0, 0.0]]]),
    }
    return ConvergenceMaps(unimodal, MultiModalSom(amodal), RANGE)


def pictures_of(brightness: float) -> Tensor:
    return torch.full((1, 64, 64), brightness)


def test_a_sense_is_recalled_through_the_amodal_map():
    told = two_by_two().recall({"vision": pictures_of(0.2)})
    assert torch.equal(told["vision"], pictures_of(0.0))
    assert told["proprioception"].tolist() == [pytest.approx([0.9, 0.8])]
    assert told["hand"].tolist() == [pytest.approx([0.5, 0.5, 0.4])]  # metres


def test_the_hand_tells_joints_and_picture():
    told = two_by_two().predict("hand", torch.tensor([[0.1, 0.0, 0.1]]))
    assert list(told) == ["vision", "proprioception"]
    assert torch.equal(told["vision"], pictures_of(1.0))
    assert told["proprioception"].tolist() == [pytest.approx([0.1, 0.1])]


def test_the_majority_of_the_senses_decides():
    maps = two_by_two()
    doubtful = {"vision": pictures_of(0.2), "proprioception": torch.tensor([[0.1, 0.1]])}
    told = maps.recall({**doubtful, "hand": torch.tensor([[0.0, 0.0, 0.1]])})
    assert torch.equal(told["vision"], pictures_of(1.0))


def test_a_soft_recall_lies_between_what_the_neurons_hold():
    hard, soft = (two_by_two().recall({"vision": pictures_of(0.2)}, readout)["hand"] for readout in ("winner", "soft"))
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
        ({"proprioception": torch.zeros(1, 3)}, "proprioception must have shape"),
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
        ConvergenceMaps({"vision": maps.unimodal["vision"]}, maps.amodal, RANGE)
    with pytest.raises(ValueError, match="readout 'best'"):
        maps.recall({"hand": torch.zeros(1, 3)}, "best")


def test_saved_and_loaded_it_answers_the_same(tmp_path: Path):
    maps = two_by_two()
    maps.save(tmp_path / "mmcm.safetensors", {"note": 1})
    again = ConvergenceMaps.load(tmp_path / "mmcm.safetensors")
    for name, rows in maps.recall({"vision": pictures_of(0.7)}).items():
        assert torch.equal(again.recall({"vision": pictures_of(0.7)})[name], rows)
    assert again.amodal.c == maps.amodal.c
    with pytest.raises(ValueError, match="there is no"):
        ConvergenceMaps.load(tmp_path / "other.safetensors")
