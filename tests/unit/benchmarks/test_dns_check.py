"""The comparison of DNS messages with other readers: it agrees where they do, and says where they do not."""

from pathlib import Path
from shutil import which

import attrs
import numpy as np
import pytest

from benchmarks.dns_check import Agreement, compare, messages, with_dnspython, with_tshark
from netinterf.simulate import run, write
from netinterf.trace import Trace, read


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a capture with queries and replies of many types."""
    path = tmp_path_factory.mktemp("dns") / "many-types.pcap"
    write(run("benign.dns.many-types", 5), path)
    return path


def test_readers_agree(capture: Path) -> None:
    """Every whole message is compared with each reader that is there, and none differs."""
    found = compare(capture)
    assert found.compared["dnspython"] > 20
    assert found.differing == []
    if which("tshark"):
        assert found.compared["tshark"] == found.compared["dnspython"]


def changed(trace: Trace, column: str) -> Trace:
    """Give every message another value in one column."""
    return attrs.evolve(trace, dns=attrs.evolve(trace.dns, **{column: getattr(trace.dns, column) + 1}))


@pytest.mark.parametrize("column", ["id", "kind", "qclass"])
def test_a_difference_is_told(capture: Path, column: str) -> None:
    """What the library read otherwise is listed by capture and frame."""
    trace, found = changed(read(capture), column), Agreement()
    with_dnspython(trace, 0, messages(trace)[0], "here", found)
    assert len(found.differing) == 1
    assert found.differing[0].startswith(f"here frame {trace.packets.frame[trace.dns.packet[0]]}:")


def test_an_address_that_differs_is_told(capture: Path) -> None:
    """Records count as well as headers."""
    trace = read(capture)
    row = int(trace.answers.message[np.flatnonzero(trace.answers.low > 0)[0]])
    wrong = attrs.evolve(trace, answers=attrs.evolve(trace.answers, low=trace.answers.low ^ np.uint64(1)))
    for one, differing in ((trace, 0), (wrong, 1)):
        found = Agreement()
        with_dnspython(one, row, messages(one)[row], "here", found)
        assert len(found.differing) == differing


def test_messages_over_tcp_are_compared_as_well(tmp_path: Path) -> None:
    """Each has its two bytes of length before it, wherever segments end."""
    path = tmp_path / "over-tcp.pcap"
    write(run("benign.dns.tcp-only", 5), path)
    trace = read(path)
    streamed = np.flatnonzero(trace.flows.protocol[trace.dns.flow] == 6)
    assert len(streamed) > 5
    held = messages(trace)
    assert {len(held[row]) for row in streamed.tolist()} == set(trace.dns.length[streamed].tolist())
    found = compare(path)
    assert found.compared["dnspython"] == len(held)
    assert found.differing == []


@pytest.mark.tshark
@pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")
def test_tshark_differs_where_it_should(capture: Path) -> None:
    """Another identifier differs in every message."""
    trace, found = read(capture), Agreement()
    rows = list(range(len(trace.dns)))
    with_tshark(changed(trace, "id"), rows, capture, "here", found)
    assert len(found.differing) == found.compared["tshark"] > 0
