"""Service bindings: which HTTPS records offer HTTP/3, held against dnspython."""

import dns.rdata
import numpy as np
import pytest
from dns.rdataclass import IN
from hypothesis import given
from hypothesis import strategies as st

from netinterf.protocols.dns_messages import parse_messages
from netinterf.protocols.svcb import offers_http3
from tests.oracles.dns_frames import message, record

TEXTS = [
    ('1 . alpn="h3,h2"', True),
    ('1 . alpn="h2,h3" ipv4hint=192.0.2.1', True),
    ('1 . alpn="h2"', False),
    ('1 . alpn="h3-29"', False),  # a draft is not HTTP/3
    ('16 svc.example.net. mandatory=alpn alpn="h3" port=8443', True),
    ("0 svc.example.net.", False),  # an alias only
    ('1 . key667="h3"', False),
]


def offered(*datas: bytes) -> list[bool]:
    """Read some records that lie one behind the other."""
    length = np.array([len(data) for data in datas], np.int64)
    at = np.cumsum(length) - length
    return offers_http3(np.frombuffer(b"".join(datas) or b"\0", np.uint8), at, at + length).tolist()


@pytest.mark.parametrize("kind", ["HTTPS", "SVCB"])
def test_what_a_record_offers(kind: str) -> None:
    """As dnspython writes it."""
    wires = [dns.rdata.from_text(IN, kind, text).to_wire() for text, _ in TEXTS]
    assert offered(*wires) == [wanted for _, wanted in TEXTS]


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 60))
def test_broken_records_offer_nothing_that_dnspython_would_not_read(datas: list[bytes], cut: int) -> None:
    """Any bytes can be read; what dnspython accepts is read the same, wherever the next record begins."""
    whole = dns.rdata.from_text(IN, "HTTPS", TEXTS[4][0]).to_wire()
    datas = [*datas, whole[:cut], whole]
    for data, found in zip(datas, offered(*datas), strict=True):
        try:
            parsed = dns.rdata.from_wire(IN, "HTTPS", data, 0, len(data))
        except Exception:
            continue
        alpn = parsed.params.get(1)
        assert found == (alpn is not None and b"h3" in alpn.ids)


def test_messages_say_which_of_their_records_offer_it() -> None:
    """Only HTTPS and SVCB records are read so."""
    data = dns.rdata.from_text(IN, "HTTPS", TEXTS[0][0]).to_wire()
    wire = message("www.example.com", record(65, data), record(16, data), record(64, data), kind=65)
    _, answers = parse_messages(
        np.frombuffer(wire, np.uint8), np.zeros(1, np.int64), np.array([len(wire)]), np.array([len(wire)])
    )
    assert answers.http3.tolist() == [True, False, True]
