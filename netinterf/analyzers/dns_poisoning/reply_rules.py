"""How replies came and how they are built: rules about race, repetition, time, header and construction."""

from netinterf.analyzers.dns_poisoning.vocabulary import HOLD_ON, ICLAB, IRAN, TRIPLET, WALLBLEED, rule
from netinterf.schema import Rule

__all__ = ["REPLY_RULES"]

# Weight of each rule at full strength; the analyzer gives less where a sign is weaker.
REPLY_RULES: tuple[tuple[float, Rule], ...] = (
    # race: excess and disjoint answers +5; one of them impossible in public +6 (block's cap)
    (
        6.0,
        rule(
            "two_answers",
            "race",
            "one question (sent {queries} ×) drew {replies} different replies, more than it was asked, and their "
            "answers contradict each other",
            "replies",
            "queries",
            mechanism="dns.injection",
            decisive=True,
            source=f"{HOLD_ON}; {ICLAB} (two replies, two networks); {TRIPLET}",
        ),
    ),
    (
        4.5,
        rule(
            "contradiction",
            "race",
            "one question (sent {queries} ×) drew {replies} different replies whose answers contradict each other, as "
            "those of two sites of one server may",
            "replies",
            "queries",
            mechanism="dns.injection",
            source=f"{HOLD_ON}; {ICLAB} (two replies, two networks); {TRIPLET}",
        ),
    ),
    (
        2.0,
        rule(
            "unlike_replies",
            "race",
            "one question (sent {queries} ×) drew {replies} different replies; the capture cut their answers off, but "
            "their headers disagree on what their server is, how far it is away, or whether the name exists",
            "replies",
            "queries",
            mechanism="dns.injection",
            source=f"{HOLD_ON}; RFC 1035 §4.1.1",
        ),
    ),
    (
        2.3,  # what `two_answers` came to in the fit
        rule(
            "none_genuine",
            "race",
            "one question drew {replies} replies that contradict each other, and none of them is the resolver's own",
            "replies",
            mechanism="dns.forged",
            source=f"{HOLD_ON}; OONI spec, techniques tq-001 and tq-002",
        ),
    ),
    (
        -1.0,
        rule(
            "duplicate",
            "race",
            "all its replies are the same bytes: one reply was captured or delivered twice",
            source="Duplicates are a capture or network artefact: RFC 1122 §4.1.3.4, RFC 5452 §3",
        ),
    ),
    (
        -1.0,
        rule(
            "rotation",
            "race",
            "its replies hold the same or overlapping addresses in another order or selection",
            source="RFC 1794: round robin",
        ),
    ),
    (
        7.0,  # what is left then is a server that treats some names otherwise by its settings: one in a thousand
        rule(
            "repeated",
            "repeat",
            "{struck} lookups of this name drew contradicting replies, while lookups of other names did not",
            "struck",
            mechanism="dns.injection",
            shared=True,
            source="Rules of injectors are about names: " + TRIPLET + "; OONI spec, technique tq-002",
        ),
    ),
    (
        3.5,  # of 178 contradictions in 100 seeds of every harmless simulated scenario, 5 were no habit of their server
        rule(
            "unwonted",
            "habit",
            "each of {others} lookups of other names at this server drew one reply: it has no habit of answering twice",
            "others",
            mechanism="dns.injection",
            shared=True,
            source=f"{HOLD_ON}; OONI spec, technique tq-002",
        ),
    ),
    # timing
    (
        3.9,
        rule(
            "faster_than_path",
            "timing",
            "the reply came after {waited_ms} ms, yet a TCP handshake with the same address takes {rtt_ms} ms at least",
            "waited_ms",
            "rtt_ms",
            source=f"A reply cannot outrun its path; likelihood ratio of 50, {HOLD_ON}",
        ),
    ),
    (
        5.0,
        rule(
            "too_fast",
            "timing",
            "the reply came after {waited_ms} ms; of {baseline} other replies of this server the fastest took "
            "{fastest_ms} ms",
            "waited_ms",
            "fastest_ms",
            "baseline",
            source=f"{HOLD_ON} (half the learnt round trip); conformal p-value, Vovk et al. 2005",
        ),
    ),
    # header
    (
        4.0,
        rule(
            "hop_limit",
            "header",
            "the reply arrived with hop limit {ttl}, this server's other replies with {usual_ttl}",
            "ttl",
            "usual_ttl",
            "baseline",
            source=f"{HOLD_ON}; {TRIPLET} (hop limits of three injectors)",
        ),
    ),
    (
        4.0,
        rule(
            "ip_id",
            "header",
            "the reply's IP ID ({ip_id}) or fragment flag is unlike this server's other replies",
            "ip_id",
            "baseline",
            source=f"{TRIPLET} (IP ID and DF of three injectors); net4people/bbs issue 80 (constant IP ID)",
        ),
    ),
    (
        4.0,
        rule(
            "copied_id",
            "header",
            "the reply carries the IP ID {ip_id} of the very query it answers",
            "ip_id",
            source="By chance 1 in 65,536; injectors that build replies from captured queries copy fields: "
            "Sundara Raman et al., CenTrace, CoNEXT 2022",
        ),
    ),
    # construction
    (
        10.0,
        rule(
            "lost_class",
            "construction",
            "the reply's question has no class, which no name server can produce",
            source=f"{IRAN}: a national fingerprint over several years",
        ),
    ),
    (
        5.0,
        rule(
            "malformed",
            "construction",
            "the reply contradicts its own counts or leaves bytes behind, unlike this server's other replies",
            source=f"{IRAN}; net4people/bbs issue 80 (Turkmenistan)",
        ),
    ),
    (
        5.0,
        rule(
            "wrong_type",
            "construction",
            "the reply answers a question for type {kind} with an address record of another type",
            "kind",
            source=f"{WALLBLEED}, section on reply construction",
        ),
    ),
    (
        3.0,
        rule(
            "two_servers",
            "construction",
            "the contradicting replies disagree on what their server is: one claims authority or offers recursion, "
            "the other does not",
            source="RFC 1035 §4.1.1: RA is a property of the server, AA of the server and the name",
        ),
    ),
    (
        4.0,
        rule(
            "construction_outlier",
            "construction",
            "the reply is built unlike this server's other replies (flags {flags}, EDNS, name compression)",
            "flags",
            "baseline",
            source=f"{TRIPLET}, table of injectors; RFC 6891 §6.1.1; RFC 1035 §4.1.1",
        ),
    ),
    (
        3.0,
        rule(
            "other_writer",
            "writer",
            "all {of_name} replies about this name arrived with hop limit {ttl} or about it, and too soon or built "
            "otherwise; {baseline} others of this server had {usual_ttl}, also in between",
            "of_name",
            "ttl",
            "usual_ttl",
            "baseline",
            shared=True,
            source=f"{HOLD_ON}; {TRIPLET}",
        ),
    ),
)
