"""The vocabulary of the silence analyzer: what each observation is called, says and weighs.

The weights are where the fit (``python -m benchmarks fit``) begins: natural-log likelihood ratios against the silences
of ordinary networks. That packets are lost by chance three times running is excluded by the definition of a silence
(chance 8e-6 at 1 % loss), so they weigh how much likelier a box is than a dead host, path or line. That is little
without a witness and much with one: an end that is heard and deaf, a server that serves others meanwhile (OONI keeps
*down* and *blocked* apart in the same way) weigh as much as a reset whose sender goes on.
"""

from netinterf.analyzers.forgery import rules as forgery
from netinterf.analyzers.forgery.rules import WRITTEN, written
from netinterf.analyzers.vocabulary import HOPS, SWEPT, Family

# fmt: off
__all__ = [
    "ACKED_UNANSWERED", "AFTERMATH", "AFTER_RESET", "AGAIN", "ALIKE", "ANSWER", "BEFORE_SERVER", "BEYOND",
    "CLOSING", "COUNTED", "CUT", "ELSEWHERE", "GREETED", "HOLE", "IDLE", "IGNORED", "INTERMITTENT", "LARGE",
    "LARGE_HERE", "LATER", "LINE", "NAME_BEYOND", "NO_REQUEST", "ONE_WAY", "PRESENT", "QUIC_AGAIN", "QUIC_INITIAL",
    "QUIC_INTERMITTENT", "QUIC_LINE", "QUIC_NONE", "QUIC_ONCE", "QUIC_OTHERS", "QUIC_OVER_TCP", "QUIC_PROMISED",
    "QUIC_RECOVERED", "QUIC_RESIDUAL", "QUIC_SERVED", "QUIC_SERVER", "QUIC_STOPPED", "RECOVERED", "REQUEST",
    "RESIDUAL", "RULES", "SERVED", "SERVED_NEAR", "SERVER", "SYN", "SYN_BEFORE", "SYN_INTERMITTENT", "SYN_LINE",
    "SYN_NEIGHBOURS", "SYN_OTHER_PORT", "SYN_UNANSWERED", "WITHHELD", "bare_acks", "drops", "filters", "openings",
    "quic", "unopened",
]

drops = Family("drop.", "tcp.drop", exposed="asked")
filters = Family("filter.", "protocol.filter", exposed="asked")
"""The same silences, where the connection's first bytes are of no protocol that filters know. Such bytes hold no name,
so that what tells names apart has no twin there."""

unopened = Family("drop.", "tcp.drop", exposed="opened")
openings = Family("syn.", "tcp.connect.drop", exposed="opened")
quic = Family("quic.", "quic.drop", exposed="quic")
bare_acks = Family("bare_ack.", "tcp.drop", was="receipt.", exposed="tcp", noun="what acknowledged the request")

TSPU = "Xue et al., TSPU, IMC 2022"
CLOUDFLARE = "Sundara Raman et al., SIGCOMM 2023"
BOCK = "Bock et al., Your Censor is My Censor, WOOT 2021"
OONI = "OONI Web Connectivity specification; Niaki et al., ICLab, IEEE S&P 2020"
ZOHAIB = "Zohaib et al., Exposing and Circumventing SNI-based QUIC Censorship, USENIX Security 2025"
OVER_QUIC = "OONI Web Connectivity specification; Elmenhorst et al., FOCI 2021"
CENTRACE = "Sundara Raman et al., CenTrace, CoNEXT 2022"

