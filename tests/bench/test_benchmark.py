import time
from pathlib import Path

import pytest

from training.bench import command as benchmark
from training.bench import env as bench_env
from training.bench.command import Config
from training.bench.turns import Workload, measure

PARTS = list(benchmark._ONE_TABLE)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_prints_ratios_to_its_first_row(part: str, tiny_run: Path, capsys: pytest.CaptureFixture[str]):
    run = tiny_run if part == "ae" else None
    ratios = benchmark.run(
        Config(part, run, rows=70, repeats=2, rounds=1, check=5)
    )  # more neurons than are simply compared
    assert next(iter(ratios.values())) == 1
    assert all(ratio > 0 for ratio in ratios.values())
    shown = capsys.readouterr().out
    assert f"bench {part}" in shown
    assert all(name in shown for name in ratios)


def test_environments_print_their_share_of_the_bare_rate(capsys: pytest.CaptureFixture[str]):
    ratios = benchmark.run(Config("env", repeats=2, rounds=1))
    shown = capsys.readouterr().out
    for name in bench_env.TARGETS:
        assert ratios[name] > 0
        assert f"{name}: {100 / ratios[name]:.1f} % of the bare rate" in shown


def test_trained_maps_can_be_measured(tiny_run: Path):
    assert len(benchmark.run(Config("query", run=tiny_run, repeats=2, rounds=1, check=50))) == 7


def test_winners_are_compared_with_a_look_at_every_neuron(capsys: pytest.CaptureFixture[str]):
    benchmark.run(Config("query", rows=80, repeats=1, rounds=1, check=300))
    assert capsys.readouterr().out.count("0 of 300 winners differ") == 6


def test_the_autoencoder_s_bench_says_what_bfloat16_costs(tiny_run: Path, capsys: pytest.CaptureFixture[str]):
    benchmark.run(Config("ae", run=tiny_run, rounds=1))
    assert "validation MAE after 2 epochs: float32 ." in capsys.readouterr().out
    with pytest.raises(ValueError, match="--run runs/paper"):
        benchmark.run(Config("ae"))


def test_times_are_those_of_each_thing_done():
    seconds = measure(2, {"ten": Workload(10, lambda: time.sleep(0.02)), "one": Workload(1, lambda: time.sleep(0.02))})
    assert [len(times) for times in seconds.values()] == [2, 2]
    assert min(seconds["one"]) > 5 * max(seconds["ten"])  # 20 ms against 2 ms each


def test_no_rounds_are_refused():
    with pytest.raises(ValueError, match="got --rounds 0, expected"):
        Config("env", rounds=0)
