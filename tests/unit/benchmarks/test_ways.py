"""A translator that evens headers out, tables of what is known, and what is counted with them."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from benchmarks.scoreboard.judging import Job
from benchmarks.ways import HOP_LIMIT, WAYS, even, report
from netinterf.simulate import Conditions, run


@pytest.mark.parametrize("version", [4, 6])
def test_only_headers_of_packets_from_outside_change(version: int) -> None:
    """One hop limit, no DF, one counter, right checksums; the client's packets and all payload stay."""
    played = run("dns.injection", 5, Conditions.clean(ip=version, vantage="client"))
    client = played.labels.truths[0].client
    changed, numbers = even(played), []
    for before, after in zip(played.frames, changed.frames, strict=True):
        kind = IP if version == 4 else IPv6
        old, new = Ether(before)[kind], Ether(after)[kind]
        if old.src == client:
            assert before == after
            continue
        assert bytes(old[UDP].payload) == bytes(new[UDP].payload)
        assert (new.ttl if version == 4 else new.hlim) == HOP_LIMIT
        if version == 4:
            assert not new.flags.DF
            numbers.append(new.id)
            told = new.chksum
            del new.chksum
            assert IP(bytes(new)).chksum == told
    assert numbers == [one % 65_536 for one in range(1001, 1001 + len(numbers))]


def test_findings_stand_without_headers() -> None:
    """Counts fit the labels, and no sign of a header is left that speaks for a finding."""
    job = Job(source="simulator", name="x", scenario="dns.injection.gfw-2", seed=7, rivals=False)
    played = run(job.scenario, job.seed, Conditions.clean(ip=4, vantage="client"))
    plain, evened, *_ = ways = [way(job, played) for way in WAYS.values()]
    hit = sum(truth.mechanism == "dns.injection" for truth in played.labels.truths)
    assert plain.units == evened.units
    assert plain.units["dns.injection"] == hit > 0
    assert plain.headers > 0
    assert evened.headers == 0
    assert evened.found["dns.injection"] > 0
    assert evened.accused == plain.accused == 0
    assert f"{plain.found['dns.injection']}/{hit}" in report(ways)


def test_known_answers_find_more() -> None:
    """A resolver that lies with an address on no list; what a control is answered is in the labels."""
    counts = [0, 0]
    for seed in range(6):
        job = Job(source="simulator", name="x", scenario="dns.forged.aftermath", seed=seed, rivals=False)
        played = run(job.scenario, job.seed, Conditions.clean(ip=4, vantage="client"))
        assert {name for name, _ in played.labels.answers} >= {truth.name for truth in played.labels.interfered()}
        plain, known = (WAYS[way](job, played) for way in ("as captured", "known answers, networks"))
        assert known.accused == plain.accused == 0
        counts = [counts[0] + plain.found.total(), counts[1] + known.found.total()]
    assert counts[1] > counts[0]
