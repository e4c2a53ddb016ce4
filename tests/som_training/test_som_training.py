"""Training contracts: one step by hand, Eq. 5, an independent oracle, the fast schedule, resuming, missing
modalities."""

import pytest
import torch
from minisom import MiniSom
from safetensors.torch import load_file, save_file
from torch import Tensor

from agents.som.quality import quantization_error
from agents.som_training.coarse_to_fine import (
    LiteralProgress,
    TrainingProgress,
    bubble,
    falling,
    smooth,
    train,
    train_literal,
)
from training.bench.som import synthetic as poses


def corners() -> dict[str, Tensor]:
    """Weights of a 2x2 map: 1-D modalities "a" = 0 1 / 2 3 and "b" = 0."""
    return {"a": torch.tensor([[[0.0], [1.0]], [[2.0], [3.0]]]), "b": torch.zeros(2, 2, 1)}


def test_one_step_on_a_2x2_map_is_the_one_worked_out_by_hand():
    sample = {"a": torch.tensor([[3.0]]), "b": torch.tensor([[1.0]])}
    som = train_literal(
        sample,
        (2, 2),
        epochs=1,
        batch_size=1,
        learning_rate=lambda done: 0.5,
        sigma=lambda done: 1.0,
        initial=corners(),
    )
    # the winner is neuron (1, 1); mu = 1 there, e^-1/2 beside it, e^-1 across
    beside, across = 0.5 * 2.718281828**-0.5, 0.5 * 2.718281828**-1
    expected_a = [0 + across * 3, 1 + beside * 2, 2 + beside * 1, 3.0]
    assert som.weights("a").flatten().tolist() == pytest.approx(expected_a)
    assert som.weights("b").flatten().tolist() == pytest.approx([across, beside, beside, 0.5])


def test_a_batch_step_is_the_mean_of_its_single_steps():
    samples = poses(7, seed=0)
    start = {name: torch.rand((6, 5, rows.shape[1])) for name, rows in samples.items()}
    constant = {"epochs": 1, "learning_rate": lambda done: 0.3, "sigma": lambda done: 1.5, "initial": start}
    batch = train_literal(samples, (6, 5), batch_size=7, **constant)
    singles = [
        train_literal({n: x[i : i + 1] for n, x in samples.items()}, (6, 5), batch_size=1, **constant) for i in range(7)
    ]
    for name in samples:
        mean = torch.stack([som.weights(name) for som in singles]).mean(0)
        assert torch.allclose(batch.weights(name), mean, atol=1e-6)


@pytest.mark.parametrize("distance", ["manhattan"])
def test_minisom_takes_the_same_steps(distance):
    data = poses(60, seed=0)["proprioception"]
    oracle = MiniSom(
        7,
        6,
        5,
        sigma=2.0,
        learning_rate=0.4,
        decay_function="asymptotic_decay",
        activation_distance=distance,
        random_seed=0,
    )
    start = torch.tensor(oracle.get_weights().copy(), dtype=torch.float32)
    oracle.train(data.double().numpy(), 60, random_order=False)
    som = train_literal(
        {"joints": data},
        (7, 6),
        epochs=1,
        batch_size=1,
        learning_rate=lambda done: 0.4 / (1 + 2 * done),
        sigma=lambda done: 2.0 / (1 + 2 * done),
        shuffle=False,
        initial={"joints": start},
    )
    expected = torch.tensor(oracle.get_weights(), dtype=torch.float32).view(42, 5)
    assert torch.allclose(som.weights("joints"), expected, atol=1e-4)


def test_a_bubble_moves_its_inside_alone():
    som = train_literal(
        {"a": torch.tensor([[3.0]]), "b": torch.tensor([[0.0]])},
        (2, 2),
        epochs=1,
        batch_size=1,
        sigma=lambda done: 1.0,
        neighborhood=bubble,
        initial=corners(),
    )
    assert som.weights("a").flatten().tolist() == [0.0, 3.0, 3.0, 3.0]


