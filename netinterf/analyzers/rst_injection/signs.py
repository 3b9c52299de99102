"""What each reset shows, weighed: time, aftermath, numbers, stage, header, burst, and the templates that excuse it."""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.aftermath import alive_after, alive_at_once, kernel_beside_program
from netinterf.analyzers.forgery.header import HeaderSigns, compare_headers
from netinterf.analyzers.forgery.oddity import from_gateway
from netinterf.analyzers.forgery.resemblance import compare_with_sender
from netinterf.analyzers.forgery.sequence import ack_unsent, behind_data, lossy, seq_change
from netinterf.analyzers.forgery.suspects import Suspects, aimed_at, left_over
from netinterf.analyzers.forgery.timing import Timing, measure_timing, trigger_died
from netinterf.analyzers.forgery.writer import ONE_SAMPLE, Signs, hops_off
from netinterf.analyzers.rst_injection.burst import answer_late_data, burst_signs
from netinterf.analyzers.rst_injection.endings import EndingSigns, ending_signs
from netinterf.analyzers.rst_injection.rules import CONNECT_SIGNS, WEIGHTS
from netinterf.trace import Trace

__all__ = ["TEMPLATES", "after_request", "answers_syn", "reset_signs"]


def reset_signs(trace: Trace, suspects: Suspects, forged_ends: NDArray[np.int64], tolerance: int) -> Signs:
    """Weigh each sign on each reset that can show it.

    Args:
        trace: The capture.
        suspects: Its resets.
        forged_ends: Sides (rows in Sides) whose FIN is held to be forged: it excuses no reset.
        tolerance: Hops by which a reset may differ from its sender's other packets.
    """
    signs, opening = all_signs(trace, suspects, forged_ends, tolerance), answers_syn(trace, suspects)
    return {
        name: (llr if name in CONNECT_SIGNS else np.where(opening, 0.0, llr), measured, shown)
        for name, (llr, measured, shown) in signs.items()
    }


