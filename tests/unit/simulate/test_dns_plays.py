from collections import Counter
from struct import unpack

import attrs
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from netinterf.simulate import Labels, Simulated, run, scenarios
from netinterf.simulate.conditions import Conditions
from netinterf.simulate.labels import Truth
from netinterf.simulate.messages.published_answers import BLOCK_PAGES

PLAYS = {play.name: play for play in scenarios() if play.family in ("dns", "benign.dns")}
HARMFUL = [name for name, play in PLAYS.items() if play.mechanism]
BENIGN = [name for name, play in PLAYS.items() if not play.mechanism]
MALFORMED = ("dns.injection.iran-2023", "dns.injection.turkmenistan-2021", "dns.forged.iran-mx")
VERSIONS = (4, 6)


@attrs.frozen
class Datagram:
    """A UDP datagram as captured."""

    frame: int
    time: int
    source: int  # port
    destination: int  # port
    ttl: int
    ip_id: int
    dont_fragment: bool
    payload: bytes

    @property
    def key(self) -> tuple[int, int]:
        """The client's port and the identifier."""
        return (self.destination if self.answers else self.source), int.from_bytes(self.payload[:2], "big")

    @property
    def answers(self) -> bool:
        """Whether it is an answer."""
        return bool(self.payload[2] & 0x80)

    def message(self) -> dns.message.Message:
        """Read it with another reader of DNS."""
        return dns.message.from_wire(self.payload, one_rr_per_rrset=True)


def datagrams(simulated: Simulated) -> list[Datagram]:
    """List the DNS datagrams of a capture, by port 53."""
    found = []
    for number, (time, raw) in enumerate(zip(simulated.times, simulated.frames, strict=True), start=1):
        six = raw[12:14] == b"\x86\xdd"
        at, protocol = (54, raw[20]) if six else (34, raw[23])
        if protocol != 17 or 53 not in unpack("!HH", raw[at : at + 4]):
            continue
        source, destination, size = unpack("!HHH", raw[at : at + 6])
        identifier, fragment = (0, 0) if six else unpack("!HH", raw[18:22])
        found.append(
            Datagram(
                frame=number, time=time, source=source, destination=destination, ttl=raw[21] if six else raw[22],
                ip_id=identifier, dont_fragment=bool(fragment & 0x4000), payload=raw[at + 8 : at + size],
            )
        )  # fmt: skip
    return found


def clean(name: str, ip: int, seed: int | None = None, **fixed: object) -> Simulated:
    """Play a scenario for a faithful recorder at the client."""
    return run(name, ip if seed is None else seed, Conditions.clean(ip=ip, vantage="client", **fixed))


@pytest.fixture(scope="module")
def played() -> dict[tuple[str, int], tuple[Simulated, list[Datagram]]]:
    """Play every scenario once per version of IP."""
    made = {(name, ip): clean(name, ip) for name in PLAYS for ip in VERSIONS}
    return {key: (simulated, datagrams(simulated)) for key, simulated in made.items()}


Played = dict[tuple[str, int], tuple[Simulated, list[Datagram]]]


def exchanged(labels: Labels) -> dict[tuple[int, int], Truth]:
    """List the exchanges by client port and identifier; those that share both are left out."""
    keys = Counter((truth.client_port, truth.query_id or 0) for truth in labels.truths if truth.kind == "exchange")
    return {
        (truth.client_port, truth.query_id or 0): truth
        for truth in labels.truths
        if truth.kind == "exchange" and keys[truth.client_port, truth.query_id or 0] == 1
    }


def test_look_alikes_are_as_many() -> None:
    """There are benign causes for every way to interfere, and forgers that adapt."""
    assert len(BENIGN) >= len(HARMFUL)
    assert {play.mechanism for play in PLAYS.values() if play.system == "adaptive"} == {
        "dns.injection", "dns.forged", "dns.drop"
    }  # fmt: skip


@pytest.mark.parametrize("name", PLAYS)
def test_every_message_can_be_read(name: str, played: Played) -> None:
    """Dnspython reads every message that is not malformed on purpose."""
    for ip in VERSIONS:
        for one in played[name, ip][1]:
            if name not in MALFORMED and name != "benign.dns.trailing-bytes":
                one.message()


