"""Closed borders: what tells them from everything harmless that looks alike, in tables and in captures."""

import io
from functools import cache
from ipaddress import ip_network
from typing import NamedTuple

import attrs
import numpy as np
import pytest

import netinterf
from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.isolation import Isolation
from netinterf.analyzers.isolation.attempts import IPV6_ROWS, ROWS, Attempts, Row, list_attempts
from netinterf.analyzers.isolation.causes import HIGH, NONE, alike, beta_binomial, mixed
from netinterf.analyzers.isolation.closures import HINT, judge
from netinterf.analyzers.isolation.observed import Observed
from netinterf.analyzers.isolation.places import FEWEST_AT_HOME, candidates, own_country, place
from netinterf.analyzers.isolation.shares import became_slower, turns
from netinterf.analyzers.isolation.spans import onset_p, sharpened, units_of, whole_bins, within
from netinterf.analyzers.isolation.stalls import OPEN_NS, TRIES, temporary_stalls
from netinterf.analyzers.isolation.untabled import fell_together
from netinterf.analyzers.run import analyze
from netinterf.capture import write_pcap
from netinterf.context.networks import KnownNetworks, Network, NetworkTable, country_code
from netinterf.context.outside import Outside
from netinterf.flows.contacts import networks
from netinterf.schema import Grade, Mark, Outcome, SubjectKind, TcpFlag, TriggerKind
from netinterf.simulate import Conditions, run
from netinterf.simulate.encode import ETHERNET, frames
from netinterf.simulate.labels import Labels
from netinterf.simulate.network.packet import ACK, PSH, SYN, Packet, address, segments
from netinterf.trace import Trace, read
from netinterf.transform import load, merge, shift, to_bytes
from tests.analyzers.talk import BEGIN_NS, Talk

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


def tries(rounds: int, rows: tuple[Row, ...]) -> list[Try]:
    """Let everybody be tried in every round, by several protocols in turn."""
    return [
        Try(turn, inside, number, rows[(turn + number) % len(rows)])
        for turn in range(rounds)
        for inside, count in ((True, NEAR), (False, FAR))
        for number in range(count)
    ]


def table(stops, *, rounds: int = 6, rows=(Row.WEB, Row.TCP), trip=None) -> Attempts:
    """Let everybody be tried in every round, a second apart.

    Args:
        stops: Says whether an attempt fails: 1 before it is opened, 2 after.
        rounds: How often.
        rows: Protocols, by turns.
        trip: Says how long its round trip takes, ms.
    """
    tried = tries(rounds, rows)
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


def test_nothing_but_handshakes_is_a_list_not_a_cable():
    """Nothing abroad is served, not one network, but handshakes complete: no cable that is cut does that."""
    for since in (0, 2):
        found = judged(table(lambda one, since=since: 2 * (one.turn >= since and not one.home)))
        assert found.match.closed == "listed"
        assert found.llr > LIKELY


def test_what_was_closed_from_the_start_begins_there():
    """Nothing changed while it was watched: the beginning is not moved to wherever the shares differ a little."""
    attempts = table(lambda one: not one.home and one.number > 2 + (one.turn == 0))
    found = judged(attempts)
    assert found.match.closed == "listed"
    assert found.begins[0] <= NEAR * SECOND


