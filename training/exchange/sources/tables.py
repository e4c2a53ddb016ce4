"""Tables of numbers: CSV with a header, or Parquet."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from infant_env.errors import UserError

from .source import Floats, library


def read_table(path: Path) -> dict[str, list[Any]]:
    """The columns of a table by name; those of a CSV hold texts.

    Raises:
        UserError: the file is missing, empty or damaged, or has another ending than `.csv` or `.parquet`.
    """
    if not path.is_file():
        raise UserError(f"there is no table {path}; expected a CSV or Parquet file")
    if path.suffix.lower() == ".csv":
        return _read_csv(path)
    if path.suffix.lower() != ".parquet":
        raise UserError(f"got the table {path}, expected a file that ends in .csv or .parquet")
    return _read_parquet(path)


def numbers_of(column: list[Any], name: str, path: Path) -> Floats:
    """A column as numbers, (N,) or (N, D); a missing one is NaN.

    Raises:
        UserError: a value is no number, or the rows have different lengths.
    """
    try:
        return np.array([np.nan if value in (None, "") else value for value in column], np.float64)
    except (TypeError, ValueError):
        bad = next((k for k, value in enumerate(column) if not _is_numeric(value)), 0)
        raise UserError(f"{path} has {column[bad]!r} in column {name}, row {bad + 1}, expected a number") from None


def _is_numeric(value: Any) -> bool:
    try:
        np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return value == ""
    return True


def _read_csv(path: Path) -> dict[str, list[Any]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = [row for row in csv.reader(file) if row]
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as a CSV file with a header ({error})") from None
    short = next((k for k, row in enumerate(rows) if len(row) != len(header)), None)
    if short is not None:
        raise UserError(
            f"{path} has {len(rows[short])} values in row {short + 1}, expected {len(header)} as in its header"
        )
    names = [name.strip() for name in header]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path} has two columns {twice!r}, expected a name for each column in its first row")
    return {name: [row[k].strip() for row in rows] for k, name in enumerate(names)}


def _read_parquet(path: Path) -> dict[str, list[Any]]:
    parquet = library("pyarrow.parquet", "a Parquet table")
    try:
        return dict(parquet.read_table(path).to_pydict())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a Parquet file ({error})") from None