@pytest.mark.parametrize("name", HARMFUL)
def test_labels_say_what_the_wire_shows(name: str, played: Played) -> None:
    """Forged frames answer their exchange, and what the mechanism says of the other answers holds."""
    mechanism = PLAYS[name].mechanism
    for ip in VERSIONS:
        simulated, told = played[name, ip]
        truths = exchanged(simulated.labels)
        assert {truth.mechanism for truth in simulated.labels.truths} == {None, mechanism}
        by_frame = {one.frame: one for one in told}
        replies: dict[tuple[int, int], list[Datagram]] = {}
        for one in told:
            if one.answers:
                replies.setdefault(one.key, []).append(one)
        for key, truth in truths.items():
            assert all(by_frame[frame].key == key and by_frame[frame].answers for frame in truth.forged)
            genuine = [one for one in replies.get(key, []) if one.frame not in truth.forged]
            if truth.mechanism is None:
                assert not truth.forged
            elif mechanism == "dns.drop":
                assert not truth.forged
                assert not genuine or "adaptive" in name
            elif mechanism == "dns.forged":
                assert truth.forged
                assert not genuine
            else:
                assert truth.forged
                assert truth.trigger == 0 or not by_frame[truth.trigger].answers


@pytest.mark.parametrize("name", [name for name in HARMFUL if PLAYS[name].mechanism == "dns.injection"])
def test_forged_answers_win_the_race(name: str, played: Played) -> None:
    """Nearly every forged answer is first, and nearly every true one follows."""
    won = raced = total = 0
    for ip in VERSIONS:
        simulated, told = played[name, ip]
        for key, truth in exchanged(simulated.labels).items():
            if truth.mechanism:
                answers = [one.frame for one in told if one.answers and one.key == key]
                total += 1
                won += answers[0] in truth.forged
                raced += len(answers) > len(truth.forged)
    assert won >= 0.9 * total
    assert raced >= 0.8 * total


@pytest.mark.parametrize("name", BENIGN)
def test_nobody_interferes_in_benign_scenarios(name: str, played: Played) -> None:
    """No subject has a mechanism, some play the look-alike, and nothing is forged."""
    for ip in VERSIONS:
        labels = played[name, ip][0].labels
        assert not labels.interfered()
        assert not labels.of_frames()
        assert {truth.confounder for truth in labels.truths} - {""} == {PLAYS[name].confounder}


def forged_of(name: str, seeds: range, ip: int = 4) -> list[tuple[Datagram, Datagram]]:
    """List forged answers with the queries that provoked them."""
    pairs = []
    for seed in seeds:
        simulated = clean(name, ip, seed)
        told = {one.frame: one for one in datagrams(simulated)}
        for truth in simulated.labels.interfered():
            asked = [one for one in told.values() if not one.answers and one.key[0] == truth.client_port]
            pairs += [(told[frame], asked[0]) for frame in truth.forged]
    return pairs


def test_injectors_of_2020_carry_their_published_marks() -> None:
    """AA and names written out (1), DF (2), IP ID 0 without DF and the query's own hop count (3)."""
    for reply, _ in forged_of("dns.injection.gfw-1", range(3)):
        message = reply.message()
        assert message.flags & dns.flags.AA
        assert b"\xc0\x0c" not in reply.payload[12:]
        assert not reply.dont_fragment
    assert all(reply.dont_fragment for reply, _ in forged_of("dns.injection.gfw-2", range(3)))
    for reply, query in forged_of("dns.injection.gfw-3", range(3)):
        assert (reply.ip_id, reply.dont_fragment, (query.ttl - reply.ttl) % 2) == (0, False, 0)


def test_three_injectors_answer_within_a_moment() -> None:
    """Most bursts of several forged answers take 0.2 ms or less (FOCI 2020)."""
    spans = []
    for seed in range(6):
        simulated = clean("dns.injection.gfw-triplet", 4, seed)
        for truth in simulated.labels.interfered():
            times = [simulated.times[frame - 1] for frame in truth.forged]
            if len(times) > 1:
                spans.append(max(times) - min(times))
    assert sum(span <= 250_000 for span in spans) > 0.6 * len(spans)


def test_the_cyclic_injector_answers_any_type_with_an_address() -> None:
    """All types but AAAA draw an A record, and OPT is lost (NDSS 2025)."""
    for reply, _ in forged_of("dns.injection.gfw-wallbleed", range(2)):
        message = reply.message()
        asked = message.question[0].rdtype
        expected = dns.rdatatype.AAAA if asked == dns.rdatatype.AAAA else dns.rdatatype.A
        assert [one.rdtype for one in message.answer] == [expected]
        assert message.edns == -1


