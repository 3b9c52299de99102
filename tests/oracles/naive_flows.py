"""Slow, obvious twins of the flow stages: dictionaries, sets of byte numbers and loops over all pairs."""

import numpy as np

from netinterf.flows.orient import SERVICE_PORTS
from netinterf.schema import Mark, OrientedBy, RttKind, Status, TcpFlag, TcpOption

SYN, ACK, RST, FIN = TcpFlag.SYN, TcpFlag.ACK, TcpFlag.RST, TcpFlag.FIN
OPENING = SYN | ACK | RST | FIN


def serial(value):
    """Read a difference of 32-bit numbers as signed."""
    return (value + 2**31) % 2**32 - 2**31


# --- conversations ---------------------------------------------------------------------------------------------------


def ends(segment):
    """Name both ends of a segment."""
    return segment.source, segment.target


def conversations(segments):
    """Split segments into flows: lists of rows, in order of their first rows."""
    groups = {}
    for row, segment in enumerate(segments):
        if segment.version:
            groups.setdefault((frozenset(ends(segment)), segment.protocol), []).append(row)
    flows = []
    for rows in groups.values():
        pure = [row for row in rows if is_tcp(segments[row], "S")]
        current = []
        for place, row in enumerate(rows):
            if opens(segments, rows[:place], row, bool(pure)):
                flows.append(current)
                current = []
            current.append(row)
        flows.append(current)
    return sorted(flow for flow in flows if flow)


def is_tcp(segment, flags):
    """Say whether it is a TCP segment with exactly these of the flags S, A, R and F."""
    return segment.protocol == 6 and set(segment.flags) & set("SARF") == set(flags)


def opens(segments, before, row, asked):
    """Say whether a row begins a new flow after the rows of its group before it."""
    segment = segments[row]
    same = [other for other in before if segments[other].source == segment.source]
    if is_tcp(segment, "S"):
        earlier = [segments[other].seq % 2**32 for other in same if is_tcp(segments[other], "S")]
        if earlier:
            return earlier[-1] != segment.seq % 2**32
        if all(is_tcp(segments[other], "S") for other in before):
            return False
        last = segments[before[-1]]
        return not (is_tcp(last, "SA") and (last.ack - segment.seq) % 2**32 == 1)
    if is_tcp(segment, "SA") and not asked:
        earlier = [segments[other].ack % 2**32 for other in same if is_tcp(segments[other], "SA")]
        return bool(earlier) and earlier[-1] != segment.ack % 2**32
    return False


def who_asked(segments, rows):
    """Give the client of a flow and how it was found."""
    for flags, how in (("S", OrientedBy.SYN), ("SA", OrientedBy.SYN_ACK)):
        for row in rows:
            if is_tcp(segments[row], flags):
                return ends(segments[row])[how == OrientedBy.SYN_ACK], how
    source, target = ends(segments[rows[0]])
    ranks = [0 if 0 < port < 1024 else 1 if port in SERVICE_PORTS else 2 for port in (source[1], target[1])]
    if ranks[0] != ranks[1]:
        return (source if ranks[0] > ranks[1] else target), OrientedBy.PORTS
    return source, OrientedBy.FIRST_TALKER


# --- places in the stream --------------------------------------------------------------------------------------------


class Row:
    """What the rules need of one packet."""

    def __init__(self, packets, row):
        self.row, self.out = row, bool(packets.outbound[row])
        for name in ("time", "seq", "ack", "tcp_flags", "payload_length", "window", "ip_id", "ttl", "tsval", "tsecr"):
            setattr(self, name, int(getattr(packets, name)[row]))
        flags = self.tcp_flags
        self.syn, self.fin, self.rst, self.acks = (bool(flags & bit) for bit in (SYN, FIN, RST, ACK))
        self.length = self.payload_length + self.syn + self.fin
        self.stamped = bool(packets.tcp_options[row] & TcpOption.TIMESTAMPS)
        self.copy = self.circled = False
        self.sound = self.ack_sound = False
        self.start = self.answer = 0
        self.marks = 0


