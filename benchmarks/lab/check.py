"""An independent look at a lab folder: is each label visible on the wire? tshark reads the captures, none of our code.

The two captures of a run say what was sent at one end and what came in at the other. So whatever came in and was never
sent was made on the path, and whatever was sent and never came in was lost or swallowed on it; the labels have to agree
with both, frame by frame.
"""

import concurrent.futures
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lab.check_frames import Capture, Frame, read, subjects
from benchmarks.lab.check_looks import LOOKS
from benchmarks.lab.check_mechanisms import SHOWN

__all__ = ["check", "problems_of"]

BAD = "0"  # what tshark calls a wrong checksum
BRIEF = ".brief"  # such captures end before all is to be seen
MINUS_ZERO = "0xffff"  # which is zero too in ones' complement; kernels send it now and then, tshark minds (RFC 1624)


def check(folder: Path, jobs: int = 2) -> list[str]:
    """Check every run of a folder.

    Args:
        folder: What the lab made.
        jobs: Runs looked at side by side.

    Returns:
        A sentence for every problem.
    """
    runs: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.pcap")):
        runs.setdefault(path.name.rsplit(".", 2)[0], []).append(path)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [line for found in pool.map(check_run, runs.values()) for line in found]


def check_run(paths: list[Path]) -> list[str]:
    """Check the captures of one run against each other."""
    captures = {capture.labels["vantage"]: capture for capture in map(read, paths)}
    empty = Capture("nothing", {"vantage": "server", "truths": []}, [], frozenset())
    client, server = captures.get("client", empty), captures.get("server", empty)
    found = [f"{client.name}: {says}" for says in coverage(client, server)]
    for own, other in ((client, server), (server, client)):
        found += [f"{own.name}: {says}" for says in problems_of(own, other)]
    return found


def coverage(client: Capture, server: Capture) -> Iterator[str]:
    """Check that the client's capture holds what the name of the scenario promises."""
    name = client.labels["scenario"]
    if name.endswith(BRIEF):
        return
    mechanisms = {truth["mechanism"] for truth in client.labels["truths"]} - {None}
    if not name.startswith("benign."):
        if not any(name.startswith(one) for one in mechanisms):
            yield f"nothing of the scenario's mechanism, only {sorted(mechanisms)}"
        return
    if mechanisms:
        yield f"a benign scenario with {sorted(mechanisms)}"
    affected = [one for one in subjects(client, server) if one.truth["confounder"]]
    if not affected:
        yield "no look-alike in it"
    for kind in {one.truth["confounder"] for one in affected}:
        if not LOOKS[kind](affected):
            yield f"nothing looks like {kind}"


def problems_of(own: Capture, other: Capture) -> Iterator[str]:
    """Hold one capture and its labels against the capture of the other end."""
    yield from origins(own, other)
    for one in subjects(own, other):
        truth = one.truth
        subject = f"{truth['kind']} {truth['client_port']}>{truth['server']}:{truth['server_port']}"
        if not one.frames or one.frames[0].number != truth["first_frame"]:
            yield f"{subject} does not begin at frame {truth['first_frame']}"
        for mechanism in (truth["mechanism"], *truth["also"]):
            if mechanism is not None and not own.labels["scenario"].endswith(BRIEF):
                yield from (f"{subject} {mechanism}: {says}" for says in SHOWN[mechanism](one))
        if truth["mechanism"] is None and truth["forged"]:
            yield f"{subject} is untouched but has forged frames"
        if truth["trigger"] and truth["trigger"] not in [frame.number for frame in one.frames]:
            yield f"{subject}: its trigger {truth['trigger']} is a frame of something else"


def origins(own: Capture, other: Capture) -> Iterator[str]:
    """Check that whatever came in was sent by the other end, and that nothing labelled forged was."""
    sent = other.sent()
    forged = {frame for truth in own.labels["truths"] for frame in truth["forged"]}
    repeats = any(truth["confounder"] == "path-duplicates" for truth in own.labels["truths"])
    counts: Counter[tuple[str, ...]] = Counter()
    for frame in own.frames:
        if frame.number not in forged and damaged(frame):
            yield f"frame {frame.number} is damaged"
        if frame.icmp:  # made by hosts and routers alike
            continue
        if not own.incoming(frame):
            if frame.number in forged:
                yield f"frame {frame.number} is labelled forged but left this host"
            continue
        counts[frame.key] += 1
        if frame.number in forged:
            if sent[frame.key]:
                yield f"frame {frame.number} is labelled forged but the other end sent it"
        elif not sent[frame.key]:
            yield f"frame {frame.number} was sent by nobody and is not labelled"
        elif counts[frame.key] > sent[frame.key] and not repeats:
            yield f"frame {frame.number} came in more often than it was sent"


def damaged(frame: Frame) -> bool:
    """Say whether tshark finds a fault in a frame."""
    if frame.icmp:  # it quotes packets in part
        return False
    wrong = any(frame.fields[name] == BAD for name in frame.fields if name.endswith("checksum.status"))
    return bool(frame.fields["_ws.malformed"]) or (wrong and frame.fields["tcp.checksum"] != MINUS_ZERO)
