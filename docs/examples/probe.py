"""Record one's own test, and judge it: ``python probe.py http://www.example.org/ [INTERFACE]``.

Recording needs tcpdump and the right to use it (root, or CAP_NET_RAW).
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.error import URLError
from urllib.parse import urlsplit

import netinterf

PORTS = {"http": 80, "https": 443}
PIECE = 1 << 16  # bytes read at a time, at most
GRACE = 0.5  # seconds of recording after the test: an injector's packets may be behind the end of a connection


def recorded(test: Callable[[], str], interface: str, expression: str) -> tuple[str, list[netinterf.Verdict]]:
    """Run a test while its packets are recorded; return what it says, and the verdicts about its traffic."""
    words = ["tcpdump", "-i", interface, "-n", "-p", "-U", "--immediate-mode", "-w", "-", expression]
    session = netinterf.Session(vantage="client", name=expression)
    with subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0) as tap, ThreadPoolExecutor(1) as pool:
        assert tap.stdout is not None
        header = tap.stdout.read(PIECE)  # comes when tcpdump has begun to listen
        if not header:
            raise OSError("tcpdump does not record; it has said why")
        verdicts = session.feed(header)
        told = pool.submit(run_and_stop, test, tap)
        while piece := tap.stdout.read(PIECE):  # read all the while: a full pipe would make tcpdump lose packets
            verdicts += session.feed(piece)
        return told.result(), verdicts + session.close()


def run_and_stop(test: Callable[[], str], tap: "subprocess.Popen[bytes]") -> str:
    """Run the test, wait for stragglers, and end the recording."""
    try:
        return test()
    finally:
        time.sleep(GRACE)
        tap.terminate()


def fetch(url: str) -> str:
    """Ask for a page; say how it went as a program without packets would."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return f"status {answer.status}"
    except (URLError, OSError) as cause:
        return f"failed: {cause}"


def main(url: str, interface: str = "any") -> None:
    """Fetch a page, and print what the program saw and what its packets say."""
    place = urlsplit(url)
    port = place.port or PORTS[place.scheme]
    told, verdicts = recorded(lambda: fetch(url), interface, f"port {port} or port 53")
    print(f"{url}: {told}")
    for verdict in verdicts:
        words = f"{verdict.outcome} {verdict.mechanism or '-'} {verdict.probability:.3f}"
        print(f"  {verdict.subject.kind} {verdict.subject.name or verdict.subject.server}: {words}")
        print(f"    {verdict.explanation}")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3} or urlsplit(sys.argv[1]).scheme not in PORTS:
        sys.exit(__doc__)
    main(*sys.argv[1:])