def tcp_rows(packets, by_flow):
    """List the usable TCP packets of each flow."""
    usable = (packets.protocol == 6) & (packets.status & Status.FRAGMENT_LATER == 0)
    usable &= (packets.status & Status.HEADER_CUT == 0) | (packets.tcp_flags != 0)
    return [[Row(packets, row) for row in flow if usable[row]] for flow in by_flow]


def passed_again(row, other):
    """Say whether a packet that agrees with another one is the same: captured "twice", or come "around" once more."""
    later, hops = row.time - other.time, row.ttl - other.ttl
    if later <= 1_000_000 and abs(hops) <= 1:
        return "twice"
    around = later <= 200_000_000 and hops < 0 and row.payload_length > 0 and not (row.rst or row.fin)
    return "around" if around else ""


def find_copies(flows, clients):
    """Set `copy` on second copies of a frame; weak ones count where what goes to or from the client is doubled."""
    names = ("out", "seq", "ack", "tcp_flags", "payload_length", "window", "ip_id", "stamped", "tsval", "tsecr")
    found, told = [], {}
    key = ("out", "seq", "ack", "tcp_flags", "payload_length", "ip_id")
    for rows, client in zip(flows, clients, strict=True):
        near = {}
        for place, row in enumerate(rows):
            counts = told.setdefault((client, row.out), [0, 0])
            counts[0] += row.length > 0 and not row.rst
            before = [
                x for x in rows[max(place - 8, 0) : place] if all(getattr(row, n) == getattr(x, n) for n in names)
            ]
            if how := {passed_again(row, other) for other in before} - {""}:
                near[place] = how
        for place, row in enumerate(rows):
            alike = [other for other in rows[:place] if all(getattr(row, name) == getattr(other, name) for name in key)]
            if near and alike and place not in near:
                same = all(getattr(row, name) == getattr(alike[-1], name) for name in names)
                how = {passed_again(row, alike[-1])} - {""} if same else set()
            else:
                how = near.get(place, set())
            if how:
                told[client, row.out][1] += row.length > 0 and not row.rst
                row.circled = "around" in how
                found.append((row, client))
    for row, client in found:
        one, other = (told.get((client, out), [0, 0]) for out in (row.out, not row.out))
        segments, copied = one if one[0] else other
        sure = not row.rst and (row.ip_id != 0 or (row.circled and row.tsval != 0))
        row.copy = sure or (copied > 0 and copied >= 0.2 * segments)


def initial(rows, out):
    """Find the initial sequence number of a side."""
    mine = [row for row in rows if row.out == out]
    other = [row for row in rows if row.out != out and row.acks and not row.rst]
    syns = [row.seq for row in mine if row.syn and not row.rst]
    if syns:
        agreed = [seq for seq in syns if any(row.ack == (seq + 1) % 2**32 for row in other)]
        return agreed[0] if agreed and len(set(syns)) > 1 else syns[0]
    plain = [row for row in mine if not row.rst and not row.copy]
    if answers := [row for row in other if row.syn]:
        return answers[0].ack - 1
    if plain:
        base = plain[0].seq - 1
        numbers = walk([row.seq - base for row in plain])
        near = [number for number, sound in numbers if sound and number > -(1 << 24)]
        return base - (1 - min([1, *near]))
    if other:
        return other[0].ack - 1
    return mine[0].seq - 1 if mine else 0


def walk(values):
    """Unwrap numbers one by one."""
    last, found = 0, []
    for value in values:
        step = serial(value - last)
        found.append((last + step, abs(step) <= 1 << 30))
        last = last + step if abs(step) <= 1 << 30 else last
    return found


