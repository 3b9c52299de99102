"""A scan takes whatever `read` takes, and says the same of it."""

import io
from pathlib import Path

import attrs
import pytest
from scapy.layers.l2 import Ether
from scapy.utils import rdpcap

import netinterf
from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.decode.link_types import LINK_TYPES, link_number
from netinterf.engine.scan import Result, scan, scan_each
from netinterf.errors import NetinterfError, ParameterError
from netinterf.written.record import Verdict


@pytest.fixture(scope="module")
def played() -> simulate.Simulated:
    """A capture with forged resets."""
    return simulate.run("tcp.reset", 1)


@pytest.fixture(scope="module")
def path(played: simulate.Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a file."""
    file = tmp_path_factory.mktemp("sources") / "reset.pcap"
    write_pcap(file, played.times, played.frames, played.link_type)
    return file


def told(result: Result) -> list[Verdict]:
    """Give all verdicts, whatever the capture is called."""
    return [attrs.evolve(verdict, capture="") for verdict in result.verdicts]


def test_what_is_in_memory_is_judged_like_a_file(played: simulate.Simulated, path: Path) -> None:
    """Bytes, file objects, frames, and a list of those beside paths."""
    expected, content = told(scan(path)), path.read_bytes()
    frames = {"times": played.times, "frames": played.frames, "link_type": played.link_type}
    for result in (scan(content), scan(io.BytesIO(content)), scan(**frames)):
        assert told(result) == expected
    several = scan([path, content, str(path.parent)])
    assert [summary.capture for summary in several.captures] == [str(path), "bytes", str(path)]
    assert told(several) == expected * 3
    assert [type(one) for one in scan_each([content, b"junk"])] == [netinterf.Judged, type(scan(b"junk").errors[0])]


def test_packets_of_scapy_are_judged(path: Path) -> None:
    """Their times have microseconds at best, so that weights may differ in the last digits."""
    packets = rdpcap(str(path))
    mine, theirs = scan(path), scan(packets)
    assert [one.outcome for one in mine.verdicts] == [one.outcome for one in theirs.verdicts]
    assert [one.mechanism for one in mine.findings] == [one.mechanism for one in theirs.findings]
    assert scan([Ether()]).captures[0].packets == 1


def test_nothing_of_it_is_a_file(path: Path) -> None:
    """It cannot be joined or read again, and says so."""
    content = path.read_bytes()
    result = scan(content)
    with pytest.raises(ParameterError, match="file"):
        result.extract(result.findings[0], io.BytesIO())
    with pytest.raises(ParameterError, match="join"):
        scan([content, path], join=True)


@pytest.mark.parametrize("wrong", [5, [5], None, [b"", 5], {"times": [0]}])
def test_other_sources_are_refused(wrong: object) -> None:
    """With an error of the library that says what is taken."""
    with pytest.raises(NetinterfError):
        scan(**wrong) if isinstance(wrong, dict) else scan(wrong)  # type: ignore[arg-type]


def test_link_types_have_names() -> None:
    """Those of the registry, in either case, with or without what stands in front."""
    for number, name in LINK_TYPES.items():
        assert LINK_TYPES[link_number(name)] == name
        assert link_number(number) == number
    assert link_number("linktype_raw") == link_number("DLT_RAW") == 101
    assert link_number("EN10MB") == 1
    with pytest.raises(ParameterError, match="ETHERNET"):
        link_number("token ring")
