"""Questions that nobody answers: the contrasts that make a silence suspicious, and those that make it harmless."""

import attrs
import numpy as np
import pytest

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.dns_silence import DnsSilence
from netinterf.analyzers.dns_silence.analyzer import silence_signs
from netinterf.analyzers.dns_silence.controls import find_controls, worth_a_look
from netinterf.analyzers.dns_silence.questions import Lookups, list_lookups
from netinterf.analyzers.dns_silence.rules import ELSEWHERE, SERVFAIL_NORM
from netinterf.context.answers import KnownAnswers
from netinterf.context.outside import Outside
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read
from tests.oracles.dns_frames import AAAA, RAW_IP, Talk, address_record, message

SECOND = 1_000_000_000
BLOCKED = "www.blocked.org"
OTHER, PLAIN = "9.9.9.9", "203.0.113.53"
"""Another public resolver, and one that nobody knows."""


def read_talk(talk: Talk, *, alive: bool = True) -> Trace:
    """Read a talk as a capture that runs on for half a minute; at its end the resolver answers, or another one."""
    talk.now += 30 * SECOND
    talk.server = talk.server if alive else OTHER
    talk.ordinary(1)
    times, frames, _ = talk.capture()
    return read(times=times, frames=frames, link_type=RAW_IP)


def rules(trace: Trace, name: str = BLOCKED) -> set[str]:
    """Name the rules that fired on exchanges about a name."""
    return set(weights(trace, name))


def weights(trace: Trace, name: str = BLOCKED) -> dict[str, float]:
    """Give the rules that fired on exchanges about a name, and the greatest weight of each."""
    found, given = DnsSilence()(trace), dict[str, float]()
    for row in range(len(found)):
        if trace.exchanges.name[int(found.subject[row])] == name:
            rule = found.rules[found.rule[row]].id.removeprefix("query.")
            given[rule] = max(given.get(rule, -9.0), float(found.llr[row]))
    return given


def asked_in_vain(talk: Talk, times: int = 4, name: str = BLOCKED) -> None:
    """Ask about a name, and in between about others that are answered."""
    talk.ordinary(4)
    for _ in range(times):
        talk.ask(name)
        talk.now += SECOND
        talk.ordinary(2)


def answered(talk: Talk, server: str, name: str = BLOCKED, **how: object) -> None:
    """Ask another server about a name, and get an answer."""
    before, talk.server = talk.server, server
    talk.ask(name, **{key: value for key, value in how.items() if key == "kind"})
    talk.reply(name, address_record("93.184.216.34"), **how)
    talk.server = before


def test_a_name_without_answers_beside_names_with_some_is_odd() -> None:
    """Four questions in vain; the resolver answered about others in the same seconds."""
    talk = Talk(server=PLAIN)
    asked_in_vain(talk)
    assert rules(read_talk(talk)) == {"unanswered"}


def test_one_lost_question_is_nothing() -> None:
    """It takes two."""
    talk = Talk(server=PLAIN)
    asked_in_vain(talk, times=1)
    assert rules(read_talk(talk)) == set()


def test_another_resolver_that_answers_shows_that_the_name_lives() -> None:
    """Whose own servers are dead it would not."""
    talk = Talk(server=PLAIN)
    asked_in_vain(talk)
    answered(talk, OTHER)
    assert rules(read_talk(talk)) == {"unanswered", "elsewhere"}


def test_two_resolvers_that_are_silent_about_one_name() -> None:
    """Both answer about others."""
    talk = Talk(server=PLAIN)
    asked_in_vain(talk)
    talk.server = "198.51.100.53"
    asked_in_vain(talk)
    assert rules(read_talk(talk)) == {"unanswered", "everywhere"}


def test_another_type_of_the_same_name_is_answered() -> None:
    """A box that reads types, too; where the same question is answered as well, it comes and goes."""
    for kind, expected in ((AAAA, "other_type"), (1, "intermittent")):
        talk = Talk(server=PLAIN)
        asked_in_vain(talk)
        talk.ask(BLOCKED, kind=kind)
        talk.reply(BLOCKED, address_record("93.184.216.34"), kind=kind)
        assert rules(read_talk(talk)) == {"unanswered", expected}


