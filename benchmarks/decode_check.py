"""Compare decoded columns with tshark, frame by frame: ``python -m benchmarks.decode_check --captures DIR``.

Each frame is compared by its innermost IP packet, as far as the decoder goes: packets quoted in ICMP errors are left
out, and so is what UDP or TCP carry, but for the tunnels in datagrams that the decoder opens. tshark repeats a field
once per header, so the stack of protocols that it found says which repetition is the innermost one. tshark leaves a
field out where its bytes are missing; zero is expected there.
"""

import argparse
import collections
import ipaddress
import json
import lzma
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netinterf.capture import find_captures, open_capture
from netinterf.decode import LINK_TYPES, Decoded, decode, link_type_name
from netinterf.errors import CaptureError
from netinterf.schema import Status

__all__ = ["compare", "main", "run"]

_IPV4 = ("ip.src", "ip.dst", "ip.ttl", "ip.id", "ip.proto", "ip.len", "ip.hdr_len", "ip.dsfield")
_IPV6 = ("ipv6.src", "ipv6.dst", "ipv6.hlim", "ipv6.plen", "ipv6.tclass")
_TCP = (
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.window_size_value",
    "tcp.len",
    "tcp.options.mss_val",
    "tcp.options.wscale.shift",
    "tcp.options.timestamp.tsval",
    "tcp.options.timestamp.tsecr",
)
_UDP = ("udp.srcport", "udp.dstport", "udp.length")
_ICMP = ("icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code")
_FIELDS = ("frame.number", "frame.protocols", *_IPV4, *_IPV6, *_TCP, *_UDP, *_ICMP)
_TRANSPORTS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
_DATAGRAM_TUNNELS = {"vxlan", "geneve", "gtp", "l2tp", "teredo"}
# Encapsulations that tshark follows and the decoder does not: vendor headers, and IP packets inside messages.
_UNFOLLOWED = {"avsp", "macsec", "pim"}
_TELLS = {"icmp": "icmp.type", "icmpv6": "icmpv6.type", "tcp": "tcp.srcport", "udp": "udp.srcport"}
_COLUMNS = {  # tshark's field: our column
    "tcp.srcport": "source_port",
    "tcp.dstport": "target_port",
    "tcp.flags": "tcp_flags",
    "tcp.seq_raw": "seq",
    "tcp.ack_raw": "ack",
    "tcp.window_size_value": "window",
    "tcp.options.mss_val": "mss",
    "tcp.options.wscale.shift": "window_shift",
    "tcp.options.timestamp.tsval": "tsval",
    "tcp.options.timestamp.tsecr": "tsecr",
    "udp.srcport": "source_port",
    "udp.dstport": "target_port",
}
# Nothing may be put together from several frames, and numbers are wanted as they are on the wire.
_PREFERENCES = (
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
    "tcp.calculate_timestamps:FALSE",
)


def tshark_frames(path: Path) -> Iterator[dict[str, str]]:
    """Run tshark over a capture and give the fields of each frame as text."""
    packed = path.suffix == ".xz"  # tshark unpacks the other formats itself
    command = [
        "tshark",
        "-n",
        "-r",
        "-" if packed else str(path),
        "-T",
        "fields",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=,",
    ]
    for preference in _PREFERENCES:
        command += ["-o", preference]
    for field in _FIELDS:
        command += ["-e", field]
    piped = lzma.decompress(path.read_bytes()) if packed else None
    done = subprocess.run(command, input=piped, capture_output=True, check=False, timeout=300)
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        yield dict(zip(_FIELDS, line.split("\t"), strict=False))


def _number(text: str) -> int:
    return int(text, 0) if text else 0


def _pick(frame: dict[str, str], field: str, place: int = 0) -> str:
    values = frame.get(field, "").split(",")
    return values[place] if 0 <= place < len(values) else ""


def _stack(frame: dict[str, str]) -> list[str]:
    """List the protocols of a frame from the outside in.

    tshark names none for some frames with XML inside, and not the IP layer that it calls from MPLS; both are then
    read off the fields that it does give. IPv6 behind NFLOG it names as IPv4 first, without an address of that.
    """
    stack = frame["frame.protocols"].split(":") if frame["frame.protocols"] else []
    if stack[:3] == ["nflog", "ip", "ipv6"] and len(list(filter(None, frame["ip.src"].split(",")))) < stack.count("ip"):
        del stack[1]
    for name in ("ip", "ipv6") if "mpls" in stack else ():  # its own layer is missing before those of a tunnel in it
        if stack.count(name) and frame.get(f"{name}.src", "").count(",") >= stack.count(name):
            stack.insert(stack.index("mpls") + 1, name)
    if not stack or ("mpls" in stack and not {"ip", "ipv6"} & set(stack)):
        layers = [name for name in ("ip", "ipv6") if frame.get(f"{name}.src")][:1]
        transports = [name for name, field in _TELLS.items() if frame.get(field)]
        stack = [*stack[: stack.index("mpls") + 1 if stack else 0], *layers, *transports[:1]]
    return stack


