"""The vocabulary of the silence analyzer: what each observation is called, says and weighs.

The weights are where the fit (``python -m benchmarks fit``) begins: natural-log likelihood ratios against the silences
of ordinary networks. That packets are lost by chance three times running is excluded by the definition of a silence
(chance 8e-6 at 1 % loss), so they weigh how much likelier a box is than a dead host, path or line. That is little
without a witness and much with one: an end that is heard and deaf, a server that serves others meanwhile (OONI keeps
*down* and *blocked* apart in the same way) weigh as much as a reset whose sender goes on.
"""

import attrs

from netinterf.analyzers.base import family
from netinterf.schema import Rule

__all__ = ["FILTER_TWINS", "RULES", "WEIGHTS"]

TSPU = "Xue et al., TSPU, IMC 2022"
CLOUDFLARE = "Sundara Raman et al., SIGCOMM 2023"
RESIDUAL = "Bock et al., WOOT 2021"
OONI = "OONI Web Connectivity specification; Niaki et al., ICLab, IEEE S&P 2020"


rule = family("drop", "tcp.drop")

TABLE: tuple[tuple[float, Rule], ...] = (
    (
        3.5,
        rule(
            "request",
            "silence",
            "the client's first data, or a part of it, was sent {tries} times in {seconds} s and never acknowledged, "
            "though the connection had been opened",
            "tries",
            "seconds",
            source=TSPU,
        ),
    ),
    (
        2.5,
        rule(
            "later",
            "silence",
            "data in the middle of the connection, or a part of it, was sent {tries} times in {seconds} s and never "
            "acknowledged",
            "tries",
            "seconds",
            source=TSPU,
        ),
    ),
    (
        2.0,
        rule(
            "answer",
            "silence",
            "the server's answer, or a part of it, was sent {tries} times in {seconds} s and never acknowledged",
            "tries",
            "seconds",
            source=CLOUDFLARE,
        ),
    ),
    (
        1.0,
        rule(
            "closing",
            "silence",
            "the end of the connection was announced {tries} times in {seconds} s and never acknowledged",
            "tries",
            "seconds",
            source=CLOUDFLARE,
        ),
    ),
    (
        1.0,
        rule(
            "wordless",
            "silence",
            "the client opened the connection, never said anything, and did not answer its end either ({tries} times, "
            "{seconds} s)",
            "tries",
            "seconds",
            source=CLOUDFLARE,
        ),
    ),
    (
        1.5,
        rule(
            "mute",
            "silence",
            "the request was acknowledged, and in {seconds} s no answer came",
            "seconds",
            source="Reports from Iran 2025 (net4people 489); Xue et al., TSPU, IMC 2022",
        ),
    ),
    (
        1.5,
        rule(
            "cut",
            "silence",
            "what the other side was saying stopped in the middle, and in {seconds} s nothing more came",
            "seconds",
            source=TSPU,
        ),
    ),
    (
        1.5,
        rule(
            "hole",
            "silence",
            "{bytes} bytes of the other side never arrived in {seconds} s, though later packets of it did",
            "bytes",
            "seconds",
            source="Reports from Iran 2025 (net4people 489)",
        ),
    ),
    (
        3.0,
        rule(
            "withheld",
            "withheld",
            "the other end had sent {bytes} bytes, as its own numbers show, and none of them arrived",
            "bytes",
            source="RFC 9293 §3.4; reports from Iran 2025 (net4people 489)",
        ),
    ),
    (
        0.5,
        rule(
            "syn",
            "silence",
            "{tries} requests to open the connection got no answer in {seconds} s",
            "tries",
            "seconds",
            source=CLOUDFLARE,
        ),
    ),
    (
        1.0,
        rule(
            "counted",
            "count",
            "{died} requests with this name died, each after {least} and more within a minute before (this one after "
            "{recent}), while {others} with other names were served by the same server (log-likelihood ratio {llr})",
            "died",
            "least",
            "recent",
            "others",
            "llr",
            "selective",
            source="net4people/bbs 546; dpi-checkers",
            shared=True,
        ),
    ),
    (
        5.0,
        rule(
            "one_way",
            "direction",
            "the other end was heard {seconds} s after it should have got what it never acknowledged: it is alive, "
            "and only one direction is cut",
            "seconds",
            source="Captures from Russia, 2025: 10 of 12 silenced connections",
        ),
    ),
    (
        1.0,
        rule(
            "greeted",
            "stage",
            "both ends had just opened the connection when the silence began",
            source=TSPU,
        ),
    ),
    (
        5.0,
        rule(
            "ignored",
            "contrast",
            "the same server answered {served} connections under other names meanwhile or within a minute: an end "
            "acknowledges what it got before it reads the name",
            "served",
            "selective",
            source=f"RFC 9293 §3.10.7.4; {OONI}",
            shared=True,
        ),
    ),
    (
        5.0,
        rule(
            "served",
            "contrast",
            "the same server answered {served} connections under other names meanwhile",
            "served",
            "selective",
            source=OONI,
            shared=True,
        ),
    ),
    (
        2.0,
        rule(
            "served_near",
            "contrast",
            "the same server answered {served} connections under other names within a minute",
            "served",
            "selective",
            source=OONI,
            shared=True,
        ),
    ),
    (
        1.0,
        rule(
            "elsewhere",
            "line",
            "the client's other connections went on: {packets} packets came from other networks meanwhile",
            "packets",
            source=OONI,
            shared=True,
        ),
    ),
    (
        2.0,
        rule(
            "present",
            "line",
            "the client went on meanwhile in its other connections to this server: {packets} packets came",
            "packets",
            source=OONI,
            shared=True,
        ),
    ),
    (
        2.0,
        rule(
            "again",
            "again",
            "{times} more connections of this client under the same name fell silent, and none went well near them",
            "times",
            source="VanderSloot et al., Quack, USENIX Security 2018",
            shared=True,
        ),
    ),
    (
        2.0,
        rule(
            "alike",
            "company",
            "servers of {networks} other networks fell silent to this client at the same stage within a minute, while "
            "those of {lived} answered: each for itself is seldom dead",
            "networks",
            "lived",
            source="VanderSloot et al., Quack, USENIX Security 2018",
            shared=True,
        ),
    ),
    (
        4.0,
        rule(
            "residual",
            "residual",
            "{seconds} s before, another connection from this client to the same port of the server had been cut "
            "off at its first request, and boxes punish what follows",
            "seconds",
            source=RESIDUAL,
            shared=True,
        ),
    ),
    (
        2.0,
        rule(
            "after_reset",
            "reset_before",
            "that earlier connection had been reset at its first request: a server's own guard that bans in silence is "
            "silent to that request, too",
            source=RESIDUAL,
            shared=True,
        ),
    ),
    (
        1.0,
        rule(
            "aftermath",
            "residual",
            "{seconds} s before, another connection from this client to the same port of the server had fallen silent",
            "seconds",
            source=RESIDUAL,
            shared=True,
        ),
    ),
    (
        4.0,
        rule(
            "recovered",
            "recovered",
            "later the same port of the server answered this client again, as when a punishment is over",
            source=RESIDUAL,
            shared=True,
        ),
    ),
    (
        -4.0,
        rule(
            "line",
            "line",
            "the client tried {tried} other connections meanwhile, and nothing came from any network",
            "tried",
            source=OONI,
            shared=True,
        ),
    ),
    (
        -3.0,
        rule(
            "server",
            "contrast",
            "the same server was silent to {deaf} connections under other names, and answered none",
            "deaf",
            source=OONI,
            shared=True,
        ),
    ),
    (
        -2.5,
        rule(
            "moody",
            "again",
            "the same server answered {served} connections under the same name within a minute",
            "served",
            source=OONI,
            shared=True,
        ),
    ),
    (
        -3.0,
        rule(
            "large",
            "size",
            "what got no answer had {bytes} bytes, and no packet as large ever passed: the path may be too narrow",
            "bytes",
            source="RFC 2923 §2.1",
        ),
    ),
    (
        -1.2,
        rule(
            "large_here",
            "size",
            "what got no answer had {bytes} bytes, and no packet as large ever passed between these two, though "
            "elsewhere some did: the path may be too narrow",
            "bytes",
            source="RFC 2923 §2.1",
        ),
    ),
    (
        -3.0,
        rule(
            "idle",
            "pause",
            "nobody had spoken for {seconds} s before: a translator on the way may have forgotten the connection",
            "seconds",
            source="RFC 5382 §5",
        ),
    ),
)

WEIGHTS: dict[str, float] = {known.id: weight for weight, known in TABLE}

WITHOUT_TWIN = frozenset(
    {
        *("drop.syn", "drop.wordless", "drop.present"),  # the client said nothing, or a name
        *("drop.counted", "drop.residual", "drop.after_reset", "drop.aftermath", "drop.recovered"),  # tell names apart
    }
)
"""Rules without a twin, since bytes of no known protocol hold no name."""

FILTER_TWINS: dict[str, str] = {
    known.id: known.id.replace("drop.", "filter.") for _, known in TABLE if known.id not in WITHOUT_TWIN
}
"""Rules that also speak of connections whose first bytes are of no protocol that filters know, and their ids there."""


def filter_rule(known: Rule) -> Rule:
    """Return the twin of a rule."""
    group = known.group.replace("drop.", "filter.")
    return attrs.evolve(known, id=FILTER_TWINS[known.id], mechanism="protocol.filter", group=group)


RULES: tuple[Rule, ...] = (
    *(known for _, known in TABLE),
    *(filter_rule(known) for _, known in TABLE if known.id in FILTER_TWINS),
)