@pytest.mark.parametrize("seed", range(3))
def test_a_few_protocols_date_it_too(seed: int):
    """Each network is tried once in a protocol that is stopped: nobody is seen on both sides, and yet it is dated."""
    rng = np.random.default_rng(seed)
    begin = 2 * (NEAR + FAR)
    attempts = table(lambda one: not one.home and one.row == Row.TCP and one.turn >= 2, rows=(Row.TCP, Row.WEB))
    far = attempts.country == 2
    odd = np.flatnonzero(far & (attempts.row == Row.TCP))
    seen = rng.permutation(odd)[np.argsort(rng.permutation(len(odd)), kind="stable")]
    _, first = np.unique(attempts.cluster[seen], return_index=True)
    kept = np.sort(np.append(np.flatnonzero(~far | (attempts.row == Row.WEB)), seen[first]))
    attempts = attempts.take(kept)
    cut = attempts.time >= begin * SECOND
    stops = np.flatnonzero((attempts.country == 2) & (attempts.row == Row.TCP))
    begins, _ = sharpened(
        attempts, np.flatnonzero(attempts.country == 2), attempts.time[stops[cut[stops]][:1]] + 40 * SECOND,
        np.array([np.iinfo(np.int64).max]),
    )  # fmt: skip
    last, new = (attempts.time[stops[side]] for side in (~cut[stops], cut[stops]))
    assert last[-1] < begins[0] <= new[0]


