"""The analyzer keeps the contract of all analyzers, finds what it is meant to find, and accuses nobody else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from netinterf_starttls import MaskedStarttls
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

import netinterf
from netinterf.capture import write_pcap

RAW_IP = 101
MASKED, OFFERED, SILENT = b"250 XXXXXXXA", b"250 STARTTLS", b"250 SIZE 35882577"
THREE = {"192.0.2.25": MASKED, "198.51.100.25": MASKED, "203.0.113.25": MASKED}


def talk(server: str, last: bytes, port: int) -> list[bytes]:
    """Greet a mail server that ends its answer to EHLO with *last*, and leave."""
    layer, client = (IPv6, "2001:db8::7") if ":" in server else (IP, "10.0.0.7")
    answer = b"250-mail.example\r\n250-PIPELINING\r\n" + last + b"\r\n"
    said = [(False, b"220 mail.example ESMTP\r\n"), (True, b"EHLO client.example\r\n"), (False, answer)]
    said += [(True, b"QUIT\r\n"), (False, b"221 Bye\r\n")]
    first = 7919 * port % 2**31  # connections of one host begin at numbers of their own
    told = [first, first + 900]  # the next number of client and server
    frames: list[bytes] = []

    def send(outbound: bool, flags: str, data: bytes = b"") -> None:
        ends = {"src": client, "dst": server} if outbound else {"src": server, "dst": client}
        ports = (port, 25) if outbound else (25, port)
        numbers = told if outbound else told[::-1]
        segment = TCP(sport=ports[0], dport=ports[1], flags=flags, seq=numbers[0], ack=numbers[1])
        head = layer(**ends) if layer is IPv6 else layer(id=len(frames) + 7 * port % 60_000, **ends)
        frames.append(bytes(head / segment / data))
        told[not outbound] += len(data) + ("F" in flags)

    send(True, "S")
    told[0] += 1
    send(False, "SA")
    told[1] += 1
    send(True, "A")
    for outbound, data in said:
        send(outbound, "PA", data)
    for outbound, flags in ((False, "FA"), (True, "FA"), (False, "A")):
        send(outbound, flags)
    return frames


def mail(servers: dict[str, bytes]) -> tuple[list[int], list[bytes]]:
    """Ask mail servers one after the other, 20 to 29 ms from packet to packet."""
    frames = [frame for place, server in enumerate(servers) for frame in talk(server, servers[server], 40_000 + place)]
    return [
        1_750_000_000_000_000_000 + 20_000_000 * place + place**2 % 9 * 1_000_000 for place in range(len(frames))
    ], frames


def trace_of(servers: dict[str, bytes]) -> netinterf.Trace:
    """Read such a capture."""
    times, frames = mail(servers)
    return netinterf.read(times=times, frames=frames, link_type=RAW_IP)


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture in which three networks' offers were overwritten."""
    path = tmp_path_factory.mktemp("mail") / "mail.pcap"
    write_pcap(path, *mail(THREE), RAW_IP)
    return path


def test_keeps_the_contract() -> None:
    """It is pure, names what is there, describes itself, and is silent where nobody masks."""
    benign = ["browsing", "benign.tcp.traffic", "benign.tcp.server-timeout"]
    quiet = [netinterf.simulate.run(name, 1) for name in [*benign, "tcp.data.generic-mail"]]
    read = [netinterf.read(times=one.times, frames=one.frames, link_type=one.link_type) for one in quiet]
    spared = trace_of({"192.0.2.25": OFFERED, "2001:db8:1::25": SILENT})
    netinterf.check_analyzer(MaskedStarttls(), [trace_of(THREE)], [*read, spared], complete=True)


@pytest.mark.parametrize(
    ("servers", "networks"),
    [
        ({"192.0.2.25": MASKED}, [1]),
        ({"192.0.2.25": MASKED, "192.0.2.26": MASKED}, [1, 1]),
        ({"192.0.2.25": MASKED, "2001:db8:1::25": MASKED}, [1, 1]),  # by another client: the one with the IPv6 address
        ({"192.0.2.25": MASKED, "203.0.113.25": SILENT}, [1]),
        ({"192.0.2.25": b"250-XXXXXXXX\r\n250 HELP", "203.0.113.25": MASKED}, [2, 2]),
        ({"192.0.2.25": MASKED, "203.0.113.25": OFFERED}, []),
        ({"192.0.2.25": b"250 XXXXXXXABLE", "203.0.113.25": b"250 XXXX"}, []),
    ],
)
def test_counts_networks_and_spares_who_was_offered(servers: dict[str, bytes], networks: list[int]) -> None:
    """Servers of one network count once; one offer that came through to the client ends all suspicion."""
    evidence = MaskedStarttls()(trace_of(servers))
    assert evidence.measured.values.tolist() == networks


def test_three_networks_are_found(masked: Path) -> None:
    """Named in a scan, it finds the overwritten packets; one network alone is no accusation."""
    result = netinterf.scan(masked, analyzers=["builtin", "masked_starttls"])
    flows = [verdict for verdict in result.findings if verdict.group is None]
    assert [(verdict.outcome, verdict.mechanism) for verdict in flows] == [("interfered", "tcp.data")] * 3
    assert [verdict.frames for verdict in flows] == [(6,), (17,), (28,)]
    assert [verdict.mechanism for verdict in netinterf.scan(masked).findings] == []


def test_one_network_is_no_accusation(tmp_path: Path) -> None:
    """A server's own firewall explains a single masked network."""
    write_pcap(tmp_path / "one.pcap", *mail({"192.0.2.25": MASKED, "192.0.2.26": MASKED}), RAW_IP)
    assert netinterf.scan(tmp_path / "one.pcap", analyzers=["masked_starttls"]).findings == ()


def test_the_command_asks_it_by_name(masked: Path) -> None:
    """The command finds the plugin by its entry point, beside the built-in analyzers."""
    words = ["scan", "--format", "jsonl", "--analyzers", "builtin,masked_starttls", str(masked)]
    done = subprocess.run([sys.executable, "-m", "netinterf", *words], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()[1:-1]]
    assert "starttls.masked" in {item["rule"] for verdict in found for item in verdict["evidence"]}
