"""What replies answer and what came of it: rules about content, company, contrast, follow-up and origin."""

from netinterf.analyzers.dns_poisoning.vocabulary import HOLD_ON, ICLAB, KNOWN, OONI, TRIPLET, WALLBLEED, rule
from netinterf.schema import Rule

__all__ = ["ANSWER_RULES"]

# Weight of each rule at full strength; the analyzer gives less where a sign is weaker.
ANSWER_RULES: tuple[tuple[float, Rule], ...] = (
    # content
    (
        10.0,
        rule(
            "impossible_answer",
            "content",
            "the answer lies where no public service can be: Teredo or never allocated space",
            source="Hoang et al., How Great is the Great Firewall?, USENIX Security 2021 (all forged AAAA in "
            "2001::/32); OONI backend issue 543 (d0::11); RFC 4291 §2.4",
        ),
    ),
    (
        4.0,
        rule(
            "bogon_answer",
            "content",
            "a public resolver answered a public name with an address that is not globally reachable",
            source=f"{OONI} (bogon check); {ICLAB}; RFC 6890",
        ),
    ),
    (
        4.5,
        rule(
            "listed_answer",
            "content",
            "the answer is on the list of forged answers and block pages, and the name cannot live there",
            source=f"{WALLBLEED}, Appendix A; Citizen Lab, filtering-annotations; each row of the list has its own",
        ),
    ),
    (
        4.0,
        rule(
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
        rule(
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
        3.0,  # a filter that somebody chose answers so, too: never enough to accuse
        rule(
            "one_place",
            "company",
            "names of {domains} unrelated domains were given the same address, which none of them is known to have",
            "domains",
            shared=True,
            source="Tsai et al., CERTainty, PoPETs 2023 (block pages); Niaki et al., ICLab, IEEE S&P 2020",
        ),
    ),
    (
        6.0,
        rule(
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
        rule(
            "policy",
            "content",
            "the resolver filters this name openly, a filter that somebody on your network may have chosen: it says "
            "so, or gives the address of a filtering product",
            "code",
            source="RFC 8914 §4.16, §4.18, §4.19",
        ),
    ),
    (
        -3.0,
        rule(
            "ordered",
            "content",
            "the resolver says that it withholds this name because somebody other than its operator demands it",
            source="RFC 8914 §4.17 (Censored)",
        ),
    ),
    (
        -0.5,  # there to be read: home routers also pass on what resolvers beyond them say
        rule(
            "own_network",
            "own_network",
            "a resolver on the client's own network gave the answer: a filter that somebody on your network may have "
            "chosen, or a router that passes on what it was told",
            source="RFC 1918 §3; RFC 5625 §3",
        ),
    ),
    # contrast
    (
        4.0,
        rule(
            "transport_contrast",
            "contrast",
            "over TCP the same server gave other addresses for the same name",
            source=f"{OONI} (tq-004)",
        ),
    ),
    (
        4.1,  # ln(0.903 / 0.0155), see `known_answer`
        rule(
            "unlike_known",
            "contrast",
            "none of the addresses that the name is known to have was given, nor another of their networks",
            source=KNOWN,
        ),
    ),
    (
        -2.3,  # ln(0.097 / 0.985)
        rule(
            "known_answer",
            "contrast",
            "the answer is one that the name is known to have, or lies in the same network",
            source=KNOWN,
        ),
    ),
    (
        -3.0,
        rule(
            "agrees_elsewhere",
            "contrast",
            "another public server gave the same addresses for the same name",
            source="Pearce et al., Iris, USENIX Security 2017 (consistency)",
        ),
    ),
    # follow-up
    (
        -3.0,
        rule(
            "tls_followed",
            "follow_up",
            "the client then finished a TLS handshake for this name with the answered address",
            source="Pearce et al., Iris, USENIX Security 2017 (independent verifiability)",
        ),
    ),
    (
        -6.0,
        rule(
            "certificate_followed",
            "follow_up",
            "the answered address then showed a certificate for this name",
            source="Tsai et al., CERTainty, PoPETs 2023",
        ),
    ),
    (
        2.0,
        rule(
            "dead_end",
            "follow_up",
            "the client tried the answered address in vain, and was served where other answers of this server led",
            source="Pearce et al., Iris, USENIX Security 2017 (independent verifiability)",
        ),
    ),
    # what kind of forging it is
    (
        0.0,
        rule(
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
        rule(
            "lone_reply",
            "origin",
            "no reply that contradicts it is in the capture, so whether the path or the resolver wrote the answer "
            "cannot be told",
            mechanism="dns.forged",
            source="OONI spec, techniques tq-001 and tq-002",
        ),
    ),
)
