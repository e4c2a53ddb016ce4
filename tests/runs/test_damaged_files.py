"""Files of a run that somebody changed, cut off or deleted: one line says how to mend them, and that does."""

import json
import random
import re
import shlex
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from agents.mind.calibration import Calibration
from agents.tools import json_files
from agents.tools.files import SHA256
from infant_env.errors import UserError
from training import cli, report
from training.compare import ablate, evaluate, results, seeds, trials
from training.compare.config import Config as Comparison
from training.measure import error_tables
from training.methods.registry import METHODS, OURS
from training.runs import folder as runs
from training.runs.learning import collected
from training.runs.metrics import Metrics
from training.runs.unless_done import run_unless_done
from training.show import html_page
from training.train import som

ARCHIVE = Path(__file__).parent.parent / "runs_of_0_1" / "run_of_0_1.tar.xz"
VALUES = [None, "x", "", True, 0, -1, 7, 10**400, 0.5, -1e300, float("nan"), float("inf"), [], [1], {}, {"a": 1}, [[]]]


def written(path: Path) -> Any:
    """The content of a JSON file without its checksum."""
    return {name: value for name, value in json.loads(path.read_text()).items() if name != SHA256}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of version 0.1, and all that further commands would write."""
    folder = tmp_path_factory.mktemp("whole")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    run = folder / "run"
    metrics = written(run / "metrics.json")
    row = dict.fromkeys(("som_ae", "som_ae_local_linear"), metrics["table1"]["som_ae"])
    hand = metrics["hand_error_cm"]["som_ae"]["all"]
    metrics["ablations"] = {"map_size": {"4x4": {n: {"table1": t, "hand_error_cm": hand} for n, t in row.items()}}}
    curve = [{"epoch": 1, "train_loss": 0.5, "overall": 0.4}]
    metrics["baselines"] = {"dnm": {"epochs": curve, "best": curve[0], "map": metrics["map"], "shape": [4, 4]}}
    metrics["baselines"]["mmcm"] = {"epochs": {"vision": curve}}
    (run / "metrics.json").write_text(json.dumps(metrics))
    trial = {"setting": "as compared", "error": {"vision->vision": 0.2, "overall": 0.2}, "cpu_s": 1.0}
    (run / "trials.json").write_text(json.dumps({"knn": [trial, trial | {"setting": "neighbors 2"}]}))
    seed = run / "rl" / "sac_hand" / "seed0"
    seed.mkdir(parents=True)
    judgment = {"steps": 10, "seconds": 1.5, "near": 0.2, "far": 0.5, "median": 4.0}
    learned = {"judgments": [judgment, judgment | {"steps": 20}], "seconds": 3.0, "model_steps": 0, "imagined": False}
    (seed / "result.json").write_text(json.dumps(learned))
    (seed / "config.json").write_text(json.dumps({"goal": "hand", "steps": 20}))
    return run


@pytest.fixture(scope="module", autouse=True)
def _quick_figures() -> Iterator[None]:
    matplotlib.use("Agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html_page, "figure", lambda *_: plt.close("all") or html_page.Picture(b"", ""))
        patch.setattr(Figure, "tight_layout", lambda *_, **__: None)
        yield


def show_metrics(run: Path) -> str:
    """All that is made of `metrics.json`."""
    metrics, config = runs.metrics_of(run), Comparison(run)
    shown = [error_tables.summary(metrics, OURS), seeds.summarize([run, run], run)]
    for part in (report._errors, report._reaching, report._imagery, report._world_model, report._provenance):
        shown.append(str(part(report.Config(run), metrics)))
    shown += map(str, (results.cost(name, run, [metrics]) for m in METHODS for name in m.readings if not m.stages))
    shown += map(str, (results._hands([metrics]), results._deep_maps([metrics]), config))
    for what, rows in metrics.ablations.items():
        shown += map(str, (ablate.table(rows), ablate.figure(what, rows)))
        plt.close("all")
    return "\n".join(shown)


READERS: dict[str, Callable[[Path], Any]] = {
    "metrics.json": show_metrics,
    "config.json": lambda run: (runs.provenance(run), runs.data_of(run), *(s.recorded(run) for s in results_stages())),
    "calibration.json": lambda run: Calibration.load(run / "calibration.json"),
    "trials.json": lambda run: trials.table(trials.found_in(run)),
    "rl/sac_hand/seed0/result.json": lambda run: report._learned(report.Config(run)),
    "rl/sac_hand/seed0/config.json": lambda run: report._learned(report.Config(run)),
}


def results_stages() -> list[Any]:
    return [stage for method in METHODS for stage in method.stages]


def place(content: Any, draw: random.Random) -> tuple[Any, Any]:
    """A dictionary or list in some JSON and one of its keys, at any depth."""
    key = draw.choice(list(content)) if isinstance(content, dict) else draw.randrange(len(content))
    deeper = isinstance(content[key], dict | list) and content[key] and draw.random() < 0.8
    return place(content[key], draw) if deeper else (content, key)


def damaged(text: str, draw: random.Random) -> bytes:
    """The text of a JSON file with one thing changed."""
    how = draw.choice(("delete", "replace", "replace", "replace", "truncate", "bytes"))
    if how == "truncate":
        return text.encode()[: draw.randrange(len(text))]
    if how == "bytes":
        at = draw.randrange(len(text))
        return text[:at].encode() + draw.randbytes(draw.randint(1, 4)) + text[at + 1 :].encode()
    content = json.loads(text)
    container, key = place(content, draw)
    if how == "delete":
        del container[key]
    else:
        container[key] = draw.choice(VALUES)
    return json.dumps(content).encode()


@pytest.mark.parametrize("name", READERS)
@pytest.mark.filterwarnings("ignore")
def test_whatever_stands_in_a_file_it_is_shown_or_refused_in_one_line(whole: Path, name: str):
    text = (whole / name).read_text()

    @settings(max_examples=60 if name == "metrics.json" else 150, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**32 - 1))
    def try_it(seed: int) -> None:
        (whole / name).write_bytes(damaged(text, random.Random(seed)))
        told = ""
        try:
            READERS[name](whole)
        except UserError as error:
            told = str(error)
        assert "\n" not in told
        assert len(told) < 1_000

    try:
        READERS[name](whole)
        try_it()
    finally:
        (whole / name).write_text(text)


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy of one's own, that knows how its map was trained."""
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    change(run / "config.json", "command", "train-som", f"infant-arm train-som --run {run} --rows 8 --columns 7")
    return run


