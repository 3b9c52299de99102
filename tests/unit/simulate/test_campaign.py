"""Campaigns: the files, the same bytes however they are made, and a truth that is what happened on the wire."""

import csv
import json
import shutil
from collections import Counter
from functools import cache
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

import netinterf
from netinterf.errors import ParameterError
from netinterf.simulate import Simulated
from netinterf.simulate.campaign import Campaign, Causes, make
from netinterf.simulate.campaign.causes import in_force
from netinterf.simulate.campaign.parameters import MECHANISMS
from netinterf.simulate.campaign.state import plan
from netinterf.simulate.campaign.topology import Network
from netinterf.simulate.campaign.truth import tally, truth
from netinterf.simulate.campaign.visits import PACE, play
from netinterf.simulate.network.packet import address_text

CALM = Causes(**dict.fromkeys(vars(Causes()), 0.0))
SMALL = Campaign(seed=11, networks=2, names=6, runs=2, blocked=0.4)
PORTS = {("tcp", 80): "tcp/http", ("tcp", 443): "tcp/tls", ("udp", 443): "quic"}
SYN_ACK, RST = 0x12, 0x04


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a small campaign on disk."""
    place = tmp_path_factory.mktemp("campaign")
    make(SMALL, place)
    return place


@cache
def played(campaign: Campaign, network: int, run: int) -> Simulated:
    """Play one run in one network, once for all tests."""
    return play(plan(campaign), network, run)


def truth_of(campaign: Campaign) -> dict[str, Any]:
    """Play a campaign in memory and give its truth."""
    runs = range(1, campaign.runs + 1)
    return truth(
        plan(campaign),
        lambda network: {run: tally(played(campaign, network.number, run).labels) for run in runs},
    )


def content(place: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_the_folder_holds_what_the_manual_says(folder: Path) -> None:
    """There is a capture with labels per network and run, the manifest lists them, and the networks hold all hosts."""
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "place", "asn", "country", "run"]
    assert sorted(row["path"] for row in rows) == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*.pcap")
    )
    assert len(rows) == SMALL.networks * SMALL.runs
    with (folder / "networks.csv").open(encoding="utf-8") as file:
        prefixes = [ip_network(row["prefix"]) for row in csv.DictReader(file)]
    for row in rows:
        labels = json.loads((folder / row["path"]).with_suffix(".labels.json").read_text())
        hosts = {one[end] for one in labels["truths"] for end in ("client", "server")}
        forged = {place for place in hosts if not any(ip_address(place) in prefix for prefix in prefixes)}
        assert not forged or any(one["mechanism"] in {"dns.forged", "dns.injection"} for one in labels["truths"])


def test_jobs_do_not_show_and_an_interrupted_call_can_be_repeated(folder: Path, tmp_path: Path) -> None:
    """Two processes make the same bytes as one, and so does a call that goes on where another was stopped."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for lost in (
        "truth.json",
        "manifest.csv",
        "net-01/0002.labels.json",
        "net-02/0001.labels.json",
        "net-02/0001.pcap",
    ):
        (tmp_path / lost).unlink()
    (tmp_path / "net-02" / ".netinterf-0123").write_bytes(b"half")
    make(SMALL, tmp_path, jobs=2)
    assert content(tmp_path) == content(folder)


def test_a_folder_keeps_one_campaign(folder: Path) -> None:
    """Another campaign is refused, and nothing is touched."""
    before = content(folder)
    with pytest.raises(ParameterError, match="one with the same campaign"):
        make(attrs.evolve(SMALL, seed=12), folder)
    assert content(folder) == before


