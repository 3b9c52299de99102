"""The vocabulary of resets that the client's own network wrote: they crossed no router."""

from netinterf.schema import Rule

__all__ = ["GATEWAY"]

GATEWAY: tuple[tuple[float, Rule], ...] = (
    (
        -0.5,  # there to be read: a filter of one's own is a filter
        Rule(
            id="rst.gateway",
            mechanism="tcp.reset",
            group="rst.own_network",
            says="the reset crossed no router: a device on the client's own network wrote it, such as its gateway, a "
            "firewall, or a filter that the owner of that network chose",
            references=("RFC 1812 §5.3.1: each router lowers the hop limit; RFC 2979",),
        ),
    ),
    (
        -3.0,  # it explains early answers and foreign headers alike, which weigh as much together
        Rule(
            id="rst.gateway_forgot",
            mechanism="tcp.reset",
            group="rst.forgot",
            says="the reset crossed no router, and this client's talks that went on well were ended so too: a gateway "
            "whose line came up anew, or that was restarted, answers so for what it no longer knows",
            references=("RFC 4787 §4.3; RFC 5382 §5",),
        ),
    ),
)
"""Weights in nats and rules."""
