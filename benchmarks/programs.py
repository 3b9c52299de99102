"""Other programs and libraries on the same file: how long they need to read it or to list its connections."""

import itertools
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.watch import median_seconds, run_watched

__all__ = ["time_programs"]

RUNS = 3  # of each program; the median counts
COMMANDS = {
    "capinfos -c": ("capinfos", "-c"),
    "tcptrace -n": ("tcptrace", "-n"),
    "tshark -q -z conv,tcp": ("tshark", "-q", "-z", "conv,tcp", "-r"),
}


def time_programs(path: Path, packets: int, *, slice_of: int = 50_000) -> list[dict[str, Any]]:
    """Time every program that is installed.

    Args:
        path: The capture.
        packets: Packets in it.
        slice_of: Packets that the Python loops read; their time for the whole file is extrapolated.

    Returns:
        One entry each: name, seconds, packets, extrapolated, peak anonymous memory in bytes.
    """
    found = []
    for name, words in COMMANDS.items():
        if shutil.which(words[0]):
            command = [*words, str(path)]
            cost, seconds = run_watched(command), median_seconds(command, RUNS)
            found.append(
                {"name": name, "seconds": seconds, "packets": packets, "extrapolated": False,
                 "anonymous": cost.anonymous, "failed": cost.status != 0}
            )  # fmt: skip
    for name, loop, share in (("dpkt loop", dpkt_loop, 1), ("scapy loop", scapy_loop, 10)):
        count = min(packets, slice_of // share)
        begin = time.perf_counter()
        try:
            done = loop(path, count)
        except ImportError:
            continue
        seconds = time.perf_counter() - begin
        found.append(
            {"name": name, "seconds": seconds * packets / done, "packets": done, "extrapolated": done < packets,
             "anonymous": None, "failed": False}
        )  # fmt: skip
    return found


def dpkt_loop(path: Path, count: int) -> int:
    """Read *count* packets with dpkt down to TCP; the import is not timed apart."""
    import dpkt

    with path.open("rb") as file:
        return walk(
            itertools.islice(dpkt.pcap.Reader(file), count), lambda item: dpkt.ethernet.Ethernet(item[1]).data.data
        )


def scapy_loop(path: Path, count: int) -> int:
    """Read *count* packets with scapy."""
    import scapy.layers.inet
    import scapy.layers.l2  # (the reader knows link types only once their layers are loaded)
    from scapy.utils import PcapReader

    with PcapReader(str(path)) as reader:
        return walk(itertools.islice(reader, count), lambda packet: scapy.layers.inet.TCP in packet)


def walk(items: Any, touch: Callable[[Any], Any]) -> int:
    """Touch every item and count them."""
    done = 0
    for item in items:
        touch(item)
        done += 1
    return done
