from pathlib import Path

import numpy as np
import pytest

from infant_env.errors import UserError
from training.compare.judge import ERRORS
from training.measure.statistics import Resampling, differences, intervals, read_errors, wilson
from training.runs import folder as runs
from training.runs.metrics import Error, Metrics


def errors(seeds: int, samples: int, mean: float, spread: float = 0.1, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (mean + spread * random.standard_normal((seeds, samples))).astype(np.float32)


def test_an_interval_is_that_of_theory_when_all_seeds_are_alike():
    found = Resampling(5, 2_000).interval(np.repeat(errors(1, 2_000, 1.0), 5, axis=0))
    half = 1.96 * 0.1 / np.sqrt(2_000)
    assert found.mean == pytest.approx(1.0, abs=0.01)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_seeds_that_differ_widen_the_interval():
    same = errors(5, 500, 1.0)
    apart = same + np.linspace(-0.2, 0.2, 5, dtype=np.float32)[:, None]
    draw = Resampling(5, 500)
    widths = [found.high - found.low for found in map(draw.interval, (same, apart))]
    assert widths[1] > 3 * widths[0]


def test_pairs_tell_a_difference_that_intervals_of_their_own_do_not():
    base = errors(3, 400, 1.0, spread=0.5)
    told = {"a": {"m": base}, "b": {"m": base + np.float32(0.01)}}
    draw = Resampling(3, 400)
    alone, apart = intervals(told, draw), differences(told, told["a"], draw)
    assert not any(differences(told, {}, draw).values()), "the reference has no mapping"
    assert alone["b"]["m"].low < alone["a"]["m"].high  # they overlap
    assert apart["a"]["m"].high == 0
    assert apart["b"]["m"].low == pytest.approx(0.01, abs=1e-4)


def test_the_same_drawing_gives_the_same_interval():
    found = [Resampling(3, 50, seed).interval(errors(3, 50, 1.0)) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_only_what_all_seeds_have_is_compared_and_the_overall_is_the_mean_of_the_mappings(tmp_path: Path):
    mappings = ["vision->vision", "vision->proprioception", "proprioception->vision", "proprioception->proprioception"]
    for seed in range(2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        kept = {f"a {mapping}": np.full(3, k + seed, np.float32) for k, mapping in enumerate(mappings)}
        np.savez(folder / ERRORS, **kept | ({"b vision->vision": np.zeros(3, np.float32)} if seed else {}))
    found = read_errors([tmp_path / "0", tmp_path / "1"])
    assert found.keys() == {"a"}
    assert found["a"]["overall"].tolist() == [[1.5] * 3, [2.5] * 3]


@pytest.mark.parametrize("content", [b"", b"PK", b"{}", None])
def test_errors_that_are_damaged_or_of_another_run_are_told(tmp_path: Path, content: bytes | None):
    np.savez(tmp_path / ERRORS, **{"a vision->vision": np.full(3, 0.25, np.float32)})
    runs.record(tmp_path, Metrics(table1={"a": {"vision->vision": Error(0.25 if content is not None else 0.5, 0.0)}}))
    if content is not None:
        assert read_errors([tmp_path])["a"]["vision->vision"].tolist() == [[0.25] * 3]
        (tmp_path / ERRORS).write_bytes(content)
    with pytest.raises(UserError, match=r"errors\.npz is damaged .* run `infant-arm evaluate --imagery"):
        read_errors([tmp_path])


def test_wilson_s_interval_of_a_share():
    found = wilson(0.5, 100)
    assert (found.low, found.high) == pytest.approx((0.4038, 0.5962), abs=1e-4)  # Wilson 1927
    assert wilson(0.0, 10).low == 0
    assert wilson(0.0, 10).high == pytest.approx(0.2775, abs=1e-4)  # none of ten does not mean never
    assert wilson(1.0, 10).high == 1
