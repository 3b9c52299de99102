"""What stands beside interfered DNS exchanges, against the labels exchange by exchange."""

import pytest

from benchmarks.scoreboard.dns_company import DNS_PARTS, dns_company
from benchmarks.scoreboard.judging import Job, judge
from benchmarks.scoreboard.labels import of_labels
from benchmarks.scoreboard.results import results
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read


def frames_of(trace: Trace, row: int) -> list[tuple[int, bool]]:
    """List the frames of an exchange, and whether each is a reply."""
    table, frame = trace.exchanges, trace.packets.frame[trace.dns.packet]
    return [
        *((int(frame[message]), False) for message in table.queries[row]),
        *((int(frame[message]), True) for message in table.replies[row]),
    ]


@pytest.mark.parametrize("scenario", ["dns.injection", "dns.forged", "dns.drop"])
def test_company_is_that_of_a_loop(scenario: str) -> None:
    """Replies, ordinary exchanges of the server and lookups of the name, counted the obvious way."""
    played = run(scenario, 3, Conditions.clean(vantage="client"))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    labels = of_labels(played.labels)
    hit = {truth.first_frame: truth for truth in played.labels.truths if truth.mechanism}
    false = {number for truth in hit.values() for number in truth.forged}
    rows = range(len(trace.exchanges))
    begins = {row: min(number for number, _ in frames_of(trace, row)) for row in rows}
    ends = {row: trace.flows.server[trace.exchanges.flow[row]] for row in rows}
    found = dns_company(trace, labels.rows)
    assert found.keys() == hit.keys()
    for row in rows:
        if begins[row] not in hit:
            continue
        replies = [number for number, reply in frames_of(trace, row) if reply]
        beside = found[begins[row]]
        assert beside.forged == sum(number in false for number in replies)
        assert beside.genuine == len(replies) - beside.forged
        assert beside.lookups == sum(
            ends[one] == ends[row] and trace.exchanges.name[one] == trace.exchanges.name[row] for one in rows
        )
        assert beside.profile == sum(
            ends[one] == ends[row] and begins[one] not in hit and any(reply for _, reply in frames_of(trace, one))
            for one in rows
        )


def test_parts_are_scored() -> None:
    """Each part counts its own units, and the table's rates come out."""
    played = ("dns.injection", "dns.forged", "dns.drop", "dns.injection.adaptive")
    jobs = [
        Job(source="simulator", name=f"{one}#{seed}", scenario=one, seed=seed, rivals=False)
        for one in played
        for seed in (1, 2)
    ]
    judged = [judge(job) for job in jobs]
    rows = results(judged, {})["dns"]
    units = [unit for one in judged for unit in one.units]
    for name, belongs in DNS_PARTS.items():
        wanted = sum(belongs(unit) for unit in units)
        assert (name in rows) == bool(wanted)
        if wanted:
            assert rows[name]["units"] == wanted
            assert 0 <= rows[name]["found"] <= wanted
    both = rows["injection, both answers seen"]["units"]
    assert both > rows["the same, adaptive adversary left out"]["units"] > 0
