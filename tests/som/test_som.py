"""The map's contracts: exact winners, recall between any modalities, missing modalities, and clear errors."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import train


def latents_of(joints: Tensor) -> Tensor:
    """A smooth nonlinear function of 5 joints with 8 outputs, in place of an autoencoder."""
    generator = torch.Generator().manual_seed(3)
    mix, shift = torch.randn((5, 24), generator=generator), torch.randn(24, generator=generator)
    return torch.tanh((joints - 0.5) @ mix * 1.5 + shift) @ torch.randn((24, 8), generator=generator) / 3


def poses(count: int, seed: int) -> dict[str, Tensor]:
    joints = torch.rand((count, 5), generator=torch.Generator().manual_seed(seed))
    return {"vision": latents_of(joints), "proprioception": joints}


@pytest.fixture(scope="module", params=["l1", "l2"])
def trained(request) -> MultiModalSom:
    return train(poses(1500, seed=0), shape=(150, 130), distance=request.param)


def by_hand() -> MultiModalSom:
    """2x2 neurons with a 2-D modality "a" and a 1-D modality "b"."""
    a = torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]])
    b = torch.tensor([[[0.0], [1.0]], [[2.0], [3.0]]])
    return MultiModalSom({"a": a, "b": b})


def brute_force(som: MultiModalSom, query: dict[str, Tensor], c: dict[str, float] | None = None) -> Tensor:
    """The lowest index among the neurons of highest activity."""
    activity = som.activity(query, c).flatten(1)
    equal = activity == activity.amax(1, keepdim=True)
    return equal.to(torch.int8).argmax(1)


def test_activity_is_the_negative_weighted_mean_absolute_error_of_eq_3():
    query = {"a": torch.tensor([[1.0, 0.5]]), "b": torch.tensor([[2.0]])}
    # neuron (0, 0): a: (1 + .5) / 2 = .75, b: 2; c = 1, 3: (.75 + 6) / 4
    activity = by_hand().activity(query, c={"a": 1.0, "b": 3.0})
    expected = torch.tensor([[[-(0.75 + 6) / 4, -(0.25 + 3) / 4], [-(0.75 + 0) / 4, -(0.25 + 3) / 4]]])
    assert torch.allclose(activity, expected)


def test_a_query_by_one_modality_ignores_the_others():
    assert by_hand().activity({"b": torch.tensor([[2.0]])}).tolist() == [[[-2.0, -1.0], [0.0, -1.0]]]
    assert by_hand().winners({"b": torch.tensor([[2.0]])}).tolist() == [2]


def test_winner_recalls_the_weights_of_its_other_modality():
    recalled = by_hand().recall({"b": torch.tensor([[2.9], [0.1]])}, "a")
    assert recalled.tolist() == [[1.0, 1.0], [0.0, 0.0]]


def test_equal_neurons_yield_the_lowest_index():
    assert by_hand().winners({"b": torch.tensor([[0.5], [1.5], [2.5]])}).tolist() == [0, 1, 2]
    flat = MultiModalSom({"a": torch.zeros(100, 70, 3)})
    assert flat.winners({"a": torch.randn(5, 3)}).tolist() == [0] * 5


@settings(max_examples=25)
@given(
    rows=st.integers(60, 110),
    columns=st.integers(70, 120),
    widths=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    smoothness=st.sampled_from(["noise", "ramp", "steps", "constant", "far"]),
    seed=st.integers(0, 2**20),
    data=st.data(),
)
def test_winners_equal_brute_force_on_any_map(rows, columns, widths, smoothness, seed, data):
    generator = torch.Generator().manual_seed(seed)
    names = [f"m{number}" for number in range(len(widths))]
    weights = {
        name: surface(smoothness, rows, columns, width, generator) for name, width in zip(names, widths, strict=True)
    }
    som = MultiModalSom(weights)
    asked = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    c = {name: data.draw(st.floats(0.01, 100)) for name in asked}
    spread = data.draw(st.sampled_from([0.0, 1.0, 100.0]))
    at = torch.randint(rows * columns, (20,), generator=generator)
    query = {name: som.weights(name)[at] + spread * torch.randn(20, 1, generator=generator) for name in asked}
    winners = som.winners(query, c)
    assert torch.equal(winners, brute_force(som, query, c))
    distances, neurons = som.best_tiles(query, 3, c)
    assert torch.equal(distances, tile_minima(som, query, c, 3))
    assert torch.equal(-som.activity(query, c).flatten(1).gather(1, neurons), distances)
    tiles = (neurons // columns // 16) * 100 + neurons % columns // 16
    assert all(len(set(row)) == 3 for row in tiles.tolist())


def surface(kind: str, rows: int, columns: int, width: int, generator: torch.Generator) -> Tensor:
    """Weights (rows, columns, width) of several kinds, smooth or not, with and without ties."""
    if kind == "noise":
        return torch.randn((rows, columns, width), generator=generator)
    if kind == "constant":
        return torch.full((rows, columns, width), 0.1)
    x, y = torch.linspace(-1, 1, rows)[:, None, None], torch.linspace(-1, 1, columns)[None, :, None]
    slopes = torch.randn((2, width), generator=generator) * 3
    waves = torch.sin(x * slopes[0] + y * slopes[1] + torch.randn(width, generator=generator))
    if kind == "steps":
        return (waves * 4).round()
    return waves + 1000.0 if kind == "far" else waves


def tile_minima(som: MultiModalSom, query: dict[str, Tensor], c: dict[str, float], k: int) -> Tensor:
    """Distances of the best neurons of the k best 16x16 tiles, (B, k), by looking at all neurons."""
    distances = -som.activity(query, c)
    best = [
        distances[:, row : row + 16, column : column + 16].amin((1, 2))
        for row in range(0, som.shape[0], 16)
        for column in range(0, som.shape[1], 16)
    ]
    return torch.stack(best, 1).sort(dim=1).values[:, :k]


@pytest.mark.parametrize("asked", [("vision",), ("proprioception",), ("vision", "proprioception")])
@pytest.mark.parametrize("c", [None, {"vision": 5.0}, {"proprioception": 0.01}])
def test_winners_of_a_trained_map_equal_brute_force(trained, asked, c):
    query = {name: rows for name, rows in poses(300, seed=1).items() if name in asked}
    assert torch.equal(trained.winners(query, c), brute_force(trained, query, c))


def test_a_row_that_lacks_a_modality_is_answered_by_the_others(trained):
    query = poses(6, seed=1)
    seen = {"vision": query["vision"].clone(), "proprioception": query["proprioception"].clone()}
    seen["vision"][:2] = torch.nan
    seen["proprioception"][2:4] = torch.nan
    winners = trained.winners(seen)
    assert torch.equal(winners[:2], trained.winners({"proprioception": query["proprioception"][:2]}))
    assert torch.equal(winners[2:4], trained.winners({"vision": query["vision"][2:4]}))
    assert torch.equal(winners[4:], trained.winners({name: rows[4:] for name, rows in query.items()}))
    recalled = trained.recall(seen, "vision", readout="local_linear")
    alone = trained.recall({"proprioception": query["proprioception"][:2]}, "vision", readout="local_linear")
    assert torch.allclose(recalled[:2], alone, atol=1e-5)


@pytest.mark.parametrize("readout", ["winner", "tiles", "local_linear"])
@pytest.mark.parametrize("known", [("vision",), ("proprioception",), ("vision", "proprioception")])
def test_every_subset_recalls_every_modality(trained, known, readout):
    query = {name: rows for name, rows in poses(200, seed=1).items() if name in known}
    for wanted, truth in poses(200, seed=1).items():
        error = (trained.recall(query, wanted, readout) - truth).abs().mean()
        assert error < 0.4 * (truth - truth.mean(0)).abs().mean()


def test_local_linear_recalls_better_than_the_winner(trained):
    truth = poses(400, seed=1)
    for known, wanted in (("vision", "proprioception"), ("proprioception", "vision")):
        errors = {
            readout: (trained.recall({known: truth[known]}, wanted, readout) - truth[wanted]).abs().mean()
            for readout in ("winner", "local_linear")
        }
        assert errors["local_linear"] < 0.7 * errors["winner"]


def test_a_modality_that_does_not_vote_does_not_enter_the_fit(trained):
    truth = poses(50, seed=1)
    broken = {"vision": truth["vision"], "proprioception": torch.rand(50, 5)}
    alone = trained.recall({"vision": truth["vision"]}, "proprioception", "local_linear")
    unheard = trained.recall(broken, "proprioception", "local_linear", c={"proprioception": 0.0})
    assert torch.allclose(unheard, alone, atol=1e-4)


def test_local_linear_stays_within_the_range_of_the_map(trained):
    far = {"vision": torch.full((3, 8), 100.0)}
    recalled = trained.recall(far, "proprioception", readout="local_linear")
    known = trained.weights("proprioception")
    assert (recalled >= known.amin(0)).all()
    assert (recalled <= known.amax(0)).all()


def test_confidence_falls_where_the_map_knows_nothing_alike(trained):
    inside = trained.recall_with_confidence(poses(50, seed=1), ["vision"])
    outside = trained.recall_with_confidence({"vision": torch.full((1, 8), 9.0)}, ["vision"])
    assert outside.distance.item() > 10 * inside.distance.mean().item()


def test_spread_tells_an_ambiguous_query_from_a_clear_one():
    """A circle seen by its x alone: at the rim there is one height, in the middle there are two."""
    angle = torch.rand((4000, 1), generator=torch.Generator().manual_seed(0)) * 2 * torch.pi
    som = train({"x": angle.cos(), "y": angle.sin()}, shape=(70, 70))
    spread = som.recall_with_confidence({"x": torch.tensor([[0.99], [0.0]])}, ["y"], k=8).spread["y"]
    assert spread[1] > 3 * spread[0]


def test_any_number_of_named_modalities_takes_part():
    samples = {name: torch.rand((300, width)) for name, width in {"touch": 3, "sound": 2, "sight": 4}.items()}
    som = train(samples, shape=(20, 20))
    assert som.modalities == {"touch": 3, "sound": 2, "sight": 4}
    recalled = som.recall({"sound": samples["sound"][:5], "sight": samples["sight"][:5]}, ["touch", "sound"])
    assert {name: tuple(rows.shape) for name, rows in recalled.items()} == {"touch": (5, 3), "sound": (5, 2)}


def test_modalities_may_be_named_in_any_order(trained):
    query = poses(20, seed=1)
    swapped = {"proprioception": query["proprioception"], "vision": query["vision"]}
    assert torch.equal(trained.winners(query), trained.winners(swapped))


def test_no_rows_yield_no_winners(trained):
    assert trained.winners({"vision": torch.empty(0, 8)}).shape == (0,)
    assert trained.recall({"vision": torch.empty(0, 8)}, "proprioception", "local_linear").shape == (0, 5)


NAN = float("nan")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"c": torch.zeros(1, 1)}, r"unknown modality 'c', expected some of \['a', 'b'\]"),
        ({}, r"got no modality, expected one or more of \['a', 'b'\]"),
        ({"a": torch.zeros(1, 3)}, r"got a of shape \(1, 3\), expected \(N, 2\)"),
        ({"a": torch.zeros(2)}, r"got a of shape \(2,\), expected \(N, 2\)"),
        ({"a": torch.zeros(2, 2), "b": torch.zeros(3, 1)}, "one row per sample"),
        ({"a": torch.tensor([[0.0, 0.0], [NAN, 0.0]])}, "NaN or infinite values in 1 rows, the first is 1"),
        ({"a": torch.tensor([[float("inf"), 0.0]])}, "NaN or infinite values"),
        ({"a": torch.full((1, 2), NAN)}, "sample 0 lacks every modality"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(query, message):
    with pytest.raises(ValueError, match=message):
        by_hand().winners(query)


def test_wrong_weights_c_are_refused():
    query = {"a": torch.zeros(1, 2)}
    with pytest.raises(ValueError, match="unknown modality 'x'"):
        by_hand().winners(query, c={"x": 1.0})
    with pytest.raises(ValueError, match="0 or more"):
        by_hand().winners(query, c={"a": -1.0})
    with pytest.raises(ValueError, match="expected one above 0"):
        by_hand().winners(query, c={"a": 0.0})


def test_wrong_recalls_are_refused():
    query = {"a": torch.zeros(1, 2)}
    with pytest.raises(ValueError, match=r"unknown modality 'touch', expected some of \['a', 'b'\]"):
        by_hand().recall(query, "touch")
    with pytest.raises(ValueError, match="got readout='mean'"):
        by_hand().recall(query, "b", readout="mean")
    with pytest.raises(ValueError, match="k=0"):
        by_hand().recall(query, "b", k=0)


def test_a_map_without_sound_weights_is_refused():
    with pytest.raises(ValueError, match="X, Y > 0"):
        MultiModalSom({"a": torch.zeros(0, 3, 2)})
    with pytest.raises(ValueError, match="got no modality"):
        MultiModalSom({})
    with pytest.raises(ValueError, match="equal X, Y"):
        MultiModalSom({"a": torch.zeros(2, 3, 2), "b": torch.zeros(3, 2, 2)})
    with pytest.raises(ValueError, match=r"\['a'\] hold NaN"):
        MultiModalSom({"a": torch.full((2, 2, 1), NAN)})
