"""Parquet files of verdicts: the keys of the verdict format as columns, for data frames and databases."""

import os
from collections.abc import Iterable
from typing import BinaryIO

from netinterf.arrow import parquet_writer
from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, captures_of
from netinterf.writing import opened
from netinterf.written.frames import verdict_schema, verdicts_to_arrow

__all__ = ["parquet"]


def parquet(
    result: Result | Iterable[Judged], target: str | os.PathLike[str] | BinaryIO, *, everything: bool = False
) -> None:
    """Write a whole result as one Parquet file, capture by capture.

    Args:
        result: A scan's result, or the captures of one.
        target: A path (replaced when the file is whole) or a binary file object.
        everything: Write one verdict for every flow and exchange, not only findings.

    Raises:
        MissingExtra: pyarrow is not installed.
        ParameterError: The target is one of the captures.
        OSError: The target cannot be written.
    """
    schema = verdict_schema()
    with opened(target) as file, parquet_writer(file, schema) as writer:
        for judged in captures_of(result, target):
            writer.write_table(verdicts_to_arrow(judged.ledger if everything else judged.ledger.findings()))