def streamed(talk: Talk, name: str) -> None:
    """Ask about a name over TCP, and get an answer."""
    query = message(name, number=77, flags=0x0100)
    reply = message(name, address_record("93.184.216.34"), number=77)
    talk.connect(talk.server, 53, *(len(one).to_bytes(2, "big") + one for one in (query, reply)))


def test_the_same_resolver_answers_over_tcp() -> None:
    """About this name, while it answers about others over UDP."""
    talk = Talk(server=PLAIN)
    asked_in_vain(talk)
    streamed(talk, BLOCKED)
    assert rules(read_talk(talk)) == {"unanswered", "over_tcp"}


def test_all_that_a_resolver_says_over_udp_may_be_swallowed() -> None:
    """From then on it answers over TCP only, whatever the name."""
    for alive in (False, True):
        talk = Talk(server=PLAIN)
        for _ in range(3):
            talk.ask(BLOCKED)
            talk.now += SECOND
        streamed(talk, "www.other.org")
        assert rules(read_talk(talk, alive=alive)) == (set() if alive else {"only_tcp"})


def test_a_resolver_that_sends_clients_to_tcp_limits_its_answers() -> None:
    """A reply cut short before the silence: what follows over TCP was wanted by the resolver."""
    talk = Talk(server=PLAIN)
    talk.ordinary(6)
    talk.ask("www.cut.org")
    talk.reply("www.cut.org", flags=0x8380)
    for number in range(4):
        talk.ask(f"www.name{number}.org")
        talk.now += SECOND
    streamed(talk, "www.cut.org")
    assert rules(read_talk(talk, alive=False), "www.name1.org") == set()


@pytest.mark.parametrize(("silent", "told"), [(2, False), (3, True)])
def test_questions_in_a_row_count_whatever_their_names(silent: int, told: bool) -> None:
    """Each name is asked about once; the resolver had answered before, and does so over TCP meanwhile."""
    talk = Talk(server=PLAIN)
    talk.ordinary(6)
    for number in range(silent):
        talk.ask(f"www.name{number}.org")
        talk.now += SECOND
    streamed(talk, "www.other.org")
    trace = read_talk(talk, alive=False)
    assert all((rules(trace, f"www.name{number}.org") == {"only_tcp"}) == told for number in range(silent))


@pytest.mark.parametrize(("wait", "others", "told"), [(1.0, False, True), (0.1, False, False), (1.0, True, False)])
def test_answers_that_do_not_arrive_are_asked_for_again(wait: float, others: bool, told: bool) -> None:
    """Near the resolver: the same question after its answer, about one name; too soon, it may have crossed it."""
    talk = Talk(server=PLAIN)
    for number in range(6):
        for name in (BLOCKED, f"www.name{number}.org"):
            for repeat in range(3 if name == BLOCKED or others else 1):
                talk.ask(name, new=repeat == 0)
                talk.reply(name, address_record("93.184.216.34"))
                talk.now += int(wait * SECOND)
    trace = read_talk(talk)
    found = DnsSilence()(trace)
    names = [trace.exchanges.name[int(row)] for row in found.subject]
    assert {found.rules[code].id for code in found.rule} <= {"query.unheard"}
    assert (max(found.llr, default=0.0) > 4) == told  # where all are repeated, next to nothing is left
    assert set(names) <= {BLOCKED} or not told


def test_a_resolver_that_fails_in_the_end_found_the_name_dead() -> None:
    """SERVFAIL for the name, once: its servers do not answer."""
    talk = Talk(server=PLAIN)
    asked_in_vain(talk)
    talk.ask(BLOCKED)
    talk.reply(BLOCKED, flags=0x8182)
    assert rules(read_talk(talk)) == {"unanswered", "failed"}


