"""Parquet files of verdicts: the keys of the verdict format as columns, for data frames and databases.

What could not be read has no row: it stands in the metadata of the file, under `ERRORS`.
"""

import json
import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from netinterf.arrow import parquet_writer
from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, captures_of
from netinterf.errors import CaptureError
from netinterf.writing import opened
from netinterf.written.format import error_line
from netinterf.written.frames import verdict_schema, verdicts_to_arrow

__all__ = ["ERRORS", "parquet"]

ERRORS = "netinterf.errors"
"""Key of the metadata under which what could not be read is listed, as JSON: the lines of type `error`."""


def parquet(
    result: Result | Iterable[Judged],
    target: str | os.PathLike[str] | BinaryIO,
    *,
    everything: bool = False,
    errors: Sequence[CaptureError] = (),
) -> None:
    """Write a whole result as one Parquet file, capture by capture.

    Args:
        result: A scan's result, or the captures of one.
        target: A path (replaced when the file is whole) or a binary file object.
        everything: Write one verdict for every flow and exchange, not only findings.
        errors: What could not be read, where *result* does not know; it may grow while captures come.

    Raises:
        MissingExtra: pyarrow is not installed.
        ParameterError: The target is one of the captures.
        OSError: The target cannot be written.
    """
    errors = result.errors if isinstance(result, Result) else errors
    schema = verdict_schema()
    with opened(target) as file, parquet_writer(file, schema) as writer:
        for judged in captures_of(result, target):
            writer.write_table(verdicts_to_arrow(judged.ledger if everything else judged.ledger.findings()))
        writer.add_key_value_metadata({ERRORS: json.dumps([error_line(error) for error in errors])})
