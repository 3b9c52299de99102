"""The vocabulary of the DNS analyzer: what each sign is called, says and weighs.

Weights are natural-log likelihood ratios, starting values of a literature review, none fitted to a capture. Signs fall
into blocks whose members depend on each other (race, timing, header, construction, content, contrast, follow-up); the
verdict takes the strongest of a block, and no block but an impossibility reaches ``likely`` alone. So an accusation
needs two independent kinds of evidence, of which one is constructive (race, construction or content): timing and hop
limit only corroborate.

Most rules speak of the mechanism ``dns``: they bear on whatever forging is under suspicion. A contradiction says that a
second answer was seen, ``dns.injection``; `LONE` says that none was, ``dns.forged``.
"""

from netinterf.schema import Rule

__all__ = ["RULES", "SINKHOLE", "WEIGHTS", "rule_id"]

TRIPLET = "Anonymous et al., Triplet Censors, FOCI 2020"
HOLD_ON = "Duan et al., Hold-On, SATIN 2012"
WALLBLEED = "Fan et al., Wallbleed, NDSS 2025"
ICLAB = "Niaki et al., ICLab, IEEE S&P 2020, section on DNS manipulation"
OONI = "OONI spec, Web Connectivity and techniques tq-001 to tq-005"
IRAN = "net4people/bbs issues 226 and 451"

SINKHOLE = 2.0
"""Weight of 0.0.0.0, 127.0.0.1 and their like: block lists and response policy zones use them on purpose."""


def rule_id(name: str) -> str:
    """Spell the public id of a rule."""
    return f"dns.{name}"


def _rule(
    name: str, group: str, says: str, *measures: str, mechanism: str = "dns", decisive: bool = False,
    shared: bool = False, source: str,
) -> Rule:  # fmt: skip
    return Rule(
        id=rule_id(name),
        mechanism=mechanism,
        group=f"dns.{group}",
        says=says,
        measures=measures,
        decisive=decisive,
        shared=shared,
        references=(source,),
    )


