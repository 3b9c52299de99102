import pytest

from benchmarks.matching import accused, gather, match, pair
from tests.unit.benchmarks.helpers import row, verdict


def test_orientation_does_not_matter() -> None:
    """A verdict that took the server for the client is matched all the same."""
    turned = verdict(client="192.0.2.1", client_port=443, server="10.0.0.1", server_port=1000)
    assert pair([row()], [turned]) == {0: 0}


def test_reused_ports_are_told_apart_by_the_first_frame() -> None:
    """Two connections with the same ends go to the nearest frames, one to one."""
    rows = [row(first_frame=100), row(first_frame=5)]
    assert pair(rows, [verdict(first_frame=1), verdict(first_frame=90)]) == {0: 1, 1: 0}
    assert pair(rows, [verdict(first_frame=7)]) == {1: 0}


def test_tcp_and_quic_between_the_same_ports_are_two_flows() -> None:
    """The protocol decides where addresses and ports are the same."""
    rows = [row(protocol="udp"), row(protocol="tcp")]
    assert pair(rows, [verdict(protocol="tcp"), verdict(protocol="udp")]) == {0: 1, 1: 0}


def test_exchanges_are_told_apart_by_their_question() -> None:
    """One port may carry several questions: name, type and identifier decide before the frame does."""
    rows = [
        row(kind="exchange", name="x.example", query_type=kind, query_id=number, first_frame=9)
        for kind, number in (("A", 1), ("AAAA", 28))
    ]
    said = [
        verdict(kind="exchange", name="x.example", query_type="AAAA", query_id=28, first_frame=9),
        verdict(kind="exchange", name="x.example", query_type="A", query_id=1, first_frame=50),
        verdict(kind="exchange", name="other.example", query_type="A", query_id=1, first_frame=9),
    ]
    assert pair(rows, said) == {0: 1, 1: 0}


def test_dns_over_tcp_may_be_answered_by_its_flow() -> None:
    """Where no exchange has a verdict, that of the flow which carried it stands for it."""
    asked = row(kind="exchange", name="x.example")
    assert pair([asked], [verdict()]) == {0: 0}
    assert pair([asked], [verdict(), verdict(kind="exchange", name="x.example")]) == {0: 1}


def test_a_series_is_one_unit() -> None:
    """Probes of one server and name count once; any member's verdict or a group's speaks of them."""
    rows = [row("tcp.drop", client_port=port, series=True) for port in (1000, 1001, 1002)]
    group = verdict("tcp.drop", kind="group", by="name", name="example", client=None, server=None)
    units = gather(rows)
    assert units == [(0, 1, 2)]
    assert match(rows, units, [group]) == [[group]]
    assert len(match(rows, units, [verdict("tcp.drop", client_port=1002)])[0]) == 1
    assert match(rows, units, [verdict("tcp.drop", client_port=7)]) == [[]]


@pytest.mark.parametrize("interfered", [True, False])
def test_a_group_accuses_an_untouched_series_only_where_it_holds_nobody_interfered(interfered: bool) -> None:
    """Its verdict says how many of its members were: the others are not accused by it."""
    quiet = row(client_port=1000, series=True)
    rows = [quiet, *([row("tcp.drop", client_port=1001)] if interfered else [])]
    group = verdict("tcp.drop", kind="group", by="name", name="example", client=None, server=None)
    assert match(rows, gather(rows)[:1], [group]) == [[] if interfered else [group]]


def test_a_capture_labelled_as_a_whole_hears_every_verdict() -> None:
    """Any verdict of the capture answers it."""
    rows = [row("rate.policing", kind="capture")]
    assert match(rows, gather(rows), [verdict(), verdict(client_port=5)]) == [[verdict(), verdict(client_port=5)]]


def test_flows_of_unknown_truth_make_no_unit() -> None:
    """They are matched, so that no other label takes their verdict, but not scored."""
    assert gather([row(), row(scored=False)]) == [(0,)]


@pytest.mark.parametrize(
    ("grade", "said"),
    [("confirmed", ("tcp.reset", "tcp.drop")), ("likely", ("tcp.reset", "tcp.drop")), ("possible", ())],
)
def test_only_interfered_verdicts_accuse(grade: str, said: tuple[str, ...]) -> None:
    """A possible verdict is a hint; the mechanisms beside the first are accusations too."""
    assert accused(verdict(grade=grade, also=["tcp.drop"])) == said