def test_a_resolver_that_is_down_is_silent_to_all() -> None:
    """For seconds nothing is answered about names that it answers at other times; another resolver has answers."""
    talk = Talk(server=PLAIN)
    talk.ordinary(5)
    talk.now += 15 * SECOND
    for number in range(5):
        talk.ask(f"www{number}.ordinary{number % 5}.net")
        talk.ask(BLOCKED)
    answered(talk, OTHER)
    talk.now += 15 * SECOND
    talk.ordinary(4)
    assert rules(read_talk(talk)) == {"down"}


def test_a_capture_that_ends_too_soon_says_nothing() -> None:
    """The resolver has five seconds."""
    talk = Talk(server=PLAIN)
    asked_in_vain(talk)
    talk.ask("www.late.org")
    talk.ask("www.late.org")
    times, frames, _ = talk.capture()
    assert rules(read(times=times, frames=frames, link_type=RAW_IP), "www.late.org") == set()


def test_a_question_that_was_given_up_need_not_be_waited_for() -> None:
    """The client asks the same again, by another port or by the same, before the capture ends."""
    for new in (True, False):
        talk = Talk(server=PLAIN)
        talk.ordinary(6)
        for repeat in range(3):
            talk.ask("www.late.org", new=new or repeat == 0)
            talk.now += SECOND
        times, frames, _ = talk.capture()
        assert rules(read(times=times, frames=frames, link_type=RAW_IP), "www.late.org") == {"unanswered"}


@pytest.mark.parametrize("waits", [False, True])
def test_a_public_resolver_has_as_long_as_a_stub_to_say_that_a_name_is_dead(waits: bool) -> None:
    """Its client asks again and again, and the capture ends before five seconds are over, or behind them."""
    talk = Talk()
    talk.ordinary(8)
    for _ in range(3):
        talk.ask("www.late.org")
        talk.now += SECOND
    talk.now += 30 * SECOND if waits else 0
    talk.ordinary(1)
    times, frames, _ = talk.capture()
    assert ("servfail_norm" in rules(read(times=times, frames=frames, link_type=RAW_IP), "www.late.org")) == waits


def test_the_last_question_is_like_those_that_were_given_up() -> None:
    """The capture ends behind the third question in vain, after longer than the resolver ever took."""
    talk = Talk(server=PLAIN)
    talk.ordinary(6)
    for _ in range(3):
        talk.ask("www.late.org")
        talk.now += SECOND
    talk.ordinary(1)
    times, frames, _ = talk.capture()
    trace = read(times=times, frames=frames, link_type=RAW_IP)
    lookups = list_lookups(trace)
    mine = [trace.exchanges.name[row] == "www.late.org" for row in range(len(trace.exchanges))]
    assert lookups.silent[mine].tolist() == [True, True, True]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("www.one.org", "www.two.net", "www.three.com"), True),
        (("a.one.org", "b.one.org", "c.one.org"), False),
        (("www.one.org",), False),
    ],
    ids=["unrelated", "one owner", "one name"],
)
def test_several_domains_that_die_together(names: tuple[str, ...], told: bool) -> None:
    """Names of one owner have the same dead servers; several owners seldom have dead ones at once."""
    talk = Talk(server=PLAIN)
    for _ in range(2):
        for name in names:
            talk.ask(name)
            talk.now += SECOND
            talk.ordinary(1)
    assert ("alike" in rules(read_talk(talk), names[0])) == told


def test_domains_that_a_lossy_way_left_unanswered_are_no_company() -> None:
    """Every answer takes two questions, whatever the name: three domains that never got one are chance."""
    weight = {}
    for lossy in (False, True):
        talk = Talk(server=PLAIN)
        for turn in range(2):
            for place, name in enumerate(("www.one.org", "www.two.net", "www.three.com")):
                other = f"www.other{place}{turn}.net"
                talk.ask(name)
                talk.ask(other)
                if lossy:
                    talk.ask(other, new=False)
                talk.reply(other, address_record("23.1.7.9"))
        weight[lossy] = weights(read_talk(talk), "www.one.org")["alike"]
    assert weight[True] < 0.6 * weight[False]


