"""Make a finding small: drop parts and bytes as long as the input does the same."""

from collections.abc import Callable
from typing import TypeVar

from benchmarks.fuzz.guard import Finding, examine
from benchmarks.fuzz.parts import pack, unpack
from benchmarks.fuzz.targets import TARGETS

__all__ = ["literal", "shrunk"]

Item = TypeVar("Item")

TRIES = 2_000
"""Inputs that are tried at most."""


def shrunk(name: str, data: bytes) -> tuple[bytes, Finding]:
    """Give a smaller input that does the same as one of a target does.

    Raises:
        ValueError: It does nothing that it must not.
    """
    check = TARGETS[name].check
    found = examine(check, data)
    if not isinstance(found, Finding):
        raise ValueError(f"{name}: this input passes")
    tries = iter(range(TRIES))

    def does(one: bytes) -> bool:
        again = examine(check, one) if next(tries, None) is not None else None
        return isinstance(again, Finding) and again.kind == found.kind

    size = TARGETS[name].head
    if size is not None:
        head = data[:size]
        data = head + pack(fewer(unpack(data[size:]), lambda some: does(head + pack(some))))
    small = bytes(fewer(list(data), lambda some: does(bytes(some))))
    last = examine(check, small)
    return (small, last) if isinstance(last, Finding) else (data, found)


def fewer(items: list[Item], does: Callable[[list[Item]], bool]) -> list[Item]:
    """Drop runs of items, half of them at first, then ever shorter ones (Zeller and Hildebrandt, TSE 2002)."""
    size = max(1, len(items) // 2)
    while items:
        at = 0
        while at < len(items):
            less = items[:at] + items[at + size :]
            if does(less):
                items = less
            else:
                at += size
        if size == 1:
            break
        size //= 2
    return items


def literal(name: str, data: bytes, found: Finding) -> str:
    """Write a finding as lines for the table of ``tests/unit/benchmarks/test_fuzz_found.py``."""
    return f'    # {found.what[:100]}\n    ("{name}", "{data.hex()}"),'