def answers_syn(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
    """Say which resets answer a SYN: their claimed sender had said nothing before."""
    found: NDArray[np.bool_] = (suspects.previous < 0) & (trace.sides.syn[suspects.other] >= 0)
    return found


def all_signs(trace: Trace, suspects: Suspects, forged_ends: NDArray[np.int64], tolerance: int) -> Signs:
    """Weigh each sign on each reset, whatever it answers."""
    headers = compare_headers(trace, suspects)
    endings = ending_signs(trace, suspects, headers, forged_ends)
    timing = measure_timing(trace, suspects)
    foreign = ~np.isnan(hops_off(headers, tolerance)) | headers.no_timestamps | headers.fragment_flag
    gap, after = alive_after(trace, suspects, foreign)
    ignored = np.where(left_over(trace, suspects.base, suspects.row), aimed_at(trace, suspects.base, suspects.row), 0)
    beside = alive_at_once(trace, suspects, ~np.isnan(gap))
    report = trigger_died(trace, suspects)
    waiting, acknowledged = after_request(trace, suspects)
    burst = burst_signs(trace, suspects)
    forgot = forgot_at_once(trace, suspects, endings)
    since = np.where(forgot, suspects.gap / 1e6, np.nan)
    answers = np.isin(suspects.side, suspects.side[forgot])  # one for each packet that still comes, again and again
    alive = ~np.isnan(gap) | forgot
    late = answer_late_data(trace, suspects, endings.after_fin & ~alive)
    shaped = (((burst.size >= 2) & burst.mixed) | burst.excess) & ~answers & ~late
    return {
        **timing_signs(timing, endings),
        "alive_after": (weigh("alive_after", ~np.isnan(gap)), {"gap_ms": gap}, after),
        "alive_beside": (weigh("alive_beside", beside >= 0), {}, beside),
        "ignored": (weigh("ignored", ignored > 0), {"connections": ignored.astype(np.float64)}, None),
        "forgot": (weigh("forgot", forgot), {"gap_ms": since}, None),
        "seq_change": (weigh("seq_change", seq_change(trace, suspects)), {}, None),
        "behind_data": (weigh("behind_data", behind_data(trace, suspects)), {}, None),
        "ack_unsent": (weigh("ack_unsent", ack_unsent(trace, suspects)), {}, None),
        "trigger_died": (weigh("trigger_died", report >= 0), {}, report),
        "after_request": (weigh("after_request", waiting & ~acknowledged), {}, None),
        "after_ack": (weigh("after_ack", waiting & acknowledged), {}, None),
        **header_signs(trace, suspects, headers, tolerance, late),
        "burst": (weigh("burst", shaped), {"size": burst.size.astype(np.float64)}, None),
        "per_segment": (
            weigh("per_segment", (burst.per_segment | (late & (burst.size >= 2))) & ~answers),
            {"size": burst.size.astype(np.float64)},
            None,
        ),
        "cloned_id": (weigh("cloned_id", burst.cloned), {}, None),
        "counting": (weigh("counting", burst.counting), {}, None),
        **template_signs(endings, alive),
    }


def header_signs(
    trace: Trace, suspects: Suspects, headers: HeaderSigns, tolerance: int, late: NDArray[np.bool_]
) -> Signs:
    """Weigh how the reset's header differs from its sender's; what answers *late* data may be made from them."""
    jump = hops_off(headers, tolerance)
    ip_id = weigh("ip_id", ~np.isnan(headers.ip_id_jump)) * np.where(suspects.acks, 1.0, 0.25)
    ip_id *= trace.recording.ip_id_informative[suspects.flow]
    telling = (
        ~np.isnan(jump) & trace.recording.ttl_informative[suspects.flow]
    )  # equal or rewritten hop limits tell nothing
    device = device_share(telling, headers) * ~kernel_beside_program(trace, suspects)
    gateway = from_gateway(trace, suspects.row, suspects.side)
    return {
        "ttl": (device * weigh("ttl", telling & ~headers.ttl_class), {"jump": jump}, None),
        "ttl_class": (device * weigh("ttl_class", telling & headers.ttl_class), {"jump": jump}, None),
        "ttl_varies": (weigh("ttl_varies", telling & headers.ttl_varies), {}, None),
        "no_timestamps": (device * weigh("no_timestamps", headers.no_timestamps), {}, None),
        "ip_id": (ip_id * ~headers.copied_id, {"distance": headers.ip_id_jump}, None),
        "copied_id": (weigh("copied_id", headers.copied_id & ~late), {}, None),
        "df": (device * weigh("df", headers.fragment_flag), {}, None),
        "copied_window": (weigh("copied_window", headers.copied_window & ~late), {}, None),
        "odd_window": (device * weigh("odd_window", headers.odd_window), {}, None),
        "bare_window": (device * weigh("bare_window", headers.bare_window), {}, None),
        "window_varies": (weigh("window_varies", headers.window_varies), {}, None),
        "odd_flags": (weigh("odd_flags", headers.odd_flags), {}, None),
        "payload": (weigh("payload", headers.payload > 0), {"bytes": headers.payload.astype(np.float64)}, None),
        "in_counter": (weigh("in_counter", headers.in_counter), {}, None),
        "as_the_host": (weigh("as_the_host", compare_with_sender(trace, suspects, headers)[1]), {}, None),
        "gateway": (weigh("gateway", gateway), {}, None),
        "gateway_forgot": (weigh("gateway_forgot", forgetful(trace, suspects, gateway)), {}, None),
    }


def forgetful(trace: Trace, suspects: Suspects, gateway: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find what a gateway reset for clients of which it also ended talks that went on well.

    Their server had answered, and had taken more than the first data. Filters decide before: by a name, which is among
    the first data, or by the certificate that answers them.
    """
    packets, sides, base = trace.packets, trace.sides, suspects.base
    own, first = sides.first_payload[suspects.side], sides.first_payload[suspects.other].astype(np.int64)
    if not gateway.any():
        return gateway
    said = packets.relative_seq[first] + packets.payload_length[first]
    went_on = gateway & (own >= 0) & (own < suspects.row) & (first >= 0)
    went_on &= base.at(base.acked, suspects.previous, missing=0) > said
    client = trace.flows.client[suspects.flow]
    found: NDArray[np.bool_] = gateway & np.isin(client, client[went_on])
    return found


def timing_signs(timing: Timing, endings: EndingSigns) -> Signs:
    """Weigh how long the resets took; a gateway may rightly answer for a flow that it forgot."""
    measured = {"ratio": timing.ratio, "waited_ms": timing.ratio * timing.rtt / 1e6, "rtt_ms": timing.rtt / 1e6}
    many = timing.samples >= 2
    sizes = {
        "premature": np.where(many, WEIGHTS["rst.premature"], ONE_SAMPLE) * timing.premature,
        "too_soon": weigh("too_soon", timing.too_soon) * np.where(many, 1.0, ONE_SAMPLE / WEIGHTS["rst.premature"]),
        "nearer": weigh("nearer", timing.nearer),
        "on_time": weigh("on_time", timing.on_time),
    }
    forgotten = endings.idle | endings.resumed | endings.after_close
    return {name: (np.where(forgotten, 0.0, llr), measured, timing.asked) for name, llr in sizes.items()}


def template_signs(endings: EndingSigns, alive: NDArray[np.bool_]) -> Signs:
    """Weigh the templates of genuine endings, the most special first.

    A side that goes on as if nothing had happened had not closed, aborted or forgotten the connection: where it does,
    no template explains the reset.
    """
    special = endings.after_fin | endings.abort
    found = {
        "abort": endings.abort,
        "refused": endings.refused & ~endings.abort,
        "after_fin": endings.after_fin & ~endings.abort,
        "reaction": endings.reaction & ~special,
        "stray": endings.stray & ~endings.after_fin & ~endings.reaction,
        "after_close": endings.after_close & ~special,
        "resumed": endings.resumed & ~special & ~endings.after_close & ~endings.idle,
        "idle": endings.idle,
        "closed_before": endings.closed_before,
        "rested": ~np.isnan(endings.rested) & ~special,
    }
    told = {"rested": {"seconds": endings.rested}}
    return {name: (weigh(name, shown & ~alive), told.get(name, {}), None) for name, shown in found.items()}


def forgot_at_once(trace: Trace, suspects: Suspects, endings: EndingSigns) -> NDArray[np.bool_]:
    """Find clients that lost a connection in the middle of a request, without a word of their own.

    Their stack answers what still comes with bare resets, as it does for connections that it does not know. It had sent
    data less than two round trips before, and neither a FIN nor an earlier reset of either side was captured: a reset
    that was not captured took the connection from it. Blind where the capture has holes.
    """
    sides, row = trace.sides, suspects.row
    fin, rst, first = (column.astype(np.int64) for column in (sides.fin, sides.rst, sides.first_payload))
    none = np.iinfo(np.int64).max
    ended = np.minimum(*(np.where(fin[side] < 0, none, fin[side]) for side in (suspects.side, suspects.other)))
    other = np.where(rst[suspects.other] < 0, none, rst[suspects.other])
    asked = (first[suspects.side] >= 0) & (first[suspects.side] < row) & (trace.packets.relative_seq[row] > 1)
    known = (suspects.side % 2 == 0) & (rst[suspects.side] == row) & (ended > row) & (other > row)
    rtt = sides.rtt[suspects.side]
    fresh = (suspects.gap >= 0) & (rtt > 0) & (suspects.gap <= FRESH_TRIPS * rtt)
    found: NDArray[np.bool_] = endings.stray & known & asked & fresh & ~lossy(trace, suspects)
    return found


FRESH_TRIPS = 2
"""Round trips after its last packet within which a client has lost the connection while it was under way: one until
what the server says has drawn the answer, and one for the server to say it. Judgement, not fitted."""


def after_request(trace: Trace, suspects: Suspects) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say of each suspect "from a server" whether the client had sent data and the server none, and had taken them.

    Which data were the first, and which end is the client, is known only where a greeting was captured.

    Returns:
        Whether it came at that stage, and whether the server had acknowledged data before.
    """
    first, syn = trace.sides.first_payload, trace.sides.syn
    met = (syn[suspects.other] >= 0) | (syn[suspects.side] >= 0)
    asked, answered = first[suspects.other], first[suspects.side]
    waiting = (asked >= 0) & (asked < suspects.row) & ((answered < 0) | (answered >= suspects.row))
    fin = trace.sides.fin[suspects.side]
    found: NDArray[np.bool_] = met & waiting & (suspects.side % 2 == 1) & ((fin < 0) | (fin >= suspects.row))
    return found, suspects.base.at(suspects.base.acked, suspects.previous) > 1


TEMPLATES = ("abort", "refused", "after_fin", "reaction", "after_close", "idle", "closed_before")
"""Endings that excuse a reset: what it looks like is not held against other servers."""

ONE_DEVICE = 5.0
"""What hop limit, options, flags and window may say together: another device near the server, a load balancer or a
firewall that rejects for it, explains them all at once."""


def device_share(telling: NDArray[np.bool_], headers: HeaderSigns) -> NDArray[np.float64]:
    """Share of its weight that each header field keeps so that together they stay below `ONE_DEVICE`."""
    total = np.where(telling, np.where(headers.ttl_class, WEIGHTS["rst.ttl_class"], WEIGHTS["rst.ttl"]), 0.0)
    total += weigh("no_timestamps", headers.no_timestamps) + weigh("df", headers.fragment_flag)
    total += weigh("odd_window", headers.odd_window) + weigh("bare_window", headers.bare_window)
    return np.minimum(1.0, ONE_DEVICE / np.maximum(total, 1e-9))


def weigh(name: str, found: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the rule's weight where it was found, 0 elsewhere."""
    return np.where(found, WEIGHTS[f"rst.{name}"], 0.0)