def number(rows):
    """Set `start` and `answer` and which of them are sound."""
    base = {out: initial(rows, out) for out in (True, False)}
    for out in (True, False):
        last = {"seq": 0, "ack": 0}
        for row in rows:
            if row.out != out:
                continue
            plain = not row.rst and not row.copy
            for name, zero, moves in (("seq", base[out], plain), ("ack", base[not out], plain and row.acks)):
                step = serial(getattr(row, name) - zero - last[name])
                value, sound = last[name] + step, moves and abs(step) <= 1 << 30
                last[name] = value if sound else last[name]
                if name == "seq":
                    row.start, row.sound = value, sound
                else:
                    row.answer, row.ack_sound = (value if row.acks else -1), sound


def mark_flow(rows):
    """Set `marks` on the rows of one flow, keeping the captured bytes as sets of numbers."""
    number(rows)
    captured = {True: set(), False: set()}
    first, acked, shown = {}, {}, {}
    solid = []
    for place, row in enumerate(rows):
        out, marks = row.out, Mark(0)
        mine, top = captured[out], max(captured[out], default=None)
        top = None if top is None else top + 1
        quiet = not (row.syn or row.fin or row.rst)
        if row.copy:
            marks |= Mark.DUPLICATE_FRAME
        if row.sound and quiet and top is not None and row.payload_length <= 1 and row.start == top - 1:
            waiting = (not out) in acked and acked[not out] < top
            same = [r for r in rows if r.out == out and r.sound and (r.syn or r.fin)]
            closed = any(r.start + r.length == top for r in same)
            marks |= Mark.KEEP_ALIVE if not closed and (row.payload_length == 0 or not waiting) else 0
        if row.sound and row.length and Mark.KEEP_ALIVE not in marks:
            marks |= place_of(row, mine, top, acked.get(not out))
            if Mark.FILL in marks and overtaken(rows, place, solid):
                marks |= Mark.REORDERED
            solid.append(row)
        if row.ack_sound and captured[not out]:
            other = captured[not out]
            begin = max(acked.get(out, first[not out]), first[not out])
            if any(byte not in other for byte in range(begin, row.answer)):
                marks |= Mark.ACKED_UNSEEN
            again = row.answer == acked.get(out) and row.answer <= max(other) and shown.get(out) == row.window
            if again and quiet and row.payload_length == 0 and Mark.KEEP_ALIVE not in marks:
                marks |= Mark.DUP_ACK
        if row.sound and quiet and row.window == 0:
            marks |= Mark.ZERO_WINDOW
        if row.sound:
            shown[out] = row.window
        if solid and solid[-1] is row:
            mine.update(range(row.start, row.start + row.length))
            first.setdefault(out, row.start)
        if row.ack_sound:
            acked[out] = max(acked.get(out, row.answer), row.answer)
        row.marks = marks


def place_of(row, captured, top, acknowledged):
    """Mark the place of a segment that brings bytes."""
    if top is None:
        return Mark(0)
    bytes_ = range(row.start, row.start + row.length)
    known = sum(byte in captured for byte in bytes_)
    marks = Mark.GAP_BEFORE if row.start > top else Mark(0)
    if known == row.length:
        marks |= Mark.REPEAT
        marks |= Mark.SPURIOUS if acknowledged is not None and row.start + row.length <= acknowledged else 0
    elif known:
        marks |= Mark.PARTIAL_REPEAT
    if any(byte < top and byte not in captured for byte in bytes_):
        marks |= Mark.FILL
    return marks


