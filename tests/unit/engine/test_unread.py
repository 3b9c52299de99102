"""Judgement of what lies in tunnels, and of what was not read: verdicts of the inside, no accusation for nonsense."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

import netinterf
from netinterf import simulate
from netinterf.capture import Listing, write_pcap
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged, judge_trace
from netinterf.engine.large import judge_large
from netinterf.engine.options import Options

LINK = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
OUTER = LINK / IP(src="10.9.9.1", dst="10.9.9.2")
TUNNELS = {
    "vxlan": bytes(OUTER / UDP(sport=50001, dport=4789) / VXLAN(flags=8, vni=7)),
    "geneve": bytes(OUTER / UDP(sport=50001, dport=6081) / GENEVE(vni=7, proto=0x6558)),
    "gtp": bytes(OUTER / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=5, E=1) / GTPPDUSessionContainer(QFI=3)),
}


def wrapped(played: simulate.Simulated, tunnel: str) -> list[bytes]:
    """Put every frame into a tunnel, as a mirror or a mobile network's gateway does."""
    head, frames = TUNNELS[tunnel], []
    for frame in played.frames:
        inside = frame[14:] if tunnel == "gtp" else frame
        whole = bytearray(head + inside)
        for at, size in ((16, len(whole) - 14), (38, len(whole) - 34)):
            whole[at : at + 2] = size.to_bytes(2, "big")
        if tunnel == "gtp":
            whole[44:46] = (len(whole) - 50).to_bytes(2, "big")
        frames.append(bytes(whole))
    return frames


def told(judged: Judged) -> list[tuple[object, ...]]:
    """List what was concluded of whom."""
    return [
        (
            verdict.subject.client,
            verdict.subject.name,
            verdict.outcome,
            verdict.mechanism,
            round(verdict.probability, 9),
        )
        for verdict in judged.ledger
    ]


@pytest.mark.parametrize("tunnel", TUNNELS)
@pytest.mark.parametrize("scenario", ["tcp.reset", "dns.injection"])
def test_a_mirror_shows_what_the_line_shows(tunnel: str, scenario: str) -> None:
    """Verdicts of a capture inside a tunnel are those of the capture."""
    played = simulate.run(scenario, 3)
    plain = netinterf.read(times=played.times, frames=played.frames, link_type=1)
    inside = netinterf.read(times=played.times, frames=wrapped(played, tunnel), link_type=1)
    assert told(judge_trace(plain, "x")) == told(judge_trace(inside, "x"))
    assert any(outcome == "interfered" for _, _, outcome, _, _ in told(judge_trace(inside, "x")))
    assert not [note for note in inside.diagnostics if note.code.startswith("decode.")]


def test_claims_of_more_than_there_is_accuse_nobody() -> None:
    """One data packet of every server claims 4,096 bytes more than its frame held: that was called policing."""
    played = simulate.run("benign.tcp.traffic", 5)
    plain = netinterf.read(times=played.times, frames=played.frames, link_type=played.link_type)
    frames, packets = list(played.frames), plain.packets
    for flow in np.flatnonzero(plain.flows.protocol == 6):
        rows = plain.by_flow[flow]
        rows = rows[(packets.outbound[rows] == 0) & (packets.version[rows] == 4)]
        if len(rows) > 4:
            place, at = int(packets.frame[rows[3]]) - 1, int(packets.ip_at[rows[3]]) + 2
            claimed = int.from_bytes(frames[place][at : at + 2], "big") + 4096
            frames[place] = frames[place][:at] + claimed.to_bytes(2, "big") + frames[place][at + 2 :]
    file = io.BytesIO()
    write_pcap(file, played.times, frames, played.link_type)
    trace = netinterf.read(file.getvalue())
    (note,) = (note for note in trace.diagnostics if note.code == "decode.overstated")
    assert note.count == sum(a != b for a, b in zip(frames, played.frames, strict=True)) > 0
    assert judge_trace(plain, "x").summary.outcomes["interfered"] == 0
    assert judge_trace(trace, "x").summary.outcomes["interfered"] == 0
    cut = netinterf.read(times=played.times, frames=frames, link_type=played.link_type)
    assert not cut.diagnostics  # frames in memory do not tell how long they were: whoever has them may have cut them


@pytest.mark.captures
def test_a_damaged_length_is_no_silence(captures_dir: Path) -> None:
    """Two lengths that were overwritten made a conversation with a controller look silenced (`tcp.drop`)."""
    judged = judge(str(captures_dir / "hostile" / "zeek-zeek" / "modbus__fuzz-72.pcap"))
    assert {note.code: note.count for note in judged.summary.diagnostics}["decode.overstated"] == 2
    assert judged.summary.outcomes["interfered"] == 0


def odd_frames(played: simulate.Simulated) -> tuple[list[int], list[bytes]]:
    """Put one of each odd frame behind every frame of a simulation."""
    head = bytes(LINK)[:12]
    odd = [
        bytes(LINK / ARP(hwsrc="02:00:00:00:00:01")),
        head + b"\x88\xe5" + bytes(50),
        head + b"\x99\x99" + bytes(50),
        b"",
    ]
    odd += [bytes(OUTER / UDP(sport=5, dport=4789) / VXLAN(flags=8) / Raw(odd[0]))]
    frames = [one for frame in played.frames for one in (frame, *odd)]
    return np.repeat(np.asarray(played.times), 1 + len(odd)).tolist(), frames


def counted(judged: Judged) -> Counter[tuple[str, str]]:
    """Count what was not read, by code and words."""
    notes = [note for note in judged.summary.diagnostics if note.code.startswith("decode.")]
    return Counter({(note.code, note.message): note.count for note in notes})


def test_windows_and_shards_count_what_the_whole_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of frames without a conversation a session counts each once; a capture in shards counts all."""
    played = simulate.run("tcp.reset", 1)
    times, frames = odd_frames(played)
    path = tmp_path / "odd.pcap"
    write_pcap(path, times, frames, 1)
    whole = counted(judge(str(path)))
    assert [code for code, _ in whole] == [
        "decode.no_ip",
        "decode.unread",
        "decode.unread",
        "decode.tunnel",
        "decode.empty",
    ]
    assert set(whole.values()) == {len(played.frames)}
    with netinterf.Session(max_packets=len(frames) // 5) as session:
        session.feed(path.read_bytes())
        session.close()
        windows = counted(session.judged)
    loose = {key: count for key, count in whole.items() if key[0] != "decode.tunnel"}
    assert {key: windows[key] for key in loose} == loose
    assert set(windows) == set(whole)
    listing = Listing(str(path))
    parts = judge_large(listing, listing.parts(), Options(), str(path), room=len(frames) // 4)
    assert counted(parts) == whole