def test_a_function_of_ones_own_is_a_neighborhood_too():
    samples, sigma = poses(50, seed=0), 2.5
    own = train_literal(
        samples,
        (9, 11),
        epochs=2,
        sigma=lambda done: sigma,
        neighborhood=lambda squared, s: torch.exp(squared / -(2 * s * s)),
    )
    usual = train_literal(samples, (9, 11), epochs=2, sigma=lambda done: sigma)
    assert torch.allclose(own.weights("vision"), usual.weights("vision"), atol=1e-4)


def test_weights_that_grow_without_end_are_refused():
    with pytest.raises(ValueError, match="learning rate"):
        train_literal(poses(50, seed=0), (5, 5), batch_size=1, learning_rate=lambda done: 50.0)


def test_the_fast_schedule_is_no_worse_than_the_literal_rule():
    samples, unseen = poses(1000, seed=0), poses(500, seed=1)
    fast = train(samples, shape=(30, 30))
    literal = train_literal(samples, shape=(30, 30), epochs=20)
    assert quantization_error(fast, samples) <= quantization_error(literal, samples)
    assert quantization_error(fast, unseen) <= quantization_error(literal, unseen)


def test_progress_reports_a_falling_quantization_error():
    fast: list[TrainingProgress] = []
    train(poses(500, seed=0), shape=(64, 48), progress=fast.append)
    assert [report.epoch for report in fast] == list(range(1, fast[0].epochs + 1))
    assert fast[0].shape == (32, 24)
    assert fast[-1].shape == (64, 48)
    assert fast[-1].quantization_error < 0.5 * fast[0].quantization_error
    literal: list[LiteralProgress] = []
    train_literal(poses(200, seed=0), shape=(10, 10), epochs=5, progress=literal.append)
    assert len(literal) == 5
    assert literal[-1].quantization_error < literal[0].quantization_error


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (30, 20), (33, 65), (40, 40), (100, 37)])
def test_any_shape_can_be_trained(shape):
    som = train(poses(200, seed=0), shape=shape)
    assert som.shape == shape
    assert som.weights("vision").shape == (shape[0] * shape[1], 8)
    assert torch.isfinite(som.weights("vision")).all()


def test_modalities_of_one_dimension_and_single_samples_can_be_trained():
    assert train({"a": torch.rand(50, 1)}, shape=(40, 3)).weights("a").shape == (120, 1)
    assert train({"a": torch.ones(1, 2)}, shape=(5, 5)).weights("a").tolist() == [[1.0, 1.0]] * 25


def test_equal_seeds_give_equal_bytes_and_other_seeds_other_maps():
    samples = poses(400, seed=0)
    for trained in (
        lambda seed: train(samples, shape=(50, 40), seed=seed),
        lambda seed: train_literal(samples, shape=(8, 8), epochs=2, seed=seed),
    ):
        first, again, other = (trained(seed).weights("vision").numpy().tobytes() for seed in (0, 0, 1))
        assert first == again
        assert first != other


def test_a_resumed_training_gives_the_bytes_of_an_unbroken_one(tmp_path):
    samples = poses(300, seed=0)
    states: dict[int, dict[str, Tensor]] = {}

    def keep(report):
        states[report.epoch] = {name: value.clone() for name, value in report.state.items()}

    for fit in (
        lambda **more: train(samples, shape=(70, 50), **more),
        lambda **more: train_literal(samples, shape=(6, 6), epochs=30, **more),
    ):
        whole = fit(progress=keep)
        for epoch in (1, 9, 18):
            save_file(states[epoch], tmp_path / "state.safetensors")
            resumed = fit(resume=load_file(tmp_path / "state.safetensors"))
            assert torch.equal(resumed.weights("vision"), whole.weights("vision"))


def test_the_state_of_another_training_is_refused():
    samples, reports = poses(100, seed=0), []
    train(samples, shape=(10, 10), progress=reports.append)
    for other in ({"shape": (10, 9)}, {"seed": 1}, {"c": {"vision": 2.0}}, {"last_sigma": 1.0}, {"distance": "l2"}):
        with pytest.raises(ValueError, match="state of another training"):
            train(samples, resume=reports[-1].state, **{"shape": (10, 10), **other})
    with pytest.raises(ValueError, match="state of another training"):
        train(poses(100, seed=1), shape=(10, 10), resume=reports[-1].state)


