"""Closed borders: what tells them from everything harmless that looks alike, in tables and in captures."""

from functools import cache
from ipaddress import ip_network
from typing import NamedTuple

import attrs
import numpy as np
import pytest

import netinterf
from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.isolation import Isolation
from netinterf.analyzers.isolation.attempts import SIX, Attempts, Row, list_attempts
from netinterf.analyzers.isolation.behaviour import fell_together
from netinterf.analyzers.isolation.causes import HIGH, NONE, bb, mixed
from netinterf.analyzers.isolation.closures import HINT, judge
from netinterf.analyzers.isolation.places import candidates, country_code, own_country, place
from netinterf.analyzers.isolation.spans import onset_p, units_of, within
from netinterf.context.networks import Network
from netinterf.context.outside import Outside
from netinterf.flows.facts import Vantage
from netinterf.schema import Grade, Outcome, SubjectKind, TriggerKind
from netinterf.simulate import Conditions, run
from netinterf.simulate.labels import Labels
from netinterf.trace import Trace, read

SECOND = 1_000_000_000
NEAR, FAR = 12, 40
"""Networks at home and abroad of the tables below; those abroad are in ten systems."""

LIKELY = 8.3
"""Nats that make it ``likely`` by the packaged priors."""


class Try(NamedTuple):
    """One attempt of a table."""

    turn: int
    home: bool
    number: int  # of the network
    row: Row


def table(stops, *, rounds: int = 6, rows=(Row.WEB, Row.TCP), trip=None) -> Attempts:
    """Let everybody be tried in every round, a second apart.

    Args:
        stops: Says whether an attempt fails: 1 before it is opened, 2 after.
        rounds: How often.
        rows: Protocols, by turns.
        trip: Says how long its round trip takes, ms.
    """
    tried = [
        Try(turn, inside, number, rows[(turn + number) % len(rows)])
        for turn in range(rounds)
        for inside, count in ((True, NEAR), (False, FAR))
        for number in range(count)
    ]
    failed = np.array([int(stops(one)) for one in tried])
    inside, number = (np.array([one[column] for one in tried]) for column in (1, 2))
    return Attempts(
        time=np.arange(len(tried)) * SECOND,
        row=np.array([one[3] for one in tried], np.int64),
        cluster=np.where(inside, number, 100 + number),
        system=np.where(inside, 1, 10 + number % 10),
        country=np.where(inside, 1, 2),
        opened=(failed != 1).astype(np.int8),
        passed=(failed == 0).astype(np.int8),
        trip=np.array([int(1e6 * trip(one)) if trip else 0 for one in tried], np.int64),
    )


def judged(attempts: Attempts):
    """Judge a table."""
    return judge(attempts, attempts.country == 2, attempts.country == 1)


def test_a_closed_border_is_found_and_dated():
    """From the third round on nothing abroad answers: it is said since when, and all that failed is struck."""
    attempts = table(lambda one: one.turn >= 2 and not one.home)
    found = judged(attempts)
    assert found.match.closed == "full"
    assert found.llr > LIKELY
    last, first = 2 * (NEAR + FAR) - 1, 2 * (NEAR + FAR) + NEAR
    assert int(found.begins[0]) / SECOND == pytest.approx((last + first) / 2)  # anywhere between the two
    assert np.array_equal(found.struck, attempts.passed == 0)
    assert (found.silent, found.tried, found.systems, found.answered, found.fell) == (FAR, FAR, 10, NEAR, FAR)
    assert found.alarm <= 20
    assert onset_p(attempts, attempts.country == 2, found.begins, found.ends) == pytest.approx(1 / 200)


def test_a_border_that_opens_again_has_an_end():
    """Closed from the third round to the fourth: the span ends, and what fails later is not struck."""
    attempts = table(lambda one: not one.home and (one.turn in (2, 3) or (one.turn == 5 and one.number == 7)))
    found = judged(attempts)
    assert found.match.closed == "full"
    assert 4 * (NEAR + FAR) - 1 < int(found.ends[0]) / SECOND <= 4 * (NEAR + FAR) + NEAR
    assert not found.struck[attempts.time >= 5 * (NEAR + FAR) * SECOND].any()


