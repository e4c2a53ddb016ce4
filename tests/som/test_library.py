"""The map on its own: any kind of numbers as input, a file, two distances, readouts on data with noise."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets
from torch import Tensor

from agents.som.modalities import Modalities
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import train
from agents.som_training.literal import train_literal


def a_map(distance: str = "l1") -> MultiModalSom:
    """One row of 101 neurons; both senses hold 0, .01, ..., 1."""
    line = torch.linspace(0, 1, 101).view(1, 101, 1)
    return MultiModalSom({"seen": line, "felt": line}, distance=distance)


CONFLICT = {"seen": torch.tensor([[0.2]]), "felt": torch.tensor([[0.6]])}


def test_with_l2_two_senses_that_disagree_give_their_weighted_mean():
    assert a_map("l2").recall(CONFLICT, "seen").item() == pytest.approx(0.4)
    assert a_map("l2").recall(CONFLICT, "seen", c={"seen": 3.0, "felt": 1.0}).item() == pytest.approx(0.3)


def test_with_l1_the_stronger_of_two_senses_that_disagree_wins():
    assert a_map().recall(CONFLICT, "seen", c={"seen": 3.0, "felt": 1.0}).item() == pytest.approx(0.2)
    assert a_map().recall(CONFLICT, "seen", c={"seen": 1.0, "felt": 3.0}).item() == pytest.approx(0.6)


def test_l2_activity_is_the_negative_weighted_mean_squared_error():
    som = MultiModalSom({"a": torch.tensor([[[0.0, 1.0]]]), "b": torch.tensor([[[2.0]]])}, {"b": 3.0}, "l2")
    # a: (4 + 9) / 2 = 6.5, b: 1; c = 1, 3: (6.5 + 3) / 4
    assert som.activity({"a": torch.tensor([[2.0, 4.0]]), "b": torch.tensor([[1.0]])}).item() == pytest.approx(-2.375)


def test_an_unknown_distance_is_refused():
    with pytest.raises(ValueError, match=r"got distance='cosine', expected one of \['l1', 'l2'\]"):
        a_map("cosine")


def test_features_whose_squares_exceed_float32_are_refused():
    with pytest.raises(ValueError, match="their squares exceed float32"):
        a_map("l2").winners({"seen": torch.tensor([[1e20]])})
    assert a_map("l2").winners({"seen": torch.tensor([[1e5]])}).item() == 100


ROWS = np.random.default_rng(0).random((60, 3))


class Table:
    """What NumPy can read, such as a table of pandas."""

    def __array__(self, dtype=None, copy=None):
        return np.array(ROWS, dtype)


KINDS = {
    "float64": ROWS,
    "float32 tensor": torch.tensor(ROWS, dtype=torch.float32),
    "float64 tensor": torch.tensor(ROWS),
    "with gradients": torch.tensor(ROWS, requires_grad=True),
    "table": Table(),
    "lists": ROWS.tolist(),
    "Fortran order": np.asfortranarray(ROWS),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("teach", [train, lambda samples, shape: train_literal(samples, shape, epochs=2)])
def test_any_kind_of_numbers_gives_the_same_map(kind, teach):
    som, other = teach({"a": KINDS[kind]}, (6, 5)), teach({"a": ROWS}, (6, 5))
    assert torch.equal(som.weights("a"), other.weights("a"))
    assert not som.weights("a").requires_grad
    assert torch.equal(som.winners({"a": KINDS[kind]}), other.winners({"a": ROWS}))


def test_whole_numbers_and_truth_values_are_numbers():
    som = train({"a": np.arange(40).reshape(20, 2), "b": np.arange(20)[:, None] > 9}, (3, 3))
    assert som.winners({"a": [[0, 1]]}).shape == (1,)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (torch.rand(5, 3), "expected a dictionary"),
        ({"a": [["one", "two"]]}, "expected real numbers"),
        ({"a": np.zeros((5, 2), complex)}, "expected real numbers"),
        ({"a": torch.zeros((5, 2), dtype=torch.complex64)}, "expected real numbers"),
        ({"a": [[1.0], [1.0, 2.0]]}, "no array"),
        ({"a": np.full((5, 2), 1e300)}, "NaN or infinite"),
        ({"a": np.zeros(5)}, r"expected \(N, width\)"),
    ],
)
def test_samples_that_are_no_numbers_are_refused(samples, message):
    for teach in (train, train_literal):
        with pytest.raises(ValueError, match=message):
            teach(samples, (3, 3))


def test_a_map_keeps_its_own_copy_of_the_weights():
    weights = torch.rand(70, 70, 3)
    som = MultiModalSom({"a": weights})
    before, query = som.winners({"a": ROWS}), weights.clone()
    weights.zero_()
    assert torch.equal(som.winners({"a": ROWS}), before)
    assert torch.equal(som.weights("a").view(70, 70, 3), query)


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_a_saved_map_is_the_same_map(tmp_path, distance):
    som = train({"z": ROWS, "a": ROWS[:, :2]}, (7, 9), {"a": 0.25}, distance=distance)
    som.save(tmp_path / "map.safetensors")
    other = MultiModalSom.load(tmp_path / "map.safetensors")
    assert (other.shape, other.c, other.distance) == (som.shape, som.c, som.distance)
    assert list(other.modalities.items()) == [("z", 3), ("a", 2)]
    assert all(torch.equal(som.weights(name), other.weights(name)) for name in som.modalities)


def test_a_file_without_a_map_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no"):
        MultiModalSom.load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("not a map")
    with pytest.raises(ValueError, match="is damaged"):
        MultiModalSom.load(tmp_path / "text.safetensors")


def test_neurons_within_a_limit_of_no_rows_are_none():
    found = MultiModalSom({"a": torch.rand(9, 9, 2)}).neurons_within({"a": torch.rand(0, 2)}, torch.zeros(0))
    assert [len(part) for part in found] == [0, 0, 0]


@pytest.mark.parametrize("sigma", [0, -1, float("nan"), float("inf")])
def test_a_last_sigma_that_is_no_radius_is_refused(sigma):
    with pytest.raises(ValueError, match=f"got last_sigma={sigma}, expected a radius"):
        train({"a": ROWS}, (5, 5), last_sigma=sigma)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0},
        {"epochs": -1},
        {"seed": 2**50},
        {"sigma": lambda done: 0.0},
        {"sigma": -0.5},
        {"learning_rate": float("nan")},
        {"learning_rate": lambda done: float("nan")},
    ],
)
def test_wrong_arguments_of_the_literal_rule_are_named(wrong):
    with pytest.raises(ValueError, match=f"got {next(iter(wrong))}="):
        train_literal({"a": ROWS}, (5, 5), **{"epochs": 1} | wrong)


def test_a_constant_is_a_schedule():
    constant = train_literal({"a": ROWS}, (5, 5), epochs=2, sigma=0.5, learning_rate=0.3)
    function = train_literal({"a": ROWS}, (5, 5), epochs=2, sigma=lambda done: 0.5, learning_rate=lambda done: 0.3)
    assert torch.equal(constant.weights("a"), function.weights("a"))


def test_the_first_plane_of_a_chain_lies_at_the_center_of_the_samples():
    samples = torch.randn((3000, 3), generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 3.0, 1.0])
    for shape in ((1, 9), (9, 1)):
        chain = train_literal({"a": samples}, shape, epochs=0).weights("a")
        assert (chain.mean(0) - samples.mean(0)).abs().max() < 0.05


def halves(name: str, seed: int = 4) -> tuple[Tensor, Tensor]:
    """The known and the wanted features of a data set, standardized, in random order."""
    if name == "Swiss roll":
        rows, along = datasets.make_swiss_roll(2000, noise=0.5, random_state=0)
        known, wanted = rows, np.c_[along, rows[:, 1]]
    else:
        rows = getattr(datasets, f"load_{name}")().data
        middle = {"iris": 2, "wine": 6, "diabetes": 5}.get(name, rows.shape[1] // 2)
        known, wanted = rows[:, :middle], rows[:, middle:]
    both = [torch.tensor(part, dtype=torch.float32) for part in (known, wanted)]
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    known, wanted = ((part - part.mean(0)) / part.std(0).clamp(min=1) for part in both)
    return known[order], wanted[order]


@pytest.mark.parametrize("side", [10, 20, 60, 100])
@pytest.mark.parametrize("name", ["digits", "iris", "wine", "diabetes", "Swiss roll"])
def test_no_readout_is_worse_than_the_winner_beyond_chance(name, side):
    known, wanted = halves(name)
    count = len(known) * 3 // 4
    som = train({"known": known[:count], "wanted": wanted[:count]}, (side, side))
    unseen = {"known": known[count:], "wanted": wanted[count:]}
    for source, target in (("known", "wanted"), ("wanted", "known")):
        query, truth = unseen[source], unseen[target]
        winner, tiles, fit = (
            (som.recall({source: query}, target, readout) - truth).abs().mean(1)
            for readout in ("winner", "tiles", "local_linear")
        )
        for errors in (tiles, fit):
            worse = errors - winner
            assert worse.mean() <= 1.96 * worse.std() / len(worse) ** 0.5


@settings(max_examples=50)
@given(widths=st.lists(st.integers(1, 4), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_a_query_that_is_a_neuron_recalls_that_neuron(widths, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = {f"m{i}": torch.rand((12, 11, width), generator=generator) for i, width in enumerate(widths)}
    som = MultiModalSom(weights)
    query = {name: som.weights(name)[37:38] for name in weights}
    for readout in ("winner", "tiles", "local_linear"):
        for name, value in som.recall(query, list(weights), readout).items():
            assert torch.allclose(value, query[name], atol=1e-5)


def test_modalities_know_their_distance():
    assert Modalities.of({"a": 1}, distance="l2").groups(["a"]).distance == "l2"
