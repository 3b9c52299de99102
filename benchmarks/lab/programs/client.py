"""The client: runs errands, each a list of steps, and reports which ports they used and how they ended.

Steps: ``resolve``; ``connect``; ``tls``; ``get PATH``; ``response``; ``trickle BYTES SECONDS`` (a slow reader);
``read BYTES``; ``send HEX``; ``wait SECONDS``; ``shutdown``; ``close``; ``abort`` (reset); ``query NAME TYPE
{options}``; ``datagrams [HEX] SECONDS``; ``converse [HEX] SECONDS``, which sends the next when the last was answered or
the time is up.
"""

import contextlib
import json
import random
import re
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.lab.programs.names import addresses_of, query

__all__ = ["main"]

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


class Errand:
    """One errand under way."""

    def __init__(self, spec: dict[str, Any], place: int, begin: float, common: dict[str, Any]) -> None:
        self.spec, self.place, self.begin, self.common = spec, place, begin, common
        self.rng = random.Random(f"{common['seed']}/{place}")
        self.address: str = spec.get("address", "")
        self.plain: socket.socket | None = None
        self.talk: Any = None  # the socket, or TLS over it
        self.got = 0
        self.ports: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        """Do all steps; tell what happened."""
        time.sleep(max(self.begin + self.spec["at"] - time.monotonic(), 0))
        error = ""
        started = time.monotonic()
        try:
            for step, *words in self.spec["steps"]:
                getattr(self, step)(*words)
        except (OSError, ValueError) as failure:
            error = f"{step}: {type(failure).__name__}: {failure}"
        finally:
            with contextlib.suppress(OSError):
                self.close()
        return self.told(error, time.monotonic() - started)

    def told(self, error: str, took: float) -> dict[str, Any]:
        """Write the report."""
        return {"errand": self.place, "ports": self.ports, "error": error, "took": took, "bytes": self.got}

    def open(self, kind: socket.SocketKind, address: str, port: int) -> socket.socket:
        """Make a socket with a known local port."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        one = socket.socket(family, kind)
        one.settimeout(self.spec["patience"])
        own = self.common["six" if family == socket.AF_INET6 else "four"]
        if self.spec.get("local_port"):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind == socket.SOCK_STREAM:
            self.tune(one)
        one.bind((own, self.spec.get("local_port", 0)))
        self.ports.append({"local": own, "port": one.getsockname()[1], "remote": address, "remote_port": port,
                           "protocol": "tcp" if kind == socket.SOCK_STREAM else "udp"})  # fmt: skip
        return one

    def tune(self, one: socket.socket) -> None:
        """Set the options of a TCP socket."""
        options = self.spec.get("options", {})
        control = options.get("congestion", self.common["congestion"])
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control.encode())
        if "receive" in options:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receive"])
        if "keepalive" in options:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            for name, value in zip(names, options["keepalive"], strict=True):
                one.setsockopt(socket.IPPROTO_TCP, name, value)

    def resolve(self) -> None:
        """Look up the errand's name."""
        kind = "AAAA" if self.spec["family"] == 6 else "A"
        found = self.query(self.spec["name"], kind)
        if not found:
            raise ValueError("no address")
        self.address = found[0]

    def query(self, name: str, kind: str, options: dict[str, Any] | None = None) -> list[str]:
        """Ask the resolver over UDP; resend, with the same number and port if told so."""
        chosen = {"tries": 3, "gap": 1.5, "fresh": True, "edns": 1232, **(options or {})}
        where = chosen.get("server") or self.common["resolver"]
        one = self.open(socket.SOCK_DGRAM, where, 53)
        identifier = self.rng.randrange(1, 2**16)
        answer: list[str] = []
        for attempt in range(chosen["tries"]):
            if attempt and chosen["fresh"]:
                one.close()
                one = self.open(socket.SOCK_DGRAM, where, 53)
                identifier = self.rng.randrange(1, 2**16)
            one.settimeout(chosen["gap"])
            try:
                one.sendto(query(name, kind, identifier, chosen["edns"]), (where, 53))
                answer = addresses_of(one.recvfrom(4096)[0])
                time.sleep(chosen.get("linger", 0.0))
                break
            except TimeoutError:
                continue
        one.close()
        return answer

    def connect(self) -> None:
        """Open the connection."""
        self.plain = self.talk = self.open(socket.SOCK_STREAM, self.address, self.spec["port"])
        self.plain.connect((self.address, self.spec["port"]))

    def tls(self) -> None:
        """Shake hands, naming the errand's name."""
        context = ssl.create_default_context(cafile=self.common["authority"])
        if self.spec.get("trusting"):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.spec.get("visible"):  # up to version 1.2 certificates are sent in the clear
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.talk = context.wrap_socket(self.talk, server_hostname=self.spec["name"])

    def get(self, path: str) -> None:
        """Send a request."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.spec['name']}", f"User-Agent: {AGENT}", "Accept: */*",
                 "Accept-Language: en-US,en;q=0.5", "Connection: keep-alive", "", ""]  # fmt: skip
        self.talk.sendall("\r\n".join(lines).encode())

    def response(self, chunk: int = 65_536, pause: float = 0.0) -> None:
        """Read a whole HTTP response; the rest of the connection when it has no length."""
        text = b""
        while b"\r\n\r\n" not in text:
            piece = self.talk.recv(min(chunk, 4096))
            if not piece:
                raise ValueError("closed before the end of the head")
            text += piece
        head, _, body = text.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        left = int(found[1]) - len(body) if found else 1 << 40
        self.got += len(body)
        while left > 0:
            if pause:
                time.sleep(pause)
            piece = self.talk.recv(min(chunk, left))
            if not piece:
                if found:
                    raise ValueError("closed before the end of the body")
                return
            left -= len(piece)
            self.got += len(piece)

    trickle = response

    def read(self, size: int) -> None:
        """Read so many bytes, or to the end."""
        while size > 0:
            piece = self.talk.recv(min(size, 65_536))
            if not piece:
                return
            size -= len(piece)
            self.got += len(piece)

    def send(self, data: str) -> None:
        """Send bytes."""
        self.talk.sendall(bytes.fromhex(data))

    def wait(self, seconds: float) -> None:
        """Do nothing for a while."""
        time.sleep(seconds)

    def shutdown(self) -> None:
        """Say that no more will be sent."""
        self.talk.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the connection as the kernel does it."""
        if self.talk is not None:
            talk, self.talk = self.talk, None
            talk.close()

    def abort(self) -> None:
        """Close with a reset (SO_LINGER of zero)."""
        self.talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def datagram_socket(self, patience: float) -> socket.socket:
        """Open a socket that talks to the errand's host only, and waits some seconds for each answer."""
        one = self.open(socket.SOCK_DGRAM, self.address, self.spec["port"])
        one.connect((self.address, self.spec["port"]))
        one.settimeout(patience)
        return one

    def datagrams(self, messages: list[str], gap: float) -> None:
        """Send datagrams some seconds apart and take in what comes back; stop when something does."""
        with self.datagram_socket(gap) as one:
            for message in messages:
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    one.send(bytes.fromhex(message))
                    while True:
                        self.got += len(one.recv(4096))
        if not self.got:
            raise ValueError("no answer")

    def converse(self, messages: list[str], gap: float) -> None:
        """Send datagrams one after the other, each when something came back or the time is up."""
        with self.datagram_socket(gap) as one:
            for message in messages:
                one.send(bytes.fromhex(message))
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    self.got += len(one.recv(4096))


def main(words: list[str] | None = None) -> int:
    """Run the errands of a specification file and write the report."""
    spec = json.loads(Path((words or sys.argv[1:])[0]).read_text(encoding="utf-8"))
    begin = time.monotonic()
    errands = [Errand(one, place, begin, spec["common"]) for place, one in enumerate(spec["errands"])]
    reports: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda one=one: reports.append(one.run()), daemon=True) for one in errands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(begin + spec["limit"] - time.monotonic(), 0))
    told = {one["errand"] for one in reports}
    reports += [errand.told("unfinished", 0.0) for errand in errands if errand.place not in told]
    Path(spec["report"]).write_text(json.dumps(sorted(reports, key=lambda one: one["errand"])), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
