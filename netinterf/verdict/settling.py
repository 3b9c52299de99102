"""What would settle a suspicion, by mechanism: what a second capture has to hold that tells it from its look-alikes.

Sentences know the mechanism alone. So they ask for what no capture with such a suspicion can hold already: another
place, another time, or more of what there is little of.
"""

__all__ = ["settled_by"]

BOTH_ENDS = "captures at the client and at the server at the same time"
MORE_NAMES = "further attempts with this and with other names and addresses at the same time, and again an hour later"

SETTLES = {
    "": BOTH_ENDS,
    "tcp.drop": f"{BOTH_ENDS}, or {MORE_NAMES}",
    "tcp.connect.drop": "the same attempt from another network at the same time, and again an hour later",
    "http.blockpage": "the same request from another network, and over TLS",
    "tls.interception": "the certificate that the same name shows in another network",
    "dns": "the same question to further resolvers, over TCP and from another network",
    "quic": MORE_NAMES,
    "protocol": "other protocols on the same port, and this one on others, at the same time",
    "rate": "transfers of the same size with this and with other names at the same time, and again an hour later",
    "rate.freeze": "more transfers that are larger than what passed, with this and with other names",
    "rate.handshake": "more handshakes with this and with other names of the same server",
    "reach": "a capture of some minutes that tries more networks at home and abroad, read with a table of networks",
}
"""By how a mechanism's path begins; the longest that fits counts."""


def settled_by(mechanism: str) -> str:
    """Say what would settle a suspicion of *mechanism*, as the end of a sentence."""
    path = mechanism
    while path not in SETTLES:
        path = path.rpartition(".")[0]
    return SETTLES[path]