def test_home_is_well_in_the_same_minutes():
    """A border that closes for seconds leaves few attempts at home within; those in the same minutes count."""
    attempts = table(lambda one: not one.home and one.turn == 2)
    meanwhile = (attempts.time // SECOND >= 2 * (NEAR + FAR)) & (attempts.time // SECOND < 3 * (NEAR + FAR) + 6)
    found = judged(attempts.take((attempts.country == 2) | ~meanwhile))
    assert found is not None
    assert found.answered < FEWEST_AT_HOME
    begins, ends = np.array([70, 200, 250]) * SECOND, np.array([80, 210, np.iinfo(np.int64).max // SECOND]) * SECOND
    low, high = whole_bins(attempts, begins, ends)
    assert (low // SECOND).tolist() == [60, 180]
    assert (high // SECOND).tolist() == [120, 360]


def test_a_line_that_is_down_is_so_for_a_while():
    """Home and abroad by turns, the former well: attempts differ from the one before, unlike on a line with outages."""
    by_turns, in_blocks = np.arange(40) % 2 == 0, np.arange(40) // 10 % 2 == 0
    assert turns(by_turns).tolist() == [39, 39]
    assert turns(in_blocks).tolist() == [3, 39]
    assert turns(by_turns[:0]).tolist() == [0, 0]
    assert beta_binomial(turns(in_blocks), (1.0, 9.0)) > beta_binomial(turns(by_turns), (1.0, 9.0)) + 9


def test_the_web_fares_as_a_whole_and_others_as_hosts_please():
    """Half of the hosts may not speak QUIC; that half of the web fails is no firewall."""
    half, none = np.zeros((2, ROWS)), np.zeros((2, ROWS))
    half[0], half[1], none[1] = 10, 20, 20
    assert alike(half)[Row.QUIC] > alike(half)[Row.WEB] + 2
    assert alike(none)[Row.WEB] > alike(none)[Row.QUIC]


def test_the_nearest_country_is_most_likely_home():
    """Both answer in enough networks; the one with shorter round trips is likelier, and without any both are equal."""
    near = candidates(table(lambda _: 0, trip=lambda one: 10 if one.home else 100))
    assert near == {1: pytest.approx(np.log(0.9)), 2: pytest.approx(np.log(0.1))}
    assert candidates(table(lambda _: 0)) == {1: pytest.approx(-np.log(2)), 2: pytest.approx(-np.log(2))}


@pytest.mark.parametrize("survivors", [1, 3])
def test_what_comes_after_tells_nobody_who_became_slower(survivors: int):
    """Round trips are compared with those before alone; routes stay changed when what was cut is back."""
    attempts = table(
        lambda one: not one.home and one.turn in (2, 3) and one.number >= survivors,
        trip=lambda one: 100 + 80 * (one.turn >= 2),
    )
    far = np.flatnonzero(attempts.country == 2)
    shut = far[np.isin(attempts.time[far] // SECOND // (NEAR + FAR), (2, 3))]
    assert became_slower(attempts, shut, far[far < shut[0]]) == (True, survivors)
    assert became_slower(attempts, shut, far[far > shut[-1]]) == (False, survivors)
    assert became_slower(attempts, shut, far[:0]) == (False, 0)


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
    well, gone = np.exp(beta_binomial(counts, HIGH)), np.exp(beta_binomial(counts, NONE))
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


def test_clients_of_unrelated_networks_say_nothing_of_each_other():
    """What neither fell silent for alone, no one takes together; whoever tried too little is left out."""
    parts = []
    for scenario in ("reach.isolation.iran-curfew", "quic.drop.iran-endpoint"):
        played = run(scenario, 4300)
        held = io.BytesIO()
        write_pcap(held, played.times, played.frames, played.link_type)
        parts.append(load(held.getvalue()))
    middle = [(int(one.packets.time.min()) + int(one.packets.time.max())) // 2 for one in parts]
    trace = read(to_bytes(merge([parts[0], shift(parts[1], middle[0] - middle[1])])))
    observed = Observed.of(trace)
    assert fell_together(observed.in_time().attempts) is not None  # as if all were one client
    homes = list(observed.by_home(1))
    clients = [set(networks(home.hosts)[home.origins.client].tolist()) for home in homes]
    assert len(clients) == 2
    assert all(len(one) == 1 for one in clients)
    assert sum(len(home.attempts) for home in homes) == len(observed.attempts)
    assert all(fell_together(home.attempts) is None for home in observed.in_time().by_home(1))
    assert not list(observed.by_home(10**6))


def outcomes(talk: Talk) -> list[tuple[float, int, int]]:
    """List attempts of a conversation: second, opened, passed."""
    attempts = Observed.of(talk.trace()).in_time().attempts
    rows = zip(attempts.time, attempts.opened, attempts.passed, strict=True)
    return [((int(time) - BEGIN_NS) / 1e9, int(opened), int(passed)) for time, opened, passed in rows]


def answered(talk: Talk, at: float) -> None:
    """Let a conversation with 42 bytes of request end well, ms."""
    talk.send("S", "PA", 901, 143, at=at, data=b"HTTP/1.1 200 OK\r\n\r\n")
    talk.send("C", "A", 143, 920, at=at + 1)
    talk.healthy(at + 20_000)


def test_a_syn_that_gets_through_late_failed_first():
    """SYNs of 0, 1 and 3 s are swallowed, that of 7 s is answered: one attempt that failed, and one that passed."""
    talk = Talk()
    for at in (0, 1000, 3000):
        talk.send("C", "S", 100, 0, at=at)
    sent, _ = talk.request(talk.open(7000), data=bytes(42))
    answered(talk, sent + 100)
    late, early = outcomes(talk)[1], outcomes(talk)[0]
    assert early == (0.0, 0, 0)
    assert late[0] == pytest.approx(7.1, abs=0.01)
    assert late[1:] == (1, 1)


def test_data_that_gets_through_late_failed_first():
    """A request is swallowed until its fourth copy: the conversation fails at the first, and passes at the answer."""
    talk = Talk()
    sent, _ = talk.request(talk.open(0), data=bytes(42))
    for wait in (300, 900, 2100, 4500):
        talk.send("C", "PA", 101, 901, at=sent + wait, data=bytes(42))
    answered(talk, sent + 4600)
    early, late = outcomes(talk)[:2]
    assert early == (pytest.approx(sent / 1e3, abs=1e-3), 1, 0)
    assert late == (pytest.approx(sent / 1e3 + 4.6, abs=1e-3), 1, 1)


@pytest.mark.parametrize("patience", [2500, 8000])
def test_slow_answers_did_not_fail(patience: float):
    """What is repeated for less than four seconds, or is answered late but acknowledged at once, is well."""
    talk = Talk()
    sent, _ = talk.request(talk.open(0), data=bytes(42))
    if patience > 4000:
        talk.send("S", "A", 901, 143, at=sent + 100)
    else:
        talk.send("C", "PA", 101, 901, at=sent + 1000, data=bytes(42))
    answered(talk, sent + patience)
    talk.server, talk.port = "203.0.113.10", 50_000
    for at in (0, 1000, 3000):
        talk.send("C", "S", 100, 0, at=at)  # list_attempts wants one that failed
    assert [one[1:] for one in outcomes(talk)].count((1, 0)) == 0


@pytest.mark.parametrize("scenario", ["reach.isolation.iran-curfew", "benign.reach.local-outage"])
def test_stalls_agree_with_a_slow_twin(scenario: str):
    """Walking through every flow packet by packet finds the same times in vain."""
    trace, _ = played(scenario, 310_002)
    packets, flows, expected = trace.packets, trace.flows, []
    for flow in range(len(flows)):
        tcp, port = flows.protocol[flow] == 6, flows.server_port[flow]
        if not tcp and (flows.protocol[flow] != 17 or port == 53):
            continue
        tries, first, spoke = 0, -1, False
        for row in trace.by_flow[flow].tolist():
            if packets.marks[row] & Mark.DUPLICATE_FRAME:
                continue
            flags = TcpFlag(int(packets.tcp_flags[row])) if tcp else TcpFlag(0)
            if not packets.outbound[row]:
                long = first >= 0 and packets.time[row] - packets.time[first] >= OPEN_NS
                if long and tries > TRIES and (tcp or not spoke):
                    expected.append((flow, first, row))
                tries, first, spoke = 0, -1, True
            elif not flags & TcpFlag.RST and (packets.payload_length[row] or flags & (TcpFlag.SYN | TcpFlag.FIN)):
                tries += first < 0 or not tcp or bool(packets.marks[row] & Mark.REPEAT)
                first = row if first < 0 else first
    found = temporary_stalls(trace)
    assert len(expected) > 3
    assert sorted(zip(found.flow.tolist(), found.first.tolist(), found.heard.tolist(), strict=True)) == expected


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


CLIENT = "192.0.2.7"
NETWORKS = {"192.0.2.0/24": (1, "XA"), "198.18.0.0/16": (1, "XA")}
NETWORKS |= {f"198.19.{number}.0/24": (10 + number % 10, "XB") for number in range(FAR)}
"""Whose the networks of `captured` are: the client's, those at home, and those abroad, as in `table`."""


def visit(one: Try, port: int, *, fails: bool) -> list[tuple[float, Packet]]:
    """Ask a server by TCP: it answers, or SYNs are swallowed; seconds and packets."""
    ask = Packet(
        source=address(CLIENT), destination=address(f"198.{18 if one.home else 19}.{one.number}.9"), sport=port,
        dport=443 if one.row == Row.WEB else 22, flags=SYN, seq=100, window=500,
    )  # fmt: skip
    if fails:
        return [(0, ask), (1, ask), (3, ask)]
    greeting = ask.reply(flags=SYN | ACK, seq=900, ack=101, ttl=50)
    return [
        (0, ask),
        (0.1, greeting),
        (0.1001, ask.copy(flags=ACK, seq=101, ack=901)),
        (0.101, ask.copy(flags=PSH | ACK, seq=101, ack=901, payload=b"ask")),
        (0.202, greeting.copy(flags=PSH | ACK, seq=901, ack=104, payload=b"answer")),
    ]


def captured(stops, *, client_listed: bool = True) -> tuple[Trace, list[int]]:
    """Play four rounds of a table as packets: the trace, and the client ports of attempts that fail.

    The table of networks tells where the client is, or does not.
    """
    tried = [*tries(4, (Row.WEB, Row.TCP)), *[Try(4, True, 0, Row.WEB)] * 6]  # the last to fail have had their time
    failed = [bool(stops(one)) for one in tried]
    made = [
        (second + wait, packet)
        for second, (one, fails) in enumerate(zip(tried, failed, strict=True))
        for wait, packet in visit(one, 20_000 + second, fails=fails)
    ]
    made.sort(key=lambda one: one[0])
    times, packets = [BEGIN_NS + int(at * 1e9) for at, _ in made], [packet for _, packet in made]
    inbound = [packet.destination == address(CLIENT) for packet in packets]
    sent, _ = frames(segments(times, packets, [packet.ttl for packet in packets], 2, 4, inbound))
    listed = [Network(ip_network(prefix), *whose) for prefix, whose in NETWORKS.items()]
    networks = listed if client_listed else listed[1:]
    trace = read(times=times, frames=sent, link_type=ETHERNET, vantage="client", networks=networks)
    return trace, [20_000 + second for second in np.flatnonzero(failed).tolist()]


CAUSES = {
    "reach.listed": lambda one: one.number > 2,
    "reach.protocols": lambda one: one.row != Row.WEB,
    "reach.cut": lambda one: one.number % 10 < 7,
    "reach.overloaded": lambda one: (7 * one.number + 3 * one.turn) % 5 < 3,
}
"""Who is stopped abroad from the second round on: all but three, all but the web, whole systems, anybody at times."""


@pytest.mark.parametrize(("rule", "listed"), [*((rule, True) for rule in CAUSES), ("reach.protocols", False)])
def test_who_is_stopped_tells_the_cause(rule: str, listed: bool):
    """A border that chooses speaks for interference, a cut or overloaded way against it; no two of them are said.

    Where the table does not tell where the client is, home is inferred.
    """
    trace, failed = captured(lambda one: one.turn and not one.home and CAUSES[rule](one), client_listed=listed)
    evidence = analyze(trace, [Isolation()])
    told = {code: known.id for code, known in enumerate(evidence.rules) if known.group == "reach.border"}
    about = np.flatnonzero(np.isin(evidence.rule, list(told)))
    assert {told[code] for code in evidence.rule[about].tolist()} == {rule if listed else f"{rule}_assumed"}
    assert sorted(trace.flows.client_port[evidence.subject[about]].tolist()) == failed
    sign = 1 if rule in ("reach.listed", "reach.protocols") else -1
    assert (sign * evidence.llr[about] > 0).all()


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
    observed = Observed.of(trace)
    table = trace.outside.networks
    assert own_country(observed, table) is None
    assert list(candidates(place(observed, table))) == [country_code("XA")]
    assumed, given = Isolation()(trace), Isolation(country="xa")(trace)
    assert any("inferred" in assumed.rules[code].says for code in assumed.rule)
    assert not any("inferred" in given.rules[code].says for code in given.rule)
    wrong = Isolation(country="XB")(trace)
    assert not (wrong.llr > 0).any()
    own = Network(ip_network(labels.truths[0].client), 64_500, "XA")
    listed = attrs.evolve(trace, outside=Outside(KnownNetworks((*table.sources, NetworkTable.of_networks([own])))))
    assert own_country(Observed.of(listed), listed.outside.networks) == country_code("XA")


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
        tcp = flow[stopped & (attempts.row[flow] % IPV6_ROWS <= Row.TCP)]
        assert len(tcp) > 20
        assert np.mean(attempts.opened[tcp] == opened) > 0.95


def test_one_direction_and_servers_taps_are_blind():
    """Where answers were not captured, or the clients' side is elsewhere, nothing is said."""
    trace, _ = played("reach.isolation", 310_001, direction="outbound")
    assert not len(Isolation()(trace))
    trace, _ = played("reach.isolation", 310_001)
    at_server = attrs.evolve(trace, recording=attrs.evolve(trace.recording, tap=np.ones(len(trace.flows), np.uint8)))
    assert not len(list_attempts(at_server)[0])


def test_the_contract_is_kept() -> None:
    """The analyzer describes itself, is deterministic, and accuses nobody where all is well."""
    closed, _ = played("reach.isolation.iran-2026", 310_003)
    quiet, _ = played("benign.reach.foreign-sites-down", 310_002)
    check_analyzer(Isolation(), [closed], [quiet])