@pytest.mark.parametrize("handshake", [False, True])
def test_a_list_is_told_from_full_isolation(handshake: bool):
    """Three networks pass always, before the handshake or after it is decided: a list, and its own are not struck."""
    attempts = table(lambda one: (1 + handshake) * (one.turn >= 2 and not one.home and one.number > 2))
    found = judged(attempts)
    assert found.match.closed == "listed"
    assert found.llr > LIKELY
    assert (found.passing, found.silent) == (3, FAR - 3)
    assert found.opened == handshake * (FAR - 3)


def test_a_list_near_the_user_holds_some_places_at_home():
    """Nine of twelve at home and two of forty abroad get past the handshake."""
    attempts = table(lambda one: 2 * (one.number > (8 if one.home else 1)))
    found = judged(attempts)
    assert found.match.closed in {"near", "listed"}
    assert found.llr > LIKELY


def test_protocols_that_pass_are_not_struck():
    """The web passes everywhere, the rest at home only."""
    rows = (Row.WEB, Row.TCP, Row.QUIC, Row.UDP)
    attempts = table(lambda one: not one.home and one.row != Row.WEB, rows=rows)
    found = judged(attempts)
    assert found.match.closed == "protocols"
    assert found.llr > LIKELY
    assert not found.struck[attempts.row == Row.WEB].any()
    assert found.struck[(attempts.row != Row.WEB) & (attempts.country == 2)].all()


HARMLESS = {
    "dead hosts, at home as abroad": lambda one: one.number % 10 < 7,
    "a line that is down": lambda one: one.turn in (2, 3),
    "a firewall": lambda one: one.row == Row.UDP,
    "cut systems": lambda one: one.turn >= 2 and not one.home and one.number % 10 < 7,
    "one hoster": lambda one: one.turn >= 2 and not one.home and one.number % 10 == 3,
    "overload": lambda one: one.turn >= 2 and not one.home and (7 * one.number + 3 * one.turn) % 5 < 3,
    "peers": lambda one: one.row == Row.UDP and not one.home,
}


@pytest.mark.parametrize("name", list(HARMLESS))
def test_harmless_causes_explain_it_better(name: str):
    """None of what ordinary networks do is taken for a border."""
    found = judged(table(HARMLESS[name], rows=(Row.WEB, Row.UDP)))
    assert found is None or found.llr < HINT


def test_survivors_that_became_slower_speak_for_a_cut():
    """The same networks survive; where they are farther away since then, a list is less likely."""

    def stops(one):
        return one.turn >= 2 and not one.home and one.number > 3

    same = judged(table(stops, trip=lambda one: 10 if one.home else 100))
    slower = judged(table(stops, trip=lambda one: 10 if one.home else 100 + 80 * (one.turn >= 2)))
    assert slower.llr < same.llr - 2


def test_too_little_says_nothing():
    """Few networks abroad, few at home, or few systems: nobody can tell."""
    attempts = table(lambda one: one.turn >= 2 and not one.home)
    assert judged(attempts.take((attempts.cluster < 100) | (attempts.cluster >= 125))) is None
    assert judged(attempts.take(attempts.cluster >= 8)) is None
    assert judged(attrs.evolve(attempts, system=attempts.system % 2)) is None
    few = attrs.evolve(attempts, system=np.where(attempts.country == 1, 1, 10 + attempts.cluster % 4))
    assert judged(few).llr <= HINT


def test_hammering_one_dead_network_changes_nothing():
    """A network that is tried a thousand times in vain is one observation."""
    attempts = table(lambda one: not one.home and one.number == 5)
    again = np.flatnonzero(attempts.passed == 0).repeat(300)
    hammered = attempts.take(np.sort(np.append(np.arange(len(attempts)), again)))
    assert judged(hammered) is None
    assert len(units_of(hammered, np.arange(len(hammered))).time) <= len(attempts)