def change(path: Path, *place: Any) -> None:
    """Writes the last of the words where the others lead to."""
    content = part = written(path)
    *keys, last, value = place
    for key in keys:
        part = part[key]
    part[last] = value
    path.write_text(json.dumps(content))


def refused(*words: Any) -> str:
    """What the command line says of a command that it refuses: one line."""
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr(sys, "stderr", SimpleNamespace(write=said.append, flush=lambda: None))
        assert cli.main([str(word) for word in words]) == 2
    assert "".join(said).count("\n") == 1
    return "".join(said)


def follow(line: str) -> None:
    """Runs the command that a line names."""
    (command,) = re.findall("`infant-arm ([^`]*)`", line)
    assert cli.main(shlex.split(command)) == 0


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (
            ("table1", "som", "vision->vision", "mae", "much"),
            "Expected `float`, got `str` - at `$.table1.som[...].mae`",
        ),
        (("done", 5), "Expected `object`, got `int` - at `$.done`"),
        (("timing_s", "train-ae", float("nan")), "Expected `float`, got `null` - at `$.timing_s.train-ae`"),
        (("map", "quantization_error", None), "Expected `float`, got `null` - at `$.map.quantization_error`"),
    ],
)
def test_the_command_that_a_line_names_writes_the_damaged_section_again(run: Path, place: tuple[Any, ...], told: str):
    before = written(run / "metrics.json")
    change(run / "metrics.json", *place)
    line = refused("report", "--run", run)
    assert f"{run / 'metrics.json'} is damaged: {told}" in line
    follow(line)
    assert cli.main(["report", "--run", str(run)]) == 0
    after = written(run / "metrics.json")
    assert after["table1"]["som_ae"]["vision->vision"] == pytest.approx(before["table1"]["som_ae"]["vision->vision"])
    assert after["map"].keys() == before["map"].keys()
    if place[0] != "map":  # a small map of 0.1 that is trained again has other weights
        assert after["map"] == pytest.approx(before["map"], abs=1e-6)
    assert set(after) == set(before)


