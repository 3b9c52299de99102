"""Systems that silence or intercept: drops after a trigger, black holes, QUIC, protocol filters, false certificates.

And two benign causes that look like interception; the others are with the look-alikes.
"""

from netinterf.simulate.documented.base import Confounder, System

__all__ = ["CONFOUNDERS", "SYSTEMS"]

DROP, CONNECT, QUIC, FILTER, MITM = ("tcp.drop", "tcp.connect.drop", "quic.drop", "protocol.filter", "tls.interception")

TSPU = "Xue et al., TSPU: Russia's Decentralized Censorship System, IMC 2022"
NIERE = "Niere et al., FOCI 2025, and its captures"
BOCK = "Bock et al., Your Censor is My Censor, WOOT 2021"
BBS = "net4people/bbs {}"


def system(name: str, says: str, source: str, *mechanisms: str) -> System:
    """Write one row of the list."""
    return System(id=name, says=says, mechanisms=mechanisms, source=source)


def cause(name: str, says: str, source: str, *resembles: str) -> Confounder:
    """Write one row of the list."""
    return Confounder(id=name, says=says, resembles=resembles, source=source)


SYSTEMS = (
    # Russia
    system(
        "ru.tspu-sni-ii", "After a listed name 5 to 8 more packets pass, then silence both ways for 420 s.", TSPU, DROP
    ),
    system("ru.tspu-sni-iv", "Everything from the ClientHello on vanishes, for 40 s.", TSPU, DROP),
    system(
        "ru.tspu-segment-2025",
        "The segment that completes the name and all later ones of the client vanish; the server's FIN comes.",
        NIERE,
        DROP,
    ),
    system("ru.tspu-ech", "A hello with ECH and a provider's outer name vanishes.", NIERE, DROP),
    system("ru.tspu-ech-quic", "The same inside QUIC.", NIERE, QUIC),
    system("ru.tspu-ip", "All packets to listed addresses vanish, whatever the protocol.", TSPU, CONNECT),
    system(
        "ru.tspu-quic",
        "Version 1 in datagrams of 1001 bytes and more to port 443: silence both ways, 420 s.",
        TSPU,
        QUIC,
    ),
    system("ru.tspu-quic-sni", "Initials with listed names get no answer.", "Heitmann et al., FOCI 2026", QUIC),
    system(
        "ru.connection-count",
        "After some TLS connections of one name within a minute, further hellos get no answer.",
        BBS.format(546),
        DROP,
    ),
    system(
        "ru.ecofilter-name",
        "Listed names over TLS or HTTP meet silence instead of resets.",
        "EcoFilter documentation, tspu-docs",
        DROP,
    ),
    system(
        "ru.ecofilter-class",
        "Connections of a VPN protocol are silenced once recognised.",
        "EcoFilter documentation, tspu-docs",
        DROP,
    ),
    # China
    system(
        "cn.gfw-esni",
        "The client's packets vanish after a hello with ESNI, 120 to 180 s on the 3-tuple.",
        BBS.format(43),
        DROP,
    ),
    system(
        "cn.gfw-encrypted",
        "First packets that look like noise: the client's packets vanish for 180 s, one time in four.",
        "Wu et al., USENIX Security 2023",
        FILTER,
    ),
    system(
        "cn.gfw-quic",
        "Some 100 ms after an Initial with a listed name the client's packets vanish, 180 s on the 3-tuple.",
        "Zohaib et al., USENIX Security 2025",
        QUIC,
    ),
    system("cn.gfw-null-route", "Packets to listed addresses vanish on their way out.", BOCK, CONNECT),
    # Iran
    system("ir.sni-drop", "The ClientHello and what follows it vanish; nothing is acknowledged.", NIERE, DROP),
    system("ir.hello-muted", "The ClientHello is acknowledged, the server's answer is lost.", BBS.format(489), DROP),
    system("ir.null-route", "A listed Host or name null-routes the 4-tuple for 180 s.", BOCK, DROP),
    system(
        "ir.handshake-silence",
        "Some addresses complete the TCP handshake and never answer data.",
        BBS.format(626),
        DROP,
    ),
    system(
        "ir.allowlist-2026",
        "Names off the list: the connection goes on for a little, then a minute of silence.",
        BBS.format(561),
        DROP,
    ),
    system(
        "ir.ssh",
        "SSH sessions fall silent after 15, 33 or 44 s.",
        "IRBlock, USENIX Security 2025; " + BBS.format(39),
        DROP,
    ),
    system(
        "ir.protocol-filter-2020",
        "Ports 53, 80, 443: first packets that are no DNS, HTTP or TLS; 60 s, begun anew by retransmissions.",
        "Bock et al., FOCI 2020",
        FILTER,
    ),
    system(
        "ir.protocol-allowlist-2024",
        "Connections of unknown protocols stop after about six packets.",
        "Alaraj 2025",
        FILTER,
    ),
    system(
        "ir.ports-2025",
        "Only DNS, HTTP and HTTPS ports pass; SYNs to others vanish.",
        "Aryapour, arXiv:2507.14183, 2025",
        CONNECT,
    ),
    system(
        "ir.hosting-prefixes", "Whole prefixes of hosting companies are unreachable.", "Nym report, June 2025", CONNECT
    ),
    system("ir.quic-off", "Every QUIC Initial gets no answer.", BBS.format("484, 489"), QUIC),
    system("ir.udp-endpoint", "UDP to listed addresses vanishes.", "Elmenhorst et al., IMC 2021", QUIC),
    # elsewhere
    system(
        "kz.null-route",
        "A listed Host or name null-routes the 4-tuple for 120 s, begun anew by retransmissions.",
        BOCK,
        DROP,
    ),
    system(
        "kz.qaznet-2019",
        "Listed names get a leaf of a state root: no extensions but the names, RSA exponent 3, validity moved.",
        "Raman et al., IMC 2020",
        MITM,
    ),
    system("bd.in-line", "HTTP requests for listed hosts vanish in-line.", "Verkamp and Gupta, FOCI 2012", DROP),
    system(
        "geedge.exports",
        "Silent drops by name as an option of a product (Myanmar, Pakistan, Ethiopia, Kazakhstan).",
        "leaked documents, 2025",
        DROP,
    ),
    system(
        "residual.null-routing", "After a trigger the 3-tuple is null-routed for minutes, in 18 countries.", BOCK, DROP
    ),
    system(
        "eg-jo.inbound",
        "Triggers sent into the country over an echo service silence it for up to 100 s.",
        "VanderSloot et al., Quack, USENIX Security 2018",
        DROP,
    ),
)

CONFOUNDERS = (
    cause(
        "local-antivirus",
        "A filter on the host itself answers TLS with certificates of its own.",
        "tcp-tampering §11 (TlsMitm)",
        MITM,
    ),
    cause(
        "two-authorities",
        "Front ends of one name have certificates of different issuers.",
        "CERTainty, PETS 2023",
        MITM,
    ),
)
