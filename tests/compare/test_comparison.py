"""`infant-arm evaluate --methods all`: every method, every seed, from checkpoints that anyone can check."""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from agents.tools.files import write_json
from training import cli
from training.act import imagery
from training.compare import comparison as compare
from training.compare import evaluate
from training.compare.comparison import folders_of
from training.compare.judge import JudgeConfig, judge
from training.measure.senses import MAPPINGS
from training.methods.baseline import BASELINES

ALL = {
    *("som_ae", "som_ae_local_linear", "som_ae_imagery", "som", "constant", "nearest_neighbor", "knn"),
    *(
        "regressor",
        "generator",
        "glance",
        *BASELINES,
        "desom_local_linear",
        "dnm_local_linear",
        "mmcm_soft",
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _few_thoughts() -> Iterator[None]:
    """The imagery's own tables come from four pictures of each kind; nothing here depends on their number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "imagery", SimpleNamespace(Config=partial(imagery.Config, goals=4)))
        yield


@pytest.fixture(scope="module")
def compared(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run with a second seed, and all methods."""
    run = Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("compared") / "run"))
    tried = {"setting": "as compared", "error": {"overall": 0.125}, "cpu_s": 1.0}
    write_json(run / "trials.json", {"knn": [tried, tried | {"setting": "neighbors 2", "error": {"overall": 0.1}}]})
    assert cli.main(["evaluate", "--run", str(run), "--methods", "all", "--seeds", "2", "--device", "cpu"]) == 0
    return run


def comparison(run: Path) -> dict:
    return json.loads((run / "comparison.json").read_text())


def test_all_methods_stand_in_one_table_with_intervals(compared: Path):
    found = comparison(compared)
    assert (found["seeds"], found["samples"]) == (2, 32)
    assert set(found["error"]) == ALL
    for told in found["error"].values():
        assert all(0 <= e["low"] <= e["mean"] <= e["high"] < 1 for e in told.values())
    complete = found["error"]["som_ae"]
    mean = np.mean([complete[mapping]["mean"] for mapping in MAPPINGS])
    assert complete["overall"]["mean"] == pytest.approx(mean, rel=1e-4)
    own = found["difference"]["som_ae_imagery"]["vision->proprioception"]
    assert own == {"mean": 0, "low": 0, "high": 0}


def test_any_cell_agrees_with_its_checkpoints(compared: Path, tmp_path: Path):
    folders = folders_of(compared, 2)
    assert list(folders.values()) == [compared, compared / "seeds" / "1"]
    again = [
        judge(JudgeConfig(Path(shutil.copytree(f, tmp_path / str(s))), imagery=True)).table1 for s, f in folders.items()
    ]
    for method in ("som_ae_imagery", "mvae", "desom"):
        mean = np.mean([table[method]["vision->proprioception"].mae for table in again])
        assert comparison(compared)["error"][method]["vision->proprioception"]["mean"] == pytest.approx(mean, rel=1e-5)
    assert again[0]["som"] != again[1]["som"]  # seeds differ
    assert again[0]["knn"] == again[1]["knn"]  # and the data does not


def test_every_method_tells_what_it_costs(compared: Path):
    for name, cost in comparison(compared)["cost"].items():
        free = name in ("constant", "nearest_neighbor", "knn")
        assert all((cost[key] is None) == free for key in ("cpu_s", "peak_gb", "numbers")), name
        assert free or min(cost["cpu_s"], cost["numbers"]) > 0


def test_the_page_and_the_results_are_written(compared: Path):
    page, results = (compared / "comparison.html").read_text(), (compared / "RESULTS.md").read_text()
    for method in ALL:
        assert f"<td>{method}</td>" in page
        assert f"\n| {method} |" in results
    assert "--methods all --seeds 2" in results
    assert (
        "| knn | as compared | - | - | - | - | .1250 | 1 |\n| knn | neighbors 2 | - | - | - | - | .1000* | 1 |"
        in results
    )
    assert page.count("<img") == 3
    assert "://" not in page


def test_what_was_trained_and_judged_is_not_done_again(compared: Path, monkeypatch: pytest.MonkeyPatch):
    before = {p: p.stat().st_mtime_ns for p in compared.rglob("*") if p.suffix in (".safetensors", ".npz")}
    evaluate.run(evaluate.Config(compared, methods="all", seeds=2, device="cpu"))
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_the_seeds_are_trained_as_the_run_was(compared: Path):
    own, other = (json.loads((folder / "config.json").read_text()) for folder in folders_of(compared, 2).values())
    for stage in (
        "train-ae",
        "train-som",
        "train-generator",
        "train-glance",
        "train-regressor",
        "train-pixel-som",
        "calibrate",
    ):
        places = ("data", "run", "seed", "device")
        assert {k: v for k, v in own[stage].items() if k not in places} == {
            k: v for k, v in other[stage].items() if k not in places
        }
        assert (own[stage]["seed"], other[stage]["seed"]) == (0, 1)


def test_several_seeds_of_what_was_trained_are_refused(tiny_run: Path):
    with pytest.raises(ValueError, match="--seeds 3 without --methods all"):
        evaluate.Config(tiny_run, seeds=3)


def test_a_folder_without_a_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["evaluate", "--run", str(tmp_path), "--methods", "all"]) == 2
    assert "holds no trained autoencoder" in capsys.readouterr().err


def test_a_plain_evaluation_in_between_does_no_harm(compared: Path):
    evaluate.run(evaluate.Config(compared))  # replaces what stood there, without imagery
    found = evaluate.run(evaluate.Config(compared, methods="all", seeds=2, device="cpu"))
    assert set(found.error) == ALL
