"""A slow, obvious twin of the frame decoder: one frame at a time, one header after the other."""

from struct import unpack

from tests.oracles import naive_links

S = {
    "NOT_IP": 1,
    "HEADER_CUT": 2,
    "PAYLOAD_CUT": 4,
    "PADDED": 8,
    "OFFLOADED": 16,
    "FIRST": 32,
    "LATER": 64,
    "TUNNELLED": 128,
    "TAGGED": 256,
    "IP_OPTIONS": 512,
    "BAD_IP": 1024,
    "BAD_TRANSPORT": 2048,
    "BAD_TCP": 4096,
    "MORE": 8192,
    "OVERSTATED": 16384,
}
COLUMNS = [
    "version",
    "protocol",
    "ip_at",
    "transport_at",
    "payload_at",
    "payload_length",
    "ttl",
    "tos",
    "ip_id",
    "ip_flags",
    "fragment_offset",
    "tcp_flags",
    "seq",
    "ack",
    "window",
    "tcp_options",
    "mss",
    "tsval",
    "tsecr",
    "icmp",
    "source",
    "target",
    "source_port",
    "target_port",
]
TAGS = {0x8100: (4, 2), 0x88A8: (4, 2), 0x9100: (4, 2), 0x9200: (4, 2), 0x9300: (4, 2)}
TAGS |= {0x8926: (6, 4), 0x893F: (8, 6), 0x8909: (8, 6)}
LENGTHS = {2: 4, 3: 3, 4: 2, 8: 10, 19: 18}
BITS = {2: 1, 3: 2, 4: 4, 5: 8, 8: 16, 19: 32, 34: 64}


class Frame:
    """One frame on its way through the decoder."""

    def __init__(self, data, length, tunnels=True, measured=True):
        self.data, self.length, self.tunnels, self.measured = data, length, tunnels, measured
        self.stop, self.end = len(data), length
        self.status = set()
        self.row = dict.fromkeys(COLUMNS, 0) | {"window_shift": 255}
        self.layers = 0

    def get(self, at, size):
        """Read a big-endian number; bytes that may not be read are zero."""
        part = self.data[max(at, 0) : min(at + size, self.stop)] if at < self.stop else b""
        return int.from_bytes(part + bytes(size - len(part)), "big")

    def lacks(self, at, need, bad="HEADER_CUT"):
        """Say whether a header is short, and note why."""
        if self.stop - at >= need:
            return False
        self.status.add("HEADER_CUT" if len(self.data) - at < need else bad)
        return True


def link(f, number, at=0):
    """Start at the link layer."""
    f.layers += 1
    if f.layers > 256:
        return
    first = {1: ethernet, 12: raw, 14: raw, 101: raw, 228: ipv4, 229: ipv6, 0: loopback, 108: loopback}
    first |= {9: ppp_or_cisco, 50: ppp_or_cisco, 51: pppoe, 104: cisco}
    if number in first:
        first[number](f, at)
    elif number == 113:
        f.lacks(at, 16)
        cooked(f, f.get(at + 14, 2), at + 16)
    elif number == 276:
        f.lacks(at, 20)
        cooked(f, f.get(at, 2), at + 20)
    elif number in naive_links.TWINS:
        recorded(f, number, at)


def recorded(f, number, at):
    """802.11, or what stands before frames."""
    behind = naive_links.TWINS[number](f, at)
    if behind is None:
        return
    following, at = behind
    if following == "llc":
        llc(f, at)
    elif isinstance(following, str):
        family(f, int(following.removeprefix("ip")), at)
    else:
        link(f, following, at)


def loopback(f, at):
    """BSD loopback: a family in either byte order."""
    f.lacks(at, 4)
    head = f.get(at, 4)
    family(f, head if head < 1 << 24 else int.from_bytes(head.to_bytes(4, "big"), "little"), at + 4)


def ppp_or_cisco(f, at):
    """PPP, or Cisco HDLC under its link type."""
    (cisco if f.get(at, 1) in (0x0F, 0x8F) else ppp)(f, at)


def family(f, number, at):
    """Go on by address family."""
    if number == 2:
        ipv4(f, at)
    elif number in (10, 23, 24, 28, 30):
        ipv6(f, at)


def ethernet(f, at):
    """Ethernet II or 802.3."""
    ethertype(f, f.get(at + 12, 2), at + 14, lengths=True)


