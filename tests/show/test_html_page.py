"""The report and the comparison as pages: whatever a run's files say is text on them, and never HTML."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from training import report
from training.data import dataset
from training.runs import folder as runs
from training.runs.learning import Judgment, Learned, Result
from training.show import figures, html_page

HOSTILE = "</td><script>alert('1')</script><img src=x onerror=\"alert(2)\">{{ 7*7 }}&lt;"
ROOT = Path(__file__).parent.parent.parent


class Parsed(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text = Counter[str](), list[tuple[str, str, str | None]](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def content(text: str) -> dict[str, Any]:
    """Content of the report whose every value is this text."""
    table, picture = ([text, text], [[text, text]]), html_page.Picture(text.encode("utf-8", "replace"), text)
    head = dict.fromkeys(("poses", "pixels", "latents", "map", "rejected"), text) | {"example": picture, "recorded": ""}
    errors = dict.fromkeys(("table1", "pictures", "hands", "per_joint"), table)
    errors |= {"remarks": [text], "paper": {"columns": table, "verdict": [text]}}
    errors |= {"senses": table, "two_eyes": table, "hand_remark": text}
    errors |= {"joint_errors": picture, "hand_errors": picture}
    drawn = ("atlas", "joint_planes", "latent_planes", "u_matrix_and_hits", "map_errors", "activity")
    return {
        "head": head,
        "errors": errors,
        "recalled": picture,
        "map": {"measures": text, **dict.fromkeys(drawn, picture)},
        "reaching": [{"goals": text, "kind": text, "table": table}],
        "film": "AAAA",
        "imagery": {"tables": [(text, *table)], "reliability": picture},
        "world_model": {"transitions": text, "remark": text, "table": table, "picture": picture},
        "learned": {"note": text, "table": table, "curves": picture},
        "training": picture,
        "provenance": dict.fromkeys(("costs", "commands", "versions"), table),
    }


def comparison(text: str) -> dict[str, Any]:
    table, picture = ([text, text], [[text, text]]), html_page.Picture(b"", text)
    return {"sections": [(text, text, table)], "pictures": {text: picture}, "commands": table}


@pytest.mark.parametrize(("template", "made"), [("report.html", content), ("comparison.html", comparison)])
@given(text=st.text(st.characters(exclude_characters="\r\0"), min_size=1))  # HTML reads these two as other characters
@example(HOSTILE)
@example("' onload='alert(1)")
@example("<!--")
def test_any_text_is_text_on_a_page(template: str, made: Any, text: str):
    page, harmless = Parsed(html_page.render(template, made(text))), Parsed(html_page.render(template, made("x")))
    assert page.tags == harmless.tags
    assert [(tag, name) for tag, name, _ in page.attributes] == [(tag, name) for tag, name, _ in harmless.attributes]
    assert {value for _, name, value in page.attributes if name == "alt"} == {text}
    shown = text.replace("`", "") if template == "comparison.html" else text
    assert shown in "".join(page.text)


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes a JSON file as a stranger would, who can leave a checksum out."""
    written = json.loads(path.read_text())
    written.pop("sha256", None)
    change(written)
    path.write_text(json.dumps(written))


def rename(metrics: dict[str, Any]) -> None:
    """Gives a method, a stage and a kind of goals another name."""
    for section in ("timing_s", "table1"):
        metrics[section][HOSTILE] = next(iter(metrics[section].values()))
    rows = next(iter(metrics["reach"].values()))
    metrics["reach"][HOSTILE] = {HOSTILE: next(iter(rows.values()))}


@pytest.fixture(scope="module")
def hostile(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose names, commands and versions are HTML."""
    run = Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("hostile") / "run"))
    rewrite(
        run / "config.json", lambda content: content.update(command={HOSTILE: HOSTILE}, versions={HOSTILE: HOSTILE})
    )
    rewrite(run / "metrics.json", rename)
    rewrite(dataset.Dataset.open(runs.data_of(run)).path / "dataset.json", lambda c: c.update(rejected={HOSTILE: 3}))
    learned = run / "rl" / HOSTILE.replace("/", "") / "seed0"
    learned.mkdir(parents=True)
    judgment = {"steps": 10, "seconds": 1.5, "near": 0.2, "far": 0.5, "median": 4.0}
    result = {"judgments": [judgment], "seconds": 3.0, "model_steps": 0, "imagined": False}
    (learned / "result.json").write_text(json.dumps(result))
    (learned / "config.json").write_text(json.dumps({"goal": "hand"}))
    return run


def test_a_hostile_run_puts_nothing_into_its_report(hostile: Path):
    report.run(report.Config(hostile))
    first = (hostile / "report.html").read_bytes()
    page = Parsed(first.decode())
    assert not page.tags.keys() & {"script", "iframe", "object", "embed", "link", "base", "form", "svg"}
    assert not [attribute for attribute in page.attributes if attribute[1].startswith("on")]
    addresses = {value.partition(",")[0] for _, name, value in page.attributes if name in ("src", "href") and value}
    assert addresses <= {"data:image/png;base64", "data:video/mp4;base64"}
    text = "".join(page.text)
    assert text.count(HOSTILE) >= 8  # table 1, goals, reached, time, stage, command, package, version
    assert HOSTILE.replace("_", " ") in text  # rejected poses
    report.run(report.Config(hostile))
    assert (hostile / "report.html").read_bytes() == first


def test_a_page_forbids_scripts_and_everything_from_elsewhere():
    page = Parsed(html_page.render("report.html", content("x")))
    (policy,) = [value for tag, name, value in page.attributes if (tag, name) == ("meta", "content") and "src" in value]
    assert policy.startswith("default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'")


def test_text_that_is_no_unicode_does_not_stop_a_page(tmp_path: Path):
    html_page.write(tmp_path / "page.html", "report.html", content("\ud800"))
    assert "?" in (tmp_path / "page.html").read_text()


def test_a_figure_stays_in_its_folder(tmp_path: Path):
    html_page.figure(tmp_path, "ablation_of_/../../outside", plt.figure())
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["ablation_of__.._.._outside.png"]


def test_a_dollar_in_a_name_is_no_formula():
    judged = Result([Judgment(10, 1.0, 0.1, 0.2, 3.0)] * 2, 1.0, 0, imagined=False)
    figure = figures.learning_curves({r"$\no{such$": Learned("hand", [judged])})
    assert html_page.png(figure).startswith(b"\x89PNG")
