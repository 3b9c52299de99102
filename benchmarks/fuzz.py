"""Coverage-guided fuzzing of the DNS parser: ``python -m benchmarks fuzz --seconds 600`` (needs atheris).

An input is a few DNS messages, each behind its length. They are read side by side and one by one, which must be the
same. One input in eight goes the whole way from packets to verdicts, and dnspython must agree where it accepts them.
Inputs begin with messages of the simulator and of captures.
"""

import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType

import numpy as np

from benchmarks.dns_check import Agreement, messages, with_dnspython
from netinterf.errors import NetinterfError
from netinterf.protocols import dns, dns_exchanges, dns_messages, dns_names, svcb
from netinterf.protocols.dns_messages import parse_messages
from netinterf.trace import Trace, read

__all__ = ["check", "pack", "run", "unpack"]

MOST, LONGEST = 6, 2000  # messages of an input, and bytes of each
RAW_IP = 101
SEEDS = (
    "dns.injection",
    "dns.injection.iran-2023",
    "dns.forged.iran",
    "benign.dns.many-types",
    "benign.dns.large-answers",
    "benign.dns.truncation",
    "benign.dns.trailing-bytes",
    "benign.dns.link-local-names",
)
ONE_IN = 8
"""Inputs of which one goes the whole way, which takes as long as the other seven."""

ROUND = 60
"""Seconds after which a new process goes on."""


def pack(messages: Sequence[bytes]) -> bytes:
    """Write messages behind their lengths."""
    return b"".join(struct.pack(">H", len(one)) + one for one in messages)


def unpack(data: bytes) -> list[bytes]:
    """Read messages behind lengths; the last may be shorter than it says."""
    found, at = list[bytes](), 0
    while at + 2 <= len(data) and len(found) < MOST:
        (length,) = struct.unpack_from(">H", data, at)
        length = min(length, LONGEST)
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def check(data: bytes) -> None:
    """Hold one input against everything that must be so.

    Raises:
        AssertionError: It is not.
    """
    messages = unpack(data)
    if not messages:
        return
    together = table(messages)
    for place, one in enumerate(messages):
        assert table([one])[0] == together[place], (one, place)
    if sum(data) % ONE_IN == 0:
        trace = exchanged(messages)
        compared(trace)
        judged(trace)


def table(messages: Sequence[bytes]) -> list[tuple[object, ...]]:
    """Read messages side by side; what was read of each, in plain values."""
    lengths = np.array([len(one) for one in messages], np.int64)
    starts = np.cumsum(lengths) - lengths
    parsed, answers = parse_messages(np.frombuffer(b"".join(messages), np.uint8), starts, lengths, lengths)
    assert len(parsed) == len(messages)
    columns = ("id", "flags", "kind", "qclass", "opt", "extended_error", "trailing", "error", "error_at")
    found = list[tuple[object, ...]]()
    for row in range(len(messages)):
        mine = np.flatnonzero(answers.message == row).tolist()
        records = [(answers.kind[one], answers.ttl[one], answers.low[one], answers.owner.bytes(one),
                    answers.target.bytes(one)) for one in mine]  # fmt: skip
        found.append((*(getattr(parsed, name)[row] for name in columns), parsed.raw_name.bytes(row), *records))
    return found


def exchanged(messages: Sequence[bytes]) -> Trace:
    """Put messages into packets between one client and one server, replies by their QR bit."""
    frames = []
    for one in messages:
        reply = len(one) > 2 and one[2] & 0x80
        near, far = (b"\xc6\x33\x64\x07", 40_000), (b"\x08\x08\x08\x08", 53)
        source, target = (far, near) if reply else (near, far)
        udp = struct.pack(">HHHH", source[1], target[1], 8 + len(one), 0) + one
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 7, 0, 64, 17, 0, source[0], target[0])
        frames.append(head + udp)
    return read(times=[10**18 + 10**7 * place for place in range(len(frames))], frames=frames, link_type=RAW_IP)


def compared(trace: Trace) -> None:
    """Ask dnspython, too, about queries and replies (opcode 0)."""
    agreed = Agreement()
    for row, wire in messages(trace).items():
        if trace.dns.flags[row] >> 11 & 15 == 0:
            with_dnspython(trace, row, wire, "input", agreed)
    assert not agreed.differing, agreed.differing


def judged(trace: Trace) -> None:
    """Go the whole way to verdicts in words."""
    import netinterf

    evidence = netinterf.analyze(trace)
    for verdict in netinterf.explain(netinterf.classify(evidence, trace), evidence, trace):
        assert verdict.explanation


def seeds(folder: Path | None) -> Iterator[bytes]:
    """Give inputs to begin with: neighbouring messages of simulated captures, and of those in a folder."""
    from netinterf.capture import find_captures
    from netinterf.simulate import run as play

    for name in SEEDS:
        made = play(name, 1)
        yield from groups(read(times=made.times, frames=made.frames, link_type=made.link_type))
    for path in () if folder is None else find_captures(str(folder)).captures:
        try:
            yield from groups(read(path))
        except NetinterfError:
            continue


def groups(trace: Trace) -> Iterator[bytes]:
    """Give the first messages of a capture, three at a time."""
    table = trace.dns
    rows = np.flatnonzero(table.at >= 0)[:60].tolist()
    wires = [trace.buffer[table.at[row] : table.at[row] + table.length[row]].tobytes() for row in rows]
    yield from (pack(wires[place : place + 3]) for place in range(0, len(wires), 3))


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """List the functions and methods that a module defines: the search follows where these were."""
    for one in vars(module).values():
        held = vars(one).values() if isinstance(one, type) and one.__module__ == module.__name__ else (one,)
        yield from (each for each in held if isinstance(each, FunctionType) and each.__module__ == module.__name__)


def run(*, seconds: int, folder: Path | None = None) -> int:
    """Fuzz for some seconds; give the exit status, 0 when nothing was found.

    Rounds of a minute have a process each, since the tracer keeps some 90 kB of every input.
    """
    if find_spec("atheris") is None:
        print("not installed: atheris", file=sys.stderr)
        return 2
    held = Path(tempfile.mkdtemp(prefix="netinterf-fuzz-"))
    for number, one in enumerate(seeds(folder)):
        (held / f"{number:05}").write_bytes(one)
    began = len(list(held.iterdir()))
    runs = 0
    for left in range(seconds, 0, -ROUND):
        words = [sys.executable, "-m", "benchmarks.fuzz", str(held), str(min(left, ROUND)), str(left)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout[-2000:], done.stderr[-4000:], f"inputs: {held}", sep="\n")
            return 1
        runs += int(re.findall(r"Done (\d+) runs", done.stderr)[-1])
    print(f"{runs:,} inputs in {seconds} s, from {began:,} seeds to {len(list(held.iterdir())):,}; nothing found")
    shutil.rmtree(held)
    return 0


def one_round(held: str, seconds: str, seed: str) -> None:
    """Fuzz in this process, and end it."""
    import atheris

    for module in (dns, dns_exchanges, dns_messages, dns_names, svcb):
        for function in functions_of(module):
            atheris.instrument_func(function)
    limits = [f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=10", "-rss_limit_mb=0", f"-max_len={MOST * 300}"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={held}/found-", held], check)
    atheris.Fuzz()


if __name__ == "__main__":
    one_round(*sys.argv[1:])