def ethertype(f, number, at, lengths=False):
    """Go on by EtherType."""
    if lengths and number < 0x600:
        llc(f, at)
    elif number == 0x0800:
        ipv4(f, at)
    elif number == 0x86DD:
        ipv6(f, at)
    elif number in TAGS:
        size, place = TAGS[number]
        tag(f, at, size, place)
    elif number == 0x8903:
        shim(f, at, 2)
    elif number == 0x88E7:
        shim(f, at, 4)
    elif number in (0x8847, 0x8848):
        mpls(f, at)
    elif number == 0x8864:
        pppoe(f, at)
    elif number == 0x880B:
        ppp(f, at)
    elif number == 0x6558:
        ethernet(f, at)


def tag(f, at, size, place):
    """A VLAN tag or the like."""
    f.status.add("TAGGED")
    ethertype(f, f.get(at + place, 2), at + size, lengths=True)


def shim(f, at, size):
    """Some bytes before an Ethernet frame."""
    f.status.add("TAGGED")
    if not f.lacks(at, size):
        ethernet(f, at + size)


def llc(f, at):
    """802.2 with SNAP, or with IP's own access point."""
    sap, control, oui = f.get(at, 2), f.get(at + 2, 1), f.get(at + 3, 3)
    f.lacks(at, 8 if sap == 0xAAAA else 3)
    if sap == 0xAAAA and control == 3 and oui in (0, 0xF8):
        ethertype(f, f.get(at + 6, 2), at + 8)
    elif sap == 0x0606 and control == 3:
        ipv4(f, at + 3)


def mpls(f, at):
    """A label stack."""
    while True:
        f.status.add("TAGGED")
        if f.lacks(at, 4):
            return
        at += 4
        if f.get(at - 4, 4) & 0x100:
            break
    nibble = f.get(at, 1) >> 4
    if nibble == 4:
        ipv4(f, at)
    elif nibble == 6:
        ipv6(f, at)
    elif nibble == 0 and f.stop - at >= 18:
        ethernet(f, at + 4)


def pppoe(f, at):
    """A PPPoE session header."""
    f.status.add("TAGGED")
    if not f.lacks(at, 6) and f.get(at + 1, 1) == 0:
        ppp(f, at + 6)


def ppp(f, at):
    """PPP, with or without address and control."""
    skip = 2 if f.get(at, 2) == 0xFF03 else 0
    protocol, size = f.get(at + skip, 2), 2
    if protocol & 0x100:
        protocol, size = protocol >> 8, 1
    if f.lacks(at, skip + size):
        return
    at += skip + size
    if protocol == 0x21:
        ipv4(f, at)
    elif protocol == 0x57:
        ipv6(f, at)
    elif protocol in (0x281, 0x283):
        mpls(f, at)


def cisco(f, at):
    """Cisco HDLC."""
    f.lacks(at, 4)
    ethertype(f, f.get(at + 2, 2), at + 4)


def cooked(f, protocol, at):
    """What follows a Linux cooked header."""
    if protocol == 4:
        llc(f, at)
    else:
        ethertype(f, protocol, at)


def raw(f, at):
    """IPv4 or IPv6 by the first nibble."""
    if f.lacks(at, 1):
        return
    nibble = f.get(at, 1) >> 4
    if nibble == 4:
        ipv4(f, at)
    elif nibble == 6:
        ipv6(f, at)


def enter(f, at, version, size):
    """Decide whether an IP header is there."""
    outer = f.row["version"] != 0
    room = f.stop - at
    right = room > 0 and f.get(at, 1) >> 4 == version
    if room > 0 and not right and not outer:
        f.status.add("BAD_IP")
    f.lacks(at, size, "BAD_IP")
    if not right or room < (size if outer else 1):
        return False
    if outer:
        f.status.add("TUNNELLED")
        f.status.discard("IP_OPTIONS")
    return True


def bound(f, at, length):
    """Set where the packet ends."""
    frame = max(f.length, len(f.data))
    if length == 0:
        f.status.add("OFFLOADED")
    elif f.measured and at + length > frame and "TUNNELLED" not in f.status:
        f.status.add("OVERSTATED")
        f.end = frame
    else:
        f.end = at + length
    f.stop = min(f.stop, f.end)


