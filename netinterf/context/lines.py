"""CSV files that users write by hand: read strictly, and what is wrong is named by its line."""

import csv
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from netinterf.errors import ParameterError

__all__ = ["read_lines"]

Row = TypeVar("Row")


def read_lines(
    path: str | os.PathLike[str], parameter: str, header: Sequence[str], row_of: Callable[[list[str]], Row]
) -> tuple[Row, ...]:
    """Read a CSV file line by line.

    Args:
        path: The file, UTF-8.
        parameter: What it is given as; errors name it.
        header: The cells of the first line; capitals do not matter.
        row_of: Makes a row of the stripped cells of a line, as many as the header has; empty lines are left out. What
            is wrong with them it raises as ValueError.

    Returns:
        What *row_of* made, in file order.

    Raises:
        ParameterError: The file cannot be read, the header is another, or a line is malformed (its number is given).
    """
    name = os.fspath(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = list(enumerate(csv.reader(file, strict=True), 1))
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as cause:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise ParameterError(parameter, name, f"a readable CSV file ({reason})") from cause
    if not lines or [cell.strip().lower() for cell in lines[0][1]] != list(header):
        raise ParameterError(parameter, name, "a CSV file that begins with the line " + ",".join(header))
    rows = []
    for line, row in lines[1:]:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        try:
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells instead of {len(header)}")
            rows.append(row_of(cells))
        except ValueError as cause:
            raise ParameterError(parameter, f"{name}, line {line}", f"{','.join(header)} ({cause})") from cause
    return tuple(rows)