# Weight of each rule at full strength; the analyzer gives less where a sign is weaker.
_WEIGHED: tuple[tuple[float, Rule], ...] = (
    # race: excess and disjoint answers +5; one of them impossible in public +6 (block's cap)
    (
        6.0,
        _rule(
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
        _rule(
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
        _rule(
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
        -1.0,
        _rule(
            "duplicate",
            "race",
            "all its replies are the same bytes: one reply was captured or delivered twice",
            source="Duplicates are a capture or network artefact: RFC 1122 §4.1.3.4, RFC 5452 §3",
        ),
    ),
    (
        -1.0,
        _rule(
            "rotation",
            "race",
            "its replies hold the same or overlapping addresses in another order or selection",
            source="RFC 1794: round robin",
        ),
    ),
    (
        7.0,  # what is left then is a server that treats some names otherwise by its settings: one in a thousand
        _rule(
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
        _rule(
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
        _rule(
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
        _rule(
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
        _rule(
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
        _rule(
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
        _rule(
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
        _rule(
            "lost_class",
            "construction",
            "the reply's question has no class, which no name server can produce",
            source=f"{IRAN}: a national fingerprint over several years",
        ),
    ),
    (
        5.0,
        _rule(
            "malformed",
            "construction",
            "the reply contradicts its own counts or leaves bytes behind, unlike this server's other replies",
            source=f"{IRAN}; net4people/bbs issue 80 (Turkmenistan)",
        ),
    ),
    (
        5.0,
        _rule(
            "wrong_type",
            "construction",
            "the reply answers a question for type {kind} with an address record of another type",
            "kind",
            source=f"{WALLBLEED}, section on reply construction",
        ),
    ),
    (
        3.0,
        _rule(
            "two_servers",
            "construction",
            "the contradicting replies disagree on what their server is: one claims authority or offers recursion, "
            "the other does not",
            source="RFC 1035 §4.1.1: RA is a property of the server, AA of the server and the name",
        ),
    ),
    (
        4.0,
        _rule(
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
        _rule(
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
    # content
    (
        10.0,
        _rule(
            "impossible_answer",
            "content",
            "the answer lies where no public service can be: Teredo or never allocated space",
            source="Hoang et al., How Great is the Great Firewall?, USENIX Security 2021 (all forged AAAA in "
            "2001::/32); OONI backend issue 543 (d0::11); RFC 4291 §2.4",
        ),
    ),
    (
        4.0,
        _rule(
            "bogon_answer",
            "content",
            "a public resolver answered a public name with an address that is not globally reachable",
            source=f"{OONI} (bogon check); {ICLAB}; RFC 6890",
        ),
    ),
    (
        4.5,
        _rule(
            "listed_answer",
            "content",
            "the answer is on the list of forged answers and block pages, and the name cannot live there",
            source=f"{WALLBLEED}, Appendix A; Citizen Lab, filtering-annotations; each row of the list has its own",
        ),
    ),
    (
        4.0,
        _rule(
            "concentration",
            "company",
            "the same listed address was given for names of {domains} unrelated domains",
            "domains",
            shared=True,
            source="Tsai et al., CERTainty, PoPETs 2023; Sundara Raman et al., Censored Planet, CCS 2020",
        ),
    ),
    (
        4.0,
        _rule(
            "pooled",
            "company",
            "contradicted answers about {domains} unrelated domains gave the same address, and no other answer did",
            "domains",
            mechanism="dns.injection",
            shared=True,
            source="Niaki et al., ICLab, IEEE S&P 2020, section on DNS manipulation (unrelated names, one network); "
            "Tsai et al., CERTainty, PoPETs 2023",
        ),
    ),
    (
        6.0,
        _rule(
            "no_resolver",
            "company",
            "this address answers no other name: {silent} names asked of it stayed unanswered",
            "silent",
            shared=True,
            source=f"{TRIPLET}, selection of targets that run no resolver; Brandhorst, Pras 2006 (12 % unanswered)",
        ),
    ),
    (
        -3.0,
        _rule(
            "policy",
            "content",
            "the resolver filters this name openly: it says so, or gives the address of a filtering product",
            "code",
            source="RFC 8914 §4.16-4.19",
        ),
    ),
    # contrast
    (
        4.0,
        _rule(
            "transport_contrast",
            "contrast",
            "over TCP the same server gave other addresses for the same name",
            source=f"{OONI} (tq-004)",
        ),
    ),
    (
        -3.0,
        _rule(
            "agrees_elsewhere",
            "contrast",
            "another public server gave the same addresses for the same name",
            source="Pearce et al., Iris, USENIX Security 2017 (consistency)",
        ),
    ),
    # follow-up
    (
        -3.0,
        _rule(
            "tls_followed",
            "follow_up",
            "the client then finished a TLS handshake for this name with the answered address",
            source="Pearce et al., Iris, USENIX Security 2017 (independent verifiability)",
        ),
    ),
    (
        -6.0,
        _rule(
            "certificate_followed",
            "follow_up",
            "the answered address then showed a certificate for this name",
            source="Tsai et al., CERTainty, PoPETs 2023",
        ),
    ),
    (
        2.0,
        _rule(
            "dead_end",
            "follow_up",
            "the client tried the answered address in vain, and was served where other answers of this server led",
            source="Pearce et al., Iris, USENIX Security 2017 (independent verifiability)",
        ),
    ),
    # what kind of forging it is
    (
        0.0,
        _rule(
            "rival_reply",
            "origin",
            "another, different reply to this question came, more than it was asked, but the capture cut off what one "
            "of them answers",
            mechanism="dns.injection",
            source=HOLD_ON,
        ),
    ),
    (
        0.0,
        _rule(
            "lone_reply",
            "origin",
            "no reply that contradicts it is in the capture, so whether the path or the resolver wrote the answer "
            "cannot be told",
            mechanism="dns.forged",
            source="OONI spec, techniques tq-001 and tq-002",
        ),
    ),
)

RULES: tuple[Rule, ...] = tuple(rule for _, rule in _WEIGHED)

WEIGHTS: dict[str, float] = {rule.id.removeprefix("dns."): weight for weight, rule in _WEIGHED}
