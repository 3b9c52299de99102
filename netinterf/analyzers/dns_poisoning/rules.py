"""The vocabulary of the DNS analyzer: what each sign is called, says and weighs.

Weights at full strength are natural-log likelihood ratios of a literature review; the analyzer gives less where a sign
is weaker. Signs fall into independence groups whose members depend on each other (race, timing, header, construction,
content, contrast and others); the verdict takes the strongest of a group, and only a decisive rule reaches ``likely``
alone. Everything else needs two independent kinds of evidence.

Most rules speak of the mechanism ``dns``: they bear on whatever forging is under suspicion. A contradiction says that a
second answer was seen, ``dns.injection``; `LONE_REPLY` says that none was, ``dns.forged``.
"""

from netinterf.analyzers.vocabulary import HOPS, IDS, SKEWED, TIMED, Family

# fmt: off
__all__ = [
    "AGREES_ELSEWHERE", "BOGON_ANSWER", "CERTIFICATE_FOLLOWED", "CONCENTRATION", "CONSTRUCTION_OUTLIER",
    "CONTRADICTION", "COPIED_ID", "DEAD_END", "DUPLICATE", "FASTER_THAN_PATH", "HOP_LIMIT", "IMPOSSIBLE_ANSWER",
    "IP_ID", "KNOWN_ANSWER", "LISTED_ANSWER", "LONE_REPLY", "LOST_CLASS", "MALFORMED", "NONE_GENUINE",
    "NO_RESOLVER", "ONE_PLACE", "ORDERED", "OTHER_WRITER", "OWN_NETWORK", "POLICY", "POOLED", "REPEATED",
    "RIVAL_REPLY", "ROTATION", "RULES", "SINGLE_REPLY_NORM", "SINKHOLE", "TLS_FOLLOWED", "TOO_FAST",
    "TRANSPORT_CONTRAST", "TWO_ANSWERS", "TWO_SERVERS", "UNLIKE_KNOWN", "UNLIKE_REPLIES", "WRONG_TYPE", "answers",
]

answers = Family("dns.", "dns", exposed="reply")

SINKHOLE = 2.0
"""Weight of 0.0.0.0, 127.0.0.1 and their like: block lists and response policy zones use them on purpose."""

TRIPLET = "Anonymous et al., Triplet Censors, FOCI 2020"
HOLD_ON = "Duan et al., Hold-On, SATIN 2012"
WALLBLEED = "Fan et al., Wallbleed, NDSS 2025"
ICLAB = "Niaki et al., ICLab, IEEE S&P 2020, section on DNS manipulation"
OONI = "OONI spec, Web Connectivity and techniques tq-001 to tq-005"
KNOWN = (
    "Tsai et al., CERTainty, PoPETs 2023: comparison with control answers misses 9.7 % and is wrong in 72.45 % of its "
    "positives, which at 0.65 % of answers tampered with (Calle et al., FOCI 2024) is 1.55 % of the others"
)
IRAN = "net4people/bbs issues 226 and 451"

# Race: contradicting answers beyond what was asked +5; one of them impossible in public +6 (the block's cap).
TWO_ANSWERS = answers.rule(
    "two_answers", "race", 6.0,
    "one question (sent {queries} ×) drew {replies} different replies, more than it was asked, and their answers "
    "contradict each other", "replies", "queries", source=f"{HOLD_ON}; {ICLAB} (two replies, two networks); {TRIPLET}",
    mechanism="dns.injection", decisive=True,
)
CONTRADICTION = answers.rule(
    "contradiction", "race", 4.5,
    "one question (sent {queries} ×) drew {replies} different replies whose answers contradict each other, as those "
    "of two sites of one server may", "replies", "queries",
    source=f"{HOLD_ON}; {ICLAB} (two replies, two networks); {TRIPLET}", mechanism="dns.injection",
)
UNLIKE_REPLIES = answers.rule(
    "unlike_replies", "race", 2.0,
    "one question (sent {queries} ×) drew {replies} different replies; the capture cut their answers off, but their "
    "headers disagree on what their server is, how far it is away, or whether the name exists", "replies", "queries",
    source=f"{HOLD_ON}; RFC 1035 §4.1.1", mechanism="dns.injection",
)
NONE_GENUINE = answers.rule(
    "none_genuine", "race", 2.3,  # what `two_answers` came to in the fit
    "one question drew {replies} replies that contradict each other, and none of them is the resolver's own", "replies",
    source=f"{HOLD_ON}; OONI spec, techniques tq-001 and tq-002", mechanism="dns.forged",
)
DUPLICATE = answers.rule(
    "duplicate", "race", -1.0, "all its replies are the same bytes: one reply was captured or delivered twice",
    source="Duplicates are a capture or network artefact: RFC 1122 §4.1.3.4, RFC 5452 §3",
)
ROTATION = answers.rule(
    "rotation", "race", -1.0, "its replies hold the same or overlapping addresses in another order or selection",
    source="RFC 1794: round robin",
)
REPEATED = answers.rule(
    "repeated", "repeat", 7.0,  # what is left is a server whose settings treat some names otherwise: one in a thousand
    "{struck} lookups of this name drew contradicting replies, while lookups of other names did not", "struck",
    source=f"Rules of injectors are about names: {TRIPLET}; OONI spec, technique tq-002", mechanism="dns.injection",
    shared=True,
)
SINGLE_REPLY_NORM = answers.rule(
    "single_reply_norm", "habit", 3.5,  # of 178 contradictions in 100 seeds of each harmless scenario, 5 were no habit
    "each of {others} lookups of other names at this server drew one reply: it has no habit of answering twice",
    "others", source=f"{HOLD_ON}; OONI spec, technique tq-002", mechanism="dns.injection", shared=True, was="unwonted",
)

