"""The contest of maps: real peers at a tiny size, what may go wrong with one, its schedules, data, and the evaluator by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.som.som import MultiModalSom
from training.bench import command as benchmark
from training.bench import som as bench_som
from training.bench.command import Config
from training.bench.maps import contestant, process
from training.bench.maps.contestant import LITERAL, OURS, Job, Result, best_of
from training.bench.maps.data import MAKERS, Data, data_sets, synthetic
from training.bench.maps.peers import PEERS, Peer
from training.bench.maps.process import Outcome, compete
from training.bench.maps.quality import Quality, evaluate
from training.bench.maps.schedules import levels, principal_plane, schedules_of
from training.bench.maps.stage import Stage

TINY = Config(
    "som", sizes=("4x3",), samples=60, distances=("l2",), peers=("MiniSom", "MiniSom L2"), times=400.0, budget=0.5
)
DATA = Data("tiny", synthetic(60, seed=0), synthetic(20, seed=1))
JOB = Job("MiniSom", (8, 8), "l1", {}, seed=0, limit=5.0, memory=8.0, target=0.2)


def untrainable(*_: object) -> None:
    """A library that does not work; what is tried in a process of its own never gets here."""
    raise AssertionError


def peer(module: str, gigabytes: float = 0) -> Peer:
    return Peer(module, "manhattan", untrainable, lambda neurons, width: 1e9 * gigabytes, f"pip install {module}")


def test_all_train_until_they_reach_our_quality(capsys: pytest.CaptureFixture[str]):
    ratios = benchmark.run(TINY)
    shown = capsys.readouterr().out
    assert ratios["synthetic, 4x3, l2, this project"] == 1
    rows = {line[:12]: line.split() for line in shown.splitlines()}
    target = float(rows[f"{OURS:12}"][7])  # "this project" is two words
    assert target < 0.2  # of data whose variance is about .3
    for name in (LITERAL, "MiniSom L2"):
        cells = rows[f"{name:12}"]
        quantization = next(float(cell) for cell in cells if cell.startswith("."))
        assert ("not" in cells) == (quantization > 1.0011 * target)
        assert (f"synthetic, 4x3, l2, {name}" in ratios) == ("not" not in cells)


def test_who_trains_by_manhattan_does_not_compete_for_l2():
    assert list(bench_som.names(TINY, "l1")) == [OURS, LITERAL, "MiniSom", "MiniSom L2"]
    assert list(bench_som.names(TINY, "l2")) == [OURS, LITERAL, "MiniSom L2"]


def test_a_runs_latents_are_trained_on_first(tiny_run: Path):
    sets = list(data_sets(replace(TINY, run=tiny_run)))
    assert [data.name for data in sets] == [str(tiny_run), "synthetic"]
    assert sets[0].c == {"vision": 4.0, "proprioception": 1.0}


@pytest.mark.parametrize("name", ["digits", "swiss_roll", "housing"])
def test_tables_are_one_z_scored_modality_and_depend_on_the_seed(name: str):
    data, other = MAKERS[name](300, 0), MAKERS[name](300, 1)
    (rows,), (unseen,) = data.train.values(), data.unseen.values()
    assert rows.shape[0] == 300
    assert unseen.shape == (450 if name == "digits" else 100, rows.shape[1])
    spread = rows.std(0, correction=0)
    assert torch.allclose(rows.mean(0), torch.zeros(rows.shape[1]), atol=1e-5)
    assert torch.allclose(spread[spread > 0], torch.ones(int((spread > 0).sum())), atol=1e-5)
    assert torch.isfinite(unseen).all()
    assert not torch.equal(rows, other.train["data"])
    assert torch.equal(rows, MAKERS[name](300, 0).train["data"])
    if name == "housing":
        assert (rows[:, ::2] ** 3).mean(0).min() > 0.5  # skewed
        assert torch.corrcoef(rows.T).fill_diagonal_(0).abs().max() > 0.5


def test_schedules_go_from_a_small_map_to_the_full_size():
    stages: list[tuple[tuple[int, int], Stage]] = []

    def record(features: np.ndarray, shape: tuple[int, int], stage: Stage, start: np.ndarray) -> np.ndarray:
        assert start.shape == (*shape, features.shape[1])
        stages.append((shape, stage))
        return start

    assert levels((30, 7)) == [(8, 2), (15, 4), (30, 7)]
    features = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    library = replace(peer("minisom"), train=record)
    schedules_of(library, (30, 7))["coarse to fine, 4:1"](library, features, (30, 7), 5, 0)
    assert [(shape, stage.epochs) for shape, stage in stages] == [((8, 2), 20), ((15, 4), 20), ((30, 7), 5)]
    assert stages[0][1].first > stages[0][1].last == 1.0
    assert list(schedules_of(library, (10, 10))) == ["plain"]  # it is the smallest map
    assert list(schedules_of(replace(library, starts=False), (30, 30))) == ["plain"]
    first, beyond = Stage(3, 8.0, 2.0).first, Stage(3, 8.0, 2.0).beyond
    assert [first * (beyond / first) ** (t / 3) for t in range(3)] == pytest.approx([8.0, 4.0, 2.0])


def test_the_plane_of_a_thin_map_goes_through_the_middle():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((500, 3)).astype(np.float32) * [5, 1, 0.1] + [1, 2, 3]
    plane = principal_plane(features, (1, 9))
    assert plane.shape == (1, 9, 3)
    assert np.allclose(plane[0, 4], features.mean(0), atol=1e-4)
    assert np.abs(plane[0, 0] - plane[0, -1])[0] == pytest.approx(3 * features[:, 0].std(), rel=0.01)
    assert principal_plane(features[:, :1], (4, 3)).shape == (4, 3, 1)


def test_a_training_over_the_limit_is_extrapolated_and_marked():
    outcome = compete(replace(JOB, limit=0.0), DATA, threads=1)
    assert outcome.result is not None
    assert outcome.result.quality is None
    assert not outcome.result.reached
    ours = Result(0.5, 0.1, "default", True, Quality(0.1, 0.2, 0.3, 0.4))
    cells = bench_som.row(Outcome("MiniSom", Result(2.0, 0.1, "plain 2", False, None, 0.5), "slow"), ours)
    assert cells == [
        *("MiniSom", "manhattan", "plain 2", "~2", "~4", "0.10"),
        *["-"] * 4,
        *("not reached", "slow, ~ from 50.00% of the work"),
    ]


def test_the_cheapest_that_reached_counts_and_else_the_best():
    def result(cpu: float, quantization: float | None, reached: bool) -> Result:
        return Result(cpu, 0.1, "plain 2", reached, None if quantization is None else Quality(quantization, 0.0))

    guess, bad, good, dear = result(9, None, False), result(1, 0.3, False), result(3, 0.2, False), result(5, 0.1, True)
    assert best_of([guess, bad, good, dear, replace(dear, cpu=6)]) == dear
    assert best_of([guess, bad, good]) == good
    assert best_of([replace(guess, cpu=10), guess]) == guess


def test_a_probe_is_about_a_quarter_of_the_next():
    assert contestant.probes(600, epochs=20) == [(37, 1), (150, 1), (600, 1), (600, 5)]
    assert contestant.probes(60, epochs=1) == []


def test_extrapolation_counts_what_any_training_takes_once(monkeypatch: pytest.MonkeyPatch):
    """10 s for the map and 1 s per presentation: 3 epochs of 200 samples take 610 s, known after 50 and 200."""
    seconds = lambda work: 10.0 + len(work.args[0]["a"]) * work.keywords["epochs"]  # noqa: E731
    monkeypatch.setattr(contestant, "timed", lambda work: (seconds(work), None))
    spent, share = contestant.extrapolate(untrainable, {"a": torch.zeros(200, 1)}, 3, limit=1000.0)
    assert (spent, share) == (610.0, 1 / 3)


def test_a_library_that_is_not_there_says_so_in_its_row(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(PEERS, "Absent", peer("no_such_library"))
    outcome = compete(replace(JOB, name="Absent"), DATA, threads=1)
    assert outcome == Outcome("Absent", remark="not installed: pip install no_such_library")
    cells = bench_som.row(outcome, None)
    assert cells == ["Absent", "manhattan", *["-"] * 9, "not installed: pip install no_such_library"]
    assert len(cells) == len(bench_som.HEADER)


def test_a_library_that_needs_too_much_memory_is_not_started(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(PEERS, "Greedy", peer("minisom", gigabytes=1600))
    outcome = compete(replace(JOB, name="Greedy"), DATA, threads=1)
    assert outcome.remark == "needs about 1,602 GB of memory, --memory allows 8"
    assert PEERS["torchsom"].memory(800 * 800, 13) > 1.6e12  # a table of all pairs of neurons, 4 bytes each


def test_a_contestant_that_fails_does_not_end_the_contest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(PEERS, "Broken", peer("minisom"))  # unknown in the process that is started
    outcome = compete(replace(JOB, name="Broken"), DATA, threads=1)
    assert outcome.remark.startswith("failed: UserError: got contestant 'Broken', expected one of")
    assert bench_som.relative([Outcome(OURS), outcome]) == {}
    assert bench_som.least([Outcome(OURS), outcome]) == "no library reached the target"


def test_a_contestant_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "PATIENCE", 0.1)  # the imports alone take longer
    assert compete(replace(JOB, limit=0.0), DATA, threads=1).remark == "stopped after 0.1 s"


def test_nobody_is_measured_without_a_target(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench_som, "compete", lambda job, data, threads: Outcome(job.name, remark="failed: tired"))
    outcomes = bench_som.contest(DATA, (4, 3), "l1", replace(TINY, peers=("MiniSom",)), "title")
    assert [outcome.name for outcome in outcomes] == [OURS, LITERAL, "MiniSom"]
    assert [outcome.remark for outcome in outcomes[1:]] == ["not measured: there is no target"] * 2


def test_the_evaluator_on_a_map_made_by_hand():
    """A row of three neurons: vision 0 3 1, joints 0 1 2; samples (0, .25) and (1.25, 2)."""
    vision, joints = torch.tensor([0.0, 3.0, 1.0]), torch.tensor([0.0, 1.0, 2.0])
    som = MultiModalSom({"vision": vision.view(1, 3, 1), "proprioception": joints.view(1, 3, 1)})
    unseen = {"vision": torch.tensor([[0.0], [1.25]]), "proprioception": torch.tensor([[0.25], [2.0]])}
    quality = evaluate(som, unseen)
    assert quality.quantization == (0.125 + 0.125) / 2  # winners 0 and 2
    assert quality.topographic == 0.5  # neuron 2 is the second best for the first sample, 1 for the second
    assert quality.vision_to_joints == (0.25 + 0.0) / 2
    assert quality.joints_to_vision == (0.0 + 0.25) / 2
    assert Quality.mean([quality, Quality(0.375, 0.0, 0.0, 0.0)]).quantization == 0.25
    alone = evaluate(MultiModalSom({"data": vision.view(1, 3, 1)}), {"data": unseen["vision"]})
    assert alone.vision_to_joints is None


@pytest.mark.parametrize(("size", "shape"), [("30", (30, 30)), ("1x50", (1, 50)), ("30x20", (30, 20))])
def test_a_size_is_a_side_or_rows_and_columns(size: str, shape: tuple[int, int]):
    assert bench_som.shape_of(size) == shape


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *[
            ({"sizes": (size,)}, "got --sizes .*, expected 2 neurons or more, as 30")
            for size in ("0", "1", "x", "5x", "-3")
        ],
        ({"sizes": ()}, "got no --sizes, expected"),
        ({"distances": ()}, "got no --distances, expected"),
        ({"data": ()}, "got no --data and no run, expected"),
        ({"samples": 0}, "got --samples 0, expected"),
        ({"budget": -1.0}, "got --budget -1.0"),
        ({"times": 0.0}, "got --times 0.0"),
        ({"peers": ("MiniSum",)}, r"got peers \['MiniSum'\], expected some of \['MiniSom', "),
    ],
)
def test_bad_options_are_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        benchmark.run(replace(TINY, **options))
