"""README and the pages of docs/ are true: their snippets run, their commands exist, their links lead somewhere."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import imageio.v3 as iio
import pytest

from training import cli

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = ("doctor", "report", "train-world-model")
"""Commands that are run when a page shows them. All others are only parsed: they take too long, and have tests of their own."""
SMALLER = {"learn(1000)": "learn(110)", "steps=20_000": "steps=320", "num_envs=64": "num_envs=4", "4096": "64"}
"""What is made smaller in Python snippets."""
METHODS = {
    "SOM-AE with imagery, as the agent uses it": "som_ae_imagery",
    "SOM-AE, local linear readout": "som_ae_local_linear",
    "SOM-AE, winner, as in the paper": "som_ae",
    "plain SOM on pixels, as in the paper": "som",
    "CNN, for this one direction": "regressor",
    "nearest neighbor": "nearest_neighbor",
}
"""Rows of README's table, and of RESULTS.md's."""


@pytest.fixture(scope="module")
def run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny run, in which commands may write."""
    return Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("docs") / "run"))


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    """The maker of the generated parts of pages."""
    spec = importlib.util.spec_from_file_location("generated", ROOT / "docs" / "generated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def snippets(page: Path) -> list[tuple[str, str]]:
    """Language and text of a page's fenced blocks; Sphinx's own directives are none."""
    return FENCE.findall(page.read_text())


WITH_SNIPPETS = [
    name for name, page in zip(NAMES, PAGES, strict=True) if any(lang in ("", "python") for lang, _ in snippets(page))
]


@pytest.mark.parametrize("name", WITH_SNIPPETS)
@pytest.mark.usefixtures("one_thread")
def test_the_snippets_of_a_page_run_in_order(
    name: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "snippet"}
    for language, text in snippets(ROOT / name):
        here = re.sub(r"runs/(quick|paper|mine)\b", str(run), text)
        if language == "python":
            for usual, smaller in SMALLER.items():
                here = here.replace(usual, smaller)
            exec(compile(here, name, "exec", dont_inherit=True), namespace)
        elif not language:
            for line in here.splitlines():
                check_line(line)
    if "env" in namespace:
        namespace["env"].close()


def check_line(line: str) -> None:
    """A line for the shell: a command of this project is run or parsed, anything else must be of a known kind."""
    words = shlex.split(line, comments=True)
    if not words:
        return
    program = words[0].removeprefix(".venv/bin/")
    if program == "infant-arm":
        command(words[1:])
    elif program == "torchrun":
        command(words[words.index("--") + 1 :])
    elif program == "make":
        assert words[1] in targets(), line
    elif "pip" in program:
        extras = set(re.findall(r"\[(.*?)\]", words[-1]))
        assert extras <= set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    else:
        assert program in ("git", "cd", "python3", "export"), f"what is {line!r}? It is not tested"


def command(words: list[str]) -> None:
    """Runs a command, or parses it."""
    if words[0] in RUN:
        assert cli.main(words) == 0
        return
    words = cli._translate_old_words(words)
    name, config = cli._parse(words, {words[0]: cli._module(words[0])})
    assert name == words[0]
    assert config is not None


def targets() -> dict[str, str]:
    """Targets of the Makefile that say what they do."""
    return dict(re.findall(r"^([a-z-]+):.*## *(.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", NAMES)
def test_commands_within_sentences_exist_and_have_these_options(name: str, generated: ModuleType):
    text = FENCE.sub("", (ROOT / name).read_text())
    for words in (shown.split() for shown in re.findall(r"`infant-arm ([^`]+)`", text)):
        if words[0] in ("COMMAND", "--help"):
            continue
        assert words[0] in cli.COMMANDS
        fields = {
            name: field
            for config in cli.configs_of(words[0]).values()
            for name, field in config.__dataclass_fields__.items()
        }
        for flag in (word[2:].replace("-", "_") for word in words if word.startswith("--")):
            assert flag.removeprefix("no_") in fields or flag in fields, (words, flag)
    for target in re.findall(r"`make (?:[A-Z]+=\S+ )?([a-z-]+)", text):
        assert target in targets()


def test_make_help_lists_every_target():
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[0] for line in shown.splitlines()} == set(targets())


# README


def test_readme_is_one_page():
    text = README.read_text()
    assert len(text.splitlines()) <= 100
    assert len(text.encode()) <= 7_000


def test_the_picture_of_readme_is_drawn_from_a_run(run: Path, tmp_path: Path):
    script, picture = ROOT / "docs" / "draw_pipeline.py", tmp_path / "pipeline.png"
    subprocess.run([sys.executable, script, run, picture], cwd=tmp_path, check=True, capture_output=True)
    assert iio.imread(picture).std() > 10


def test_the_table_of_readme_agrees_with_the_results():
    """RESULTS.md is written by `infant-arm evaluate`; where it changes, README's six rows are mended by hand."""
    table, hands = (
        (ROOT / "RESULTS.md").read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
        for title in ("Table 1", "The hand")
    )
    rows = re.findall(r"^\| ([^|]+) \| ([.\d]+) \| ([-.\d]+) \| (\d+ %) \|$", README.read_text(), re.MULTILINE)
    assert {row[0] for row in rows} == set(METHODS)
    for label, joints, picture, hand in rows:
        errors, near = cells(table, METHODS[label]), cells(hands, METHODS[label])
        assert (joints, picture) == (errors[1].split(" [")[0], errors[2].split(" [")[0])
        assert hand == near[3]


def cells(table: str, row: str) -> list[str]:
    """What stands in a row of a table after its name."""
    return re.findall(rf"^\| {row} \| (.+) \|$", table, re.MULTILINE)[0].split(" | ")


# Links


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str, generated: ModuleType):
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text())):
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        assert place.exists(), f"{name} links to {target}"
        if anchor:
            assert anchor in anchors(place, generated), f"{name} links to {target}"


def anchors(page: Path, generated: ModuleType) -> set[str]:
    """The anchors of a page's headings, as MyST and GitHub make them."""
    source = [page.read_text()]
    generated.fill(None, page.name, source)
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", source[0]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# Generated parts


def test_every_command_is_documented_with_the_options_of_its_help(
    generated: ModuleType, capsys: pytest.CaptureFixture[str]
):
    for name in generated.configs():
        page = "\n".join(generated.command(name))
        capsys.readouterr()
        with pytest.raises(SystemExit):
            cli.main([*name.split(), "--help"])
        told = set(re.findall(r"^(?:\W )?(--\w[\w-]*)", capsys.readouterr().out, re.MULTILINE))
        assert set(re.findall(r"^\| `(--[\w-]+)", page, re.MULTILINE)) == told, name
        assert not re.search(r"\|  \|$", page, re.MULTILINE), f"an option of {name} says nothing"


def test_every_environment_is_documented(generated: ModuleType):
    page = generated.environments()
    for name in ("InfantArm-v0", "InfantArmReach-v0", "InfantArmReachFlat-v0", "ImaginedArmReach-v0"):
        assert f"## {name}\n" in page
    assert "### Action space" in page


@pytest.mark.parametrize("floor", ["infant_env", "agents", "training"])
def test_every_public_name_is_documented_once(floor: str, generated: ModuleType):
    page = generated.api(floor)
    documented = re.findall(r"^\.\. auto\w+:: ([\w.]+)$", page, re.MULTILINE)
    assert len(documented) == len(set(documented))
    for face in generated.faces(floor):
        for name in face.__all__:
            assert name.startswith("__") or any(place.endswith(f".{name}") for place in documented), name