def expected(frame: dict[str, str]) -> dict[str, Any]:
    """Work out from tshark's fields what the columns of this frame should hold."""
    stack = _stack(frame)
    end = next(
        (place for place, name in enumerate(stack) if name in _TRANSPORTS and not _opened(stack, place)), len(stack)
    )
    transport = stack[end] if end < len(stack) else ""
    before = stack[:end].count(transport)
    headers = [name for name in stack[:end] if name in ("ip", "ipv6")]
    if not headers:
        return {"version": 0}
    inner, place = headers[-1], headers.count(headers[-1]) - 1
    wanted: dict[str, Any] = {"version": 4 if inner == "ip" else 6}
    for field, column in (("src", "source"), ("dst", "target")):
        text = _pick(frame, f"{inner}.{field}", place)
        wanted[column] = str(ipaddress.ip_address(text)) if text else ""
    wanted["ttl"] = _number(_pick(frame, "ip.ttl" if inner == "ip" else "ipv6.hlim", place))
    wanted["tos"] = _number(_pick(frame, "ip.dsfield" if inner == "ip" else "ipv6.tclass", place))
    if inner == "ip":
        wanted["ip_id"] = _number(_pick(frame, "ip.id", place))
        wanted["protocol"] = _number(_pick(frame, "ip.proto", place))
    if transport:
        wanted["protocol"] = _TRANSPORTS[transport]
    for field, column in _COLUMNS.items():
        if field.startswith(f"{transport}.") and transport:
            fallback = "255" if column == "window_shift" else ""
            values = [value for value in frame.get(field, "").split(",") if value]
            # The last of repeated options counts; ports and the like are those of the outermost transport that is
            # not opened.
            wanted[column] = _number((values[-1 if "options" in field else before] if values else "") or fallback)
    if transport.startswith("icmp") and frame.get(f"{transport}.type"):
        wanted["icmp"] = _number(_pick(frame, f"{transport}.type")) << 8 | _number(_pick(frame, f"{transport}.code"))
    length = _payload(frame, inner, place, transport, stack)
    return wanted if length is None else {**wanted, "payload_length": length}


def _opened(stack: Sequence[str], place: int) -> bool:
    """Say whether a transport carries a tunnel with an IP packet inside."""
    inside = stack[place + 1 :]
    return bool(inside) and inside[0] in _DATAGRAM_TUNNELS and bool({"ip", "ipv6"} & set(inside))


def _payload(frame: dict[str, str], inner: str, place: int, transport: str, stack: Sequence[str]) -> int | None:
    """Work out the payload by the IP length, None where tshark's fields do not tell."""
    if transport == "tcp":
        text = _pick(frame, "tcp.len")
        return int(text) if text else None
    header = {"udp": 8, "icmp": 8, "icmpv6": 8}.get(transport, 0)
    if inner == "ip" and "ah" not in stack and (total := _number(_pick(frame, "ip.len", place))):
        return max(total - _number(_pick(frame, "ip.hdr_len", place)) - header, 0)
    if inner == "ipv6" and stack[stack.index("ipv6") :].count("ipv6") == 1 and transport:
        follows = stack[stack.index("ipv6") + 1] if stack[-1] != "ipv6" else ""
        if follows == transport and (total := _number(_pick(frame, "ipv6.plen", place))):
            return max(total - header, 0)
    return None


