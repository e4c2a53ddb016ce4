import time
from pathlib import Path

import pytest

from training import benchmark
from training.benchmark import Config, Work, compare

PARTS = list(benchmark._PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_prints_ratios_to_its_first_row(part: str, capsys: pytest.CaptureFixture[str]):
    ratios = benchmark.run(Config(part, rows=70, repeats=2, rounds=1))  # more neurons than are simply compared
    assert next(iter(ratios.values())) == 1
    assert all(ratio > 0 for ratio in ratios.values())
    shown = capsys.readouterr().out
    assert f"bench {part}" in shown
    assert all(name in shown for name in ratios)


def test_trained_maps_can_be_measured(tiny_run: Path):
    assert len(benchmark.run(Config("query", run=tiny_run, repeats=2, rounds=1))) == 4


def test_times_are_told_for_each_thing_done():
    seconds = compare(2, {"ten": Work(10, lambda: time.sleep(0.02)), "one": Work(1, lambda: time.sleep(0.02))})
    assert [len(times) for times in seconds.values()] == [2, 2]
    assert min(seconds["one"]) > 5 * max(seconds["ten"])  # 20 ms against 2 ms each


def test_no_rounds_are_refused():
    with pytest.raises(ValueError, match="rounds=0, expected 1 or more"):
        Config("env", rounds=0)
