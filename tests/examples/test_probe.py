"""The manual's probe records its own test on the loopback interface and judges it, with and without an injector."""

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

ROOT = Path(__file__).resolve().parents[2]
PROBE = ROOT / "docs" / "examples" / "probe.py"
ALL_PROTOCOLS = 3  # ETH_P_ALL of linux/if_ether.h

pytestmark = pytest.mark.skipif(
    not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("tcpdump") and hasattr(socket, "AF_PACKET")),
    reason="recording on the loopback interface needs Linux, root and tcpdump",
)


class Pages(http.server.BaseHTTPRequestHandler):
    """A server that needs longer for a page than the injector for a reset, on a busy machine too."""

    def do_GET(self) -> None:
        """Answer."""
        time.sleep(0.4)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello\n" * 100)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[int]:
    """Serve pages on a port of the loopback interface."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as served:
        served.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield served.server_port
        served.shutdown()
        thread.join()


@pytest.fixture
def injector(server: int) -> Iterator[None]:
    """Forge a reset in the server's name whenever a request for /forbidden passes."""
    ended = threading.Event()

    def watch(tap: socket.socket, pen: socket.socket) -> None:
        while not ended.is_set():
            try:
                frame = tap.recv(65_536)
            except TimeoutError:
                continue
            if b"GET /forbidden" in frame and (packet := Ether(frame)).haslayer(TCP) and packet[TCP].dport == server:
                asked = packet[TCP]
                reset = IP(src="127.0.0.1", dst="127.0.0.1", ttl=102, id=4711) / TCP(
                    sport=asked.dport, dport=asked.sport, flags="RA", seq=asked.ack, ack=asked.seq + len(asked.payload)
                )
                pen.sendto(bytes(reset), ("127.0.0.1", 0))
                return

    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS)) as tap,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as pen,
    ):
        tap.bind(("lo", 0))
        tap.settimeout(0.1)
        thread = threading.Thread(target=watch, args=(tap, pen))
        thread.start()
        yield
        ended.set()
        thread.join()


def probe(url: str) -> list[str]:
    """Run the probe in a process of its own, and return its lines."""
    done = subprocess.run(
        [sys.executable, PROBE, url, "lo"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_page_that_comes_is_ok(server: int) -> None:
    """The probe records its own connection and finds nothing."""
    lines = probe(f"http://127.0.0.1:{server}/")
    assert lines[0] == f"http://127.0.0.1:{server}/: status 200"
    assert [line.split()[2:4] for line in lines if line.startswith("  flow")] == [["ok", "-"]]


@pytest.mark.usefixtures("injector")
def test_a_forged_reset_is_recognised(server: int) -> None:
    """Where a program only sees its connection end, the packets show that somebody else ended it."""
    lines = probe(f"http://127.0.0.1:{server}/forbidden")
    assert "Connection reset by peer" in lines[0]
    assert [line.split()[2:4] for line in lines if line.startswith("  flow")] == [["interfered", "tcp.reset"]]
