"""The servers: web sites with and without TLS, and services with bad manners.

A path like ``/a-50000.bin`` draws 50,000 bytes. What else a service does is told by its options: ``pause`` before an
answer; ``pace`` [bytes, seconds] of an application-limited sender; ``status`` and ``location``; ``page``; ``idle``
seconds after which it ends the connection by ``idle_end``; ``break_after`` bytes of an answer and ``break_by``;
``silent``; ``deaf`` (never accepts) with ``backlog``; ``congestion``; ``banner`` and ``echo`` for other protocols.
Endings: ``close``, ``reset``, ``vanish`` (the connection is forgotten without a packet, as by a crashed host:
TCP_REPAIR), ``kill`` (the program dies).
"""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

__all__ = ["main"]

SIZE = re.compile(rb"-(\d+)\.")
TCP_REPAIR = 19  # linux/tcp.h
PIECE = 16_384


class Visit:
    """One accepted connection."""

    def __init__(self, sock: socket.socket, service: dict[str, Any], context: ssl.SSLContext | None) -> None:
        self.sock, self.service, self.context = sock, service, context
        self.talk: Any = sock

    def run(self) -> None:
        """Serve until either side has enough."""
        with contextlib.suppress(OSError, ValueError):
            if self.service.get("silent"):
                time.sleep(self.service.get("idle", 30.0))
            else:
                self.serve()
        with contextlib.suppress(OSError):
            self.talk.close()

    def serve(self) -> None:
        """Answer requests, or echo."""
        self.sock.settimeout(self.service.get("idle", 15.0))
        if self.context is not None:
            self.talk = self.context.wrap_socket(self.sock, server_side=True)
        if self.service.get("banner"):
            self.talk.sendall(bytes.fromhex(self.service["banner"]))
        while True:
            try:
                asked = self.talk.recv(PIECE)
            except TimeoutError:
                self.end(self.service.get("idle_end", "close"))
                return
            if not asked:
                for piece in range(self.service.get("afterwards", 0)):  # a half-closed connection is still served
                    self.talk.sendall(bytes([piece % 251]) * 1000)
                return
            if self.service.get("echo"):
                self.talk.sendall(asked)
            elif not self.answer(asked):
                return

    def answer(self, asked: bytes) -> bool:
        """Send one response; say whether the connection goes on."""
        time.sleep(self.service.get("pause", 0.0))
        found = SIZE.search(asked.split(b"\r\n", 1)[0])
        size = int(found[1]) if found else 2000
        status = self.service.get("status", "200 OK")
        body = self.service.get("page", "").encode() or os.urandom(min(size, 1 << 16))
        if not self.service.get("page"):
            body = (body * (size // max(len(body), 1) + 1))[:size]
        head = [f"HTTP/1.1 {status}", "Server: nginx", "Content-Type: text/html", f"Content-Length: {len(body)}"]
        head += [f"Location: {self.service['location']}"] if "location" in self.service else []
        message = "\r\n".join([*head, "Connection: keep-alive", "", ""]).encode() + body
        chunk, gap = self.service.get("pace", [len(message), 0.0])
        limit = self.service.get("break_after", 0)
        for place in range(0, len(message), chunk):
            if limit and place >= limit:
                self.end(self.service["break_by"])
                return False
            self.talk.sendall(message[place : place + chunk])
            if gap:
                time.sleep(gap)
        return not self.service.get("once")

    def end(self, how: str) -> None:
        """End the connection."""
        match how:
            case "reset":
                self.talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "vanish":
                self.talk.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        self.talk.close()


def listen(service: dict[str, Any], address: str) -> None:
    """Serve one address and port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    context = None
    if service.get("certificate"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(service["certificate"])
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if "congestion" in service:
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, service["congestion"].encode())
    door.bind((address, service["port"]))
    door.listen(service.get("backlog", 64))

    def accept() -> None:
        while not service.get("deaf"):
            sock, _ = door.accept()
            threading.Thread(target=Visit(sock, service, context).run, daemon=True).start()
        time.sleep(3600)

    threading.Thread(target=accept, daemon=True).start()


def serve_datagrams(service: dict[str, Any], address: str) -> None:
    """Answer the first datagram of each client with the given ones, further ones with the last; a mute service none."""
    door = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    door.bind((address, service["port"]))

    def answer() -> None:
        known = set()
        while True:
            _, whom = door.recvfrom(4096)
            for message in service["answers"][-1 if whom in known else 0 :]:
                door.sendto(bytes.fromhex(message), whom)
            known.add(whom)

    threading.Thread(target=answer, daemon=True).start()


def main(words: list[str] | None = None) -> int:
    """Run the services of a specification file; ``ready`` on standard output when all listen."""
    for service in json.loads(Path((words or sys.argv[1:])[0]).read_text(encoding="utf-8")):
        for address in service["addresses"]:
            (serve_datagrams if "answers" in service else listen)(service, address)
    print("ready", flush=True)
    signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
