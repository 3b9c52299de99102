"""The vocabulary of forged resets, ends and data: what each sign is called, says and weighs.

Weights are natural-log likelihood ratios of the literature, each bounded by the size of the evidence behind it: 28 % of
genuine resets carry another hop limit (Weaver et al. 2009), no genuine packet among 625 was premature while 52 of 53
forged ones were, and so on. Factors are fitted on top, and what benign public captures showed of each rule bounds it
(``netinterf analyzers --rules``). What a FIN or data shows as every ordinary packet does stands in
`netinterf.analyzers.forgery.rules`.
"""

from netinterf.analyzers.forgery.rules import CENTRACE, WEAVER, WRITTEN, written
from netinterf.analyzers.forgery.rules import IN_COUNTER as WRITTEN_IN_COUNTER
from netinterf.analyzers.vocabulary import GREETED_TWICE, HOPS, IDS, MADE, SKEWED, STAMPS, TIMED, Family

# fmt: off
__all__ = [
    "ABORT", "ACK_UNSENT", "AFTER_CLOSE", "AFTER_FIN", "AFTER_REQUEST", "AGAIN", "ALIVE_AFTER",
    "ALIVE_BESIDE", "AS_THE_HOST", "BARE_WINDOW", "BEHIND_DATA", "BURST", "CLONED_ID", "CLOSED_BEFORE",
    "CONTRADICTION", "COPIED_ID", "COPIED_WINDOW", "COUNTING", "DATA_SPRAYED", "DF", "ELSEWHERE", "FIN_ACK_UNSENT",
    "FIN_AFTER_REQUEST", "FIN_ALIVE_AFTER", "FIN_BEHIND_DATA", "FIN_RESTED", "FORGOT", "GATEWAY", "GATEWAY_FORGOT",
    "IDLE", "IGNORED", "INTERMITTENT", "IN_COUNTER", "IP_ID", "NEARER", "NO_TIMESTAMPS", "ODD_FLAGS", "ODD_WINDOW",
    "ON_TIME", "OVERLAP", "PAYLOAD", "PER_SEGMENT", "PREMATURE", "REACTION", "REFUSED", "REQUEST_ACKED", "RESTED",
    "RESUMED", "RULES", "SECOND_SYNACK", "SEQ_CHANGE", "SPARED", "SPRAYED", "STRAY", "SYNACK_COUNTING", "SYNACK_NEARER",
    "SYNACK_OTHER_STACK", "SYNACK_REFUSED", "SYNACK_SWAPPED_PORTS", "SYNACK_WINDOW_VARIES", "TOO_SOON",
    "TRIGGER_DIED", "TTL", "TTL_CLASS", "TTL_VARIES", "WINDOW_VARIES", "connects", "contrary_data", "contrary_fins",
    "contrary_greetings", "contrary_pages", "data", "fins", "greetings", "resets",
]
# fmt: on

resets = Family("rst.", "tcp.reset", exposed="tcp")
connects = Family("rst.connect_", "tcp.connect.reset", exposed="opened", group="rst")
"""Resets that answer a SYN. Their claimed sender has said nothing yet: there is neither a counter nor a clock that it
could continue, no connection that anybody ended, rested or forgot, and no data to acknowledge."""

TIMES = ("ratio", "waited_ms", "rtt_ms")
WALL = "Wu et al., A Wall Behind A Wall, IEEE S&P 2025"
CENSUS = "Sundara Raman et al., SIGCOMM 2023"
WANG = "Wang et al., Your State is Not Mine, IMC 2017"
WATSON = ("Watson, Slipping in the Window, CanSecWest 2004", "RFC 5961 §1")
CHOICE = ("Xue et al., TSPU, IMC 2022", "OONI Web Connectivity specification")