def ipv4(f, at):
    """An IPv4 header."""
    if not enter(f, at, 4, 20):
        return
    size, total, word = (f.get(at, 1) & 15) * 4, f.get(at + 2, 2), f.get(at + 6, 2)
    r = f.row
    r.update(source_port=0, target_port=0)
    r.update(version=4, tos=f.get(at + 1, 1), ip_id=f.get(at + 4, 2), ttl=f.get(at + 8, 1), protocol=f.get(at + 9, 1))
    r.update(source=0xFFFF << 32 | f.get(at + 12, 4), target=0xFFFF << 32 | f.get(at + 16, 4))
    r.update(ip_at=at, transport_at=at + size, payload_at=at + size, ip_flags=word >> 13, fragment_offset=word & 0x1FFF)
    bound(f, at, total)
    if size > 20:
        f.status.add("IP_OPTIONS")
    if word & 0x1FFF:
        f.status.add("LATER")
    elif word & 0x2000:
        f.status.add("FIRST")
    if size < 20 or 0 < total < size:
        f.status.add("BAD_IP")
    elif f.stop - at < size:
        f.status.add("HEADER_CUT")
    elif word & 0x1FFF == 0:
        transport(f, at + size)


def ipv6(f, at):
    """A fixed IPv6 header."""
    if not enter(f, at, 6, 40):
        return
    word, length, following = f.get(at, 4), f.get(at + 4, 2), f.get(at + 6, 1)
    f.row.update(version=6, tos=word >> 20 & 255, ttl=f.get(at + 7, 1), protocol=following)
    f.row.update(ip_id=0, ip_flags=0, fragment_offset=0, source_port=0, target_port=0)
    f.row.update(ip_at=at, transport_at=at + 40, payload_at=at + 40)
    f.row.update(source=f.get(at + 8, 16), target=f.get(at + 24, 16))
    bound(f, at, 40 + length if length or following == 59 else 0)
    if f.stop - at >= 40:
        transport(f, at + 40)


def transport(f, at):
    """What follows an IP header or an extension header."""
    protocol, six = f.row["protocol"], f.row["version"] == 6
    if six and protocol in (0, 43, 60):
        size = (f.get(at + 1, 1) + 1) * 8
        if not f.lacks(at, size, "BAD_IP"):
            step(f, at, size)
    elif six and protocol == 44:
        if not f.lacks(at, 8, "BAD_IP"):
            word = f.get(at + 2, 2)
            f.row.update(ip_id=f.get(at + 6, 2), fragment_offset=word >> 3, ip_flags=word & 1)
            if word >> 3:
                f.status.add("LATER")
            elif word & 1:
                f.status.add("FIRST")
            step(f, at, 8, go=not word >> 3)
    elif protocol == 51:
        size = (f.get(at + 1, 1) + 2) * 4
        if not f.lacks(at, size, "BAD_IP") and size >= 12:
            step(f, at, size)
    elif protocol in (4, 41, 47, 137, 143):
        if f.tunnels:
            {4: ipv4, 41: ipv6, 47: gre, 137: mpls, 143: ethernet}[protocol](f, at)
    elif protocol == 97:
        if f.tunnels:
            shim(f, at, 2)
    elif protocol in (6, 17, 1, 58):
        {6: tcp, 17: udp, 1: icmp, 58: icmp}[protocol](f, at)


def step(f, at, size, go=True):
    """Step over an extension header."""
    following = f.get(at, 1)
    f.row.update(protocol=following, transport_at=at + size, payload_at=at + size)
    if f.row["version"] == 6:
        f.status.add("IP_OPTIONS")
    if go:
        transport(f, at + size)


def gre(f, at):
    """GRE and what is special to it."""
    flags, number = f.get(at, 2), f.get(at + 2, 2)
    size = 4 + 4 * bool(flags & 0xC000) + 4 * bool(flags & 0x2000) + 4 * bool(flags & 0x1000)
    size += 4 * (flags & 7 == 1 and bool(flags & 0x80))
    if f.lacks(at, size, "BAD_TRANSPORT") or flags & 7 > 1 or flags & 0x4000:
        return
    at += size
    if number == 0x88BE:
        if not flags & 0x1000:
            ethernet(f, at)
        elif not f.lacks(at, 8, "BAD_TRANSPORT"):
            ethernet(f, at + 8)
    elif number == 0x22EB:
        word = f.get(at + 8, 4)
        size = 20 if word & 1 else 12
        if not f.lacks(at, size, "BAD_TRANSPORT") and word >> 10 & 31 == 0:
            ethernet(f, at + size)
    elif number == 0x883E:
        f.lacks(at, 1, "BAD_TRANSPORT")
        raw(f, at if f.get(at, 1) >> 4 == 4 else at + 4)
    elif number == 0x8909:
        tag(f, at, 8, 0)
    else:
        ethertype(f, number, at)


