"""The vocabulary for QUIC: what each observation is called, says and weighs (where the fit begins)."""

from netinterf.analyzers.base import family
from netinterf.schema import Rule

__all__ = ["QUIC_RULES", "QUIC_WEIGHTS"]

ZOHAIB = "Zohaib et al., Exposing and Circumventing SNI-based QUIC Censorship, USENIX Security 2025"
TSPU = "Xue et al., TSPU, IMC 2022"
OONI = "OONI Web Connectivity specification; Elmenhorst et al., FOCI 2021"


rule = family("quic", "quic.drop")

TABLE: tuple[tuple[float, Rule], ...] = (
    (
        0.5,
        rule(
            "initial",
            "silence",
            "{tries} QUIC datagrams were sent in {seconds} s and the server never answered",
            "tries",
            "seconds",
            source=TSPU,
        ),
    ),
    (
        0.3,
        rule(
            "once",
            "silence",
            "the client's {tries} QUIC datagrams were never answered, and it gave up early",
            "tries",
            "seconds",
            source=TSPU,
        ),
    ),
    (
        1.0,
        rule(
            "stopped",
            "silence",
            "the server had answered, and then {tries} QUIC datagrams in {seconds} s got no answer any more",
            "tries",
            "seconds",
            source=ZOHAIB,
        ),
    ),
    (
        7.0,
        rule(
            "served",
            "contrast",
            "the same server answered QUIC under other names ({served} times) within a minute, and this one never",
            "served",
            "selective",
            source=OONI,
            shared=True,
        ),
    ),
    (
        1.5,
        rule(
            "others",
            "others",
            "QUIC to other servers was answered {others} times within a minute",
            "others",
            "selective",
            source=OONI,
            shared=True,
        ),
    ),
    (
        0.5,
        rule(
            "over_tcp",
            "tcp",
            "over TCP the same server or name answered {served} times within a minute",
            "served",
            source=OONI,
            shared=True,
        ),
    ),
    (
        2.0,
        rule(
            "promised",
            "promise",
            "the DNS record of the name says that its server speaks HTTP/3, and QUIC to other servers was answered "
            "{others} times within a minute",
            "others",
            "selective",
            source="RFC 9460 §7.1; RFC 9114 §3.1",
        ),
    ),
    (
        2.0,
        rule(
            "again",
            "again",
            "{times} more QUIC conversations under the same name fell silent, and none went well near them",
            "times",
            source=ZOHAIB,
            shared=True,
        ),
    ),
    (
        3.0,
        rule(
            "residual",
            "residual",
            "{seconds} s before, QUIC to the same port of the server had fallen silent under another name",
            "seconds",
            source=ZOHAIB,
            shared=True,
        ),
    ),
    (
        2.0,
        rule(
            "recovered",
            "recovered",
            "later the same port of the server answered QUIC again",
            source=ZOHAIB,
            shared=True,
        ),
    ),
    (
        -3.0,
        rule(
            "none",
            "others",
            "no server answered QUIC, {silent} others were silent as well: this network may let none out",
            "silent",
            source=OONI,
            shared=True,
        ),
    ),
    (
        -2.5,
        rule(
            "moody",
            "again",
            "the same server answered QUIC under the same name {served} times within a minute",
            "served",
            source=OONI,
            shared=True,
        ),
    ),
    (
        -3.0,
        rule(
            "server",
            "contrast",
            "the same server was silent to QUIC under other names too ({deaf} times), and answered none",
            "deaf",
            source=OONI,
            shared=True,
        ),
    ),
    (
        -4.0,
        rule(
            "line",
            "line",
            "the client tried {tried} connections to other networks meanwhile, and nothing came from any",
            "tried",
            source=OONI,
            shared=True,
        ),
    ),
)

QUIC_WEIGHTS: dict[str, float] = {known.id: weight for weight, known in TABLE}
QUIC_RULES: tuple[Rule, ...] = tuple(known for _, known in TABLE)
