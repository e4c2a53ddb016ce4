"""The wheel: built, installed into an empty environment, and used from a folder outside of the checkout."""

import importlib.util
import json
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ("infant_env", "agents", "training", "pyproject.toml", "README.md", "LICENSE", "CITATION.cff")
"""All that a wheel is made from; a copy, so that the build leaves nothing in the checkout."""
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir")


def call(*words: str | Path, **options: object) -> str:
    """Standard output of a command that must end well."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    source, out = (tmp_path_factory.mktemp(name) for name in ("source", "wheel"))
    for name in SOURCE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    call(*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", out, source)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def here(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel, which sees the dependencies of this one; and no other folder."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder / "env", with_pip=False)
    own = Path(call(python(folder), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    paths = {*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "dependencies.pth").write_text("\n".join(sorted(paths)))  # a .pth file in these folders has no effect
    call(*PIP, "--python", python(folder), "install", "--no-deps", "--no-index", "--no-compile", wheel)
    return folder


def python(folder: Path) -> Path:
    return folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"


def call_there(here: Path, *words: str) -> str:
    """Output of a program of the environment, in a folder of its own and without this session's variables for Python."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return call(python(here).with_name(words[0]), *words[1:], cwd=here, env=variables)


def test_the_wheel_holds_what_is_needed_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
        told = {name.split(".dist-info/")[1] for name in file.namelist() if ".dist-info/" in name}
    assert {name.split("/")[0] for name in names} == {"infant_env", "agents", "training"}
    expected = {
        path.relative_to(ROOT).as_posix()
        for floor in ("infant_env", "agents", "training")
        for path in (ROOT / floor).rglob("*")
        if path.suffix in (".py", ".html", ".safetensors", ".typed")
    }
    assert names == expected
    assert {"agents/pretrained/infant.safetensors", "training/show/templates/report.html", "agents/py.typed"} <= names
    assert {"METADATA", "entry_points.txt", "licenses/LICENSE", "licenses/CITATION.cff"} <= told
    assert wheel.stat().st_size < 9_000_000


def test_a_wheel_and_a_checkout_say_the_same_version_and_how_to_cite_it(here: Path):
    code = "import infant_env; print(infant_env.__version__, infant_env.__file__)"
    told = call_there(
        here, "python", "-c", f"{code}; from training.sharing.citation import citation; print(citation())"
    )
    first, cited = told.split("\n", 1)
    version, file = first.split()
    assert cited.strip() == (ROOT / "CITATION.cff").read_text().strip()
    assert Path(file).is_relative_to(here)
    assert version == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    import infant_env

    assert infant_env.__version__ == version


def test_the_doctor_finds_an_installed_wheel_well(here: Path):
    assert "WRONG" not in call_there(here, "infant-arm", "doctor")


def test_the_trained_infant_of_the_wheel_reaches(here: Path):
    said = call_there(here, "infant-arm", "reach", "--pretrained", "--goals", "10")
    assert re.search(r"film: runs.pretrained.videos.first_reach\.mp4\n.*\n?looks ", said, re.DOTALL)
    found = json.loads((here / "runs" / "pretrained" / "metrics.json").read_text())["reach"]["new poses"]["looks"]
    assert found["hand_error_cm"]["within_2"] >= 0.9  # docs/pretrained.md has 1,000 goals
    assert (here / "runs" / "pretrained" / "videos" / "first_reach.mp4").stat().st_size > 10_000


def test_the_examples_of_readme_run_from_the_wheel(here: Path):
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    call_there(here, "python", "-c", "\n".join(blocks))