def tcp(f, at):
    """TCP with its options."""
    room, length = f.stop - at, f.end - at
    f.row.update(source_port=f.get(at, 2), target_port=f.get(at + 2, 2), seq=f.get(at + 4, 4), ack=f.get(at + 8, 4))
    word = f.get(at + 12, 2)
    f.row.update(tcp_flags=word & 0xFFF, window=f.get(at + 14, 2))
    size = (word >> 12) * 4
    f.lacks(at, 20, "BAD_TRANSPORT")
    f.row["payload_at"] = at + size
    if size < 20 or size > length:
        if room >= 14:
            f.status.add("BAD_TRANSPORT")
        f.row["payload_at"] = min(max(f.end, 0), 65535)
        size = max(min(length, 20), 0)
    elif room < size:
        f.status.add("HEADER_CUT")
    if size > 20 and room > 20:
        options(f, at + 20, min(size, room) - 20)


def options(f, at, length):
    """Walk TCP options."""
    place = 0
    while place < length:
        kind, size = f.get(at + place, 1), f.get(at + place + 1, 1)
        if kind == 0:
            return
        if kind == 1:
            place += 1
            continue
        if length - place < 2 or size > length - place:
            if "HEADER_CUT" not in f.status or (size < 2 and length - place >= 2):
                f.status.add("BAD_TCP")
            return
        if size < 2:
            f.status.add("BAD_TCP")
            return
        option(f, kind, size, at + place)
        place += size


def option(f, kind, size, at):
    """Note one TCP option."""
    if LENGTHS.get(kind, size) != size or (kind == 5 and (size == 2 or size % 8 != 2)):
        f.status.add("BAD_TCP")
        return
    bit = BITS.get(kind, 128)
    if kind in (253, 254) and size >= 4 and f.get(at + 2, 2) == 0xF989:
        bit = 64
    if bit == 128:
        f.status.add("MORE")
    f.row["tcp_options"] |= bit
    if kind == 2:
        f.row["mss"] = f.get(at + 2, 2)
    elif kind == 3:
        f.row["window_shift"] = f.get(at + 2, 1)
    elif kind == 8:
        f.row.update(tsval=f.get(at + 2, 4), tsecr=f.get(at + 6, 4))


def udp(f, at):
    """UDP."""
    length, claimed = f.end - at, f.get(at + 4, 2)
    f.row.update(source_port=f.get(at, 2), target_port=f.get(at + 2, 2), payload_at=at + max(min(length, 8), 0))
    if f.lacks(at, 8, "BAD_TRANSPORT"):
        return
    if "OFFLOADED" not in f.status and (claimed < 8 if "FIRST" in f.status else claimed != length):
        f.status.add("BAD_TRANSPORT")
    elif f.tunnels:
        tunnel = TUNNELS.get(f.row["target_port"]) or TUNNELS.get(f.row["source_port"])
        if tunnel:
            tunnel(f, at + 8)


def is_length(f, at, length):
    """Say whether a datagram has this payload, of which a first fragment holds less."""
    return length >= f.end - at if "FIRST" in f.status else length == f.end - at


def vxlan(f, at):
    """VXLAN, perhaps with a group policy."""
    flags, group, reserved = f.get(at, 1), f.get(at + 1, 1), f.get(at + 7, 1)
    policy = flags == 0x88 and group & 0xB7 == 0
    right = reserved == 0 and (policy or f.get(at, 4) == 0x08000000)
    if flags & 8 and f.stop - at >= 28 and not right:  # vendors fill what is reserved: an IP packet that fits tells
        kind, first, most = f.get(at + 20, 2), f.get(at + 22, 1), f.end - at - 22
        right = kind == 0x0800 and first == 0x45 and 20 <= f.get(at + 24, 2) <= most
        right |= kind == 0x86DD and first >> 4 == 6 and f.get(at + 26, 2) + 40 <= most
    if f.stop - at >= 8 and right:
        ethernet(f, at + 8)


def geneve(f, at):
    """GENEVE with options."""
    first, second, kind = f.get(at, 1), f.get(at + 1, 1), f.get(at + 2, 2)
    size = 8 + 4 * (first & 63)
    if first >> 6 == 0 and second & 0xBF == 0 and f.get(at + 7, 1) == 0 and f.stop - at >= size:
        if kind == 0x6558:
            ethernet(f, at + size)
        elif kind == 0x0800:
            ipv4(f, at + size)
        elif kind == 0x86DD:
            ipv6(f, at + size)


