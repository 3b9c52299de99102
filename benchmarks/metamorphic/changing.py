"""One capture in every changed form, judged again; and two captures in one file."""

from fnmatch import fnmatch
from functools import cache

import attrs
import numpy as np

from benchmarks.metamorphic.comparing import About, Compared, Looked, compare, look
from benchmarks.metamorphic.sources import Origin, simulated_bytes
from benchmarks.scoreboard.judging import limited
from netinterf.capture import open_capture
from netinterf.errors import NetinterfError, ParameterError
from netinterf.trace import Trace, decode_capture, read
from netinterf.transform import CHANGES, Change, Frames, Kind, load, merge, shift, to_bytes

__all__ = ["ALL", "PAIR", "Changed", "change_all", "merge_pair"]

LIMIT = 30.0
"""Seconds of processor time for one capture in one form: an ordinary one takes a tenth of one."""

DNS = 53
SEED = 1
PAIR = "merged pairs"


@attrs.frozen(kw_only=True)
class Changed:
    """What changes did to one capture, by name; those that cannot be made of it are left out."""

    origin: Origin
    done: dict[str, Compared] = attrs.field(factory=dict)
    failure: str = ""  # why it was given up, empty for not


def in_company(frames: Frames) -> Frames:
    """Merge frames with unrelated connections of other hosts, within the same time: a longer capture is another one.

    Raises:
        ParameterError: No connection fits.
    """
    trace = read(to_bytes(frames, file_format="pcapng"))
    other, met = unrelated()
    taken = np.isin(hosts_of(met), hosts_of(trace))
    taken = np.append(taken[met.flows.client] | taken[met.flows.server], True)
    other = other.take(~taken[other.packets.flow])
    if not len(frames) or not len(other):
        raise ParameterError("frames", "nothing", "frames, and connections between hosts that they do not hold")
    time, since = other.packets.time, int(frames.packets.time.min())
    span = int(frames.packets.time.max()) - since
    room = max(span - int(np.ptp(time)), 0)
    moved = shift(other, since - int(time.min()) + int(np.random.default_rng(SEED).integers(room + 1)))
    return merge([frames, moved.take(moved.packets.time <= since + span)])


@cache
def unrelated() -> tuple[Frames, Trace]:
    """Simulate ordinary connections; lookups go, since everybody asks the same few resolvers."""
    content = simulated_bytes("benign.tcp.traffic", SEED)
    frames, trace = load(content), read(content)
    asked = np.append(trace.flows.server_port == DNS, True)[frames.packets.flow]
    return frames.take(~asked), trace


def hosts_of(trace: Trace) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Give the addresses of a trace, comparable."""
    return np.ascontiguousarray(np.stack([trace.hosts.high, trace.hosts.low], axis=1)).view("S16").reshape(-1)


COMPANY = Change(name="merged with others", kind=Kind.NEUTRAL, apply=in_company, file_format="pcapng")

ALL: tuple[Change, ...] = (*CHANGES, COMPANY)
"""All changes, and company, which needs another capture."""


def change_all(origin: Origin, pattern: str = "*") -> Changed:
    """Change one capture in every way whose name matches, and compare."""
    done: dict[str, Compared] = {}
    wanted = [change for change in ALL if fnmatch(change.name, pattern)]
    try:
        with limited(LIMIT * (len(wanted) + 1)):
            content = origin.content()
            before, frames = look(read(content)), load(content)
            for change in wanted:
                if (found := changed(before, frames, change, origin)) is not None:
                    done[change.name] = found
    except (NetinterfError, TimeoutError) as error:
        return Changed(origin=origin, done=done, failure=f"{type(error).__name__}: {error}")
    return Changed(origin=origin, done=done)


def changed(before: Looked, frames: Frames, change: Change, origin: Origin) -> Compared | None:
    """Change a capture in one way; None where that cannot be."""
    try:
        made = change.apply(frames)
        content = to_bytes(made, file_format=change.file_format)
    except ParameterError:
        return None
    if not len(made):
        return None
    numbers = made.packets.frame.astype(np.int64)
    numbers[numbers > int(frames.packets.frame.max())] = 0
    about = About(change=change.name, kind=change.kind, file=origin.file, simulated=origin.simulated)
    return compare(before, look(read(content)), numbers, about)


def merge_pair(pair: tuple[Origin, Origin]) -> tuple[Changed, ...]:
    """Put two captures into one file, and hold each against itself apart; none with a common host, or an empty one.

    Apart they are judged as parts of a recording that lasts as long: whoever is silent is silent for as long.
    """
    try:
        with limited(4 * LIMIT):
            contents = [origin.content() for origin in pair]
            here, there = (hosts_of(read(content)) for content in contents)
            first, second = map(load, contents)
            if np.isin(here, there).any() or not (len(first) and len(second)):
                return ()
            return merged(pair, first, second)
    except (NetinterfError, TimeoutError):  # whoever cannot be read is named where it is changed
        return ()


def merged(pair: tuple[Origin, Origin], first: Frames, second: Frames) -> tuple[Changed, ...]:
    """Merge two captures in the middle of each other, and compare."""
    middle = [(int(one.packets.time.min()) + int(one.packets.time.max())) // 2 for one in (first, second)]
    second = shift(second, middle[0] - middle[1])
    both = merge([first, second])
    span = (int(both.packets.time.min()), int(both.packets.time.max()))
    after = look(read(to_bytes(both, file_format="pcapng")))
    numbers, before = both.packets.frame.astype(np.int64), int(first.packets.frame.max())
    shown = (np.where(numbers <= before, numbers, 0), np.maximum(numbers - before, 0))
    found = []
    for own, frames, those, other in zip(pair, (first, second), shown, pair[::-1], strict=True):
        name = f"{own.file} (with {other.file})"
        about = About(change=PAIR, kind=Kind.NEUTRAL, file=name, simulated=own.simulated)
        one = compare(look(apart(frames, span)), after, those, about)
        found.append(Changed(origin=own, done={PAIR: one}))
    return tuple(found)


def apart(frames: Frames, span: tuple[int, int]) -> Trace:
    """Read frames as all that is known of a recording that lasted for some time (ns, first and last)."""
    return decode_capture(open_capture(to_bytes(frames, file_format="pcapng")), span=span)
