"""Tables for the terminal and for Markdown, from the same rows as those of the report."""

from collections.abc import Sequence

Row = Sequence[str]


def as_text(header: Row, rows: Sequence[Row]) -> str:
    """A table with aligned columns: the first on the left, the others on the right."""
    widths = [max(len(row[k]) for row in (header, *rows)) for k in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in (header, *rows)
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def as_markdown(header: Row, rows: Sequence[Row]) -> str:
    """A table as Markdown: the first column on the left, the others on the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def number(value: float | None, digits: int = 4) -> str:
    """A number without its leading zero, as papers print errors; a dash for None."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def percent(value: float) -> str:
    """A share as a whole percentage."""
    return f"{100 * value:.0f} %"
