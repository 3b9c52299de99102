"""What genuine resets look like: the harmless causes that argue against a forger, and how the rules of resets begin."""

from netinterf.schema import Rule

__all__ = ["NEGATIVE", "RESET", "WEAVER", "rule"]

WEAVER = "Weaver, Sommer, Paxson: Detecting Forged TCP Reset Packets, NDSS 2009"
RESET = "tcp.reset"


def rule(name: str, group: str, says: str, *measures: str, source: str = WEAVER) -> Rule:
    """Shorten the declaration of one rule of this analyzer."""
    return Rule(
        id=f"rst.{name}",
        mechanism=RESET,
        group=f"rst.{group}",
        says=says,
        measures=measures,
        references=(source,),
    )


NEGATIVE: tuple[tuple[float, Rule], ...] = (
    (
        -4.0,
        rule(
            "abort",
            "ending",
            "the reset continues its sender's timestamps: the application closed the connection itself",
            source="RFC 2525 §2.17",
        ),
    ),
    (
        -3.0,
        rule("refused", "ending", "the reset is how a closed port refuses a connection", source="RFC 9293 §3.10.7.1"),
    ),
    (
        -3.0,
        rule("after_fin", "ending", "the side that reset had closed the connection before", source="RFC 9293 §3.10.7"),
    ),
    (
        -3.0,
        rule(
            "reaction", "ending", "the reset answers the other side's reset or late packets", source="RFC 9293 §3.10.7"
        ),
    ),
    (
        -3.0,
        rule(
            "stray",
            "ending",
            "the reset answers a segment for a connection its sender no longer knew",
            source="RFC 9293 §3.10.7.1",
        ),
    ),
    (
        -2.0,
        rule(
            "after_close",
            "ending",
            "the reset answers a side that had closed the connection before",
            source="RFC 5382 §5: a middlebox may forget a connection at its first FIN",
        ),
    ),
    (
        -1.0,
        rule(
            "resumed",
            "ending",
            "the reset answers the first packet after a pause: a box on the way may have lost its state",
            source="RFC 5382 §5; RFC 6298 §2.4",
        ),
    ),
    (
        -3.0,
        rule(
            "idle",
            "ending",
            "the reset ended a connection that had been silent for a minute or more",
            source="RFC 5382 §5",
        ),
    ),
    (
        -2.0,
        rule(
            "rested",
            "ending",
            "everything that was asked had been answered {seconds} s before: front ends end what is idle",
            "seconds",
            source="Apache httpd KeepAliveTimeout; HAProxy timeout client; RFC 9112 §9.5",
        ),
    ),
    (
        -5.0,
        rule(
            "closed_before",
            "ending",
            "the side had reset the connection itself before: something answered late packets",
            source="RFC 9293 §3.10.7.1",
        ),
    ),
    (
        -0.4,  # 463 of 6,860 simulated flows with forged and 275 of 2,820 with genuine resets are on time
        rule(
            "on_time",
            "timing",
            "the reset took {waited_ms} ms, as long as its sender's own answers ({rtt_ms} ms)",
            "ratio",
            "waited_ms",
            "rtt_ms",
            source="Causality: an injector nearer than the server need not wait",
        ),
    ),
    (
        -1.0,
        rule(
            "per_segment",
            "burst",
            "{size} resets came at once, no more than one for each segment of the flight they answer",
            "size",
            source="RFC 2525 §2.17; RFC 9293 §3.10.7.1",
        ),
    ),
    (
        -1.1,  # .14 of forged and .45 of genuine ones where every repository weighs the same; 1 of 93, and 157 of 394
        rule(
            "as_the_host",
            "resemblance",
            "the reset is as its sender's other packets in every field that could be compared, three and more",
            source="Counted by python -m benchmarks resemblance over public captures",
        ),
    ),
    (-3.0, rule("in_counter", "ip_id", "the reset's IP ID is the next of its sender's counter")),
    (
        -0.5,  # there to be read: a filter of one's own is a filter
        rule(
            "gateway",
            "own_network",
            "the reset crossed no router: a device on the client's own network wrote it, such as its gateway, a "
            "firewall, or a filter that the owner of that network chose",
            source="RFC 1812 §5.3.1: each router lowers the hop limit; RFC 2979",
        ),
    ),
    (
        -3.0,  # it explains early answers and foreign headers alike, which weigh as much together
        rule(
            "gateway_forgot",
            "forgot",
            "the reset crossed no router, and this client's talks that went on well were ended so too: a gateway "
            "whose line came up anew, or that was restarted, answers so for what it no longer knows",
            source="RFC 4787 §4.3; RFC 5382 §5",
        ),
    ),
)
