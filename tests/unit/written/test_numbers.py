"""Measured numbers in sentences."""

import pytest

from netinterf.written.numbers import Number, agreed


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("by 1 packets: a signature", "by 1 packet: a signature"),
        ("1 packets were lost", "1 packet was lost"),
        ("the client's 1 QUIC datagrams were never answered", "the client's 1 QUIC datagram was never answered"),
        ("answered 1 times, 1 other names got none", "answered 1 time, 1 other name got none"),
        ("1 replies and 1 losses", "1 reply and 1 loss"),
        ("11 packets were, 0.1 packets, 1.1 packets and -1 packets", None),
        ("1 ms after 1 s, 1 of 3 packets, port 1", None),
        ("1 ms between packets", None),
        ("hop limit 1, this server's other replies with 2", None),
    ],
)
def test_what_is_counted_once_is_told_so(written: str, told: str | None) -> None:
    """Noun and verb agree with a count of one; other numbers and other words stay."""
    assert agreed(written) == (told or written)


def test_numbers_are_rounded() -> None:
    """Three significant digits, whole numbers whole, and what is unknown says so."""
    assert [f"{Number(one)}" for one in (0.012345, 3.0, 1234.5)] == ["0.0123", "3", "1,234"]
    assert f"{Number('nan')}" == "an unknown number of"


def test_units_get_their_prefix_and_shares_are_percents() -> None:
    """A sentence may ask for both; formats of Python stay what they are."""
    assert f"{Number(1_497_839):bit/s}, {Number(68_774):B}, {Number(12):B}" == "1.5 Mbit/s, 68.8 kB, 12 B"
    shares = [f"{Number(one):%}" for one in (0.884, 0.000419, 0.0, 0.9949, 1.0, float("nan"))]
    assert shares == ["88 %", "0.042 %", "0 %", "99 %", "all", "an unknown share"]
    assert f"{Number('nan'):bit/s} {Number(1.25):.1f}" == "an unknown number of bit/s 1.2"