def test_domains_asked_long_ago_count_as_tried_when_asked_again() -> None:
    """Forty domains are asked for all the time: two dead ones among them say less than two among themselves."""
    given = []
    for early in (0, 40):
        talk = Talk(server=PLAIN)
        for turn in range(2):
            for place in range(early):
                talk.ask(f"www.usual{place}.org")
                talk.reply(f"www.usual{place}.org", address_record("23.1.7.9"))
                talk.now -= 250_000_000
            talk.now += 0 if turn else 60 * SECOND
        for _ in range(2):
            for name in ("www.one.org", "www.two.net"):
                talk.ask(name)
                talk.now += SECOND
                talk.ordinary(1)
        given.append(weights(read_talk(talk), "www.one.org").get("alike", 0.0))
    assert given[1] < given[0]


def test_a_domain_that_is_answered_or_fails_is_not_swallowed() -> None:
    """Of three domains one is answered in the end and one draws a failure: one is left."""
    talk = Talk(server=PLAIN)
    names = ("www.one.org", "www.two.net", "www.three.com")
    for _ in range(2):
        for name in names:
            talk.ask(name)
            talk.now += SECOND
            talk.ordinary(1)
    answered(talk, PLAIN, "www.two.net")
    talk.ask("www.three.com")
    talk.reply("www.three.com", flags=0x8182)
    assert "alike" not in rules(read_talk(talk), "www.one.org")


def test_public_resolvers_say_when_a_name_is_dead() -> None:
    """The more lookups they left without a word, the less is its name dead; of others nobody knows."""
    given = []
    for times in (1, 4):
        talk = Talk(server="8.8.8.8")
        talk.ordinary(60)
        for _ in range(times):
            for repeat in range(3):
                talk.ask(BLOCKED, new=repeat == 0)
                talk.now += SECOND
            talk.ordinary(20)
        given.append(weights(read_talk(talk)).get("servfail_norm", 0.0))
    assert 2 < given[0] < 4 < given[1] <= SERVFAIL_NORM.weight


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((), False),
        (((BLOCKED, "192.0.2.80"), ("www.ordinary1.net", "93.184.216.34")), True),
        (((BLOCKED, "2001:db8::80"), ("www.ordinary1.net", "93.184.216.34")), False),  # another type was asked for
        (((BLOCKED, "192.0.2.80"), ("www.ordinary1.net", "23.9.9.9")), False),  # nothing says that it is a resolver
    ],
)
def test_names_that_are_known_to_live(answers: tuple[tuple[str, str], ...], told: bool) -> None:
    """Known answers clear the name's own servers, where the resolver's other answers are as known."""
    talk = Talk(server=PLAIN)
    asked_in_vain(talk)
    talk.ask("www.ordinary1.net")
    talk.reply("www.ordinary1.net", address_record("93.184.216.34"))
    trace = attrs.evolve(read_talk(talk), outside=Outside(answers=KnownAnswers.of(answers)))
    assert rules(trace) == {"unanswered", "known"} - (set() if told else {"known"})


def test_contrasts_weigh_as_much_as_chance_is_excluded() -> None:
    """Two questions that chance may have lost, and eight that it has not; another resolver answers either way."""
    given = []
    for times in (2, 8):
        talk = Talk(server=PLAIN)
        asked_in_vain(talk, times=times)
        answered(talk, OTHER)
        given.append(weights(read_talk(talk))["elsewhere"])
    assert given[0] < 0.8 * ELSEWHERE.weight < given[1] == ELSEWHERE.weight


def test_answers_that_took_several_questions_tell_how_many_are_lost() -> None:
    """Where each answer took three questions, three in vain are nothing."""
    given = []
    for losses in (0, 2):
        talk = Talk(server=PLAIN)
        for number in range(12):
            for repeat in range(1 + losses):
                talk.ask(f"www.name{number}.org", new=repeat == 0)
            talk.reply(f"www.name{number}.org", address_record("93.184.216.34"))
        for _ in range(3):
            talk.ask(BLOCKED)
            talk.now += SECOND
        given.append(weights(read_talk(talk))["unanswered"])
    assert given[0] > 4
    assert given[1] < 1.5