# Timing.
FASTER_THAN_PATH = answers.rule(
    "faster_than_path", "timing", 3.9,
    "the reply came after {waited_ms} ms, yet a TCP handshake with the same address takes {rtt_ms} ms at least",
    "waited_ms", "rtt_ms", source=f"A reply cannot outrun its path; likelihood ratio of 50, {HOLD_ON}", needs=(TIMED,),
    blind=(SKEWED,),
)
TOO_FAST = answers.rule(
    "too_fast", "timing", 5.0,
    "the reply came after {waited_ms} ms; of {baseline} other replies of this server the fastest took {fastest_ms} ms",
    "waited_ms", "fastest_ms", "baseline",
    source=f"{HOLD_ON} (half the learnt round trip); conformal p-value, Vovk et al. 2005", needs=(TIMED,),
    blind=(SKEWED,),
)

# Header.
HOP_LIMIT = answers.rule(
    "hop_limit", "header", 4.0, "the reply arrived with hop limit {ttl}, this server's other replies with {usual_ttl}",
    "ttl", "usual_ttl", "baseline", source=f"{HOLD_ON}; {TRIPLET} (hop limits of three injectors)", needs=(HOPS,),
)
IP_ID = answers.rule(
    "ip_id", "header", 4.0, "the reply's IP ID ({ip_id}) or fragment flag is unlike this server's other replies",
    "ip_id", "baseline",
    source=f"{TRIPLET} (IP ID and DF of three injectors); net4people/bbs issue 80 (constant IP ID)", needs=(IDS,),
)
COPIED_ID = answers.rule(
    "copied_id", "header", 4.0, "the reply carries the IP ID {ip_id} of the very query it answers", "ip_id",
    source="By chance 1 in 65,536; injectors that build replies from captured queries copy fields: Sundara Raman et "
    "al., CenTrace, CoNEXT 2022", needs=(IDS,),
)

# Construction.
LOST_CLASS = answers.rule(
    "lost_class", "construction", 10.0, "the reply's question has no class, which no name server can produce",
    source=f"{IRAN}: a national fingerprint over several years",
)
MALFORMED = answers.rule(
    "malformed", "construction", 5.0,
    "the reply contradicts its own counts or leaves bytes behind, unlike this server's other replies",
    source=f"{IRAN}; net4people/bbs issue 80 (Turkmenistan)",
)
WRONG_TYPE = answers.rule(
    "wrong_type", "construction", 5.0,
    "the reply answers a question for type {kind} with an address record of another type", "kind",
    source=f"{WALLBLEED}, section on reply construction",
)
TWO_SERVERS = answers.rule(
    "two_servers", "construction", 3.0,
    "the contradicting replies disagree on what their server is: one claims authority or offers recursion, the other "
    "does not", source="RFC 1035 §4.1.1: RA is a property of the server, AA of the server and the name",
)
CONSTRUCTION_OUTLIER = answers.rule(
    "construction_outlier", "construction", 4.0,
    "the reply is built unlike this server's other replies (flags {flags}, EDNS, name compression)",
    "flags", "baseline", source=f"{TRIPLET}, table of injectors; RFC 6891 §6.1.1; RFC 1035 §4.1.1",
)
OTHER_WRITER = answers.rule(
    "other_writer", "writer", 3.0,
    "nearly all replies about this name ({of_name}) arrived with hop limit {ttl} or about it, and too soon or built "
    "otherwise; {baseline} others of this server had {usual_ttl}, also in between",
    "of_name", "ttl", "usual_ttl", "baseline",
    source=f"{HOLD_ON}; {TRIPLET}", shared=True,
)

