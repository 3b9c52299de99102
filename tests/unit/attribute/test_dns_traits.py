"""Traits of forged DNS replies, against dnspython and scapy packet by packet."""

import dns.flags
import dns.message
import dns.rdatatype
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from netinterf.attribute.dns_traits import MOST_RECORDS, address_lines, joined_answers
from netinterf.attribute.trait import MOST, UNKNOWN, Findings, Trait, Traits
from netinterf.attribute.traits import read_traits
from netinterf.simulate import Conditions, Simulated, run
from netinterf.table import Ragged
from netinterf.trace import Trace, read
from tests.oracles.dns_talks import drawn_talk

SCENARIOS = ["dns.injection.gfw-1", "dns.injection.gfw-2", "dns.injection.gfw-wallbleed", "dns.injection.iran",
             "dns.injection.iran-2023", "dns.injection.turkmenistan-2023", "dns.forged.id.trustpositif"]  # fmt: skip


def described(scenario: str, ip: int = 4) -> tuple[Simulated, Trace, list[list[int]], Traits]:
    """Play a scenario and describe what was forged in each exchange."""
    played = run(scenario, 2, Conditions.clean(vantage="client", ip=ip))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    hit = [truth for truth in played.labels.truths if truth.forged]
    row = {int(frame): place for place, frame in enumerate(trace.packets.frame.tolist())}
    forged = [[row[frame] for frame in truth.forged] for truth in hit]
    found = Findings(
        flow=trace.packets.flow[[rows[0] for rows in forged]].astype(np.int64),
        forged=Ragged.of(forged, np.int32),
        trigger=np.zeros(len(hit), np.uint8),
        trigger_packet=np.full(len(hit), -1),
    )
    return played, trace, [list(truth.forged) for truth in hit], read_traits(trace, found)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_traits_are_those_of_the_bytes(scenario: str) -> None:
    """Flags, lifetime, header and answers of the first forged reply of each exchange."""
    played, _, forged, traits = described(scenario)
    assert forged
    for place, frames in enumerate(forged):
        packet = Ether(played.frames[frames[0] - 1])[IP]
        wire = bytes(packet[UDP].payload)
        value = {trait: int(traits.value[place, trait]) for trait in Trait}
        text = traits.text[place].tobytes().decode()
        assert value[Trait.DNS_REPLIES] == min(len(frames), 5)
        assert value[Trait.DNS_FLAGS] == int.from_bytes(wire[2:4], "big") & 0x04EF
        assert value[Trait.TTL] == packet.ttl
        assert value[Trait.IP_ID] == packet.id
        assert value[Trait.DF] == bool(packet.flags.DF)
        assert value[Trait.BARE] == value[Trait.FINS] == UNKNOWN
        try:
            message = dns.message.from_wire(wire, ignore_trailing=True)
        except Exception:
            assert scenario.endswith("2023")  # its question has no class
            continue
        for answer in message.answer:
            for item in answer:
                if answer.rdtype in {dns.rdatatype.A, dns.rdatatype.AAAA}:
                    assert f"{dns.rdatatype.to_text(answer.rdtype)} {item.address}" in text
                elif answer.rdtype == dns.rdatatype.CNAME:
                    assert f"CNAME {item.target.to_text().rstrip('.').lower()}" in text
        if message.answer:
            assert value[Trait.DNS_LIFETIME] == message.answer[0].ttl
            end = 12 + len(message.question[0].name.to_wire()) + 4
            assert value[Trait.DNS_POINTER] == (wire[end] >= 0xC0)
        assert value[Trait.DNS_CLASS] == 0


def test_ipv6_tells_no_identification() -> None:
    """Replies over IPv6 have neither an identification nor a flag against fragments, so both are unknown."""
    _, trace, forged, traits = described("dns.injection.gfw-1", ip=6)
    assert forged
    assert set(trace.packets.version.tolist()) == {6}
    for trait in (Trait.IP_ID, Trait.IP_ID_COPIED, Trait.DF):
        assert set(traits.value[:, trait].tolist()) == {UNKNOWN}


def test_a_lost_class_is_seen() -> None:
    """The replies of Iran that lost it."""
    *_, traits = described("dns.injection.iran-2023")
    assert (traits.value[:, Trait.DNS_CLASS] == 1).any()


def test_what_is_known_of_an_address_stands_behind_it() -> None:
    """The lists' kind, country and operator, and the owner of its block."""
    four, six = 0xFFFF << 32, 0x20010DB8 << 32
    high = np.array([0, 0, 0, six], np.uint64)
    low = np.array([four | 0x0A0A2224, four | 0x5DB8D822, four | 0x1F0D5F26, 1], np.uint64)
    lines = address_lines(high, low)
    assert lines[:2] == ["A 10.10.34.36 forged IR national filter", "A 93.184.216.34"]
    assert lines[2].endswith("owner Meta")
    assert lines[3].startswith("AAAA 2001:db8::1")


@given(st.integers(0, 2**32))
def test_answers_are_read_out_as_one_by_one(seed: int) -> None:
    """What the replies of a finding answer is read out record by record, up to the reply that fills it."""
    rng = np.random.default_rng(seed)
    trace = drawn_talk(rng)
    message = np.sort(rng.integers(0, len(trace.dns), rng.integers(0, 120)))
    owner = np.sort(rng.integers(0, 4, len(message)))
    expected: list[list[str]] = [[] for _ in range(5)]
    for finding, row in zip(owner.tolist(), message.tolist(), strict=True):
        if len(expected[finding]) < MOST * MOST_RECORDS:
            expected[finding] += read_out(trace, row)
    joined = joined_answers(trace, owner, message, 5)
    assert [line.tobytes().decode() for line in joined] == ["\n".join(lines) for lines in expected]


def read_out(trace: Trace, message: int) -> list[str]:
    """Read out one reply."""
    answers, lines = trace.answers, []
    for row in np.flatnonzero((answers.message == message) & (answers.section == 1))[:MOST_RECORDS].tolist():
        if answers.kind[row] == dns.rdatatype.CNAME:
            lines.append(f"CNAME {answers.target[row]}")
        elif answers.kind[row] in {dns.rdatatype.A, dns.rdatatype.AAAA}:
            lines += address_lines(answers.high[row : row + 1], answers.low[row : row + 1])
    return lines or [f"RCODE {trace.dns.flags[message] & 0xF}"]


def test_other_findings_have_no_traits_of_dns() -> None:
    """Forged resets say nothing of replies."""
    *_, traits = described("tcp.reset.cn-2012")
    assert (traits.value[:, Trait.DNS_REPLIES :] == UNKNOWN).all()