def test_moments_lie_in_spans():
    """A span holds its beginning and not its end."""
    begins, ends = np.array([10, 30]), np.array([20, 40])
    assert within(np.array([9, 10, 19, 20, 35, 40]), begins, ends).tolist() == [0, 1, 1, 0, 1, 0]


def test_an_unknown_share_is_averaged_over():
    """The mixture over shares equals a loop over them."""
    counts = np.array([[2.0, 0.0, 3.0, 0.0], [2.0, 3.0, 3.0, 1.0]])
    well, gone = np.exp(bb(counts, HIGH)), np.exp(bb(counts, NONE))
    shares = np.linspace(0.01, 0.99, 99)
    each = [np.prod(share * well + (1 - share) * gone) * (1 - share) ** 2 for share in shares]
    assert mixed(counts, (1.0, 3.0), NONE) == pytest.approx(np.log(np.sum(each) / np.sum((1 - shares) ** 2)))


def test_without_a_table_only_what_answers_at_other_times_counts():
    """Networks that fall silent together are told; those that never answered are not, and all together are a line."""
    some = table(lambda one: one.turn in (2, 3) and not one.home and one.number < 20)
    found = fell_together(some)
    assert (found.silent, found.steady) == (20, NEAR + 20)
    assert np.array_equal(found.struck, some.passed == 0)
    assert fell_together(table(lambda one: not one.home and one.number < 20)) is None
    assert fell_together(table(lambda one: one.turn in (2, 3))) is None


@cache
def played(scenario: str, seed: int, *, with_table: bool = True, **conditions) -> tuple[Trace, Labels]:
    """Play a scenario at the client, IPv4, and read it with its table of networks."""
    simulated = run(scenario, seed, Conditions.clean(**{"ip": 4, "vantage": "client", **conditions}))
    trace = read(times=simulated.times, frames=simulated.frames, link_type=simulated.link_type)
    networks = [Network(ip_network(prefix), asn, country) for prefix, asn, country in simulated.labels.networks]
    return attrs.evolve(trace, outside=Outside.of(networks if with_table else ())), simulated.labels


def judgement(trace: Trace):
    """Judge a trace, and give the verdicts that speak of reach, and all."""
    verdicts = netinterf.classify(netinterf.analyze(trace), trace)
    words = [verdicts.mechanisms[code] if code >= 0 else "" for code in verdicts.mechanism]
    return verdicts, np.array([word.startswith("reach.") for word in words]), words


INTERFERED = list(Outcome).index(Outcome.INTERFERED)


@pytest.mark.parametrize("six", [False, True])
def test_captures_of_a_closed_border(six: bool):
    """Nearly all that the border stopped is named so, nothing else is, and packets show it."""
    trace, labels = played("reach.isolation.iran-2026", 310_003, ip=6 if six else 4)
    verdicts, reach, words = judgement(trace)
    struck = {truth.first_frame for truth in labels.truths if truth.mechanism}
    frames = trace.packets.frame[verdicts.first_packet]
    named = reach & (verdicts.outcome == INTERFERED)
    assert set(frames[named].tolist()) <= struck
    assert np.sum(named) >= 0.9 * len(struck)
    assert {word for word, one in zip(words, named, strict=True) if one} == {"reach.isolation"}
    assert all(len(verdicts.forged[row]) for row in np.flatnonzero(named))
    assert set(verdicts.trigger[named]) == {TriggerKind.ADDRESS}  # whatever was asked
    assert set(verdicts.grade[named]) == {list(Grade).index(Grade.LIKELY)}  # nothing of it is proof by itself


