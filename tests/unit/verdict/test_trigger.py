"""Which name is blamed: the one that was asked for before the first forged packet."""

import numpy as np
import pytest

from netinterf.analyzers.run import analyze
from netinterf.schema import Evidence, TriggerKind
from netinterf.trace import Trace
from netinterf.verdict.subjects import list_subjects
from netinterf.verdict.trigger import last_request_before
from tests.analyzers.talk import Talk

HOSTS = ("first.example", "second.example", "third.example")


def kept_open(struck: int) -> Trace:
    """Ask for three hosts in one connection; a reset that came too early follows the request in place *struck*."""
    talk = Talk()
    talk.healthy(-1000)
    now = talk.open()
    said, heard = 101, 901
    for place, host in enumerate(HOSTS):
        request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        talk.send("C", "PA", said, heard, at=now + 1, data=request)
        said += len(request)
        if place == struck:
            talk.send("S", "RA", heard, said, at=now + 5, ttl=61, stamped=False)
        talk.send("S", "PA", heard, said, at=now + 101, data=answer)
        heard += len(answer)
        talk.send("C", "A", said, heard, at=now + 101.1)
        now += 200
    return talk.trace()


def named(trace: Trace, evidence: Evidence) -> tuple[str, int]:
    """Give the name of the connection, and what kind of name it is."""
    subjects = list_subjects(trace, evidence)
    row = int(np.flatnonzero(trace.flows.client_port == 40000)[0])
    place = int(subjects.by_flow[row])
    return subjects.name[place], int(subjects.named_by[place])


@pytest.mark.parametrize("struck", range(3))
def test_the_last_host_before_the_forged_packet_is_blamed(struck: int) -> None:
    """A box lets the first requests of a connection pass and strikes at a later one."""
    trace = kept_open(struck)
    assert named(trace, analyze(trace)) == (HOSTS[struck], TriggerKind.HTTP_HOST)


def test_without_evidence_the_first_host_is_the_name() -> None:
    """Nothing was forged: the connection is called by what it was opened for."""
    trace = kept_open(3)
    assert named(trace, Evidence.empty())[0] == HOSTS[0]


def test_asked_before_against_a_loop() -> None:
    """For every packet, the obvious way."""
    trace = kept_open(3)
    http, flows = trace.http, len(trace.flows)
    request = np.flatnonzero(http.host.lengths > 0)
    for row in range(len(trace.packets) + 1):
        told = last_request_before(trace, request, np.full(flows, -1), np.full(flows, row))
        for flow in range(flows):
            before = [int(one) for one in request if http.flow[one] == flow and http.packet[one] < row]
            assert told[flow] == (before[-1] if before else -1)