# fmt: off
PREMATURE = resets.rule(
    "premature", "timing", 5.0,
    "a reset acknowledged data {waited_ms} ms after it was sent, although the round trip to its claimed sender takes "
    "{rtt_ms} ms: somebody nearer wrote it", *TIMES,
    source="Causality; RFC 9293 §3.4; the same idea for DNS in Duan et al., Hold-On, SATIN 2012", needs=(TIMED,),
    blind=(SKEWED,), twins=(connects,),
)
TOO_SOON = resets.rule(
    "too_soon", "timing", 3.0,
    "a bare reset came {waited_ms} ms after data that takes {rtt_ms} ms to its claimed sender and back", *TIMES,
    source="Causality; RFC 9293 §3.10.7.1: a bare reset answers a segment", needs=(TIMED,), blind=(SKEWED,),
)
NEARER = resets.rule(
    "nearer", "timing", 1.0,
    "the reset came after {waited_ms} ms, faster than anything else from its claimed sender ({rtt_ms} ms)", *TIMES,
    source="Causality; the measured path from tap to server is the least of all round trips", needs=(TIMED,),
    blind=(SKEWED,), twins=(connects,),
)
ALIVE_AFTER = resets.rule(
    "alive_after", "aftermath", 5.0,
    "the side that seems to have reset the connection went on sending {gap_ms} ms later", "gap_ms", source=WEAVER,
    blind=(SKEWED,), twins=(connects,),
)
ALIVE_BESIDE = resets.rule(
    "alive_beside", "aftermath", 2.0,
    "right behind the reset its side sent something new, unless both were swapped on the way",
    source="Weaver et al. 2009; Paxson, End-to-End Internet Packet Dynamics, SIGCOMM 1997: 0.1 to 2 % of packets "
    "change places", blind=(SKEWED,),
)
IGNORED = resets.rule(
    "ignored", "aftermath", 3.0,
    "resets with numbers that their receiver ignores came right behind the first data of {connections} connections of "
    "this client, which went on", "connections",
    source="RFC 9293 §3.10.7.4 and RFC 5961 §3: a reset outside the window is dropped; an older connection explains "
    "one pair of ports", blind=(SKEWED,),
)
FORGOT = resets.rule(
    "forgot", "aftermath", 4.0,
    "the client, which had neither closed nor reset, no longer knew the connection {gap_ms} ms after its last packet: "
    "somebody had reset it", "gap_ms",
    source="RFC 9293 §3.10.7.1 and §3.10.7.4: who believes a reset forgets, and answers what still comes",
    blind=(SKEWED,),
)
SEQ_CHANGE = resets.rule(
    "seq_change", "sequence", 6.0, "two resets carry sequence numbers beyond anything that was sent or acknowledged",
    source=WEAVER,
)
BEHIND_DATA = resets.rule(
    "behind_data", "sequence", 3.0, "the reset's sequence number lies behind data its side had already sent",
    source=WEAVER,
)
ACK_UNSENT = resets.rule(
    "ack_unsent", "acknowledgement", 4.0, "the reset acknowledges bytes that were never sent", source=WEAVER,
    blind=(SKEWED,),
)
TRIGGER_DIED = resets.rule(
    "trigger_died", "timing", 8.0,
    "a reset acknowledged data that never reached its claimed sender: a router reported it expired on the way",
    source=f"{CENTRACE}; RFC 792", blind=(SKEWED,),
)
AFTER_REQUEST = resets.rule(
    "after_request", "stage", 2.0, "the reset came after the client's first data, before any answer",
    source=f"{CENSUS}: 5.3 % of 25.7 % of connections end so", twins=(connects,),
)
REQUEST_ACKED = resets.rule(
    "after_ack", "stage", 1.0,
    "the reset came after the server had acknowledged the client's first data, before any answer",
    source=f"{CENSUS}; a proxy without backend ends connections so",
)
TTL = resets.rule(
    "ttl", "ttl", 1.0, "the reset's hop limit is off its sender's by {jump}", "jump", source=WEAVER, needs=(HOPS,),
    twins=(connects,),
)
TTL_CLASS = resets.rule(
    "ttl_class", "ttl", 2.0, "the reset's hop limit started from another value than its sender's: off by {jump}",
    "jump", source=WEAVER, needs=(HOPS,), twins=(connects,),
)
TTL_VARIES = resets.rule(
    "ttl_varies", "ttl", 3.0,
    "resets from this address arrive with ever different hop limits, its other packets do not",
    source=f"Anonymous et al., Triplet Censors, FOCI 2020; {WALL}", needs=(HOPS,), twins=(connects,),
)
NO_TIMESTAMPS = resets.rule(
    "no_timestamps", "options", 3.0, "the reset lacks the TCP timestamps that every other packet of its side carries",
    source="RFC 7323 §3.2", needs=(STAMPS,), twins=(connects,),
)
IP_ID = resets.rule(
    "ip_id", "ip_id", 2.0, "the reset's IP ID is {distance} away from its sender's counter", "distance", source=WEAVER,
    needs=(IDS,),
)
COPIED_ID = resets.rule(
    "copied_id", "ip_id", 3.0, "the reset's IP ID is copied from the packet it answers", source=CENTRACE, needs=(IDS,),
    twins=(connects,),
)
DF = resets.rule(
    "df", "df", 1.5, "the reset's don't-fragment flag differs from all other packets of its side", source=WEAVER,
    needs=(IDS,), twins=(connects,),
)
COPIED_WINDOW = resets.rule(
    "copied_window", "window", 3.0, "the reset's window field is the addressee's own value", source=CENTRACE,
    twins=(connects,),
)
ODD_WINDOW = resets.rule(
    "odd_window", "window", 1.0, "the reset's window field is unlike any its sender used", source=WEAVER,
    twins=(connects,),
)
BARE_WINDOW = resets.rule(
    "bare_window", "window", 1.0, "the bare reset carries a window although a side without a connection has none",
    source="Linux tcp_v4_send_reset, Windows and BSD write 0; p0f 2 signature list p0fr.fp", twins=(connects,),
)
WINDOW_VARIES = resets.rule(
    "window_varies", "window", 3.0,
    "bare resets from this address carry ever other windows, which no stack computes for them",
    source=f"{WANG}, section 2.1; captures from China, 2025", twins=(connects,),
)
ODD_FLAGS = resets.rule(
    "odd_flags", "flags", 2.0, "the reset carries flags that no TCP stack sets on a reset", source=WEAVER,
    twins=(connects,),
)
PAYLOAD = resets.rule(
    "payload", "payload", 4.0, "the reset carries {bytes} bytes of payload", "bytes", source=WALL, twins=(connects,),
)
BURST = resets.rule(
    "burst", "burst", 2.0, "{size} resets came at once, more or other ones than a host answers with", "size",
    source="Clayton, Murdoch, Watson, PET 2006; Wang et al., IMC 2017", twins=(connects,),
)
CLONED_ID = resets.rule(
    "cloned_id", "clone", 2.0, "resets of one burst share one IP ID, as copies of one packet do", source=WALL,
    needs=(IDS,), twins=(connects,),
)
COUNTING = resets.rule(
    "counting", "counter", 4.0, "hop limit and window climb together from reset to reset",
    source="Marczak et al., China's Great Cannon, FOCI 2015", twins=(connects,),
)

