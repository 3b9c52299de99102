"""The vocabulary of UDP that fell silent, QUIC and DNS apart: tunnels, calls, sensors.

No weight is fitted, as no labelled capture holds such a block. They are judgements, each against the harmless causes
that `benign.udp.*` plays and what public captures allow: of 1,820 conversations over UDP there that were answered and
that nobody interfered with, 39 fell silent, five of them with a host that lived, and none in a pattern
(``python -m benchmarks reality``). What a dead program, a peer that left or a translator that forgot explains as well
is therefore never more than possible, and mostly not even that.
"""

from netinterf.analyzers.vocabulary import Family

# fmt: off
__all__ = [
    "AGAIN", "ALIVE", "ELSEWHERE", "IDLE", "INTERMITTENT", "KIND", "KINDS", "LINE", "NONE", "ONE_PLACE", "OTHERS",
    "PLACE", "RULES", "SERVER", "SIZE", "STOPPED", "STRANGERS", "UNANSWERED",
]

udp = Family("udp.", "udp.drop", exposed="udp")

AMNEZIA = "amnezia-vpn/amneziawg-go issue 75; openwrt/packages issue 30492"
CALLS = "Waujito/youtubeUnblock issues 265, 266; RFC 8489 §6.2.1"
OONI = "OONI Web Connectivity specification; Niaki et al., ICLab, IEEE S&P 2020"
QUACK = "VanderSloot et al., Quack, USENIX Security 2018"
HYSTERIA = "apernet/hysteria issue 1586"

UNANSWERED = udp.rule(
    "unanswered", "silence", 1.0, "the same opening was sent {tries} times in {seconds} s and nobody answered it",
    "tries", "seconds", source=CALLS,
)
STOPPED = udp.rule(
    "stopped", "silence", 1.5,
    "the other end had sent {heard} datagrams, and then those of {tries} half seconds in {seconds} s got no answer",
    "heard", "tries", "seconds", source=AMNEZIA,
)
PLACE = udp.rule(
    "place", "place", 5.5,
    "{died} conversations of this client in this protocol, with servers of {networks} networks, died after {least} to "
    "{most} datagrams of the other end, and none went on for longer", "died", "networks", "least", "most",
    source=AMNEZIA, shared=True,
)
ONE_PLACE = udp.rule(
    "one_place", "place", 3.0,  # a server that greets and then goes nowhere shows it as well
    "{died} conversations of this client with one network in this protocol died after {least} to {most} datagrams of "
    "the other end, and none went on for longer", "died", "least", "most", source=AMNEZIA, shared=True,
)
KINDS = udp.rule(
    "kinds", "contrast", 6.0,  # none of 1,820, and of a third of blocked ones: ln(0.3 × 1,820 / 1.25)
    "servers of {networks} networks left this protocol without an answer, and none answered it, while others over UDP "
    "were answered {answered} times within a minute, not only on ports that every network lets out", "networks",
    "answered", "selective", source=QUACK, shared=True,
)
STRANGERS = udp.rule(
    "strangers", "contrast", 5.8,  # of a quarter; a key that ran out shows it as well: possible, and no more
    "servers of {networks} networks left this protocol without an answer, and none answered it, while others over UDP "
    "were answered {answered} times within a minute; but such servers answer nobody whose key they do not know",
    "networks", "answered", "selective", source="Donenfeld, NDSS 2017, §5.1; OpenVPN manual, --tls-auth", shared=True,
)
KIND = udp.rule(
    "kind", "contrast", 1.5,
    "no server answered this protocol, while others over UDP were answered {answered} times within a minute",
    "answered", "selective", source=QUACK, shared=True,
)
SIZE = udp.rule(
    "size", "size", 6.0,  # as above; servers that want large openings want 1,200 bytes (RFC 9000 §14.1)
    "{small} openings of 1,200 to {most} bytes got no answer from this port, and {large} of {least} bytes and more did",
    "small", "most", "large", "least", "selective", source=HYSTERIA, shared=True,
)
ALIVE = udp.rule(
    "alive", "contrast", 4.4,  # 5 of 1,820, and of two fifths of blocked ones: 5.0 with the silence itself
    "the same address went on answering this client in other conversations meanwhile: {packets} packets came",
    "packets", source=OONI, shared=True,
)
OTHERS = udp.rule(
    "others", "others", 1.0,  # half of the silences of public captures show it
    "the same protocol was answered by {others} other servers within a minute", "others", "selective", source=OONI,
    shared=True,
)
AGAIN = udp.rule(
    "again", "again", 1.5,
    "{times} more conversations of this client with this port fell silent, and none went well near them", "times",
    source=QUACK, shared=True,
)
ELSEWHERE = udp.rule(
    "elsewhere", "line", 0.5, "{packets} packets came to the client from other networks meanwhile", "packets",
    source=OONI, shared=True,
)
LINE = udp.rule(
    "line", "line", -4.0,
    "the client sent {asked} packets to other networks meanwhile, and nothing came from any", "asked", source=OONI,
    shared=True,
)
SERVER = udp.rule(
    "server", "server", -3.0,
    "what the client said to this address in other protocols got no answer either: {asked} packets were sent there",
    "asked", source=OONI, shared=True,
)
NONE = udp.rule(
    "none", "kinds", -3.0,
    "{silent} conversations in other protocols over UDP got no answer either, and none did but on ports that every "
    "network lets out: this one may let no others out", "silent", source="RFC 9312 §4.2", shared=True,
)
IDLE = udp.rule(
    "idle", "pause", -4.0,
    "nobody had spoken for {seconds} s before: a translator on the way may have forgotten the conversation", "seconds",
    source="RFC 4787 §4.3; Richter et al., IMC 2016",
)
INTERMITTENT = udp.rule(
    "intermittent", "again", -2.5,
    "the same port of the same server answered {served} conversations that began alike within a minute", "served",
    source=OONI, shared=True,
)
# fmt: on

RULES = udp.rules
