"""Numbers and texts in the page that a script unpacks when it needs them.

What a browser must not read as markup lies in data blocks (HTML, ``script`` of a type that is no script), compressed
(RFC 1950) and in letters (RFC 4648, base64), so that no name from the wire stands in them as it is. Every browser since
2023 unpacks that by itself (Compression Standard, ``DecompressionStream``).
"""

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from netinterf.arrays import I64
from netinterf.report.page.markup import Markup, raw

__all__ = ["narrow", "packed", "packed_json", "width_of"]


def packed(key: str, data: bytes) -> Markup:
    """Pack bytes.

    Args:
        key: The id of their element.
        data: What to pack.
    """
    letters = base64.b64encode(zlib.compress(data)).decode("ascii")
    return raw(f'<script type="text/plain" id="{key}">{letters}</script>\n')


def packed_json(key: str, value: Any) -> Markup:
    """Pack lists, objects, texts and numbers."""
    return packed(key, json.dumps(value, separators=(",", ":")).encode("ascii"))


def width_of(values: Sequence[Any]) -> int:
    """Give the bytes that the places of a list need."""
    return 1 if len(values) <= 1 << 8 else 2


def narrow(values: I64, width: int) -> bytes:
    """Write whole numbers from 0 in so many bytes each, the lowest first."""
    return np.asarray(values).astype(f"<u{width}").tobytes()