# Genuine resets: what argues against a forger.
ABORT = resets.rule(
    "abort", "ending", -4.0,
    "the reset continues its sender's timestamps: the application closed the connection itself",
    source="RFC 2525 §2.17",
)
REFUSED = resets.rule(
    "refused", "ending", -3.0, "the reset is how a closed port refuses a connection", source="RFC 9293 §3.10.7.1",
    twins=(connects,),
)
AFTER_FIN = resets.rule(
    "after_fin", "ending", -3.0, "the side that reset had closed the connection before", source="RFC 9293 §3.10.7",
)
REACTION = resets.rule(
    "reaction", "ending", -3.0, "the reset answers the other side's reset or late packets", source="RFC 9293 §3.10.7",
)
STRAY = resets.rule(
    "stray", "ending", -3.0, "the reset answers a segment for a connection its sender no longer knew",
    source="RFC 9293 §3.10.7.1", twins=(connects,),
)
AFTER_CLOSE = resets.rule(
    "after_close", "ending", -2.0, "the reset answers a side that had closed the connection before",
    source="RFC 5382 §5: a middlebox may forget a connection at its first FIN",
)
RESUMED = resets.rule(
    "resumed", "ending", -1.0,
    "the reset answers the first packet after a pause: a box on the way may have lost its state",
    source="RFC 5382 §5; RFC 6298 §2.4",
)
IDLE = resets.rule(
    "idle", "ending", -3.0, "the reset ended a connection in which its sender had been silent for a minute or more",
    source="RFC 5382 §5",
)
RESTED = resets.rule(
    "rested", "ending", -2.0,
    "everything that was asked had been answered {seconds} s before: front ends end what is idle", "seconds",
    source="Apache httpd KeepAliveTimeout; HAProxy timeout client; RFC 9112 §9.5",
)
CLOSED_BEFORE = resets.rule(
    "closed_before", "ending", -5.0,
    "the side had reset the connection itself before: something answered late packets", source="RFC 9293 §3.10.7.1",
)
ON_TIME = resets.rule(
    "on_time", "timing", -0.4,  # 463 of 6,860 simulated flows with forged, 275 of 2,820 with genuine resets are on time
    "the reset took {waited_ms} ms, as long as its sender's own answers ({rtt_ms} ms)",
    *TIMES, source="Causality: an injector nearer than the server need not wait", blind=(SKEWED,), twins=(connects,),
)
PER_SEGMENT = resets.rule(
    "per_segment", "burst", -1.0,
    "{size} resets came at once, no more than one for each segment of the flight they answer", "size",
    source="RFC 2525 §2.17; RFC 9293 §3.10.7.1",
)
AS_THE_HOST = resets.rule(
    "as_the_host", "resemblance", -1.1,  # .14 of forged, .45 of genuine ones, by repository; 1 of 93 and 157 of 394
    "the reset is as its sender's other packets in every field that could be compared, three and more",
    source="Counted by python -m benchmarks resemblance over public captures",
)
IN_COUNTER = resets.rule(
    "in_counter", "ip_id", -3.0, "the reset's IP ID is the next of its sender's counter", source=WEAVER, needs=(IDS,),
)
GATEWAY = resets.rule(
    "gateway", "own_network", -0.5,  # there to be read: a filter of one's own is a filter
    "the reset crossed no router: a device on the client's own network wrote it, such as its gateway, a firewall, or "
    "a filter that the owner of that network chose",
    source="RFC 1812 §5.3.1: each router lowers the hop limit; RFC 2979",
)
GATEWAY_FORGOT = resets.rule(
    "gateway_forgot", "forgot", -3.0,  # it explains early answers and foreign headers alike, which weigh as much
    "the reset crossed no router, and this client's talks that went on well were ended so too: a gateway whose line "
    "came up anew, or that was restarted, answers so for what it no longer knows", source="RFC 4787 §4.3; RFC 5382 §5",
)