def random_lookups(seed: int, count: int = 300, *, resolvers: int = 3) -> tuple[Lookups, dict[str, np.ndarray]]:
    """Draw lookups of all kinds, and say what was drawn of their groups."""
    rng = np.random.default_rng(seed)
    most = (("client", 2), ("server", resolvers), ("name", 5), ("kind", 2))
    draw = {key: rng.integers(0, limit, count) for key, limit in most}
    fate, udp = rng.integers(0, 4, count), rng.random(count) < 0.8
    since = np.sort(rng.integers(0, 60, count)) * SECOND + 10**18
    heard = since + rng.integers(0, 9, count) * SECOND
    lookups = Lookups(
        **draw, domain=draw["name"] // 2, over_udp=udp, since=since,
        tries=rng.integers(1, 4, count), silent=(fate == 0) & udp, answered=(fate == 1) | (fate == 2), failed=fate == 3,
        confirmed=rng.random(count) < 0.1, truncated=rng.random(count) < 0.1, heard=heard,
        known=np.zeros(count, np.bool_), servfail_norm=np.zeros(count, np.bool_),
    )  # fmt: skip
    return lookups, draw


@pytest.mark.parametrize("resolvers", [2, 9, 40])
def test_what_is_not_worth_a_look_shows_nothing(resolvers: int) -> None:
    """Signs are those of looking at all silent questions, and the others have none."""
    for seed in range(20):
        lookups, _ = random_lookups(seed, 120, resolvers=resolvers)
        silent = np.flatnonzero(lookups.silent)
        few = worth_a_look(lookups, silent)
        place = np.searchsorted(silent, few)
        every, some = (
            silence_signs(find_controls(lookups, rows), lookups.known[rows], lookups.servfail_norm[rows])
            for rows in (silent, few)
        )
        for whole, part in zip(every, some, strict=True):
            assert np.flatnonzero(whole.where).tolist() == place[np.flatnonzero(part.where)].tolist()
            assert whole.llr[place].tolist() == part.llr.tolist()