def test_iran_forgets_the_class_and_counts_a_record_too_many() -> None:
    """The answer's pointer follows QTYPE at once; ARCOUNT says 1 and nothing follows (net4people/bbs 226)."""
    for reply, query in forged_of("dns.injection.iran-2023", range(3)):
        name_end = 12 + query.payload[12:].index(0) + 1
        assert reply.payload[name_end + 2 : name_end + 4] == b"\xc0\x0c"
        assert unpack("!4H", reply.payload[4:12]) == (1, 1, 0, 1)
        assert len(reply.payload) == name_end + 2 + 16


def test_turkmenistan_answers_with_the_own_host() -> None:
    """127.0.0.x; in 2021 the query's OPT stays between question and answer (net4people/bbs 80)."""
    for year in (2021, 2023):
        for reply, query in forged_of(f"dns.injection.turkmenistan-{year}", range(3)):
            assert reply.payload[-4:-1] == b"\x7f\x00\x00"
            question = 12 + query.payload[12:].index(0) + 5
            kept = reply.payload[question:].startswith(query.payload[question:])
            assert kept == (year == 2021 or len(query.payload) == question)


@pytest.mark.parametrize("system", sorted(BLOCK_PAGES))
def test_liars_give_one_page_for_all_listed_names(system: str) -> None:
    """All lies of a capture lead to one address per type, over several names."""
    simulated = clean(f"dns.forged.{system}", 4, 5)
    told = {one.frame: one for one in datagrams(simulated)}
    pages: dict[int, set[str]] = {}
    for truth in simulated.labels.interfered():
        for frame in truth.forged:
            for one in told[frame].message().answer:
                if one.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
                    pages.setdefault(one.rdtype, set()).add(str(one[0]))
    assert all(len(found) == 1 for found in pages.values())
    assert len({truth.name for truth in simulated.labels.interfered()}) >= 2


@pytest.mark.parametrize("name", ["dns.injection", "dns.forged", "dns.injection.gfw-2025", "dns.forged.iran"])
def test_no_field_of_forged_answers_is_a_constant(name: str) -> None:
    """Over seeds hop limit, IP ID, DF, flags, TTL and delay of forged answers all vary."""
    fields: dict[str, set[object]] = {}
    for reply, query in forged_of(name, range(12)):
        values = {
            "hops": reply.ttl, "id": reply.ip_id, "df": reply.dont_fragment, "data": reply.payload[-4:],
            "delay": (reply.time - query.time) // 1_000_000, "lifetime": reply.payload[-10:-6],
        }  # fmt: skip
        for field, value in values.items():
            fields.setdefault(field, set()).add(value)
    assert all(len(values) >= 2 for values in fields.values())
    assert len(fields["hops"]) >= 8
    assert len(fields["id"]) >= 8


def test_a_careful_forger_looks_like_the_resolver() -> None:
    """Hop limit, DF and EDNS of most forged answers equal those of the resolver's other answers."""
    same = total = 0
    for seed in range(4):
        simulated = clean("dns.forged.adaptive", 4, seed)
        told = [one for one in datagrams(simulated) if one.answers]
        forged = {frame for truth in simulated.labels.interfered() for frame in truth.forged}
        habits = {(one.ttl, one.dont_fragment) for one in told if one.frame not in forged}
        mine = [one for one in told if one.frame in forged]
        same += sum((one.ttl, one.dont_fragment) in habits for one in mine)
        total += len(mine)
    assert same >= 0.8 * total


def test_a_mirror_port_delivers_equal_messages_twice(played: Played) -> None:
    """Queries or answers come twice with the same bytes."""
    for ip in VERSIONS:
        seen = Counter((one.source, one.payload) for one in played["benign.dns.mirror", ip][1])
        assert max(seen.values()) == 2