def test_captures_of_a_list():
    """A list that is kept after the handshake is named as one, for what it does not hold."""
    trace, labels = played("reach.isolation.allowlist.iran-no-answer", 310_001)
    verdicts, reach, words = judgement(trace)
    struck = {truth.first_frame for truth in labels.truths if truth.mechanism}
    named = reach & (verdicts.outcome == INTERFERED)
    assert set(trace.packets.frame[verdicts.first_packet][named].tolist()) <= struck
    assert np.sum(named) >= 0.8 * len(struck)
    assert {word for word, one in zip(words, named, strict=True) if one} == {"reach.isolation.allowlist"}


@pytest.mark.parametrize("name", ["cable-cut", "dead-destinations", "local-outage", "tarpit", "udp-firewall"])
@pytest.mark.parametrize("with_table", [True, False])
def test_look_alikes_accuse_nobody(name: str, with_table: bool):
    """No verdict of a harmless capture says that anything was cut off."""
    trace, _ = played(f"benign.reach.{name}", 310_002, with_table=with_table)
    verdicts, reach, _ = judgement(trace)
    assert not (reach & (verdicts.outcome == INTERFERED)).any()


def test_without_a_table_nobody_is_accused():
    """The same capture without the table: at most a hint."""
    trace, _ = played("reach.isolation.iran-2026", 310_003, with_table=False)
    verdicts, reach, _ = judgement(trace)
    assert not (reach & (verdicts.outcome == INTERFERED)).any()


def test_home_is_the_clients_country_or_inferred():
    """A private client's home is inferred and the evidence says so; the country may be given, too."""
    trace, labels = played("reach.isolation.iran-2026", 310_003)
    attempts, origins = list_attempts(trace)
    assert own_country(trace, origins) is None
    assert list(candidates(place(trace, attempts, origins))) == [country_code("XA")]
    assumed, given = Isolation()(trace), Isolation(country="xa")(trace)
    assert any("inferred" in assumed.rules[code].says for code in assumed.rule)
    assert not any("inferred" in given.rules[code].says for code in given.rule)
    wrong = Isolation(country="XB")(trace)
    assert not (wrong.llr > 0).any()
    own = Network(ip_network(labels.truths[0].client), 64_500, "XA")
    listed = attrs.evolve(trace, outside=Outside.of((*trace.outside.networks, own)))
    assert own_country(listed, origins) == country_code("XA")


def test_attempts_end_as_the_labels_say():
    """What a border stopped fails, what it let pass does not, at either stage and in every protocol."""
    for scenario, opened in (("reach.isolation", 0), ("reach.isolation.allowlist.iran-no-answer", 1)):
        trace, labels = played(scenario, 310_001)
        attempts, origins = list_attempts(trace)
        told = {truth.first_frame: bool(truth.mechanism) for truth in labels.truths if truth.kind == "flow"}
        flow = np.flatnonzero(origins.kind == SubjectKind.FLOW)
        frames = trace.packets.frame[trace.flows.first_packet[origins.subject[flow]]]
        stopped = np.array([told[int(frame)] for frame in frames])
        assert np.array_equal(attempts.passed[flow] == 0, stopped)
        tcp = flow[stopped & (attempts.row[flow] % SIX <= Row.TCP)]
        assert len(tcp) > 20
        assert np.mean(attempts.opened[tcp] == opened) > 0.95


def test_one_direction_and_servers_taps_are_blind():
    """Where answers were not captured, or the clients' side is elsewhere, nothing is said."""
    trace, _ = played("reach.isolation", 310_001, direction="outbound")
    assert not len(Isolation()(trace))
    trace, _ = played("reach.isolation", 310_001)
    at_server = attrs.evolve(trace, facts=attrs.evolve(trace.facts, vantage=Vantage.SERVER))
    assert list_attempts(at_server) is None


def test_the_contract_is_kept() -> None:
    """The analyzer describes itself, is deterministic, and accuses nobody where all is well."""
    closed, _ = played("reach.isolation.iran-2026", 310_003)
    quiet, _ = played("benign.reach.foreign-sites-down", 310_002)
    check_analyzer(Isolation(), [closed], [quiet])
