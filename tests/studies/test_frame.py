"""The frame of the studies: finished seeds are kept, each criterion has its verdict, and a study is one file."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from training.runs.config import Count
from training.studies import command
from training.studies.body import CHANGES
from training.studies.changes.config import Config as BodyConfig
from training.studies.frame import page
from training.studies.frame.measured import folder_of, measured
from training.studies.frame.rows import Rows, of_seed
from training.studies.frame.study import Criterion, Findings, Study, StudyConfig

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "studies.md").read_text()


@dataclass(frozen=True)
class Config(StudyConfig):
    """Count seeds."""

    size: Count = 1
    """A setting."""


class Counting:
    """A study that notes which seeds it measures, and stops before one of them."""

    def __init__(self, stop: int = 99) -> None:
        self.seeds: list[int] = []
        self.study = Study("counting", "How many?", "Nothing.", "It counts.", Config, self._prepare, self._judge)
        self._stop = stop

    def _prepare(self, config):
        def seed_of(seed):
            if seed == self._stop:
                raise KeyboardInterrupt
            self.seeds.append(seed)
            return [{"x": 1.0, "y": seed * config.size, "kind": "a"}, {"x": 2.0, "y": float("nan"), "kind": "b"}]

        return seed_of

    def _judge(self, config, rows):
        return Findings(
            ["Seeds < were counted."], [Criterion("the mean", "1", f"{rows.where(kind='a').mean('y'):g}", True)]
        )


@pytest.fixture
def run(tiny_run, tmp_path) -> Path:
    """A folder with the tiny run's models, whose studies are empty."""
    for path in tiny_run.iterdir():
        if path.name != "studies":
            (tmp_path / path.name).symlink_to(path)
    return tmp_path


def test_a_killed_study_goes_on_with_the_seed_that_was_lost(run):
    killed, again = Counting(stop=2), Counting()
    with pytest.raises(KeyboardInterrupt):
        measured(killed.study, Config(run, seeds=4))
    rows = measured(again.study, Config(run, seeds=4))
    assert (killed.seeds, again.seeds) == ([0, 1], [2, 3])
    assert [row["y"] for row in rows.where(kind="a")] == [0, 1, 2, 3]
    assert np.isnan([row["y"] for row in rows.where(kind="b")]).all()


def test_more_seeds_are_added_to_those_that_are_there(run):
    measured(Counting().study, Config(run, seeds=2))
    more = Counting()
    assert len(measured(more.study, Config(run, seeds=3))) == 6
    assert more.seeds == [2]


def test_other_settings_are_measured_anew(run):
    measured(Counting().study, Config(run, seeds=2))
    other = Counting()
    assert measured(other.study, Config(run, seeds=2, size=5)).where(kind="a").kinds("y") == [0, 5]
    assert other.seeds == [0, 1]


def test_a_damaged_seed_is_measured_again(run):
    measured(Counting().study, Config(run, seeds=2))
    (run / "studies" / "counting" / "seeds" / "1.json").write_text("{")
    again = Counting()
    measured(again.study, Config(run, seeds=2))
    assert again.seeds == [1]


def test_the_page_has_the_verdict_and_the_command(run, capsys):
    study, config = Counting().study, Config(run, seeds=2, size=3)
    rows, folder = measured(study, config), run / "studies" / "counting"
    text = page.write(study, config, folder, rows, study.judge(config, rows))
    shown = (folder / "page.html").read_text()
    assert re.search("the mean +1 +1.5 +reproduced", text)
    assert "Seeds &lt; were counted." in shown
    assert f"infant-arm study counting --run {run} --seeds 2 --size 3" in shown
    assert (folder / "counting.csv").read_text().splitlines()[:2] == ["seed,x,y,kind", "0,1.0,0,a"]
    assert "| the mean | 1 | 1.5 | reproduced |" in (folder / "paragraph.md").read_text()