def overtaken(rows, place, solid):
    """Say whether a filling segment was overtaken rather than sent again."""
    row = rows[place]
    over = next(other for other in solid if other.out == row.out and other.start + other.length > row.start)
    if row.stamped and over.stamped and row.tsval != over.tsval:
        return serial(row.tsval - over.tsval) < 0
    step = (row.ip_id - over.ip_id + 2**15) % 2**16 - 2**15
    if row.ip_id and over.ip_id and step and abs(step) <= 16:
        return step < 0
    between = rows[rows.index(over) + 1 : place]
    asked = sum(other.out != row.out and bool(other.marks & Mark.DUP_ACK) for other in between)
    limit = 3_000_000
    opening = [other for other in rows if other.out and other.syn and not other.acks and not other.rst]
    answering = [other for other in rows if other.out and other.acks and not other.syn and not other.rst]
    if opening and answering and answering[0].row > opening[0].row:
        limit = min(limit, (answering[0].time - opening[0].time) // 2)
    return row.time - over.time < limit and asked < 3


def naive_marks(packets, flow_table, by_flow):
    """Give relative_seq, relative_ack and marks of all packets."""
    seq, ack = np.zeros(len(packets), np.int64), np.full(len(packets), -1, np.int64)
    marks = np.zeros(len(packets), np.uint16)
    flows = tcp_rows(packets, by_flow)
    find_copies(flows, flow_table.client.tolist())
    for rows in flows:
        mark_flow(rows)
        for row in rows:
            seq[row.row], ack[row.row], marks[row.row] = row.start, row.answer, int(row.marks)
    return seq, ack, marks


# --- round trips -----------------------------------------------------------------------------------------------------


def naive_rtt(packets, by_flow, sent):
    """List samples as (packet, asked, side, value, kind) by looking at all pairs of packets of each flow."""
    samples = set()
    for flow, rows in enumerate(tcp_rows(packets, by_flow)):
        last = {True: 0, False: 0}
        for row in rows:
            row.marks = Mark(int(packets.marks[row.row]))
            row.start, row.answer = int(packets.relative_seq[row.row]), int(packets.relative_ack[row.row])
            plain = not row.rst and Mark.DUPLICATE_FRAME not in row.marks
            near = plain and abs(row.start - last[row.out]) <= 1 << 30
            last[row.out] = row.start if near else last[row.out]
            row.asks = near and row.length > 0 and Mark.KEEP_ALIVE not in row.marks
            row.replies = plain and row.acks and row.answer <= sent[2 * flow + row.out]
        for answer, ask, kind in [*cover_pairs(rows), *echo_pairs(rows)]:
            samples.add((answer.row, ask.row, 2 * flow + (not answer.out), answer.time - ask.time, int(kind)))
    return samples


def cover_pairs(rows):
    """Pair first transmissions with the acknowledgements that cover them, the newest for each."""
    again = Mark.REPEAT | Mark.PARTIAL_REPEAT | Mark.FILL
    newest = {}
    for place, ask in enumerate(rows):
        if not ask.asks or ask.marks & again:
            continue
        covering = [p for p, row in enumerate(rows) if row.out != ask.out and row.replies]
        covering = [p for p in covering if rows[p].answer >= ask.start + ask.length]
        if not covering or covering[0] < place:
            continue
        answer = rows[covering[0]]
        if any(row.out == ask.out and row.marks & again for row in rows[place : covering[0]]):
            continue
        if ask.syn and not ask.acks and not (answer.syn and answer.acks):
            continue
        newest[covering[0]] = (answer, ask, RttKind.HANDSHAKE if ask.syn else RttKind.DATA)
    return newest.values()


def echo_pairs(rows):
    """Pair the first segment with a timestamp and the first echo of it that acknowledges more."""
    asked, echoed, acked = {}, {}, {}
    for place, row in enumerate(rows):
        if row.stamped and row.asks:
            asked.setdefault((row.out, row.tsval), place)
        if row.stamped and row.replies and row.tsecr and row.answer > acked.get(row.out, -(1 << 40)):
            echoed.setdefault((not row.out, row.tsecr), place)
        if row.replies:
            acked[row.out] = max(acked.get(row.out, row.answer), row.answer)
    for key, place in echoed.items():
        ask = rows[asked[key]] if asked.get(key, place) < place else None
        if ask is not None and rows[place].answer >= ask.start + ask.length:
            yield rows[place], ask, RttKind.TIMESTAMP