# Content.
IMPOSSIBLE_ANSWER = answers.rule(
    "impossible_answer", "content", 10.0,
    "the answer lies where no public service can be: Teredo or never allocated space",
    source="Hoang et al., How Great is the Great Firewall?, USENIX Security 2021 (all forged AAAA in 2001::/32); "
    "OONI backend issue 543 (d0::11); RFC 4291 §2.4",
)
BOGON_ANSWER = answers.rule(
    "bogon_answer", "content", 4.0,
    "a public resolver answered a public name with an address that is not globally reachable",
    source=f"{OONI} (bogon check); {ICLAB}; RFC 6890",
)
LISTED_ANSWER = answers.rule(
    "listed_answer", "content", 4.5,
    "the answer is on the list of forged answers and block pages, and the name cannot live there",
    source=f"{WALLBLEED}, Appendix A; Citizen Lab, filtering-annotations; each row of the list has its own",
)

# Company.
CONCENTRATION = answers.rule(
    "concentration", "company", 4.0, "the same listed address was given for names of {domains} unrelated domains",
    "domains", source="Tsai et al., CERTainty, PoPETs 2023; Sundara Raman et al., Censored Planet, CCS 2020",
    shared=True,
)
POOLED = answers.rule(
    "pooled", "company", 4.0,
    "contradicted answers about {domains} unrelated domains gave the same address, and no other answer did", "domains",
    source=f"{ICLAB} (unrelated names, one network); Tsai et al., CERTainty, PoPETs 2023", mechanism="dns.injection",
    shared=True,
)
ONE_PLACE = answers.rule(
    "one_place", "company", 3.0,  # a filter that somebody chose answers so, too: never enough to accuse
    "names of {domains} unrelated domains were given the same address, which none of them is known to have", "domains",
    source="Tsai et al., CERTainty, PoPETs 2023 (block pages); Niaki et al., ICLab, IEEE S&P 2020", shared=True,
)
NO_RESOLVER = answers.rule(
    "no_resolver", "company", 6.0, "this address answers no other name: {silent} names asked of it stayed unanswered",
    "silent", source=f"{TRIPLET}, selection of targets that run no resolver; Brandhorst, Pras 2006 (12 % unanswered)",
    shared=True,
)

# What the resolver says of itself.
POLICY = answers.rule(
    "policy", "content", -3.0,
    "the resolver filters this name openly, a filter that somebody on your network may have chosen: it says so, or "
    "gives the address of a filtering product", "code", source="RFC 8914 §4.16, §4.18, §4.19",
)
ORDERED = answers.rule(
    "ordered", "content", -3.0,
    "the resolver says that it withholds this name because somebody other than its operator demands it",
    source="RFC 8914 §4.17 (Censored)",
)
OWN_NETWORK = answers.rule(
    "own_network", "own_network", -0.5,  # there to be read: home routers also pass on what resolvers beyond them say
    "a resolver on the client's own network gave the answer: a filter that somebody on your network may have chosen, "
    "or a router that passes on what it was told", source="RFC 1918 §3; RFC 5625 §3",
)

# Contrast.
TRANSPORT_CONTRAST = answers.rule(
    "transport_contrast", "contrast", 4.0, "over TCP the same server gave other addresses for the same name",
    source=f"{OONI} (tq-004)",
)
UNLIKE_KNOWN = answers.rule(
    "unlike_known", "contrast", 4.1,  # ln(0.903 / 0.0155), see `KNOWN_ANSWER`
    "none of the addresses that the name is known to have was given, nor another of their networks", source=KNOWN,
)
KNOWN_ANSWER = answers.rule(
    "known_answer", "contrast", -2.3,  # ln(0.097 / 0.985)
    "the answer is one that the name is known to have, or lies in the same network",
    source=KNOWN,
)
AGREES_ELSEWHERE = answers.rule(
    "agrees_elsewhere", "contrast", -3.0, "another public server gave the same addresses for the same name",
    source="Pearce et al., Iris, USENIX Security 2017 (consistency)",
)

# Follow-up.
TLS_FOLLOWED = answers.rule(
    "tls_followed", "follow_up", -3.0,
    "the answered address took up a TLS handshake for this name",
    source="Pearce et al., Iris, USENIX Security 2017 (independent verifiability)",
)
CERTIFICATE_FOLLOWED = answers.rule(
    "certificate_followed", "follow_up", -6.0, "the answered address showed a certificate for this name",
    source="Tsai et al., CERTainty, PoPETs 2023",
)
DEAD_END = answers.rule(
    "dead_end", "follow_up", 2.0,
    "the client tried the answered address in vain, and was served where other answers of this server led",
    source="Pearce et al., Iris, USENIX Security 2017 (independent verifiability)",
)

# What kind of forging it is.
RIVAL_REPLY = answers.rule(
    "rival_reply", "origin", 0.0,
    "another, different reply to this question came, more than it was asked, but the capture cut off what one of them "
    "answers", source=HOLD_ON, mechanism="dns.injection",
)
LONE_REPLY = answers.rule(
    "lone_reply", "origin", 0.0,
    "no reply that contradicts it is in the capture, so whether the path or the resolver wrote the answer cannot be "
    "told", source="OONI spec, techniques tq-001 and tq-002", mechanism="dns.forged",
)
# fmt: on

RULES = answers.rules
