"""The project's docstrings are Markdown, as Gymnasium's are; Sphinx's autodoc reads reStructuredText."""

import re
from collections.abc import Iterator
from typing import Any

CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)(\w?)")
LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)]+)\)")
SPECIAL = re.compile(r"(?<![\\*])\*(?=[\w\[(*])|(?<=\w)_(?!\w)|\|")
PAGES = "*The whole page:* :doc:`environments </environments>`."


def translate(app: Any, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Rewrites one docstring in place; `autodoc-process-docstring` calls it."""
    lines[:] = list(restructured(shortened(lines)))
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")  # else napoleon takes what stands before a colon for a type


def shortened(lines: list[str]) -> list[str]:
    """An environment's docstring is a page with headings, shown in `environments.md`; here its first paragraph does."""
    headings = [number for number, line in enumerate(lines) if line.startswith("## ")]
    return [*lines[: headings[0]], PAGES, ""] if headings else lines


def restructured(lines: list[str]) -> Iterator[str]:
    """Fences become code blocks, `code` becomes ``code``, lists begin after an empty line."""
    fence, last = "", ""
    for line in _joined(lines):
        stripped = line.lstrip()
        indent = line[: len(line) - len(stripped)]
        if stripped.startswith("```"):
            fence = "" if fence else indent + "    "
            yield from [f"{indent}.. code-block:: {stripped[3:] or 'text'}", ""] if fence else [""]
        elif fence:
            yield "    " + line
        else:
            if (
                stripped.startswith("- ")
                and last.strip()
                and not last.lstrip().startswith("- ")
                and _same(last, indent)
            ):
                yield ""
            yield indent + inline(stripped)
        last = line


def inline(text: str) -> str:
    """One line's code, links and special characters."""
    parts, end = [], 0
    for match in CODE.finditer(text):
        parts += [_plain(text[end : match.start()]), f"``{match[1]}``" + ("\\ " + match[2] if match[2] else "")]
        end = match.end()
    return "".join([*parts, _plain(text[end:])])


def _plain(text: str) -> str:
    linked = LINK.sub(r"`\1 <\2>`__", text)
    emphasis = re.compile(r"\*\*?[^*\s][^*]*\*\*?")
    kept = [match.span() for match in emphasis.finditer(linked)]
    return SPECIAL.sub(
        lambda m: m[0] if any(a <= m.start() < b for a, b in kept) or "<http" in linked else "\\" + m[0], linked
    )


def _joined(lines: list[str]) -> Iterator[str]:
    """Code that is broken over two lines stands on one."""
    held, fenced = "", False
    for line in lines:
        fenced ^= line.lstrip().startswith("```")
        if held:
            line, held = f"{held} {line.lstrip()}", ""
        if not fenced and "```" not in line and line.count("`") % 2 and line.strip():
            held = line
            continue
        yield line
    if held:
        yield held


def _same(last: str, indent: str) -> bool:
    return len(last) - len(last.lstrip()) == len(indent)
