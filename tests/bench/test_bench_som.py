"""The contest of maps: a real peer at a tiny size, what may go wrong with one, and the evaluator by hand."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agents.som.som import MultiModalSom
from training.bench import command as benchmark
from training.bench import contestant
from training.bench import som as bench_som
from training.bench.command import Config
from training.bench.contestant import LITERAL, OURS, Job, Result
from training.bench.peers import PEERS, Peer, radius_after_last
from training.bench.som import Data, Outcome, compete, evaluate, synthetic

TINY = Config("som", sizes=(8,), epochs=2, samples=60, peers=("MiniSom",))
DATA = Data("tiny", synthetic(60, seed=0), synthetic(20, seed=1))


def untrainable(*_: object) -> None:
    """A library that does not work; what is tried in a process of its own never gets here."""
    raise AssertionError


def peer(module: str, gigabytes: float = 0) -> Peer:
    return Peer(module, "manhattan", untrainable, lambda neurons, width: 1e9 * gigabytes, f"pip install {module}")


def test_all_finish_a_tiny_map_and_are_judged(capsys: pytest.CaptureFixture[str]):
    ratios = benchmark.run(TINY)
    names = [f"synthetic, 8x8, {name}" for name in (OURS, LITERAL, "MiniSom")]
    assert list(ratios) == names
    assert ratios[names[0]] == 1
    assert all(ratio > 0 for ratio in ratios.values())
    shown = capsys.readouterr().out
    assert "least CPU seconds of a peer at 8x8: MiniSom, " in shown
    assert "~" not in shown.split("CPU s: ")[0]
    rows = {line[:12]: line.split() for line in shown.splitlines()}
    quantization = float(rows[f"{OURS:12}"][8])  # "this project" is two words
    assert quantization < 0.3  # of data whose spread is .5


def test_a_runs_latents_are_trained_on_first(tiny_run: Path):
    sets = list(bench_som.data_sets(replace(TINY, run=tiny_run)))
    assert [data.name for data in sets] == [str(tiny_run), "synthetic"]
    assert sets[0].c == {"vision": 4.0, "proprioception": 1.0}
    assert len(sets[0].train["vision"]) == len(sets[1].train["vision"])


def test_a_training_over_budget_is_extrapolated_and_marked():
    outcome = compete("MiniSom", DATA, (8, 8), replace(TINY, budget=0.0))
    assert outcome.quality is None
    assert outcome.remark == "last radius 1, ~ from 50.00% of the work"  # one of two epochs
    ours = Outcome(OURS, Result(cpu=0.5, wall=0.5, peak=0.1, measured=60, presentations=60))
    peer = Outcome("MiniSom", Result(cpu=2.0, wall=0.1, peak=0.1, measured=32, presentations=120))
    cells = bench_som.rows([ours, peer], (8, 8), epochs=2)[1]
    assert cells == ["MiniSom", "manhattan", "2", "~2", "~4", "-", "0.10", "-", "-", "-", "-", ""]


def test_a_probe_is_about_a_quarter_of_the_next():
    assert contestant.probes(600, epochs=20) == [(37, 1), (150, 1), (600, 1), (600, 5)]
    assert contestant.probes(60, epochs=1) == []


def test_extrapolation_counts_what_any_training_takes_once(monkeypatch: pytest.MonkeyPatch):
    """10 s for the map and 1 s per presentation: 3 epochs of 200 samples take 610 s, known after 50 and 200."""
    seconds = lambda work: 10.0 + len(work.args[0]["a"]) * work.keywords["epochs"]  # noqa: E731
    monkeypatch.setattr(contestant, "timed", lambda work: (seconds(work), 1.0, None))
    job = Job("MiniSom", (8, 8), epochs=3, seed=0, c={}, budget=1000.0, memory=8.0)
    spent, _, measured = contestant.extrapolate(untrainable, {"a": torch.zeros(200, 1)}, job)
    assert (spent, measured) == (610.0, 200)


def test_a_library_that_is_not_there_says_so_in_its_row(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(PEERS, "Absent", peer("no_such_library"))
    outcome = compete("Absent", DATA, (8, 8), TINY)
    assert outcome == Outcome("Absent", remark="not installed: pip install no_such_library")
    cells = bench_som.rows([Outcome(OURS), outcome], (8, 8), epochs=2)[1]
    assert cells == ["Absent", "manhattan", "2", *["-"] * 8, "not installed: pip install no_such_library"]


def test_a_library_that_needs_too_much_memory_is_not_started(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(PEERS, "Greedy", peer("minisom", gigabytes=1600))
    outcome = compete("Greedy", DATA, (8, 8), TINY)
    assert outcome.remark == "needs about 1,602 GB of memory, --memory allows 8"
    assert PEERS["torchsom"].memory(800 * 800, 13) > 1.6e12  # a table of all pairs of neurons, 4 bytes each


def test_a_contestant_that_fails_does_not_end_the_contest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(PEERS, "Broken", peer("minisom"))  # unknown in the process that is started
    outcome = compete("Broken", DATA, (8, 8), TINY)
    assert outcome.remark.startswith("failed: UserError: got contestant 'Broken', expected one of")
    assert bench_som.relative([Outcome(OURS), outcome]) == {}
    assert bench_som.least([Outcome(OURS), outcome], (8, 8)) == "no library could be measured"


def test_a_contestant_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench_som, "PATIENCE", 0.1)  # the imports alone take longer
    assert compete("MiniSom", DATA, (8, 8), replace(TINY, budget=0.0)).remark == "stopped after 0.1 s"


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


def test_a_radius_after_the_last_epoch_puts_the_last_radius_into_the_last_epoch():
    beyond = radius_after_last(8.0, 2.0, epochs=3)
    assert [8.0 * (beyond / 8.0) ** (t / 3) for t in range(3)] == pytest.approx([8.0, 4.0, 2.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": (8, 0)}, "got --sizes 8 0, expected a whole number from 2 "),
        ({"sizes": ()}, "got no --sizes, expected"),
        ({"epochs": 0}, "got --epochs 0, expected"),
        ({"samples": 0}, "got --samples 0, expected"),
        ({"budget": -1.0}, "got --budget -1.0"),
        ({"peers": ("MiniSum",)}, r"got peers \['MiniSum'\], expected some of \['MiniSom', "),
    ],
)
def test_bad_options_are_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        benchmark.run(replace(TINY, **options))
