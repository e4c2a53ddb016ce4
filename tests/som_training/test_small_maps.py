"""Small and thin maps: the search by a matrix product, equal bytes over processes, the schedule, and MiniSom as an oracle."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from minisom import MiniSom
from torch import Tensor, distributed, multiprocessing

from agents.som.distances import all_costs, nearest_of_all
from agents.som.quality import quantization_error, topographic_error
from agents.som.som import MultiModalSom
from agents.som_training import train
from agents.som_training.schedule import Epoch, schedule
from training.bench.som import synthetic as poses

SHAPES = [(1, 50), (10, 10), (25, 30), (60, 40)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    size=st.tuples(st.integers(1, 80), st.integers(1, 40), st.integers(1, 9)),
    offset=st.sampled_from([0.0, 1.0, 1e4, 1e7]),
    grain=st.sampled_from([0.0, 0.5, 2.0]),
    distance=st.sampled_from(["l1", "l2"]),
)
def test_the_nearest_of_all_is_the_first_of_the_cheapest(seed, size, offset, grain, distance):
    """Rounded values make ties, large offsets make a matrix product useless; both must not matter."""
    count, others, width = size
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randn((n, width), generator=generator) for n in (count, others))
    if grain:
        rows, columns = ((values / grain).round() * grain for values in (rows, columns))
    rows, columns = rows + offset, columns + offset
    best = nearest_of_all(rows, columns, distance)
    assert torch.equal(best, all_costs(rows, columns, distance).argmin(1))
    alone = torch.cat([nearest_of_all(row, columns, distance) for row in rows.split(1)])
    assert torch.equal(best, alone)


def samples_with_gaps() -> dict[str, Tensor]:
    """700 poses; some lack vision, others lack proprioception."""
    samples = {name: rows.clone() for name, rows in poses(700, seed=0).items()}
    samples["vision"][::5] = torch.nan
    samples["proprioception"][3::5] = torch.nan
    return samples


def maps(samples: dict[str, Tensor], group: object = None) -> list[bytes]:
    """The bytes of small maps of all shapes, for both distances."""
    trained = [train(samples, shape, distance=d, group=group) for shape in SHAPES for d in ("l1", "l2")]
    return [som.weights(name).numpy().tobytes() for som in trained for name in som.modalities]


def train_a_share(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=2)
    share = slice(0, 251) if rank == 0 else slice(251, None)
    for kind, samples in (("whole", poses(700, seed=0)), ("gaps", samples_with_gaps())):
        mine = {name: rows[share] for name, rows in samples.items()}
        Path(f"{folder}/{kind}{rank}").write_bytes(b"".join(maps(mine, distributed.group.WORLD)))
    distributed.destroy_process_group()  # else its threads sometimes abort the process as it ends


def test_small_maps_have_the_same_bytes_over_processes(tmp_path: Path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        multiprocessing.spawn(train_a_share, (str(tmp_path),), 2)
        for kind, samples in (("whole", poses(700, seed=0)), ("gaps", samples_with_gaps())):
            alone = b"".join(maps(samples))
            assert [(tmp_path / f"{kind}{rank}").read_bytes() == alone for rank in (0, 1)] == [True, True]
    finally:
        torch.set_num_threads(threads)


@given(
    shape=st.tuples(st.integers(1, 1200), st.integers(1, 1200)),
    sigma=st.floats(0.1, 5.0),
    epochs=st.none() | st.integers(1, 40),
)
def test_a_schedule_grows_to_the_map_and_cools_to_the_last_radius(shape, sigma, epochs):
    plan = schedule(shape, sigma, epochs)
    sizes = [math.prod(epoch.shape) for epoch in plan]
    assert sizes == sorted(sizes)
    assert plan[-1].shape == shape
    assert not plan[-1].quick
    if epochs != 1:  # a single epoch of a large map keeps its first radius
        assert plan[-1].sigma == pytest.approx(sigma)
    assert epochs is None or sum(epoch.shape == shape for epoch in plan) == epochs
    assert sizes[0] <= 32**2


def test_a_thin_map_is_searched_as_a_whole():
    """A chain of 50 neurons is one level: as long as 50, but as small as 8x7."""
    assert {epoch.shape for epoch in schedule((1, 50), 0.5)} == {(1, 50)}
    assert [epoch.shape for epoch in schedule((60, 40), 0.5)][:1] == [(30, 20)]
    assert schedule((8, 8), 0.5, 3) == [Epoch((8, 8), 2.56, quick=True), Epoch((8, 8), 0.5), Epoch((8, 8), 0.5)]


@pytest.mark.parametrize("shape", [(1, 50), (10, 10)])
def test_a_small_map_is_as_good_as_minisoms_after_many_times_the_steps(shape):
    samples, unseen = (torch.cat(list(poses(1200, seed).values()), 1) for seed in (5, 6))
    oracle = MiniSom(*shape, 13, sigma=3.0, learning_rate=0.5, random_seed=0)
    oracle.pca_weights_init(samples.numpy()) if shape[0] > 1 else oracle.random_weights_init(samples.numpy())
    oracle.train(samples.numpy(), 40 * len(samples), random_order=True)
    peer = MultiModalSom({"pose": torch.tensor(oracle.get_weights(), dtype=torch.float32)}, distance="l2")
    close = train({"pose": samples}, shape, distance="l2")
    smooth = train({"pose": samples}, shape, distance="l2", last_sigma=1.0, epochs=30)
    quantization = [quantization_error(som, {"pose": unseen}) for som in (close, smooth, peer)]
    assert quantization[0] < quantization[1] < 1.05 * quantization[2]  # MiniSom's last radius is 1
    folds = [topographic_error(som, {"pose": unseen}) for som in (close, smooth, peer)]
    assert folds[1] < folds[0]
    assert folds[1] < folds[2] + 0.05
