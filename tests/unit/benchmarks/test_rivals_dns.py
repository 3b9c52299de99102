"""Rivals that look at DNS answers: Hold-On, the public list, consistency with controls."""

import pytest

from benchmarks.rivals.forged_list import FORGED_LIST
from benchmarks.rivals.holdon import HOLD_ON
from benchmarks.rivals.ooni import consistent, ooni, untouched_controls
from netinterf.context.forged import ForgedKind, forged_addresses
from tests.oracles.dns_frames import MILLISECOND, OTHER, address_record
from tests.oracles.dns_frames import Talk as DnsTalk
from tests.unit.benchmarks.calls import asked, called, said


def held(**reply):
    """Look five names up, and one whose single reply has some fields set otherwise."""
    talk = DnsTalk()
    talk.ordinary(5)
    talk.ask("blocked.example.net")
    last = talk.reply("blocked.example.net", address_record("1.2.3.4"), **reply)
    trace, numbers = asked(talk)
    return said(HOLD_ON, trace), called(HOLD_ON, trace), numbers[last - 1]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"after": 5 * MILLISECOND}, "too early"),
        ({"ttl": 58}, "another TTL"),
        ({"after": 5 * MILLISECOND, "ttl": 200}, "too early and another TTL"),
        ({"ttl": 57}, ""),
        ({"after": 30 * MILLISECOND}, ""),
        ({"after": 900 * MILLISECOND}, ""),
    ],
)
def test_hold_on_rejects_what_does_not_fit_the_resolver(reply, says):
    """Half the round trip and one hop are the limits."""
    found, named, frame = held(**reply)
    assert found == [("dns.forged", says)] * bool(says)
    assert named == [("dns.forged", (frame,))] * bool(says)


def test_hold_on_rejects_the_forged_one_of_two():
    """Of two replies only the one that does not fit is named."""
    talk = DnsTalk()
    talk.ordinary(5)
    talk.ask("blocked.example.net")
    forged = talk.reply("blocked.example.net", address_record("1.2.3.4"), after=4 * MILLISECOND, ttl=99)
    talk.reply("blocked.example.net", address_record("198.51.100.9"))
    trace, numbers = asked(talk)
    assert called(HOLD_ON, trace) == [("dns.injection", (numbers[forged - 1],))]


def test_hold_on_knows_nothing_of_a_server_asked_once():
    """Without other exchanges nothing is learnt."""
    talk = DnsTalk()
    talk.ordinary(5)
    talk.server = OTHER
    talk.ask("blocked.example.net")
    talk.reply("blocked.example.net", address_record("1.2.3.4"), after=MILLISECOND, ttl=200)
    assert called(HOLD_ON, asked(talk)[0]) == []


def listed(kind):
    """Give an address of the public list of some kind."""
    known = forged_addresses()
    return next(
        prefix for prefix, code in zip(known.prefixes, known.kinds, strict=True) if code == kind and "/" not in prefix
    )


@pytest.mark.parametrize(
    ("address", "others", "mechanism"),
    [
        (listed(ForgedKind.FORGED), 0, "dns.forged"),
        (listed(ForgedKind.FORGED), 1, "dns.injection"),
        (listed(ForgedKind.BLOCKPAGE), 0, "dns.forged"),
        (listed(ForgedKind.PRODUCT), 0, ""),
        ("198.51.100.77", 0, ""),
    ],
)
def test_the_public_list_is_taken_at_its_word(address, others, mechanism):
    """The address decides, even where the name may live there."""
    talk = DnsTalk()
    talk.ask("www.facebook.com")
    frame = talk.reply("www.facebook.com", address_record(address), after=5 * MILLISECOND)
    for _ in range(others):
        talk.reply("www.facebook.com", address_record("198.51.100.9"))
    trace, numbers = asked(talk)
    assert called(FORGED_LIST, trace) == [(mechanism, (numbers[frame - 1],))] * bool(mechanism)


def test_consistency_follows_the_published_order():
    """Alike failures, a common system, a common address."""
    one, two, none = frozenset({"192.0.2.1"}), frozenset({"192.0.2.2"}), frozenset()
    system = {"192.0.2.1": 64500, "192.0.2.2": 64500}.get
    assert consistent(none, none)
    assert consistent(one, one | two)
    assert consistent(one, two, system)
    assert not consistent(one, two)  # whose they are is unknown, and unknown is never common
    assert not consistent(none, one)
    assert not consistent(one, none)


def looked_up(*answers):
    """Let a resolver each answer for the same name: an address, "" for a denial, None for silence."""
    talk = DnsTalk()
    for place, answer in enumerate(answers):
        talk.server = f"9.9.9.{place}"
        talk.ask("name.example.net")
        if answer is not None:
            records = [address_record(answer)] if answer else []
            talk.reply("name.example.net", *records, flags=0x8180 if answer else 0x8183)
    return asked(talk)


@pytest.mark.parametrize(
    ("control", "answer", "mechanism"),
    [
        ({"192.0.2.1"}, "192.0.2.1", ""),
        ({"192.0.2.1"}, "192.0.2.9", "dns.forged"),
        ({"192.0.2.1"}, "", "dns.forged"),
        ({"192.0.2.1"}, None, "dns.drop"),
        (set(), "", ""),
        (None, "192.0.2.9", ""),
    ],
)
def test_answers_are_held_against_a_given_control(control, answer, mechanism):
    """Only names that the control knows are judged."""
    trace, _ = looked_up(answer)
    controls = {} if control is None else {"name.example.net": frozenset(control)}
    assert [call.mechanism for call in ooni(trace, controls=controls)] == [mechanism] * bool(mechanism)


def test_without_a_control_other_resolvers_of_the_capture_stand_in():
    """Who was asked alone is not judged."""
    assert [call.row for call in ooni(looked_up("192.0.2.1", "192.0.2.1", None)[0])] == [2]
    assert [call.row for call in ooni(looked_up("192.0.2.1", "192.0.2.2")[0])] == [0, 1]  # nobody vouches for either
    assert ooni(looked_up("192.0.2.1")[0]) == []


def test_controls_are_taken_from_what_nobody_made():
    """Labels make the control that the method asks for."""
    talk = DnsTalk()
    talk.ask("blocked.example.net")
    forged = talk.reply("blocked.example.net", address_record("1.2.3.4"), after=5 * MILLISECOND)
    talk.reply("blocked.example.net", address_record("198.51.100.9"))
    trace, numbers = asked(talk)
    controls = untouched_controls(trace, [numbers[forged - 1]])
    assert controls == {"blocked.example.net": frozenset({"198.51.100.9"})}
    calls = ooni(trace, controls=controls)
    assert [(call.mechanism, call.frames) for call in calls] == [("dns.injection", (numbers[forged - 1],))]
