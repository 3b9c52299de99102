"""The resolver: answers queries over UDP from a table, with the temperament that its specification gives it.

A zone entry lists values by type, and: ``ttl``, ``code``, ``rotate`` (values shown at a time), ``alias``, ``delay``
(seconds of thought), ``drop`` (share of queries ignored), ``late`` (the first query is ignored), ``twice``.
"""

import json
import random
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.lab.programs.names import read_question, reply

__all__ = ["main"]


class Resolver:
    """One address that answers."""

    def __init__(self, address: str, zones: dict[str, Any], pause: float, seed: int) -> None:
        self.door = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.door.bind((address, 53))
        self.zones, self.pause = zones, pause
        self.rng = random.Random(seed)
        self.turns: dict[str, int] = {}

    def run(self) -> None:
        """Answer until the end."""
        while True:
            asked, whom = self.door.recvfrom(4096)
            name = read_question(asked)[0].lower()
            zone = self.zones.get(name, {"code": 3, "ttl": 300, "apex": name.split(".", 1)[-1]})
            turn = self.turns[name] = self.turns.get(name, -1) + 1
            if self.rng.random() < zone.get("drop", 0.0) or (zone.get("late") and turn == 0):
                continue
            delay = zone.get("delay", 0.0) + self.rng.expovariate(1 / self.pause)
            threading.Timer(delay, self.answer, (asked, whom, zone, turn)).start()

    def answer(self, asked: bytes, whom: Any, zone: dict[str, Any], turn: int) -> None:
        """Send an answer."""
        message = reply(asked, zone, turn)
        self.door.sendto(message, whom)
        if zone.get("twice"):
            time.sleep(0.002)
            self.door.sendto(message, whom)


def main(words: list[str] | None = None) -> int:
    """Run the resolver of a specification file; ``ready`` on standard output when it listens."""
    spec = json.loads(Path((words or sys.argv[1:])[0]).read_text(encoding="utf-8"))
    for address in spec["addresses"]:
        one = Resolver(address, spec["zones"], spec["pause"], spec["seed"])
        threading.Thread(target=one.run, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
