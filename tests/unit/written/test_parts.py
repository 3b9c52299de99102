"""Parts of verdicts, written from columns, against the rows they come from."""

from pathlib import Path

import pytest

from netinterf import simulate
from netinterf.engine.judge import judge
from netinterf.schema import SubjectKind
from netinterf.written.ledger import Ledger
from netinterf.written.parts import QUERY_TYPES, address_of


@pytest.fixture(scope="module", params=[("benign.dns.anycast-sites", 701), ("tcp.reset", 2), ("dns.injection", 3)])
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Judge a capture; replies came in the first whose questions were not captured."""
    name, seed = request.param
    path: Path = tmp_path_factory.mktemp("captures") / "some.pcap"
    simulate.write(simulate.run(name, seed), path)
    return judge(path).ledger


def test_subjects_are_those_of_their_rows(ledger: Ledger) -> None:
    """Whoever asked whom for what, and how: read row by row."""
    table, flows, exchanges = ledger.verdicts, ledger.flows, ledger.exchanges
    for row in range(len(table)):
        subject, flow, own = ledger[row].subject, int(table.flow[row]), int(table.subject[row])
        assert subject.client == address_of(ledger.hosts, int(flows.client[flow]))
        assert subject.server == address_of(ledger.hosts, int(flows.server[flow]))
        ports = (int(flows.client_port[flow]), int(flows.server_port[flow]))
        ports = ports if flows.protocol[flow] in {6, 17} else (None, None)
        assert (subject.client_port, subject.server_port) == ports
        assert (subject.name or "") == table.name[row]
        exchange = table.subject_kind[row] == SubjectKind.EXCHANGE
        assert subject.query_id == (int(exchanges.id[own]) if exchange else None)
        asked = exchange and len(exchanges.queries[own]) > 0
        assert subject.query_type == (QUERY_TYPES[int(exchanges.kind[own])] if asked else None)


def test_evidence_is_that_of_its_rows(ledger: Ledger) -> None:
    """Rule, weight, frames and numbers of each observation, in the order of the table."""
    table, evidence = ledger.verdicts, ledger.evidence
    for row in range(len(table)):
        written = ledger[row].evidence
        places = table.evidence[row].tolist()
        assert [one.rule for one in written] == [evidence.rules[evidence.rule[place]].id for place in places]
        assert [one.llr for one in written] == table.weight[row].tolist()
        assert [list(one.frames) for one in written] == [ledger.witness[place].tolist() for place in places]
        for one, place in zip(written, places, strict=True):
            numbers = [None if value != value else value for value in evidence.measured[place].tolist()]  # noqa: PLR0124
            assert list(one.measured.values()) == numbers[: len(one.measured)]