@pytest.mark.parametrize("name", ["retransmitted", "anycast-repeat"])
def test_repeated_queries_are_answered_with_other_addresses(name: str, played: Played) -> None:
    """Several exchanges hold two queries and two answers that differ."""
    differing = 0
    for ip in VERSIONS:
        answers: dict[tuple[int, int], set[bytes]] = {}
        queries: Counter[tuple[int, int]] = Counter()
        for one in played[f"benign.dns.{name}", ip][1]:
            if one.answers:
                answers.setdefault(one.key, set()).add(one.payload)
            else:
                queries[one.key] += 1
        differing += sum(len(found) > 1 and queries[key] > 1 for key, found in answers.items())
    assert differing >= 2


def test_truncated_answers_are_asked_for_over_tcp(played: Played) -> None:
    """Every answer with TC is followed by a TCP connection to port 53."""
    for ip in VERSIONS:
        simulated, told = played["benign.dns.truncation", ip]
        cut = sum(bool(one.answers and one.payload[2] & 2) for one in told)
        flows = [truth for truth in simulated.labels.truths if truth.protocol == "tcp"]
        assert cut >= 1
        assert len(flows) == cut
        assert {flow.server_port for flow in flows} == {53}


def test_a_portal_gives_one_address_until_login(played: Played) -> None:
    """The look-alikes all get one address, later lookups get several."""
    for ip in VERSIONS:
        simulated, told = played["benign.dns.captive-portal", ip]
        truths = exchanged(simulated.labels)
        before: set[str] = set()
        after: set[str] = set()
        for one in told:
            if one.answers and one.key in truths:
                found = {str(record[0]) for record in one.message().answer if record.rdtype == dns.rdatatype.A}
                (before if truths[one.key].confounder else after).update(found)
        assert len(before) == 1
        assert len(after) > 1


def test_honest_filters_say_why(played: Played) -> None:
    """Extended DNS Errors 15 to 17 stand in the answers that are withheld (RFC 8914)."""
    codes = set()
    for ip in VERSIONS:
        simulated, told = played["benign.dns.honest-filter", ip]
        truths = exchanged(simulated.labels)
        for one in told:
            if one.answers and one.key in truths and truths[one.key].confounder:
                codes |= {int(option.code) for option in one.message().options if option.otype == 15}
    assert codes
    assert codes <= {15, 16, 17}


def test_resolvers_tick_unless_they_do_not() -> None:
    """TTLs of a name fall between answers of one cache, and stay in the scenario of still ones."""
    for name, falls in (("benign.dns.cpe-cache", True), ("benign.dns.short-lived-static", False)):
        lifetimes: dict[tuple[str, int], set[int]] = {}
        for one in datagrams(clean(name, 4, 3)):
            if one.answers:
                for record in one.message().answer:
                    lifetimes.setdefault((str(record.name), record.rdtype), set()).add(record.ttl)
        assert any(len(values) > 1 for values in lifetimes.values()) == falls


def test_upstream_questions_want_no_recursion(played: Played) -> None:
    """A resolver's own queries have RD=0; servers refer or answer with authority."""
    for ip in VERSIONS:
        for one in played["benign.dns.upstream", ip][1]:
            message = one.message()
            assert not message.flags & dns.flags.RD
            if one.answers and message.rcode() == dns.rcode.NOERROR:
                assert message.flags & dns.flags.AA or message.authority


def test_silent_resolvers_are_silent(played: Played) -> None:
    """Look-alikes at a dead resolver, or at one in outage, stay without answer."""
    for name in ("benign.dns.dead-resolver", "benign.dns.resolver-outage"):
        for ip in VERSIONS:
            simulated, told = played[name, ip]
            answered = {one.key for one in told if one.answers}
            odd = [key for key, truth in exchanged(simulated.labels).items() if truth.confounder]
            assert sum(key not in answered for key in odd) >= 3


def test_a_careful_forger_restates_the_true_answer() -> None:
    """From the second lookup on the forged message has the records of the true one, not its addresses."""
    alike = 0
    for seed in range(4):
        simulated = clean("dns.injection.adaptive", 4, seed)
        told = {one.frame: one for one in datagrams(simulated)}
        for truth in exchanged(simulated.labels).values():
            key = (truth.client_port, truth.query_id or 0)
            true = [one for one in told.values() if one.answers and one.key == key and one.frame not in truth.forged]
            for forged in (told[frame] for frame in truth.forged):
                kinds = [record.rdtype for record in true[0].message().answer] if true else []
                if len(kinds) > 1:
                    alike += kinds == [record.rdtype for record in forged.message().answer]
    assert alike >= 5
