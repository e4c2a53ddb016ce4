"""The page of a study, its figures, and its curves as CSV."""

from pathlib import Path

from agents.tools.files import replacing

from ...runs.config import command_line
from ...runs.folder import as_json
from ...show import html_page, tables
from .rows import Rows
from .study import Findings, Study, StudyConfig, Table

CRITERIA = "Held against people and infants"


def write(study: Study, config: StudyConfig, folder: Path, rows: Rows, findings: Findings) -> str:
    """Writes `page.html`, `NAME.csv`, `NAME.txt`, `paragraph.md` and `figures/`.

    Returns:
        The tables as text.
    """
    rows.write(folder / f"{study.name}.csv")
    shown = {
        name: (html_page.figure(folder, name, drawn), findings.captions.get(name, name))
        for name, drawn in findings.figures.items()
    }
    compared = criteria(findings)
    content = {
        "study": study, "findings": findings, "pictures": shown, "criteria": compared, "seeds": config.seeds,
        "command": command(study, config),
    }  # fmt: skip
    html_page.write(folder / "page.html", "study.html", content)
    text = as_text(findings)
    _write(folder / f"{study.name}.txt", f"{text}\n")
    _write(folder / "paragraph.md", paragraph(study, config, findings))
    return text


def criteria(findings: Findings) -> Table:
    """The criteria with their verdicts."""
    rows = [[each.what, each.expected, each.found, each.verdict] for each in findings.criteria]
    return ["criterion", "expected", "found", "verdict"], rows


def as_text(findings: Findings) -> str:
    """All tables for the terminal."""
    parts = [f"{title}\n{tables.as_text(*table)}" for title, table in findings.tables.items()]
    if findings.criteria:
        parts.append(f"{CRITERIA}\n{tables.as_text(*criteria(findings))}")
    return "\n\n".join(parts)


def paragraph(study: Study, config: StudyConfig, findings: Findings) -> str:
    """What came out, with its criteria, as Markdown for the page of all studies."""
    parts = [f"### `{study.name}`", f"*{study.question}*", " ".join(findings.came_out)]
    parts += [tables.as_markdown(*criteria(findings))] if findings.criteria else []
    return "\n\n".join([*parts, f"`{command(study, config)}`"]) + "\n"


def command(study: Study, config: StudyConfig) -> str:
    """The command line of the study, with the settings that are not the usual ones."""
    usual = as_json(type(config)(run=config.run))
    own = {name: value for name, value in as_json(config).items() if name in ("run", "seeds") or value != usual[name]}
    return command_line(f"study {study.name}", own)


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