REQUEST = drops.rule(
    "request", "silence", 3.5,
    "the client's first data, or a part of it, was sent {tries} times in {seconds} s and never acknowledged, though "
    "the connection had been opened", "tries", "seconds", source=TSPU, twins=(filters,),
)
LATER = drops.rule(
    "later", "silence", 2.5,
    "data in the middle of the connection, or a part of it, was sent {tries} times in {seconds} s and never "
    "acknowledged", "tries", "seconds", source=TSPU, twins=(filters,),
)
ANSWER = drops.rule(
    "answer", "silence", 2.0,
    "the server's answer, or a part of it, was sent {tries} times in {seconds} s and never acknowledged",
    "tries", "seconds", source=CLOUDFLARE, twins=(filters,),
)
CLOSING = drops.rule(
    "closing", "silence", 1.0,
    "the end of the connection was announced {tries} times in {seconds} s and never acknowledged", "tries", "seconds",
    source=CLOUDFLARE, twins=(filters,),
)
NO_REQUEST = drops.rule(
    "no_request", "silence", 1.0,
    "the client opened the connection, never said anything, and did not answer its end either ({tries} times, "
    "{seconds} s)", "tries", "seconds", source=CLOUDFLARE, was="wordless",
)
ACKED_UNANSWERED = drops.rule(
    "acked_unanswered", "silence", 1.5, "the request was acknowledged, and in {seconds} s no answer came", "seconds",
    source=f"Reports from Iran 2025 (net4people 489); {TSPU}", twins=(filters,), was="mute",
)
CUT = drops.rule(
    "cut", "silence", 1.5,
    "what the other side was saying stopped in the middle, and in {seconds} s nothing more came", "seconds",
    source=TSPU, twins=(filters,),
)
HOLE = drops.rule(
    "hole", "silence", 1.5,
    "{bytes} bytes of the other side never arrived in {seconds} s, though later packets of it did", "bytes", "seconds",
    source="Reports from Iran 2025 (net4people 489)", twins=(filters,),
)
WITHHELD = drops.rule(
    "withheld", "withheld", 3.0,
    "the other end had sent {bytes} bytes, as its own numbers show, and none of them arrived", "bytes",
    source="RFC 9293 §3.4; reports from Iran 2025 (net4people 489)", twins=(filters,),
)
SYN = unopened.rule(
    "syn", "silence", 0.5, "{tries} requests to open the connection got no answer in {seconds} s", "tries", "seconds",
    source=CLOUDFLARE,
)
COUNTED = drops.rule(
    "counted", "count", 1.0,
    "{died} requests with this name died, each after {least} and more within a minute before (this one after "
    "{recent}), while {others} with other names were served by the same server (log-likelihood ratio {llr})",
    "died", "least", "recent", "others", "llr", "selective", source="net4people/bbs 546; dpi-checkers", shared=True,
)
ONE_WAY = drops.rule(
    "one_way", "direction", 5.0,
    "the other end was heard {seconds} s after it should have got what it never acknowledged: it is alive, and only "
    "one direction is cut", "seconds", source="Captures from Russia, 2025: 10 of 12 silenced connections",
    twins=(filters,),
)
GREETED = drops.rule(
    "greeted", "stage", 1.0, "both ends had just opened the connection when the silence began", source=TSPU,
    twins=(filters,),
)
IGNORED = drops.rule(
    "ignored", "contrast", 5.0,
    "the same server answered {served} connections under other names meanwhile or within a minute: an end "
    "acknowledges what it got before it reads the name", "served", "selective", source=f"RFC 9293 §3.10.7.4; {OONI}",
    shared=True, twins=(filters,),
)
SERVED = drops.rule(
    "served", "contrast", 5.0, "the same server answered {served} connections under other names meanwhile",
    "served", "selective", source=OONI, shared=True, twins=(filters,),
)
SERVED_NEAR = drops.rule(
    "served_near", "contrast", 2.0, "the same server answered {served} connections under other names within a minute",
    "served", "selective", source=OONI, shared=True, twins=(filters,),
)
ELSEWHERE = drops.rule(
    "elsewhere", "line", 1.0,
    "the client's other connections went on: {packets} packets came from other networks meanwhile", "packets",
    source=OONI, shared=True, twins=(filters,),
)
PRESENT = drops.rule(
    "present", "line", 2.0,
    "the client went on meanwhile in its other connections to this server: {packets} packets came", "packets",
    source=OONI, shared=True,
)
AGAIN = drops.rule(
    "again", "again", 2.0,
    "{times} more connections of this client under the same name fell silent, and none went well near them", "times",
    source="VanderSloot et al., Quack, USENIX Security 2018", shared=True, twins=(filters,),
)
ALIKE = drops.rule(
    "alike", "company", 2.0,
    "servers of {networks} other networks fell silent to this client at the same stage within a minute, while those "
    "of {lived} answered: each for itself is seldom dead", "networks", "lived",
    source="VanderSloot et al., Quack, USENIX Security 2018", shared=True, twins=(filters,),
)
RESIDUAL = drops.rule(
    "residual", "residual", 4.0,
    "{seconds} s before, another connection from this client to the same port of the server had been cut off at its "
    "first request, and boxes punish what follows", "seconds", source=BOCK, shared=True,
)
AFTER_RESET = drops.rule(
    "after_reset", "reset_before", 2.0,
    "that earlier connection had been reset at its first request: a server's own guard that bans in silence is silent "
    "to that request, too", source=BOCK, shared=True,
)
AFTERMATH = drops.rule(
    "aftermath", "residual", 1.0,
    "{seconds} s before, another connection from this client to the same port of the server had fallen silent or been "
    "reset", "seconds", source=BOCK, shared=True,
)
RECOVERED = drops.rule(
    "recovered", "recovered", 4.0,
    "later the same port of the server answered this client again, as when a punishment is over", source=BOCK,
    shared=True,
)
LINE = drops.rule(
    "line", "line", -4.0, "the client sent {tried} SYNs elsewhere meanwhile, and nothing came from any network",
    "tried", source=OONI, shared=True, twins=(filters,),
)
SERVER = drops.rule(
    "server", "contrast", -3.0,
    "the same server was silent to {deaf} connections under other names, and answered none", "deaf", source=OONI,
    shared=True, twins=(filters,),
)
INTERMITTENT = drops.rule(
    "intermittent", "again", -2.5, "the same server answered {served} connections under the same name within a minute",
    "served", source=OONI, shared=True, twins=(filters,), was="moody",
)
LARGE = drops.rule(
    "large", "size", -3.0,
    "what got no answer had {bytes} bytes, and no packet as large ever passed: the path may be too narrow", "bytes",
    source="RFC 2923 §2.1", twins=(filters,),
)
LARGE_HERE = drops.rule(
    "large_here", "size", -1.2,
    "what got no answer had {bytes} bytes, and no packet as large ever passed between these two, though elsewhere "
    "some did: the path may be too narrow", "bytes", source="RFC 2923 §2.1", twins=(filters,),
)
IDLE = drops.rule(
    "idle", "pause", -3.0,
    "nobody had spoken for {seconds} s before: a translator on the way may have forgotten the connection", "seconds",
    source="RFC 5382 §5", twins=(filters,),
)

