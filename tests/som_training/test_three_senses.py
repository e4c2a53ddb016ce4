"""A map over three modalities: any of them from any others, weights c per query, and samples that lack one."""

from itertools import combinations

import pytest
import torch
from torch import Tensor

from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import train

SENSES = ("joints", "hand", "vision")
SUBSETS = [subset for count in (1, 2) for subset in combinations(SENSES, count)]


def arm(count: int, seed: int) -> dict[str, Tensor]:
    """Two joints bent one way, the place of the hand, and six smooth "latents"; each tells the others."""
    joints = torch.rand((count, 2), generator=torch.Generator().manual_seed(seed))
    shoulder, elbow = (joints * torch.tensor([1.5, 2.0]) + torch.tensor([0.0, 0.3])).unbind(1)
    hand = torch.stack([shoulder.cos() + (shoulder + elbow).cos(), shoulder.sin() + (shoulder + elbow).sin()], 1)
    mix = torch.randn((2, 6), generator=torch.Generator().manual_seed(1))
    return {"joints": joints, "hand": hand, "vision": torch.tanh(2 * (joints - 0.5) @ mix)}


@pytest.fixture(scope="module")
def trained() -> MultiModalSom:
    return train(arm(1500, seed=0), shape=(80, 80))


def error(recalled: Tensor, truth: Tensor) -> float:
    """Mean absolute error as a share of what guessing the mean would leave."""
    return float((recalled - truth).abs().mean() / (truth - truth.mean(0)).abs().mean())


@pytest.mark.parametrize("readout", ["winner", "local_linear"])
@pytest.mark.parametrize("known", SUBSETS)
def test_every_subset_of_three_recalls_the_rest(trained, known, readout):
    new = arm(300, seed=1)
    wanted = [name for name in SENSES if name not in known]
    recalled = trained.recall({name: new[name] for name in known}, wanted, readout)
    assert all(error(recalled[name], new[name]) < 0.15 for name in wanted)


def test_weights_c_of_a_query_change_the_winner_as_in_eq_3():
    """Three neurons in a row, one for each sense that the query could be true to."""
    weights = {"a": [[0.0, 0.0], [2.0, 2.0], [2.0, 1.0]], "b": [[3.0], [0.0], [2.0]], "c": [[4.0], [3.0], [0.0]]}
    som = MultiModalSom({name: torch.tensor([rows]) for name, rows in weights.items()})
    query = {name: torch.zeros(1, width) for name, width in som.modalities.items()}
    # mean absolute errors of a, b, c by neuron: (0, 3, 4), (2, 0, 3), (1.5, 2, 0)
    for c, distances, winner in (
        (None, [7 / 3, 5 / 3, 3.5 / 3], 2),
        ({"c": 0.25}, [4 / 2.25, 2.75 / 2.25, 3.5 / 2.25], 1),
        ({"a": 4.0, "c": 0.25}, [4 / 5.25, 8.75 / 5.25, 8 / 5.25], 0),
        ({"b": 0.0, "c": 0.0}, [0.0, 2.0, 1.5], 0),
    ):
        assert (-som.activity(query, c)).flatten().tolist() == pytest.approx(distances)
        assert som.winners(query, c).tolist() == [winner]


def test_a_sample_that_lacks_one_of_three_still_teaches_the_other_two():
    """Vision is missing wherever the elbow is bent much; joints and hand of those poses are learned none the less."""
    samples = arm(1500, seed=0)
    bent = samples["joints"][:, 1] > 0.5
    blind = {**samples, "vision": samples["vision"].where(~bent[:, None], torch.nan)}
    unseen = {name: rows[~bent] for name, rows in samples.items()}
    new = arm(600, seed=1)
    new = {name: rows[new["joints"][:, 1] > 0.6] for name, rows in new.items()}
    errors = [
        error(train(taught, shape=(60, 60)).recall({"hand": new["hand"]}, "joints"), new["joints"])
        for taught in (blind, unseen)
    ]
    assert errors[0] < 0.15
    assert errors[1] > 3 * errors[0]