def test_without_its_metrics_a_run_goes_on(run: Path):
    (run / "metrics.json").write_text('{"table1": ')
    assert "metrics.json is damaged" in (line := refused("report", "--run", run))
    assert "delete it" in line
    (run / "metrics.json").unlink()
    follow(refused("report", "--run", run))
    assert cli.main(["report", "--run", str(run)]) == 0


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "negative", "nan", "short", "mixed"])
def test_a_damaged_calibration_is_made_again(run: Path, content: str):
    path = run / "calibration.json"
    path.unlink()  # version 0.1 made it with another search
    follow(refused("reach", "--run", run))
    good = json.loads(path.read_bytes())
    others = {
        "negative": {"sharpness": -1.0},
        "nan": {"trust": float("nan")},
        "short": {"usual": [0.0]},
        "mixed": {"usual": good["rare"], "rare": good["usual"]},
    }
    path.write_text(json.dumps(good | others[content]) if content in others else content)
    line = refused("reach", "--run", run)
    assert "calibration.json is damaged" in line
    follow(line)
    assert Calibration.load(path).usual == pytest.approx(good["usual"], abs=1e-4)


def test_a_run_that_lost_its_config_finds_its_data_and_settings(run: Path, capsys: pytest.CaptureFixture[str]):
    (run / "config.json").unlink()
    assert runs.data_of(run) == run / "dataset"
    assert som.STAGE.config_in(run).rows == 8  # from the map's own file
    words = ["train-ae", "--data", str(run / "dataset"), "--run", str(run), "--epochs", "4", "--width", "4"]
    shutil.move(run / "dataset", elsewhere := run.parent / "elsewhere")
    assert "run `infant-arm train-ae --data DATA" in refused("report", "--run", run)
    words[2] = str(elsewhere)
    assert cli.main(words) == 0
    assert "is there already" in capsys.readouterr().out
    assert runs.data_of(run) == elsewhere
    assert cli.main(["report", "--run", str(run)]) == 0


@pytest.mark.parametrize("content", ["{", '{"train-ae": {"data": 5}}', '{"train-ae": []}'])
def test_a_damaged_config_is_deleted_and_all_goes_on(run: Path, content: str):
    (run / "config.json").write_text(content)
    assert "config.json is damaged" in (line := refused("evaluate", "--run", run))
    assert "delete it and run the same command again" in line
    (run / "config.json").unlink()
    assert cli.main(["evaluate", "--run", str(run)]) == 0


@pytest.mark.parametrize("keep", [0, 100, 0.9])
def test_a_damaged_checkpoint_is_trained_again(run: Path, keep: float):
    content = (run / "som.safetensors").read_bytes()
    (run / "som.safetensors").write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    assert "train" in refused("evaluate", "--run", run)
    assert cli.main(["train-som", "--run", str(run), "--rows", "8", "--columns", "7"]) == 0
    assert cli.main(["evaluate", "--run", str(run)]) == 0


def test_what_was_done_is_done_again_when_its_result_is_damaged(run: Path):
    config, times = Comparison(run), []
    for place in ((), (), ("details", "knn", 5), ("timing_s", 5), ()):
        if place:
            change(run / "metrics.json", *place)
        run_unless_done("evaluate", config, lambda config: times.append(evaluate.run(config)))
    assert len(times) == 3


def test_a_seed_of_reinforcement_learning_that_was_cut_off_is_told(run: Path):
    seed = run / "rl" / "sac_hand" / "seed0"
    (seed / "result.json").write_text("{")
    with pytest.raises(UserError, match=r"result.json is damaged: .*; delete only this file, and run `infant-arm tr"):
        collected(run)
    (seed / "result.json").unlink()
    assert collected(run) == {}


def test_a_number_that_is_not_finite_is_null_on_disk_and_none_in_memory(tmp_path: Path):
    path = tmp_path / "metrics.json"
    path.write_text('{"timing_s": {"a": 1}, "cost": {"a": {"cpu_s": 1, "peak_gb": NaN}}, "of 0.3": [Infinity, 1e999]}')
    assert runs.metrics_of(tmp_path).cost["a"].peak_gb is None
    runs.record(tmp_path, Metrics(map_bytes={"som": 3}, timing_s={"b": float("inf")}))
    assert written(path) == {
        "timing_s": {"a": 1, "b": None},
        "cost": {"a": {"cpu_s": 1, "peak_gb": None}},
        "of 0.3": [None, None],
        "map_bytes": {"som": 3},
    }


def test_what_version_0_1_wrote_reads_and_writes_the_same(whole: Path):
    before = written(whole / "metrics.json")
    assert json_files.plain(runs.metrics_of(whole)) == before
