"""What the fuzzer found, made small: each input once did what it must not."""

import pytest

from benchmarks.fuzz.guard import Finding, examine
from benchmarks.fuzz.targets import TARGETS

FOUND = [
    # a method of 32 bytes was read as one, though the peek that chooses streams sees no end of it
    ("http", "00264c4f4e474c4f4e474c4f4e474c4f4e474c4f4e474c4f4e474c4f4e474c4f4e4720485454502f"),
]
"""Target and input, as ``python -m benchmarks fuzz`` prints them."""


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_is_mended(name: str, data: str) -> None:
    """Nothing is found any more."""
    found = examine(TARGETS[name].check, bytes.fromhex(data))
    assert not isinstance(found, Finding), found