def gtp(f, at):
    """A G-PDU of GTP-U."""
    flags = f.get(at, 1)
    if flags >> 3 != 6 or f.get(at + 1, 1) != 255 or not is_length(f, at, 8 + f.get(at + 2, 2)):
        return
    if flags & 7 == 0:
        if f.stop - at >= 8:
            raw(f, at + 8)
        return
    if f.stop - at < 11 + (flags & 4 == 0):
        return
    following, at = f.get(at + 11, 1) if flags & 4 else 0, at + 11
    while following:
        size = 4 * f.get(at + 1, 1)
        if size == 0 or f.stop - at <= size:
            return
        at += size
        following = f.get(at, 1)
    if flags & 4 == 0 or f.stop - at > 1:
        raw(f, at + 1)


def l2tp(f, at):
    """A data message of L2TP version 2."""
    flags = f.get(at, 2)
    if flags & 0xB4FF != 2 or (flags & 0x4000 and not is_length(f, at, f.get(at + 2, 2))):
        return
    size = 6 + (2 if flags & 0x4000 else 0) + (4 if flags & 0x0800 else 0)
    if flags & 0x0200:
        size += 2 + f.get(at + size, 2)
    if f.stop - at > size:
        ppp(f, at + size)


def teredo(f, at):
    """IPv6 in Teredo."""
    if f.get(at, 2) == 1:
        at += 13 + f.get(at + 2, 1) + f.get(at + 3, 1)
    if f.get(at, 2) == 0:
        at += 8
    source, target, length = f.get(at + 8, 16), f.get(at + 24, 16), 40 + f.get(at + 4, 2)
    of_hosts = 0x20010000 in (source >> 96, target >> 96)
    of_link = source >> 118 == 0x3FA and (target >> 118 == 0x3FA or target >> 112 == 0xFF02)
    fits = length <= f.end - at or "FIRST" in f.status
    if f.get(at, 1) >> 4 == 6 and (of_hosts or of_link) and fits and f.stop - at >= 40:
        ipv6(f, at)


TUNNELS = {4789: vxlan, 8472: vxlan, 6081: geneve, 2152: gtp, 1701: l2tp, 3544: teredo}


def icmp(f, at):
    """ICMP and ICMPv6."""
    f.lacks(at, 4, "BAD_TRANSPORT")
    kind = f.get(at, 1)
    f.row.update(icmp=f.get(at, 2), payload_at=at + max(min(f.end - at, 8), 0))
    if kind in ((0, 8) if f.row["protocol"] == 1 else (128, 129)):
        f.row.update(source_port=f.get(at + 4, 2), target_port=f.get(at + 4, 2))


def on_wire(data, number, row):
    """Say whether the frame was on a wire with a maximum transmission unit."""
    head = data + bytes(20)
    if number in (12, 14, 101, 228, 229, 239, 258):
        return row["source"] != row["target"] and row["source"] >> 24 != 0xFFFF7F
    if number == 1:
        return head[:12] != bytes(12)
    if number in (113, 276):
        return unpack(">H", head[2:4] if number == 113 else head[8:10])[0] != 772
    return number in (9, 50, 51, 104)


def decode_frames(frames, links, lengths):
    """Decode all frames of a capture, of which somebody may have cut all to one length without saying so."""
    listed = list(zip(frames, links, lengths, strict=True))
    rows = [decode_frame(*one) for one in listed]
    longest = [
        row["status"] & S["OVERSTATED"] and len(data) == length
        for row, (data, _, length) in zip(rows, listed, strict=True)
        if length == max(lengths)
    ]
    cut = sum(map(bool, longest))
    return [decode_frame(*one, measured=False) for one in listed] if cut > 1 and 2 * cut > len(longest) else rows


def decode_frame(data, number, length=None, measured=True):
    """Decode one frame into a dict of columns; ``status`` is a number."""
    f = Frame(data, len(data) if length is None else length, measured=measured)
    link(f, number)
    return finish(f, on_wire(data, number, f.row))


def finish(f, wired):
    """Work out the payload and the last marks."""
    row = f.row
    if row["version"] == 0:
        f.status.add("NOT_IP")
    else:
        row["payload_length"] = max(f.end - row["payload_at"], 0)
        if f.end < f.length:
            f.status.add("PADDED")
        if f.end > len(f.data):
            f.status.add("PAYLOAD_CUT")
        if wired and min(f.end, f.length) - row["ip_at"] > 1500:
            f.status.add("OFFLOADED")
    return row | {"status": sum(S[name] for name in f.status)}


def decode_quote(data, length=None):
    """Decode the packet quoted behind the 8 bytes of an ICMP error, or None."""
    if len(data) < 20:
        return None
    f = Frame(data, len(data) if length is None else length, tunnels=False)
    raw(f, 0)
    return f.row if f.row["version"] else None