def test_changed_labels_are_refused(folder: Path, tmp_path: Path) -> None:
    """One error names the file."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "net-02" / "0002.labels.json").write_text("{}")
    with pytest.raises(ParameterError, match=r"net-02.0002\.labels\.json.*call again"):
        make(SMALL, tmp_path)


def test_a_capture_can_be_scanned(folder: Path) -> None:
    """A capture of the network without a censor shows no interference, and its verdicts count its conversations."""
    place = folder / "net-01" / "0001.pcap"
    result = netinterf.scan(place, networks=folder / "networks.csv")
    labels = json.loads(place.with_suffix(".labels.json").read_text())
    single = [one for one in result.verdicts if one.subject.kind != "group"]
    assert len(single) == len(labels["truths"])
    assert not [one for one in result.verdicts if one.mechanism and one.outcome is netinterf.Outcome.INTERFERED]


def test_the_truth_is_what_the_labels_say(folder: Path) -> None:
    """Counted again, conversation by conversation: every strike is of a cell or collateral, with the right numbers."""
    made = json.loads((folder / "truth.json").read_text())
    tried: Counter[tuple[str, ...]] = Counter()
    struck: Counter[tuple[str, ...]] = Counter()
    cells = {(cell["network"], cell["name"], cell["transport"], cell["mechanism"]): cell for cell in made["cells"]}
    beside = {(one["network"], one["name"], one["transport"], one["mechanism"]) for one in made["collateral"]}
    for path in folder.rglob("*.labels.json"):
        network, run = path.parent.name, int(path.name.split(".")[0])
        for one in json.loads(path.read_text())["truths"]:
            transport = "dns" if one["kind"] == "exchange" else PORTS[one["protocol"], one["server_port"]]
            words = {one["mechanism"], *one["also"]} - {None}
            for (where, name, over, word), cell in cells.items():
                if (where, name, over) == (network, one["name"], transport) and in_force(
                    cell["since"], cell["until"], run
                ):
                    tried[where, name, over, word] += 1
                    struck[where, name, over, word] += word in words
            assert not words or any((network, one["name"], transport, word) in {*cells, *beside} for word in words)
            for (where, _, over, word), cell in cells.items():
                if word in words and (where, over) == (network, transport) and one["name"] == cell["name"]:
                    assert one["server"] in cell["servers"]
    assert made["cells"]
    for key, cell in cells.items():
        assert (cell["attempts"], cell["struck"]) == (tried[key], struck[key])
        assert cell["since"] <= cell["first"] <= cell["last"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_blocked_cells_are_hit_and_no_others(mechanism: str) -> None:
    """Every captured attempt at a cell is interfered with, but for what such a box misses; and nothing else is."""
    campaign = Campaign(seed=4, networks=2, names=14, runs=1, blocked=0.3, mechanisms=(mechanism,), causes=CALM)
    made = truth_of(campaign)
    assert made["cells"]
    assert {cell["mechanism"] for cell in made["cells"]} == {mechanism}
    assert {cell["network"] for cell in made["cells"]} == {"net-02"}
    hit, tried = (sum(cell[word] for cell in made["cells"]) for word in ("struck", "attempts"))
    assert hit >= 0.7 * tried  # (forgers of resets and pages miss up to a tenth)
    assert all(one["mechanism"] == "tcp.drop" for one in made["collateral"])  # residual blocks
    assert not made["unmet"] or mechanism == "tcp.connect.drop"  # some addresses are led to by no answer


def test_who_takes_part() -> None:
    """Prefixes are of one owner each, no name is a part of another, and all kinds of hosts, names and ways occur."""
    who = plan(Campaign(seed=1, networks=40, names=300)).topology
    prefixes = [ip_network(prefix) for prefix, _, _ in who.table()]
    assert len(set(prefixes)) == len(prefixes)
    for owner in (*who.networks, *who.hosts):
        mine = [ip_network(prefix) for prefix in owner.prefixes]
        places = (
            owner.clients + owner.clients_six if isinstance(owner, Network) else owner.addresses + owner.addresses_six
        )
        assert all(any(ip_address(address_text(place)) in prefix for prefix in mine) for place in places)
    names = [site.name for site in who.sites]
    assert not [one for one in names if sum(one in other for other in names) > 1]
    assert len({site.over for site in who.sites}) == 4
    on_delivery = [site for site in who.sites if who.hosts[site.host].delivery]
    assert 0.2 < len(on_delivery) / len(who.sites) < 0.6
    assert {len(site.addresses) > 1 for site in who.sites} == {True, False}
    assert {len(network.clients) > 1 for network in who.networks} == {True, False}
    assert {bool(network.clients_six) for network in who.networks} == {True, False}


def test_lists_of_a_country_overlap_and_differ() -> None:
    """Its networks block much of the same, not all of it; the first country blocks nothing, and nobody all names."""
    drawn = plan(Campaign(seed=1, networks=40, names=200, blocked=0.3))
    lists: dict[tuple[int, str], list[frozenset[str]]] = {}
    for block in drawn.blocks:
        assert block.country > 0
        assert len(block.names) < 0.7 * 200
        if block.names:
            lists.setdefault((block.country, block.mechanism), []).append(block.names)
    shared = [(mine[0], other) for mine in lists.values() for other in mine[1:]]
    assert len(shared) > 5
    assert all(one & other for one, other in shared)
    assert any(one != other for one, other in shared)
    assert not plan(Campaign(networks=40, blocked=0.0)).blocks


def test_residual_blocks_are_collateral() -> None:
    """What is swallowed because somebody else was visited at that server before is no cell, unless it is listed."""
    campaign = Campaign(seed=2, networks=2, names=60, runs=1, blocked=0.3, mechanisms=("tcp.drop",), causes=CALM)
    made, (block,) = truth_of(campaign), plan(campaign).blocks
    assert {cell["name"] for cell in made["cells"]} == block.names
    beside = {one["name"] for one in made["collateral"]}
    assert beside
    assert beside.isdisjoint(block.names)


def test_blocks_begin_and_end() -> None:
    """A cell is hit in no run before it begins, and in none after it ends."""
    campaign = Campaign(seed=2, networks=12, names=12, runs=9, blocked=0.5, mechanisms=("dns.drop",), causes=CALM)
    late = next(one for one in plan(campaign).blocks if one.since > 1)
    for run in (late.since - 1, late.since):
        hit = {one.name for one in played(campaign, late.network, run).labels.interfered()}
        assert hit == (late.names if run == late.since else set())


def heard(simulated: Simulated, server: str) -> list[int]:
    """List the TCP flags of all that came from an IPv4 address, 0 for other packets."""
    source = ip_address(server).packed
    mine = [frame for frame in simulated.frames if frame[12:14] == b"\x08\x00" and frame[26:30] == source]
    return [frame[47] if frame[23] == 6 else 0 for frame in mine]


def silence(simulated: Simulated) -> int:
    """Measure the longest time, in ns, in which no IPv4 packet came from anybody but clients."""
    frames = zip(simulated.times, simulated.frames, strict=True)
    came = [time for time, frame in frames if frame[12:14] == b"\x08\x00" and frame[26:28] != bytes([198, 18])]
    return max(later - time for time, later in pairwise([simulated.times[0], *came, simulated.times[-1]]))


def wrong(kind: str, share: float = 0.5) -> tuple[Campaign, list[dict[str, Any]]]:
    """Give a campaign without censors in which one kind of cause is frequent, and those of its causes."""
    causes = attrs.evolve(CALM, **{kind: share})
    campaign = Campaign(seed=3, networks=3, names=10, runs=1, mechanisms=(), causes=causes)
    made = truth_of(campaign)
    assert not made["cells"]
    assert not made["collateral"]
    assert {one["kind"] for one in made["causes"]} == {kind}
    return campaign, made["causes"]


@pytest.mark.parametrize("kind", ["dead", "outage", "ban", "geoblock"])
def test_servers_that_do_not_serve(kind: str) -> None:
    """They are silent, or refuse, in the networks and runs that the truth names, and are no interference."""
    campaign, causes = wrong(kind)
    turned = Counter[str]()
    for network in plan(campaign).topology.networks:
        simulated = played(campaign, network.number, 1)
        for cause in causes:
            concerned = cause["network"] in {"", network.name} and cause["country"] in {"", network.code}
            flags = [flag for place in cause["servers"] if ":" not in place for flag in heard(simulated, place)]
            if concerned and cause["form"] == "silence":
                assert not flags
            elif concerned and cause["form"] == "refused":
                assert all(flag & RST for flag in flags if flag)
            elif not concerned and kind == "ban":
                turned["elsewhere"] += SYN_ACK in flags
            turned[cause["form"]] += concerned
    assert turned.total()
    assert turned["elsewhere"] or kind != "ban"


def test_names_that_are_gone() -> None:
    """Nobody visits them, in any network."""
    campaign, causes = wrong("gone")
    gone = {cause["name"] for cause in causes}
    for network in range(campaign.networks):
        truths = played(campaign, network, 1).labels.truths
        assert gone.isdisjoint(one.name for one in truths if one.kind == "flow")
        assert gone <= {one.name for one in truths if one.kind == "exchange"}


@pytest.mark.parametrize("kind", ["clock", "recorder", "line_out", "bad_line"])
def test_lines_recorders_and_clocks(kind: str) -> None:
    """A clock that is off moves all times, a recorder misses packets, and lines lose more, or all for a while."""
    campaign, causes = wrong(kind, 1.0)
    lost = 0.0
    for network, cause in enumerate(causes):
        true, made = (played(one, network, 1) for one in (attrs.evolve(campaign, causes=CALM), campaign))
        if kind == "clock":
            assert made.frames == true.frames
            assert {there - here for here, there in zip(true.times, made.times, strict=True)} == {
                int(cause["amount"] * 10**9)
            }
        elif kind == "recorder":
            assert len(made.frames) < len(true.frames)
            assert set(made.frames) <= set(true.frames)
        elif kind == "line_out":
            assert silence(made) >= 0.8 * cause["amount"] * PACE * campaign.names
        lost += cause["amount"]
    assert lost


@pytest.mark.parametrize(
    "wrong",
    [{"networks": 0}, {"networks": 257}, {"runs": 0}, {"blocked": 1.1}, {"every": "week"}, {"mechanisms": ("x",)}],
)
def test_wrong_measures_are_refused(wrong: dict[str, Any]) -> None:
    """The error names the parameter."""
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        Campaign(**wrong)