def _address(high: int, low: int, version: int) -> str:
    if version == 4:
        return str(ipaddress.IPv4Address(low & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(high << 64 | low))


def reason(entry: dict[str, Any]) -> str:  # noqa: PLR0911 (one return per cause)
    """Name the known cause of a difference, or ``"unexplained"``."""
    fields, status = entry["fields"], entry["status"].split("|")
    layers = set(entry["protocols"].split(":"))
    if unfollowed := sorted(layers & _UNFOLLOWED):
        return f"inside {unfollowed[0]}, which is not followed"
    if set(fields) == {"payload_length"} and "PAYLOAD_CUT" in status:
        return "the IP length runs past the frame: tshark counts to the frame's end"
    if "BAD_IP_HEADER" in status and "version" in fields:
        return "EtherType and IP version contradict each other: tshark believes the version"
    if "BAD_IP_HEADER" in status or "BAD_TRANSPORT" in status:
        return "a header length that cannot be: tshark stops at it, the fixed fields are kept here"
    if "version" in fields and fields.get("source", ("", "-"))[1] == "":
        return "a tunnel around something that is no IP packet: the outer packet is kept here"
    if "HEADER_CUT" in status or "OFFLOADED" in status:
        return "tshark gives up on the packet earlier"
    if "IP_OPTIONS" in status and set(fields) == {"target"}:
        return "source routing: tshark shows the last hop as destination"
    if "IP_OPTIONS" in status and "payload_length" in fields and not layers & set(_TRANSPORTS):
        return "malformed IP option: tshark gives up on the packet"
    if "cfp" in layers:
        return "FabricPath: tshark takes the last four bytes for a checksum of the frame"
    if "teredo" in layers and "version" in fields:
        return "Teredo between hosts that have no address of Teredo: the datagram is kept here"
    if "gtp" in layers and "source" in fields:
        return "GTP-U whose length is not that of its datagram: the datagram is kept here"
    if "null" in layers and "NOT_IP" in status:
        return "loopback header without an address family: tshark reads part of it as an EtherType"
    return "unexplained"


def compare(path: Path, decoded: Decoded) -> tuple[int, list[dict[str, Any]]]:
    """Compare one decoded capture with what tshark says of it.

    Returns:
        Frames compared, and one entry per differing frame with the fields that differ (ours, tshark's).
    """
    packets, endpoints = decoded.packets, decoded.endpoints
    row_of = {int(frame): row for row, frame in enumerate(packets.frame)}
    compared, differences = 0, []
    for frame in tshark_frames(path):
        row = row_of.get(_number(frame["frame.number"]))
        if row is None:
            continue
        compared += 1
        version = int(packets.version[row])
        ours: dict[str, Any] = {
            "source": _address(int(endpoints.source_high[row]), int(endpoints.source_low[row]), version),
            "target": _address(int(endpoints.target_high[row]), int(endpoints.target_low[row]), version),
        }
        differing = {}
        for name, value in expected(frame).items():
            if name not in ours:
                table = endpoints if name.endswith("_port") else packets
                ours[name] = int(getattr(table, name)[row])
            if ours[name] != value:
                differing[name] = (ours[name], value)
        if differing:
            status = "|".join(str(bit.name) for bit in Status(int(packets.status[row])))
            entry = {"file": path.name, "frame": int(packets.frame[row]), "status": status, "fields": differing}
            entry["protocols"] = frame["frame.protocols"]
            differences.append({**entry, "reason": reason(entry)})
    return compared, differences


def run(captures: Path, limit: int | None = None, skip: int = 0) -> dict[str, Any]:
    """Compare all captures below a folder, or an even sample of *limit* of them.

    Args:
        captures: Folder to search.
        limit: How many captures at most; None takes all.
        skip: Leave out that many of the chosen ones first (to run a long comparison in parts).

    Returns:
        Numbers of captures, of frames compared, equal and unseen (tshark does not list them), of differences by field
        and by reason, the differing frames themselves, and how many frames of each link type are not decoded.
    """
    paths = [Path(path) for path in find_captures([captures]).captures]
    if limit is not None and len(paths) > limit:
        paths = [paths[place] for place in np.linspace(0, len(paths) - 1, limit).astype(int)]
    compared, done, unseen, refused, differences = 0, 0, 0, collections.Counter[str](), []
    undecoded = collections.Counter[str]()
    for path in paths[skip:]:
        try:
            capture = open_capture(path)
            links = [interface.link_type for interface in capture.interfaces]
            for place, count in enumerate(np.bincount(capture.records.interface, minlength=1).tolist()):
                if count and place < len(links) and links[place] not in LINK_TYPES:
                    undecoded[f"{links[place]} ({link_type_name(links[place])})"] += count
            decoded = decode(capture.buffer, capture.records, links, source=str(path))
        except CaptureError as error:
            refused[type(error).__name__] += 1
            continue
        frames, found = compare(path, decoded)
        compared, done, unseen = compared + frames, done + 1, unseen + len(decoded.packets) - frames
        differences += found
    fields = collections.Counter(name for entry in differences for name in entry["fields"])
    return {
        "captures": done,
        "refused": dict(refused),
        "undecoded": dict(undecoded.most_common()),
        "frames": compared,
        "unseen": unseen,
        "equal": compared - len(differences),
        "share": (compared - len(differences)) / compared if compared else float("nan"),
        "differences": dict(fields.most_common()),
        "reasons": dict(collections.Counter(entry["reason"] for entry in differences).most_common()),
        "entries": differences,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison; differing frames one per line."""
    parser = argparse.ArgumentParser(prog="decode_check", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--captures", type=Path, required=True, help="folder with captures")
    parser.add_argument("--limit", type=int, help="compare an even sample of so many captures")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    result = run(options.captures, options.limit)
    if options.json:
        json.dump(result, sys.stdout, indent=1)
        return 0
    for entry in result["entries"]:
        print(f"{entry['file']} frame {entry['frame']} [{entry['status']}] {entry['protocols']}")
        for name, (ours, theirs) in entry["fields"].items():
            print(f"    {name}: decoded {ours}, tshark {theirs}")
    print(f"captures {result['captures']} (refused {result['refused']})")
    print(f"frames of link types that are not decoded: {result['undecoded']}")
    print(f"frames {result['frames']}, not listed by tshark {result['unseen']}")
    print(f"equal {result['equal']} ({result['share']:.4%}), {time.perf_counter() - started:.0f} s")
    print(f"differences by field: {result['differences']}")
    for cause, count in result["reasons"].items():
        print(f"{count:6d}  {cause}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
