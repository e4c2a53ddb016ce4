"""A map that goes on learning: exact winners, what it keeps, what it forgets, and a state that resumes to the byte."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents.som.quality import quantization_error, remembered_neurons
from agents.som.som import MultiModalSom
from agents.som_training import OnlineSom, train

NAN = float("nan")


def samples(count: int, low: float = 0.0, high: float = 1.0, seed: int = 0) -> dict[str, Tensor]:
    """A plane in five dimensions, bent; the first coordinate lies between low and high."""
    place = torch.rand((count, 2), generator=torch.Generator().manual_seed(seed))
    x, y = low + (high - low) * place[:, 0], place[:, 1]
    return {"seen": torch.stack([x, y, (3 * x).sin() * y], 1), "felt": torch.stack([x * y, y - x], 1)}


@pytest.fixture(scope="module")
def half() -> MultiModalSom:
    """A map that knows the half with x < .5."""
    return train(samples(300, high=0.5), (60, 50))


RULES = [{"rule": "batch"}, {"rule": "batch", "forget": 1e-3}, {"rule": "batch", "replay": 1.0}, {"rule": "literal"}]
RULES += [{"rule": "literal", "replay": 1.5}]


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_winners_stay_exact_while_the_map_changes(kind, distance):
    online = OnlineSom(train(samples(100), (30, 21), distance=distance), **kind)
    for seed in range(4):
        online.update(samples(1 if seed % 2 else 30, seed=seed))
        query = samples(40, seed=50 + seed)
        activity = online.snapshot().activity(query).flatten(1)
        assert torch.equal(online.winners(query), (activity == activity.amax(1, keepdim=True)).to(torch.int8).argmax(1))


def test_many_samples_and_few_have_the_same_winners(half):
    online = OnlineSom(half)
    query = samples(600, seed=9)
    few = [online.winners({name: rows[i : i + 50] for name, rows in query.items()}) for i in range(0, 600, 50)]
    assert torch.equal(online.winners(query), torch.cat(few))


@pytest.mark.parametrize("kind", RULES)
def test_it_learns_the_new_half_and_keeps_the_old_one(half, kind):
    old, new = samples(200, high=0.5, seed=7), samples(200, low=0.5, seed=8)
    online = OnlineSom(half, **kind)
    for seed in range(6):
        online.update(samples(100, low=0.5, seed=20 + seed))
    after = online.snapshot()
    assert quantization_error(after, new) < 0.5 * quantization_error(half, new)
    assert quantization_error(after, old) < 2 * quantization_error(half, old)


def test_an_old_sample_fades_where_new_ones_contradict_it():
    som = MultiModalSom({"seen": torch.zeros(9, 9, 1), "felt": torch.zeros(9, 9, 1)})
    sample = {"seen": torch.zeros(1, 1), "felt": torch.ones(1, 1)}

    def after(forget: float) -> float:
        online = OnlineSom(som, sigma=1.0, forget=forget)
        for _ in range(5):
            online.update(sample)
        return float(online.snapshot().recall({"seen": torch.zeros(1, 1)}, "felt"))

    assert after(0.5) > after(0.1) > after(0.0) > 0


def test_one_sample_of_the_batch_rule_by_hand():
    """Two remembered samples, 0 at cell 0 and 1 at cell 8 of a chain; .1 arrives and wins at the neuron that equals it."""
    chain = train({"a": torch.tensor([[0.0], [1.0]])}, (1, 9), last_sigma=1.0)
    online = OnlineSom(chain, sigma=1.0)
    winner = int(online.winners({"a": torch.tensor([[0.1]])}))
    cells = {int(cell): float(chain.weights("a")[cell]) for cell in remembered_neurons(chain)}
    online.update({"a": torch.tensor([[0.1]])})
    mu = {cell: torch.exp(torch.tensor(-((cell - winner) ** 2) / 2.0)) for cell in cells}
    expected = (0.1 + sum(mu[cell] * value for cell, value in cells.items())) / (1 + sum(mu.values()))
    assert torch.allclose(online.snapshot().weights("a")[winner], expected.reshape(1))


def test_a_step_of_the_literal_rule_is_eq_4(half):
    online = OnlineSom(half, "literal", sigma=1.0, learning_rate=0.5)
    sample = samples(1, low=0.5, seed=3)
    winner = int(online.winners(sample))
    online.update(sample)
    place = torch.cartesian_prod(torch.arange(60), torch.arange(50)).float()
    mu = torch.exp(-(place - place[winner]).square().sum(1) / 2)[:, None]
    for name, rows in sample.items():
        expected = half.weights(name) - 0.5 * mu * (half.weights(name) - rows)
        assert torch.allclose(online.snapshot().weights(name), expected, atol=1e-6)


@pytest.mark.parametrize("kind", RULES)
def test_a_saved_state_goes_on_to_the_same_bytes(half, kind, tmp_path):
    online = OnlineSom(half, **kind)
    online.update(samples(40, seed=1))
    online.save(tmp_path / "online.safetensors")
    resumed = OnlineSom.load(tmp_path / "online.safetensors")
    for each in (online, resumed):
        each.update(samples(3, seed=2))
        each.update(samples(300, seed=3))
    assert resumed.steps == online.steps == 343
    for name in half.modalities:
        assert torch.equal(resumed.snapshot().weights(name), online.snapshot().weights(name))


def test_a_missing_modality_stays_as_it_was(half):
    online = OnlineSom(half)
    sample = samples(1, low=0.5, seed=3)
    online.update({"seen": sample["seen"], "felt": torch.full((1, 2), NAN)})
    after = online.snapshot()
    assert not torch.equal(after.weights("seen"), half.weights("seen"))
    reached = (after.weights("seen") != half.weights("seen")).any(1)
    assert torch.equal(after.weights("felt")[~reached], half.weights("felt")[~reached])


def test_a_snapshot_does_not_change_later(half):
    online = OnlineSom(half)
    before = online.snapshot()
    kept = before.weights("seen").clone()
    online.update(samples(50, low=0.5))
    assert torch.equal(before.weights("seen"), kept)


@pytest.mark.parametrize("kind", RULES)
def test_it_recalls_what_a_snapshot_recalls(half, kind):
    online, query = OnlineSom(half, **kind), samples(20, seed=7)
    online.update(samples(30, low=0.5, seed=1))
    for known, wanted in (("seen", "felt"), ("felt", "seen")):
        told = {known: query[known]}
        assert torch.equal(online.recall(told, wanted), online.snapshot().recall(told, wanted))


def test_no_samples_change_nothing(half):
    online = OnlineSom(half)
    assert online.update({"seen": torch.empty(0, 3)}).shape == (0,)
    assert torch.equal(online.snapshot().weights("seen"), half.weights("seen"))


@settings(max_examples=30)
@given(shape=st.tuples(st.integers(1, 30), st.integers(2, 30)), seed=st.integers(0, 99), sigma=st.floats(0.3, 6))
def test_single_updates_are_the_whole_rule(shape, seed, sigma):
    """The neurons around a sample, computed alone, are those of a computation of the whole map."""
    som = MultiModalSom({"a": torch.rand((*shape, 3), generator=torch.Generator().manual_seed(seed))})
    alone, whole = OnlineSom(som, sigma=sigma), OnlineSom(som, sigma=sigma)
    sample = {"a": torch.rand((1, 3), generator=torch.Generator().manual_seed(seed + 1))}
    winner = whole.winners(sample)
    alone.update(sample)
    whole._memory.rearrange(whole._tiled, sample["a"], torch.ones(1, 1, dtype=torch.bool), winner, [sigma], False)
    near = (
        torch.cartesian_prod(*map(torch.arange, shape)).view(-1, 2) - torch.tensor(divmod(int(winner), shape[1]))
    ).abs()
    rows = near.amax(1) <= 4.5 * sigma
    assert torch.allclose(alone.snapshot().weights("a")[rows], whole.snapshot().weights("a")[rows], atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rule": "delta"}, r"got rule='delta', expected one of \['batch', 'literal'\]"),
        ({"sigma": 0.0}, "got sigma=0.0, expected a radius"),
        ({"sigma": NAN}, "got sigma=nan"),
        ({"forget": 1.0}, "got forget=1.0, expected a share"),
        ({"learning_rate": 3.0}, "got learning_rate=3.0"),
        ({"replay": -1.0}, "got replay=-1.0"),
        ({"seed": -1}, "got seed=-1"),
    ],
)
def test_wrong_arguments_are_named(half, wrong, message):
    with pytest.raises(ValueError, match=message):
        OnlineSom(half, **wrong)


def test_epochs_belong_to_the_batch_rule(half):
    with pytest.raises(ValueError, match="got epochs=2"):
        OnlineSom(half, "literal").update(samples(3), epochs=2)


def test_training_goes_on_from_an_initial_map(half):
    both = {
        name: torch.cat([rows, samples(300, low=0.5, seed=5)[name]]) for name, rows in samples(300, high=0.5).items()
    }
    more = train(both, initial=half)
    query = samples(200, low=0.5, seed=8)
    assert more.shape == half.shape
    assert quantization_error(more, query) < 0.5 * quantization_error(half, query)
    with pytest.raises(ValueError, match="as in the initial map"):
        train({"seen": torch.rand(9, 3)}, initial=half)


def test_more_epochs_at_the_full_size_follow_the_samples_more_closely():
    data = samples(400)
    errors = [quantization_error(train(data, (40, 40), epochs=count), data) for count in (1, 20)]
    assert errors[1] < errors[0]
    with pytest.raises(ValueError, match="got epochs=0"):
        train(data, (40, 40), epochs=0)