# Others of the same client, or of the same burst.
ELSEWHERE = resets.rule(
    "elsewhere", "company", None,
    "resets like it came in the name of {servers} unrelated servers of this client, while {spared} sites were left "
    "alone", "servers", "spared", source=(CENSUS, WEAVER), shared=True,
)
SPARED = resets.rule(
    "spared", "contrast", 1.5, "the same server answered {served} connections under other names", "served",
    source=CHOICE, shared=True,
)
AGAIN = resets.rule(
    "again", "again", 1.0, "{times} more connections under the same name were reset, none went well", "times",
    source=CHOICE, shared=True,
)
INTERMITTENT = resets.rule(
    "intermittent", "again", -2.0, "the same server answered {served} connections under the same name", "served",
    source=CHOICE, shared=True, was="moody",
)
SPRAYED = resets.rule(
    "sprayed", "sequence", 3.0,  # as much as any single number that no host would write
    "resets in one side's name were sprayed over {places} places outside the stream, as if somebody guessed", "places",
    source=WATSON,
)

# Ends and data in a side's name.
fins = Family("fin.", "tcp.fin", exposed="tcp", noun="the FIN")
data = Family("data.", "tcp.data", exposed="tcp", noun="data in the server's name")
fins.adopt(written, *WRITTEN)
data.adopt(written, *(rule for rule in WRITTEN if rule is not WRITTEN_IN_COUNTER))

FIN_ALIVE_AFTER = fins.rule(
    "alive_after", "aftermath", 5.0,
    "the side that seems to have ended its stream sent new bytes behind that end {gap_ms} ms later", "gap_ms",
    source=("RFC 9293 §3.6: nothing follows a FIN", WEAVER), blind=(SKEWED,),
)
FIN_ACK_UNSENT = fins.rule(
    "ack_unsent", "acknowledgement", 4.0, "the FIN acknowledges bytes that were never sent", source=WEAVER,
    blind=(MADE, SKEWED),
)
FIN_BEHIND_DATA = fins.rule(
    "behind_data", "sequence", 3.0, "the FIN ends the stream before data that its side had already sent", source=WEAVER,
    blind=(MADE,),
)
FIN_AFTER_REQUEST = fins.rule(
    "after_request", "stage", 4.0, "the FIN came after the client's first data, before any answer", source=CENSUS,
)
FIN_RESTED = fins.rule(
    "rested", "ending", -3.0,
    "everything that was asked had been answered {seconds} s before: front ends end what is idle", "seconds",
    source="Apache httpd KeepAliveTimeout; HAProxy timeout client; RFC 9112 §9.5",
)
DATA_SPRAYED = data.rule(
    "sprayed", "sequence", 3.0,
    "bytes in one side's name were sprayed over {places} places outside the stream, as if somebody guessed", "places",
    source=WATSON, blind=(MADE,),
)

