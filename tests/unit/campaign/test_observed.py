"""Rows of a store against the attempts that they add up, one by one."""

from collections import Counter, defaultdict
from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from netinterf.campaign import Place
from netinterf.campaign.collecting.facts import Facts, facts_of
from netinterf.campaign.collecting.marks import Seen
from netinterf.campaign.collecting.observed import observed
from netinterf.context.networks import KnownNetworks, Network
from netinterf.context.outside import Outside, known_networks
from netinterf.engine.examples import FOLDER
from netinterf.engine.judge import judge
from netinterf.engine.options import Options
from netinterf.observations.attempts import TRANSPORTS, State, attempts_of
from netinterf.verdict.keys import BIN_NS
from netinterf.verdict.model import default_model

NETWORKS = (
    Network(ip_network("198.51.100.0/24"), 64501, "NL"),
    Network(ip_network("192.0.2.0/24"), 64502, ""),
    Network(ip_network("192.168.0.0/16"), 64500, "DE"),
)
STATES = [state.name.lower() for state in State]
KEY = b"k" * 32


@pytest.fixture(scope="module", params=["tcp.reset", "dns.injection", "benign"])
def both(request):
    """A capture with its rows, and its attempts."""
    outside = Outside(known_networks(NETWORKS[:2]))
    judged = judge(FOLDER / f"{request.param}.pcap.gz", Options(outside=outside))
    seen = [Seen("c" * 32, judged, Facts.empty())]
    rows = observed(seen, Place(name="home", asn=64999, country="FR"), outside.networks, KEY, default_model())
    return judged, rows, attempts_of([judged.ledger], [0], default_model())


def address(attempts, row):
    """Write the server's address."""
    high, low = int(attempts.high[row]), int(attempts.low[row])
    return str(ip_address(low & 0xFFFFFFFF) if low >> 32 == 0xFFFF and not high else ip_address(high << 64 | low))


def test_rows_add_attempts_up(both):
    """Counts by state, the surest with its mechanism, and frames that belong to attempts of the row."""
    judged, found, attempts = both
    verdicts, groups = judged.ledger.verdicts, defaultdict(list)
    for row in range(len(attempts)):
        what = attempts.name[row] or None, address(attempts, row), int(attempts.port[row])
        groups[*what, TRANSPORTS[attempts.transport[row]], int(attempts.time[row]) // BIN_NS].append(row)
    names = dict(zip(found.names.key.tolist(), found.names.text, strict=True)) | {None: None}
    meant = (
        found.servers.key.tolist(),
        zip(found.servers.text, found.servers.port, found.servers.transport, strict=True),
    )
    servers = dict(zip(*meant, strict=True))
    rows = found.rows.to_pylist()
    assert len(rows) == len(groups)
    for row in rows:
        server, port, transport = servers[row["service"]]
        assert transport == row["transport"]
        number = int(row["bin"].value) // BIN_NS
        group = groups.pop((names[row["name_key"]], server, port, transport, number))
        counts = Counter(STATES[attempts.state[one]] for one in group)
        assert {state: row[state] for state in STATES} == {state: counts[state] for state in STATES}
        assert row["unread"] == sum(attempts.unread[one] for one in group)
        surest = max(group, key=lambda one: (attempts.log_odds[one], -attempts.time[one]))
        code = verdicts.mechanism[attempts.row[surest]]
        assert row["mechanism"] == (verdicts.mechanisms[code] if code >= 0 else None)
        assert row["probability"] == verdicts.probability[attempts.row[surest]]
        assert row["log_odds"] == max(attempts.log_odds[group])
        firsts = {int(judged.ledger.first_frame[attempts.row[one]]): STATES[attempts.state[one]] for one in group}
        assert all(firsts[frame] == state for frame, state in zip(row["frames"], row["states"], strict=True))
        assert len(row["frames"]) == min(len(group), 3)
    assert not groups


def test_networks_and_places_are_told(both):
    """AS and country of servers by the table, of clients by it or their place, and networks that it does not know."""
    _, found, _ = both
    servers = dict(zip(found.servers.key.tolist(), found.servers.text, strict=True))
    for row in found.rows.to_pylist():
        assert (row["asn"], row["country"], row["place"]) == (64999, "FR", "home")
        known = [one for one in NETWORKS[:2] if ip_address(servers[row["service"]]) in one.prefix]
        assert (row["server_asn"], row["server_country"]) == (
            (known[0].asn, known[0].country or None) if known else (None, None)
        )
        assert row["site"] == known[0].asn if known else row["site"] < 0


def test_keys_are_equal_for_equals_and_else_not():
    """The same names and servers have the same numbers at every place, private ones only at their own."""
    judged = judge(FOLDER / "dns.injection.pcap.gz")
    seen = [Seen("c" * 32, judged, Facts.empty())]
    ask = [observed(seen, Place(name=name), KnownNetworks(), key, default_model()) for name, key in
           (("one", KEY), ("two", KEY), ("one", bytes(32)))]  # fmt: skip
    one, two, other = (table.rows for table in ask)
    assert one["name_key"].equals(two["name_key"])
    public = np.array([not ip_address(text).is_private for text in ask[0].servers.text])
    same = ask[0].servers.key == ask[1].servers.key
    documentation = np.array(
        [text.startswith(("192.0.2.", "198.51.100.", "203.0.113.")) for text in ask[0].servers.text]
    )
    assert np.array_equal(same, public | documentation)
    for column in ("name_key", "unit", "service", "site"):
        assert not set(one[column].drop_null().to_pylist()) & set(other[column].drop_null().to_pylist())


def test_no_name_and_no_address_is_in_a_row(both):
    """What is text in a row is known from a list: of places, transports, suffixes, mechanisms and states."""
    _, found, _ = both
    text = " ".join(str(value) for row in found.rows.to_pylist() for value in row.values() if isinstance(value, str))
    assert not [one for one in (*found.names.text, *found.servers.text) if one in text]
    assert {row["suffix"] for row in found.rows.to_pylist()} <= {"*.com", "*.net", "*.org", "*", None}


def test_captures_are_added_up_together_as_each_alone():
    """Rows and marks are those of each, and of numbers the most clients of any; nobody is another capture's company."""
    captures = []
    for name in ("tcp.reset", "dns.injection", "benign", "rate.policing", "dns.injection"):
        facts = [Facts.empty()]
        judged = judge(FOLDER / f"{name}.pcap.gz", look=lambda trace, facts=facts: facts.append(facts_of(trace)))
        captures.append(Seen(f"{len(captures):032}", judged, facts[-1]))

    def add_up(captures):
        return observed(captures, Place(asn=64999), KnownNetworks(), KEY, default_model())

    together, alone = add_up(captures), [add_up([one]) for one in captures]
    for table in ("rows", "marks"):
        one_by_one = [row for part in alone for row in getattr(part, table).to_pylist()]
        assert sorted(map(repr, getattr(together, table).to_pylist())) == sorted(map(repr, one_by_one))
    for kind in ("names", "servers", "values"):
        most = defaultdict(int)
        for meant in (getattr(part, kind) for part in alone):
            for key, text, clients in zip(meant.key.tolist(), meant.text, meant.clients.tolist(), strict=True):
                most[key, text] = max(most[key, text], clients)
        meant = getattr(together, kind)
        assert dict(zip(zip(meant.key.tolist(), meant.text, strict=True), meant.clients.tolist(), strict=True)) == most
        assert len(meant.key) == len(most)
