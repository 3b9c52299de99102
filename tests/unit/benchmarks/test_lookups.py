"""The capture that DNS speed is measured on: every lookup is one exchange of two sound messages."""

from pathlib import Path

from benchmarks.lookups import write_lookups
from netinterf.schema import ParseError
from netinterf.trace import read


def test_every_lookup_is_an_exchange(tmp_path: Path) -> None:
    """As many exchanges as lookups, each with a query and a reply that could be read, in the order of time."""
    path = tmp_path / "lookups.pcap"
    assert write_lookups(path, lookups=500) == 1000
    trace = read(path)
    assert len(trace.packets) == len(trace.dns) == 1000
    assert set(trace.dns.error.tolist()) == {ParseError.NONE}
    assert trace.exchanges.queries.lengths.tolist() == trace.exchanges.replies.lengths.tolist() == [1] * 500
    assert (trace.packets.time[1:] >= trace.packets.time[:-1]).all()
    assert len(trace.answers) > 500
