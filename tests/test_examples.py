"""Every example runs as a newcomer would run it."""

import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import pytest

ROOT = Path(__file__).parent.parent
NAMES = sorted(path.name for path in (ROOT / "examples").glob("*.py") if not path.with_suffix(".ipynb").exists())
SCRIPTS = [name for name in NAMES if name != "your_agent.py"]  # that one is a class, which `bench goals` runs
ARGUMENTS = {
    "first_look.py": ["{tmp}/picture.png"],
    "imagine_and_reach.py": ["{run}", "{tmp}/picture.png"],
    "read_a_dataset.py": ["{run}/dataset", "{tmp}/picture.png"],
    "reinforcement_learning.py": ["60", "{tmp}/film.mp4"],
    "another_arm.py": ["{tmp}/planar"],
    "your_robot.py": ["{tmp}/run", "60", "2"],
    "touch_yourself.py": ["30", "{tmp}/contacts"],
    "three_senses.py": ["{run}", "{tmp}/picture.png"],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_runs_and_says_something(name: str, tiny_run: Path, tmp_path: Path):
    words = [word.format(run=tiny_run, tmp=tmp_path) for word in ARGUMENTS[name]]
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *words], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") >= 2
    if any(word.endswith("picture.png") for word in words):
        assert iio.imread(tmp_path / "picture.png").std() > 10


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_read_at_one_sitting(name: str):
    assert len((ROOT / "examples" / name).read_text().splitlines()) <= 80
