"""What shells and notebooks show of an object: one short line, and HTML in which nothing that packets said is alive."""

import re
from collections.abc import Callable

import pytest

import netinterf
from netinterf import simulate
from netinterf.capture import write_pcap

HOSTILE = b"<img>\x1b[2J\x07"
"""What a page would obey, and a terminal."""

Shown = dict[str, object]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Judge a site whose name is hostile, and show all that comes of it."""
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("<b>shown")
    played = simulate.run("tcp.reset", 1)
    write_pcap(folder / "plain.pcap", played.times, played.frames, played.link_type)
    trace = netinterf.read(folder / "plain.pcap")
    label = max((host.split(".")[0] for host in trace.tls.name), key=len).encode()
    hostile = (HOSTILE * 9)[: len(label)]
    frames = [frame.replace(label, hostile) for frame in played.frames]
    write_pcap(folder / "x.pcap", played.times, frames, played.link_type)
    result, campaign = netinterf.scan(folder / "x.pcap"), netinterf.Campaign(folder / "store")
    campaign.collect([folder / "x.pcap"], place="near")
    trace = netinterf.read(folder / "x.pcap")
    return {
        "result": result,
        "judged": result.judged[0],
        "verdict": result.findings[0],
        "verdicts": result.verdicts,
        "trace": trace,
        "packets": trace.packets,
        "names": trace.tls,
        "comparison": netinterf.compare(result, folder / "plain.pcap"),
        "campaign": campaign,
        "report": campaign.report(),
    }


def test_a_shell_shows_one_line(shown: Shown) -> None:
    """It names what it is and how much of it there is, and fits into two lines of a terminal."""
    for name, value in shown.items():
        text = repr(value)
        assert text.isprintable(), name
        assert 10 < len(text) < 240, (name, text)


def test_a_notebook_shows_nothing_that_is_alive(shown: Shown) -> None:
    """Only the tags of tables, lists and paragraphs are there, whatever a host calls itself."""
    told: dict[str, str] = {name: write() for name, value in shown.items() if (write := html_of(value)) is not None}
    assert {"result", "verdict", "verdicts", "trace", "packets", "comparison", "report"} <= set(told)
    for name, html in told.items():
        tags = set(re.findall(r"<(/?\w+)", html))
        assert {tag.strip("/") for tag in tags} <= {"table", "thead", "tbody", "tr", "th", "td", "p"}, name
        assert html.replace("\n", "").isprintable(), name
    assert any("&lt;img" in html for html in told.values())


def html_of(value: object) -> Callable[[], str] | None:
    """Give what writes an object for a notebook, where something does."""
    return getattr(value, "_repr_html_", None)