# Openings that nobody answers. Most such silence is of dead hosts, so that it is *down* by itself; what makes it a
# suspicion is life beside it: the same address answers on another port, its neighbours answer, it answered before.
# Counts are of ``python -m benchmarks reality``, shares of blocked ones are guesses until a fit.
SYN_UNANSWERED = openings.rule(
    "unanswered", "silence", 3.0,  # 14 of 10,588 untouched openings; who captures has trouble, so half of ln 756
    "{tries} requests to open the connection got no answer in {seconds} s",
    "tries", "seconds", source=TSPU,
)
SYN_OTHER_PORT = openings.rule(
    "other_port", "contrast", 4.6,  # 0 of 3,775; of a fifth of blocked ones, ln(0.2 × 3,775 / 1.25) = 6.4 with it
    "the same address answered this client on other ports within a minute ({answered} connections)", "answered",
    source=TSPU, shared=True,
)
SYN_NEIGHBOURS = openings.rule(
    "neighbours", "contrast", 3.3,  # 0 of 3,775, and of a twentieth: 5.0 with the silence itself
    "{alive} other addresses of the same network answered this client within a minute",
    "alive", source=TSPU, shared=True,
)
SYN_BEFORE = openings.rule(
    "before", "before", 1.8,  # 3 of 3,775, and of a twentieth: 4.1 with the silence; services crash, and ban
    "the same port of the same address had opened {times} connections of this client before, the last {seconds} s "
    "earlier", "times", "seconds", source=BOCK, shared=True,
)
SYN_INTERMITTENT = openings.rule(
    "intermittent", "again", -1.5,
    "the same port of the same address opened {times} connections of this client within a minute after", "times",
    source=BOCK, shared=True, was="moody",
)
SYN_LINE = openings.rule(
    "line", "line", -4.0, "nothing came to the client from any other network meanwhile",
    source="OONI Web Connectivity specification", shared=True,
)

