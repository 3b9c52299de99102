"""The simulator held to its promises: all that is documented is played, bytes stay, tshark agrees; and its speed."""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np

from benchmarks.machine import write_json
from netinterf.simulate import Conditions, Simulated, run, scenarios, write
from netinterf.simulate.coverage import coverage
from netinterf.simulate.plays.traffic import traffic
from netinterf.simulate.scene import Scene

__all__ = ["digest", "digests", "run_simulator", "speed", "wire_problems"]

CHECKS = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
SUMS = "ip.checksum.status==0 or tcp.checksum.status==0 or udp.checksum.status==0"
BAD = f"_ws.malformed or (!icmp and !icmpv6 and ({SUMS}))"
"""What tshark should not find; packets quoted in ICMP errors are cut off, so their checksums cannot be right."""


def digest(played: Simulated) -> str:
    """Hash times, labels and bytes of a capture."""
    held = hashlib.sha256(json.dumps([played.times, played.lengths, played.labels.to_dict()]).encode())
    for frame in played.frames:
        held.update(frame)
    return held.hexdigest()


def digests(seed: int) -> dict[str, str]:
    """Hash every scenario at one seed."""
    return {play.name: digest(run(play.name, seed)) for play in scenarios()}


def changed(seed: int) -> list[str]:
    """List scenarios whose bytes differ between two processes with different hash seeds."""
    code = f"import json; from benchmarks.simulator import digests; print(json.dumps(digests({seed})))"
    told = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env={"PYTHONHASHSEED": str(number)})
        for number in (1, 2)
    ]
    first, second = (json.loads(one.communicate()[0]) for one in told)
    return [name for name in first if first[name] != second.get(name)]


def wire_problems(seed: int) -> dict[str, list[str]]:
    """Show scenarios to tshark, faithfully recorded; give what is malformed or wrongly summed, by scenario.

    Scenarios that hold damaged packets on purpose are left out.
    """
    found = {}
    with tempfile.TemporaryDirectory() as held:
        for place, play in enumerate(play for play in scenarios() if not play.damaged):
            path = Path(held) / "one.pcap"
            write(run(play.name, seed, Conditions.clean(ip=6 if place % 3 == 0 else 4)), path)
            lines = tshark(path, BAD)
            if lines:
                found[play.name] = lines
    return found


def tshark(path: Path, wanted: str) -> list[str]:
    """List the frames that match a display filter."""
    words = ["tshark", "-r", str(path), *CHECKS, "-Y", wanted]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()


def recognised(seed: int) -> dict[str, int]:
    """Count what tshark makes of handshakes and retransmissions in ordinary traffic at a server."""
    with tempfile.TemporaryDirectory() as held:
        path = Path(held) / "one.pcap"
        played = run("benign.tcp.traffic", seed, Conditions.clean(vantage="server"))
        write(played, path)
        return {
            "SYN": len(tshark(path, "tcp.flags.syn==1 and tcp.flags.ack==0")),
            "SYN/ACK": len(tshark(path, "tcp.flags.syn==1 and tcp.flags.ack==1")),
            "retransmissions": len(tshark(path, "tcp.analysis.retransmission")),
            "fast retransmissions": len(tshark(path, "tcp.analysis.fast_retransmission")),
            "ACKs of unseen segments": len(tshark(path, "tcp.analysis.ack_lost_segment")),
            "packets": len(played.frames),
        }


def speed(packets: int) -> dict[str, float]:
    """Time the simulation of ordinary traffic: downloads over lossy paths, visits, lookups.

    Returns:
        Packets made, and seconds of one core for everything from the first draw to the last byte.
    """
    begin = time.process_time()
    scene = Scene("traffic", 1, Conditions.clean(vantage="client"), np.random.default_rng(1))
    traffic(scene, packets)
    made = len(scene.finish().frames)
    seconds = time.process_time() - begin
    return {"packets": made, "seconds": seconds, "seconds_per_million": seconds * 1e6 / made}


def run_simulator(*, seed: int = 1, packets: int = 1_000_000, out: Path | None = None) -> dict[str, Any]:
    """Check everything, print and write.

    Args:
        seed: Seed of the scenarios.
        packets: Packets of the speed run.
        out: Where to write JSON.
    """
    found, plays = coverage(), scenarios()
    families = Counter(play.family for play in plays)
    print(f"{len(plays)} scenarios: " + ", ".join(f"{name} {count}" for name, count in families.items()))
    pairs, causes = len(found.systems), len(found.confounders)
    gaps = ", ".join(found.gaps()) or "none"
    print(f"documented: {pairs} systems by mechanism, {causes} look-alikes; not played: {gaps}")
    differing = changed(seed)
    print(f"bytes differ between two processes: {', '.join(differing) or 'none'}")
    problems: dict[str, list[str]] = {}
    if which("tshark"):
        problems = wire_problems(seed)
        print(f"scenarios in which tshark finds malformed or wrongly summed packets: {len(problems)}")
        for name, lines in problems.items():
            print(f"  {name}: {len(lines)}, first {lines[0].strip()}")
        print("ordinary traffic as tshark reads it:", recognised(seed))
    else:
        print("tshark is not installed: the wire was not checked")
    timed = speed(packets)
    print(f"{timed['packets']:,} packets in {timed['seconds']:.1f} s, {timed['seconds_per_million']:.1f} s per million")
    results = {
        "scenarios": len(plays), "families": dict(families), "gaps": list(found.gaps()), "differing": differing,
        "wire": problems, "speed": timed,
    }  # fmt: skip
    if out is not None:
        write_json(out, {"benchmark": "simulator", **results})
    return results
