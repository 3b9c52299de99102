"""The ladder of packets: what it shows, and what it refuses."""

import xml.etree.ElementTree as ET

import pytest

from netinterf.errors import ParameterError
from netinterf.report import ladder
from tests.analyzers.talk import Talk

SVG = "{http://www.w3.org/2000/svg}"


def conversation() -> Talk:
    """Play a request that is answered by a reset."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "RA", 901, end, at=sent + 4, ttl=61)
    return talk


def test_it_draws_every_packet_and_marks_the_forged_one() -> None:
    """One arrow for each packet, towards whom it was sent; the forged one in red with its note."""
    trace = conversation().trace()
    drawn = ET.fromstring(ladder(trace, 0, [4], notes={4: "rst.premature <&>"}))
    arrows = [one.attrib["class"].split() for one in drawn.iter(f"{SVG}path") if "arrow" in one.attrib["class"]]
    assert len(arrows) == 5
    assert ["lost" in kinds for kinds in arrows].count(True) == 1
    words = [one.text for one in drawn.iter(f"{SVG}text")]
    assert "RST/ACK, TTL 61" in words
    assert "rst.premature <&>" in words
    assert {"client", "server", "client 198.51.100.7", "server 203.0.113.9"} <= set(words)


def test_long_conversations_are_cut() -> None:
    """The rest is counted."""
    drawn = ladder(conversation().trace(), 0, most=2)
    assert drawn.count(" arrow") == 2
    assert "3 more packets" in drawn


def test_the_forged_packet_of_a_long_conversation_is_drawn() -> None:
    """What lies between the beginning and its surroundings is counted."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    for place in range(40):
        talk.send("C", "A", end, 901, at=sent + place)
    talk.send("S", "RA", 901, end, at=sent + 60, ttl=61)
    trace = talk.trace()
    drawn = ET.fromstring(ladder(trace, 0, [len(trace.packets) - 1]))
    assert ET.tostring(drawn).decode().count(" arrow") == 16
    words = [one.text for one in drawn.iter(f"{SVG}text")]
    assert "RST/ACK, TTL 61" in words
    assert f"… {len(trace.packets) - 16} more packets …" in words


@pytest.mark.parametrize("options", [{"flow": 9}, {"flow": -1}, {"flow": 0, "most": 0}])
def test_it_refuses_what_is_not_there(options: dict[str, int]) -> None:
    """A flow that the trace does not have, and a ladder without rungs."""
    with pytest.raises(ParameterError):
        ladder(conversation().trace(), **options)
