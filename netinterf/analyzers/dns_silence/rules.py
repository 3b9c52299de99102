"""The vocabulary of unanswered questions: what each observation is called, says and weighs.

Weights are natural-log likelihood ratios, where the fit (``python -m benchmarks fit``) begins. About one query in eight
stays unanswered for harmless reasons (Brandhorst and Pras 2006), so that a silence is held against the neighbours of
the question, and what makes it interference is a contrast: the name is answered elsewhere, over TCP, or for another
type. A resolver that fails for the name in the end has found its servers dead.
"""

from netinterf.analyzers.base import family
from netinterf.schema import Rule

__all__ = ["RULES", "WEIGHTS"]

BRAND = "Brandhorst and Pras, DNS: a statistical analysis of name server traffic, 2006"
ICLAB = "Niaki et al., ICLab, IEEE S&P 2020, section on DNS manipulation"
OONI = "OONI specification, techniques tq-004 (transports)"
TSPU = "net4people/bbs issue 81: UDP to a public resolver dropped in Russia, 2021"
LAME = "RFC 4697 §2.1; RFC 8914 §4.23: a resolver that reaches no server says so in the end"

rule = family("query", "dns.drop")

TABLE: tuple[tuple[float, Rule], ...] = (
    (
        1.0,
        rule(
            "unanswered",
            "silence",
            "{tries} questions of this client about the name drew no answer from this resolver, which answered "
            "{answered} about others meanwhile and left {silent} without answer",
            "tries",
            "answered",
            "silent",
            "selective",
            source=BRAND,
            shared=True,
        ),
    ),
    (
        4.0,
        rule(
            "elsewhere",
            "contrast",
            "another resolver answered the same client about the same name, and this one never did later",
            source=ICLAB,
            shared=True,
        ),
    ),
    (
        7.1,  # what `elsewhere` came to in the fit: another resolver's answer, at another place and time
        rule(
            "known",
            "contrast",
            "the name is known to have addresses of this type: its own servers are not dead",
            source=ICLAB,
            shared=True,
        ),
    ),
    (
        7.1,  # no more than that another resolver answers
        rule(
            "candid",
            "contrast",
            "this public resolver says so (SERVFAIL) when it reaches no server of a name; in {lookups} lookups it said "
            "nothing",
            "lookups",
            source="Google Public DNS, domain troubleshooting; RFC 2308 §7; RFC 8914 §4.23",
            shared=True,
        ),
    ),
    (
        5.0,
        rule(
            "over_tcp",
            "contrast",
            "the same resolver answered about the same name over TCP",
            source=f"{OONI}; {TSPU}",
            shared=True,
        ),
    ),
    (
        4.0,
        rule(
            "only_tcp",
            "contrast",
            "{silent} questions in a row got nothing over UDP from the resolver, whatever the name, while it answered "
            "this client over TCP",
            "silent",
            source=TSPU,
            shared=True,
        ),
    ),
    (
        3.0,
        rule(
            "other_type",
            "contrast",
            "the same resolver answered about the same name for another type, and never for this one",
            source=BRAND,
            shared=True,
        ),
    ),
    (
        2.0,
        rule(
            "everywhere",
            "company",
            "{resolvers} resolvers that answered about other names were silent about this one",
            "resolvers",
            source=ICLAB,
            shared=True,
        ),
    ),
    (
        1.0,
        rule(
            "alike",
            "company",
            "the resolver was silent about {domains} domains of different owners, each asked for again, of {tried} "
            "that it was asked for within ten seconds",
            "domains",
            "tried",
            source=f"{BRAND}; {LAME}",
            shared=True,
        ),
    ),
    (
        1.0,
        rule(
            "unheard",
            "aftermath",
            "the client repeated its question though it had been answered, as it did in {repeats} exchanges about this "
            "name and in {repeated} of {others} about others: the answers did not arrive",
            "repeats",
            "repeated",
            "others",
            "selective",
            source="RFC 1035 §7.3; Brandhorst and Pras 2006",
            shared=True,
        ),
    ),
    (
        -4.0,
        rule(
            "failed", "failure", "the resolver said in the end that it failed for this name", source=LAME, shared=True
        ),
    ),
    (
        -4.0,
        rule(
            "moody",
            "again",
            "the same resolver answered the same question {answered} times later: it comes and goes",
            "answered",
            source=BRAND,
            shared=True,
        ),
    ),
    (
        -4.0,
        rule(
            "down",
            "resolver",
            "the resolver left {silent} questions meanwhile about names that it answers at other times, and answered "
            "{answered}",
            "answered",
            "silent",
            source=BRAND,
            shared=True,
        ),
    ),
)

WEIGHTS: dict[str, float] = {known.id.removeprefix("query."): weight for weight, known in TABLE}
"""``query.unanswered``, ``query.alike`` and ``query.unheard`` weigh what their tests say: 1.0 is the unit."""

RULES: tuple[Rule, ...] = tuple(known for _, known in TABLE)