def test_verdicts_say_what_was_missed_and_what_was_not_measured():
    verdicts = [Criterion("", "", "", met).verdict for met in (True, False, None)]
    assert verdicts == ["reproduced", "not reproduced", "not measured"]


def test_a_curve_has_one_line_for_each_seed():
    rows = Rows()
    for seed in (0, 1):
        rows += of_seed(seed, [{"x": x, "y": 10.0 * seed + x + shift} for x in (2.0, 1.0) for shift in (0.0, 1.0)])
    x, y = rows.curve("x", "y")
    assert x.tolist() == [1.0, 2.0]
    assert y.tolist() == [[1.5, 2.5], [11.5, 12.5]]
    assert rows.by_seed("y").tolist() == [2.0, 12.0]


def test_each_study_has_a_folder_of_its_own():
    names = [study.name for study in command.found()]
    assert len(set(names)) == len(names) == len(command.STUDIES)
    assert {"forget", "new-body"} <= set(names)


BODY = {"poses": 20, "tests": 4, "reaches": 20, "trials": 1}
SMALL = {
    "conflict": {"poses": 2, "agent_poses": 1},
    "whose": {"clips": 3},
    "adapt": {"before": 10, "turned": 10},
    "touch": {"movements": 8, "side": 8, "pressed": 3},
    "months": {"reaches": 2, "babbled": 12},
    "body growth": {"change": "growth", **BODY},
    "body tool": {"change": "tool", **BODY},
    "body damage": {"change": "damage", **BODY},
}
"""Smaller settings of the studies that run on a finished run alone."""
CRITERIA = {
    "conflict": 13,
    "whose": 4,
    "adapt": 6,
    "touch": 2,
    "months": 6,
    "body growth": 6,
    "body tool": 2,
    "body damage": 6,
}
"""Number of their criteria."""


@pytest.mark.parametrize("name", SMALL)
def test_a_study_runs_at_the_tiny_preset_and_equal_seeds_give_equal_tables(name: str, run: Path):
    word = name.split()[0]
    config = next(kind for kind, study in command.STUDIES.items() if study.name == word)(run, seeds=2, **SMALL[name])
    study = command.study_of(config)
    folder = run / "studies" / Path(*name.split())
    first = command.run(config), (folder / f"{word}.csv").read_bytes()
    (folder / "seeds" / "1.json").unlink()
    assert (command.run(config), (folder / f"{word}.csv").read_bytes()) == first
    findings = study.judge(config, measured(study, config))
    assert len(findings.criteria) == CRITERIA[name]
    assert {each.verdict for each in findings.criteria} <= {"reproduced", "not reproduced", "not measured"}
    shown = (folder / "page.html").read_text()
    assert all(text in shown for text in (study.question, "What was known before", "infant-arm study"))
    assert sorted(path.stem for path in (folder / "figures").iterdir()) == sorted(findings.figures)


def test_one_command_keeps_several_studies_apart(run: Path):
    folders = {folder_of(command.study_of(config), config) for config in (BodyConfig(run, change=c) for c in CHANGES)}
    assert folders == {run / "studies" / "body" / change for change in ("growth", "tool", "damage")}


def test_a_study_written_as_the_page_says_is_one_file(run: Path, tmp_path_factory: pytest.TempPathFactory):
    house = tmp_path_factory.mktemp("house")
    for floor in ("infant_env", "agents", "training"):
        shutil.copytree(ROOT / floor, house / floor, ignore=shutil.ignore_patterns("__pycache__"))
    ((name, text),) = re.findall(
        r"^```\{code-block\} python\n:caption: (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    )
    assert not (house / name).exists()
    (house / name).write_text(text)
    words = [sys.executable, "-m", "training", "study", "dim", "--run", str(run), "--seeds", "2", "--poses", "3"]
    done = subprocess.run(words, cwd=house, env=os.environ | {"PYTHONPATH": str(house)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search("a fifth of the light .* times +(not )?reproduced", done.stdout)
    assert len((run / "studies" / "dim" / "dim.csv").read_text().splitlines()) == 11