@pytest.mark.parametrize("fit", [lambda s: train(s, (20, 20)), lambda s: train_literal(s, (20, 20), epochs=20)])
def test_samples_that_lack_a_modality_still_teach_the_others(fit):
    samples = poses(900, seed=0)
    partial = {name: rows.clone() for name, rows in samples.items()}
    partial["vision"][::3] = torch.nan
    partial["proprioception"][1::3] = torch.nan
    som = fit(partial)
    assert all(torch.isfinite(som.weights(name)).all() for name in samples)
    truth = poses(200, seed=1)
    recalled = som.recall({"vision": truth["vision"]}, "proprioception")
    guess = (truth["proprioception"] - samples["proprioception"].mean(0)).abs().mean()
    assert (recalled - truth["proprioception"]).abs().mean() < 0.8 * guess


def test_a_missing_modality_neither_votes_nor_updates():
    sample = {"a": torch.tensor([[3.0]]), "b": torch.full((1, 1), torch.nan)}
    som = train_literal(sample, (2, 2), epochs=1, batch_size=1, sigma=lambda done: 1.0, initial=corners())
    assert som.weights("b").flatten().tolist() == [0.0] * 4
    assert som.weights("a")[3].item() == 3.0


def test_a_modality_without_influence_is_still_learned():
    samples = poses(800, seed=0)
    som = train(samples, shape=(24, 24), c={"proprioception": 0.0})
    spread = samples["proprioception"].std(0).mean()
    assert som.weights("proprioception").std(0).mean() > 0.2 * spread


@pytest.mark.parametrize(("sides", "block"), [((70, 81), 16), ((20, 31), 32), ((1, 50), 16)])
def test_smoothing_in_blocks_equals_the_plain_sum(sides, block):
    planes = torch.rand((3, *sides), dtype=torch.float64)
    kernels = [torch.exp(-((line[:, None] - line) ** 2) / (2 * 1.7**2)) for line in map(torch.arange, sides)]
    expected = kernels[0].double() @ planes @ kernels[1].double()
    assert torch.allclose(smooth(planes, 1.7, reach=8.0, block=block), expected, rtol=1e-5)


def test_a_falling_schedule_goes_from_its_first_to_its_last_value():
    assert [falling(8.0, 2.0)(done) for done in (0.0, 0.5, 1.0)] == pytest.approx([8.0, 4.0, 2.0])


@pytest.mark.parametrize("fit", [train, train_literal])
@pytest.mark.parametrize(
    ("samples", "arguments", "message"),
    [
        ({}, {}, "got no modality"),
        ({"a": torch.zeros(0, 3)}, {}, r"expected \(N, width\)"),
        ({"a": torch.tensor([[0.0, float("nan")]])}, {}, "NaN or infinite values in 1 rows"),
        ({"a": torch.full((2, 1), float("nan"))}, {}, "lacks every modality"),
        ({"a": torch.zeros(2, 1)}, {"c": {"b": 1.0}}, r"unknown modality 'b', expected some of \['a'\]"),
        ({"a": torch.zeros(2, 1)}, {"shape": (0, 5)}, "1 or more"),
        ({"a": torch.zeros(2, 1)}, {"shape": (10**6, 10**6)}, "GiB"),
    ],
)
def test_a_training_that_cannot_work_is_refused_before_any_work(fit, samples, arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(samples, **{"shape": (5, 5), **arguments})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_training_and_recall_run_unchanged_on_cuda():
    samples = {name: rows.cuda() for name, rows in poses(500, seed=0).items()}
    som = train(samples, shape=(100, 80))
    assert som.device.type == "cuda"
    again = train(samples, shape=(100, 80))
    assert all(torch.equal(som.weights(name), again.weights(name)) for name in samples)
    assert som.recall({"vision": samples["vision"]}, "proprioception", "local_linear").is_cuda
    assert torch.equal(som.winners(samples).cpu(), som.to("cpu").winners({n: x.cpu() for n, x in samples.items()}))