def test_counts_against_a_loop() -> None:
    """Exchange by exchange over random lookups, the obvious way."""
    lookups, draw = random_lookups(5)
    count, domain, udp = 300, lookups.domain, lookups.over_udp
    silent = np.flatnonzero(lookups.silent)
    seen = find_controls(lookups, silent)

    def same(row: int, *columns: str) -> list[int]:
        return [one for one in range(count) if all(draw[key][one] == draw[key][row] for key in columns)]

    def odd(row: int) -> float:
        asked = [
            one for one in same(row, "client", "server")
            if udp[one] and draw["name"][one] != draw["name"][row]
            and abs(lookups.since[one] - lookups.since[row]) <= 10 * SECOND
        ]  # fmt: skip
        told = {draw["name"][one] for one in same(row, "client", "server") if lookups.answered[one] and udp[one]}
        heard = sum(lookups.answered[one] for one in asked)
        vain = sum(
            lookups.tries[one] - lookups.answered[one] for one in asked
            if lookups.answered[one] or (lookups.silent[one] and draw["name"][one] in told)
        )  # fmt: skip
        rate = (heard + 0.5) / (heard + vain + 1)
        return 0.0 if heard < 3 else float(-lookups.tries[row] * np.log(1 - rate))

    def hopeless(row: int) -> bool:
        tries = sum(lookups.tries[one] for one in same(row, "client", "server", "name", "kind") if lookups.silent[one])
        named = [one for one in same(row, "client", "server", "name") if udp[one]]
        return tries >= 2 and not any(lookups.answered[one] or lookups.failed[one] for one in named)

    for place, row in enumerate(silent.tolist()):
        question = same(row, "client", "server", "name", "kind")
        named = same(row, "client", "server", "name")
        asked = same(row, "client", "server")
        near = [
            one for one in asked
            if one not in named and udp[one] and abs(lookups.since[one] - lookups.since[row]) <= 10 * SECOND
        ]  # fmt: skip
        told = [one for one in asked if lookups.answered[one] and udp[one]]
        later = [one for one in asked if lookups.since[one] >= lookups.since[row] and lookups.answered[one]]
        assert seen.tries[place] == sum(lookups.tries[one] for one in question if lookups.silent[one])
        assert seen.answered[place] == sum(lookups.answered[one] for one in near)
        assert seen.silent[place] == sum(
            lookups.silent[one] and any(draw["name"][other] == draw["name"][one] for other in told) for one in near
        )
        assert seen.confirmed[place] == sum(lookups.confirmed[one] for one in asked)
        assert seen.lookups[place] == sum(lookups.silent[one] for one in question)
        assert seen.surprise[place] == pytest.approx(sum(odd(one) for one in question if lookups.silent[one]))
        moods = [
            one for one in asked
            if one not in named and lookups.silent[one] and any(draw["name"][o] == draw["name"][one] for o in told)
        ]  # fmt: skip
        assert seen.intermittent[place] == len(moods)
        assert seen.answered_total[place] == len(told)
        assert seen.ever[place] == sum(one in told for one in question)
        assert seen.other_type[place] == sum(one in told and one not in question for one in named)
        assert seen.later[place] == sum(one in question and udp[one] for one in later)
        assert seen.named_later[place] == sum(one in named and udp[one] for one in later)
        assert seen.alive_later[place] == sum(lookups.heard[one] >= lookups.since[row] for one in told)
        spoke = [lookups.since[one] for one in told if lookups.since[one] < lookups.since[row]]
        row_of = [one for one in asked if lookups.silent[one] and lookups.since[one] >= max(spoke, default=0)]
        rest = [one for one in asked if lookups.silent[one] and one not in row_of]
        assert seen.in_a_row[place] == len(row_of)
        rate = (len(told) + 0.5) / (len(told) + len(rest) + 1)
        assert seen.row_surprise[place] == pytest.approx(-len(row_of) * np.log(1 - rate))
        assert seen.streamed[place] == sum(
            lookups.answered[one] and not udp[one] and lookups.since[one] >= max(spoke, default=0) for one in asked
        )
        assert seen.over_tcp[place] == sum(lookups.answered[one] and not udp[one] for one in named)
        assert seen.cut_short[place] == sum(
            lookups.truncated[one] and udp[one] and abs(lookups.since[one] - lookups.since[row]) <= 10 * SECOND
            for one in asked
        )
        assert seen.failed[place] == sum(lookups.failed[one] for one in named)
        close = [one for one in asked if udp[one] and abs(lookups.since[one] - lookups.since[row]) <= 10 * SECOND]
        dead = [one for one in close if lookups.silent[one] and hopeless(one)]
        assert seen.alike[place] == len({domain[one] for one in dead})
        assert seen.vain[place] == sum(lookups.tries[one] for one in dead)
        assert seen.domains[place] == len({domain[one] for one in close})
        others = [one for one in same(row, "client", "name") if one not in named]
        assert seen.elsewhere[place] == sum(lookups.answered[one] for one in others)


@pytest.mark.parametrize("scenario", ["dns.drop.venezuela", "benign.dns.resolver-outage", "benign.dns.dead-resolver"])
def test_simulated_silences(scenario: str) -> None:
    """A name that another resolver answers is told; outages are told as such."""
    told: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(4):
        played = run(scenario, seed, Conditions.clean(vantage="client"))
        trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
        found = DnsSilence()(trace)
        total = np.bincount(found.subject, found.llr, minlength=len(trace.exchanges))
        hit = {truth.name for truth in played.labels.truths if truth.mechanism}
        silent = list_lookups(trace).silent
        for row in np.flatnonzero(silent).tolist():
            told[trace.exchanges.name[row] in hit].append(float(total[row]))
    assert bool(told[True]) == scenario.startswith("dns.drop")
    assert not told[True] or np.mean(told[True]) > 4
    assert np.mean(told[False] or [0.0]) < 1


def test_it_keeps_the_contract_of_an_analyzer() -> None:
    """Deterministic, picklable, within its scope, and quiet where all is answered."""
    quiet = Talk()
    quiet.ordinary(5)
    talk = Talk(server=PLAIN)
    asked_in_vain(talk)
    answered(talk, OTHER)
    check_analyzer(DnsSilence(), [read_talk(talk)], benign=[read_talk(quiet)])
