"""Lists that are answered page by page: no answer is longer than a model can take in, and nothing is lost between two.

A cursor says where the next page begins, and of what: when a file was written to meanwhile, or something else is asked
for, it is refused, since the pages would not fit together.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from netinterf.errors import ParameterError
from netinterf.values import frozen
from netinterf.writing import dump

__all__ = ["LIMIT", "MOST", "MOST_BYTES", "Page", "fitted"]

LIMIT, MOST = 20, 100
"""Entries of a page where nobody says how many, and at most."""

MOST_BYTES = 60_000
"""Bytes of a page's entries as JSON: some 20,000 tokens of a model (judgement)."""

LISTED = 50
"""Entries of a list within an entry, such as frames; of an entry that is too large still, fewer."""


@frozen(kw_only=True)
class Page:
    """Which part of a list is asked for.

    Attributes:
        begin: The place of its first entry.
        limit: How many entries it has at most.
        of: What list it is of, in a few digits.
    """

    begin: int
    limit: int
    of: str

    @classmethod
    def asked(cls, arguments: dict[str, Any], *state: object) -> "Page":
        """Read which part is asked for.

        Args:
            arguments: Those of the call: ``limit``, ``cursor``, and what decides which list it is.
            state: What else decides that, as the state of a file.

        Raises:
            ParameterError: The cursor is none, or of another list.
        """
        rest = sorted((name, value) for name, value in arguments.items() if name not in {"limit", "cursor"})
        digest = blake2b(repr((rest, state)).encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()
        begin, cursor = 0, arguments["cursor"]
        if cursor is not None:
            place, _, of = cursor.partition("-")
            if not (place.isascii() and place.isdigit() and len(place) <= 12 and of == digest):
                allowed = "the cursor of the page before, with the same arguments, of a file that did not change since"
                raise ParameterError("cursor", cursor, allowed)
            begin = int(place)
        return cls(begin=begin, limit=arguments["limit"], of=digest)

    def answer(
        self, about: dict[str, Any] | None, total: int, written: Callable[[int, int], Iterable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Answer with this part of a list.

        Args:
            about: What the list is about as a whole.
            total: Its length.
            written: Writes its entries from one place up to another.
        """
        begin = min(self.begin, total)
        items, size = list[dict[str, Any]](), 0
        for entry in written(begin, min(begin + self.limit, total)):
            item = fitted(entry, MOST_BYTES)
            size += len(dump(item).encode())
            if items and size > MOST_BYTES:
                break
            items.append(item)
        end = begin + len(items)
        more = f"{end}-{self.of}" if end < total else None
        return {"about": about, "items": items, "total": total, "offset": begin, "limit": self.limit, "next": more}


def fitted(entry: dict[str, Any], room: int) -> dict[str, Any]:
    """Cut the lists within an entry until it fits, and say under ``left_out`` how many entries each is short of."""
    most = LISTED
    while True:
        left_out: dict[str, int] = {}
        item = {**cut(entry, most, "", left_out), "left_out": left_out}
        if most == 0 or len(dump(item).encode()) <= room:
            return item
        most //= 2


def cut(value: Any, most: int, at: str, left_out: dict[str, int]) -> Any:
    """Cut all lists in a value, noting by their place in it what was left out."""
    if isinstance(value, dict):
        return {name: cut(one, most, f"{at}.{name}" if at else name, left_out) for name, one in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) > most:
        left_out[at] = len(value) - most
    return [cut(one, most, f"{at}.{place}", left_out) for place, one in enumerate(value[:most])]
