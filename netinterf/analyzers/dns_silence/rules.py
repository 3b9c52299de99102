"""The vocabulary of unanswered questions: what each observation is called, says and weighs.

Weights are natural-log likelihood ratios, where the fit (``python -m benchmarks fit``) begins. About one query in eight
stays unanswered for harmless reasons (Brandhorst and Pras 2006), so that a silence is held against the neighbours of
the question, and what makes it interference is a contrast: the name is answered elsewhere, over TCP, or for another
type. A resolver that fails for the name in the end has found its servers dead. Silences themselves, several of one
resolver and answers that did not arrive weigh what their tests say.
"""

from netinterf.analyzers.vocabulary import Family

# fmt: off
__all__ = [
    "ALIKE", "DOWN", "ELSEWHERE", "EVERYWHERE", "FAILED", "INTERMITTENT", "KNOWN", "ONLY_TCP", "OTHER_TYPE",
    "OVER_TCP", "RULES", "SERVFAIL_NORM", "UNANSWERED", "UNHEARD", "queries",
]

queries = Family("query.", "dns.drop", exposed="query")

BRAND = "Brandhorst and Pras, DNS: a statistical analysis of name server traffic, 2006"
ICLAB = "Niaki et al., ICLab, IEEE S&P 2020, section on DNS manipulation"
OONI = "OONI specification, techniques tq-004 (transports)"
TSPU = "net4people/bbs issue 81: UDP to a public resolver dropped in Russia, 2021"
LAME = "RFC 4697 §2.1; RFC 8914 §4.23: a resolver that reaches no server says so in the end"

UNANSWERED = queries.rule(
    "unanswered", "silence", None,
    "{tries} questions of this client about the name drew no answer from this resolver, which answered {answered} "
    "about others meanwhile and left {silent} without answer", "tries", "answered", "silent", "selective", source=BRAND,
    shared=True,
)
ELSEWHERE = queries.rule(
    "elsewhere", "contrast", 4.0,
    "another resolver answered the same client about the same name, and this one never did later", source=ICLAB,
    shared=True,
)
KNOWN = queries.rule(
    "known", "contrast", 7.1,  # what `ELSEWHERE` came to in the fit: an answer at another place and time
    "the name is known to have addresses of this type: its own servers are not dead",
    source=ICLAB, shared=True,
)
SERVFAIL_NORM = queries.rule(
    "servfail_norm", "contrast", 7.1,  # no more than that another resolver answers
    "this public resolver says so (SERVFAIL) when it reaches no server of a name; in {lookups} lookups it said nothing",
    "lookups", source="Google Public DNS, domain troubleshooting; RFC 2308 §7; RFC 8914 §4.23", shared=True,
    was="candid",
)
OVER_TCP = queries.rule(
    "over_tcp", "contrast", 5.0, "the same resolver answered about the same name over TCP", source=f"{OONI}; {TSPU}",
    shared=True,
)
ONLY_TCP = queries.rule(
    "only_tcp", "contrast", 4.0,
    "{silent} questions in a row got nothing over UDP from the resolver, whatever the name, while it answered this "
    "client over TCP", "silent", source=TSPU, shared=True,
)
OTHER_TYPE = queries.rule(
    "other_type", "contrast", 3.0,
    "the same resolver answered about the same name for another type, and never for this one", source=BRAND,
    shared=True,
)
EVERYWHERE = queries.rule(
    "everywhere", "company", 2.0, "{resolvers} resolvers that answered about other names were silent about this one",
    "resolvers", source=ICLAB, shared=True,
)
ALIKE = queries.rule(
    "alike", "company", None,
    "the resolver was silent about {domains} domains of different owners, each asked for again, of {tried} that it "
    "was asked for within ten seconds", "domains", "tried", source=f"{BRAND}; {LAME}", shared=True,
)
UNHEARD = queries.rule(
    "unheard", "aftermath", None,
    "the client repeated its question though it had been answered, as it did in {repeats} exchanges about this name "
    "and in {repeated} of {others} about others: the answers did not arrive",
    "repeats", "repeated", "others", "selective", source="RFC 1035 §7.3; Brandhorst and Pras 2006", shared=True,
)
FAILED = queries.rule(
    "failed", "failure", -4.0, "the resolver said in the end that it failed for this name", source=LAME, shared=True,
)
INTERMITTENT = queries.rule(
    "intermittent", "again", -4.0,
    "the same resolver answered the same question {answered} times later: it comes and goes", "answered",
    source=BRAND, shared=True, was="moody",
)
DOWN = queries.rule(
    "down", "resolver", -4.0,
    "the resolver left {silent} questions meanwhile about names that it answers at other times, and answered "
    "{answered}", "answered", "silent", source=BRAND, shared=True,
)
# fmt: on

RULES = queries.rules