# Bytes, or greetings, that one sender cannot both have written. Contradictory content marked the one attacked direction
# in 9 of 9 public attack captures and none of the 161 other directions with payload; the impossibility, not that small
# count, carries the weight. When both packets look alike in hop limit, options and flags and nobody disowns the first,
# one broken sender may have written both: overlaps that conflict occur in benign captures, so they are no proof.
contrary_data = Family("data.", "tcp.data", exposed="tcp", group="contradiction")
contrary_pages = Family(
    "http.", "http.blockpage", exposed="page", noun="; one of them is an HTTP answer", group="contradiction"
)
contrary_fins = Family("fin.", "tcp.fin", exposed="tcp", noun="; one of them ends the stream", group="contradiction")
greetings = Family("synack.", "tcp.synack", exposed="opened")
contrary_greetings = Family("synack.", "tcp.synack", exposed="opened", group="contradiction")

CONTRADICTION = contrary_data.rule(
    "contradiction", "", 10.0,
    "two packets of one side carry different bytes for the same place of the stream, and headers or an "
    "acknowledgement between them show two senders{noun}", source="Nakibly et al., USENIX Security 2016",
    decisive=True, blind=(MADE,), twins=(contrary_pages, contrary_fins),
)
OVERLAP = contrary_data.rule(
    "overlap", "", 5.0, "two packets of one side carry different bytes for the same place of the stream{noun}",
    source="Nakibly et al., USENIX Security 2016", blind=(MADE,), twins=(contrary_pages, contrary_fins),
)
SECOND_SYNACK = contrary_greetings.rule(
    "contradiction", "", 8.0,  # anycast and load balancers answer twice too, hardly ever within a second to one SYN
    "two SYN/ACKs with different initial sequence numbers answer one SYN", source=WANG, blind=(MADE,),
)

# What two greetings to one SYN show besides, and counters. Two numbers are no proof, since machines may share an
# address; each sign beside them is worth what a single foreign field is worth. Ports in the other byte order are proof,
# beside the server's own answer: they were taken from the very SYN, by somebody who does not listen on them.
SYNACK_WINDOW_VARIES = greetings.rule(
    "window_varies", "window", 3.0,  # as much as any single field of a header
    "the greetings of this server announced {windows} different windows, hardly two of them alike", "windows",
    source=f"{WANG}: windows drawn at random", shared=True, blind=(MADE,),
)
SYNACK_SWAPPED_PORTS = greetings.rule(
    "swapped_ports", "ports", 10.0,  # 32 bits agree by chance once in 4e9, and no host answers from two ports
    "beside the server's own answer, a SYN/ACK acknowledges this connection's SYN from and to its ports in the other "
    "byte order",
    source=("Captures from China, July 2014: answers from port 20480 to SYNs to port 80", "RFC 9293 §3.4"),
    decisive=True, blind=(MADE,),
)
SYNACK_NEARER = greetings.rule(
    "nearer", "timing", 3.0,
    "one SYN/ACK took {waited_ms} ms, one with another number {other_ms} ms: somebody nearer wrote the first",
    "waited_ms", "other_ms", source=("Causality: a SYN was sent once", f"{WANG}, section 2.1"),
    needs=(TIMED, GREETED_TWICE), blind=(MADE, SKEWED),
)
SYNACK_OTHER_STACK = greetings.rule(
    "other_stack", "options", 2.0, "the two SYN/ACKs answer one offer with different options, as two stacks do",
    source=("RFC 9293 §3.2; RFC 7323 §1.3: options of a SYN/ACK answer those of the SYN", f"{WANG}, section 2.1"),
    needs=(GREETED_TWICE,), blind=(MADE,),
)
SYNACK_REFUSED = greetings.rule(
    "refused", "aftermath", 3.0,
    "the client took the number of the first SYN/ACK, the server refused it, and nobody went on from there",
    source=("RFC 9293 §3.10.7.4: an unacceptable acknowledgement in SYN-RECEIVED is reset", f"{WANG}, section 2.1"),
    needs=(GREETED_TWICE,), blind=(MADE,),
)
SYNACK_COUNTING = greetings.rule(
    "counting", "counter", 3.0, "hop limit and window of the greetings in this server's name come out of one counter",
    source=("Marczak et al., China's Great Cannon, FOCI 2015", f"{WANG}, section 2.1"), shared=True, blind=(MADE,),
)
# fmt: on

RULES = tuple(
    rule
    for family in (
        *(resets, connects, contrary_data, contrary_pages, contrary_fins, contrary_greetings),
        *(fins, data, greetings),
    )
    for rule in family.rules
)