# Requests that were sent once, with growing hop limits; each weighs what its test says.
BEYOND = drops.rule(
    "beyond", "hop", None,
    "requests with a hop limit below {hop} left {lived} healthy connections, {died} with more left dead ones: "
    "something there read them", "hop", "lived", "died", source=CENTRACE, shared=True,
)
BEFORE_SERVER = drops.rule(
    "before_server", "place", None,
    "requests died from hop {hop} on, and by the hop limit of its own packets the server stands at hop {distance}: "
    "what read them seems to stand before it", "hop", "distance", source=f"{CENTRACE}; python -m benchmarks hops",
    shared=True, needs=(HOPS, SWEPT),
)
NAME_BEYOND = drops.rule(
    "name_beyond", "contrast", None,
    "{passed} requests for other names passed hop {hop} on their way to the same server and left healthy connections",
    "hop", "passed", "selective", source=f"{CENTRACE}: control domains", shared=True, needs=(SWEPT,),
)

# Who acknowledged the request that was never answered. An acknowledgement takes no number that its sender could take
# back, and a server that answers nothing shows neither counter nor habit. Of a request that routers report as expired
# nobody awaits an answer.
bare_acks.adopt(
    written,
    *(
        rule
        for rule in WRITTEN
        if rule
        not in {
            *(forgery.ACK_REGRESSION, forgery.ACK_REORDERED, forgery.IP_ID, forgery.IN_COUNTER),
            *(forgery.ODD_WINDOW, forgery.GATEWAY, forgery.TRIGGER_DIED),
        }
    ),
)

# QUIC.
QUIC_INITIAL = quic.rule(
    "initial", "silence", 0.5, "{tries} QUIC datagrams were sent in {seconds} s and the server never answered",
    "tries", "seconds", source=TSPU,
)
QUIC_ONCE = quic.rule(
    "once", "silence", 0.3, "the client's {tries} QUIC datagrams were never answered, and it gave up early",
    "tries", "seconds", source=TSPU,
)
QUIC_STOPPED = quic.rule(
    "stopped", "silence", 1.0,
    "the server had answered, and then {tries} QUIC datagrams in {seconds} s got no answer any more",
    "tries", "seconds", source=ZOHAIB,
)
QUIC_SERVED = quic.rule(
    "served", "contrast", 7.0,
    "the same server answered QUIC under other names ({served} times) within a minute, and this one never",
    "served", "selective", source=OVER_QUIC, shared=True,
)
QUIC_OTHERS = quic.rule(
    "others", "others", 1.5, "QUIC to other servers was answered {others} times within a minute", "others", "selective",
    source=OVER_QUIC, shared=True,
)
QUIC_OVER_TCP = quic.rule(
    "over_tcp", "tcp", 0.5, "over TCP the same server or name answered {served} times within a minute", "served",
    source=OVER_QUIC, shared=True,
)
QUIC_PROMISED = quic.rule(
    "promised", "promise", 2.0,
    "the DNS record of the name says that its server speaks HTTP/3, and QUIC to other servers was answered {others} "
    "times within a minute", "others", "selective", source="RFC 9460 §7.1; RFC 9114 §3.1",
)
QUIC_AGAIN = quic.rule(
    "again", "again", 2.0,
    "{times} more QUIC conversations under the same name fell silent, and none went well near them", "times",
    source=ZOHAIB, shared=True,
)
QUIC_RESIDUAL = quic.rule(
    "residual", "residual", 3.0,
    "{seconds} s before, QUIC to the same port of the server had fallen silent under another name", "seconds",
    source=ZOHAIB, shared=True,
)
QUIC_RECOVERED = quic.rule(
    "recovered", "recovered", 2.0, "later the same port of the server answered QUIC again", source=ZOHAIB, shared=True,
)
QUIC_NONE = quic.rule(
    "none", "others", -3.0,
    "no server answered QUIC, {silent} others were silent as well: this network may let none out", "silent",
    source=OVER_QUIC, shared=True,
)
QUIC_INTERMITTENT = quic.rule(
    "intermittent", "again", -2.5, "the same server answered QUIC under the same name {served} times within a minute",
    "served", source=OVER_QUIC, shared=True, was="moody",
)
QUIC_SERVER = quic.rule(
    "server", "contrast", -3.0,
    "the same server was silent to QUIC under other names too ({deaf} times), and answered none",
    "deaf", source=OVER_QUIC,
    shared=True,
)
QUIC_LINE = quic.rule(
    "line", "line", -4.0,
    "the client sent {tried} SYNs to other networks meanwhile, and nothing came from any",
    "tried", source=OVER_QUIC,
    shared=True,
)
# fmt: on

RULES = tuple(rule for family in (drops, unopened, filters, openings, bare_acks, quic) for rule in family.rules)
