"""A verdict in one or two plain sentences: who, what, how sure, and what shows it.

Written for readers who must decide whether to print it: no jargon that is not explained, no certainty that the grade
does not carry, and never a word about who did it or why, which packets do not show.
"""

from itertools import islice

from netinterf.context.resolvers import encrypted_resolver
from netinterf.mechanisms import is_rate, related, what_happened
from netinterf.schema import Grade, Outcome
from netinterf.written.group_words import group_happened, settled_by_members
from netinterf.written.record import Observation, Subject, Verdict

__all__ = ["SURE", "claim", "happened", "is_about", "percent", "sentences", "who"]

SURVIVED = {"rst.ignored": "forged resets were sent into {who}, which went on"}
"""What was done where an observation says that it had no effect."""

SURE = {
    Grade.CONFIRMED: "This is confirmed",
    Grade.LIKELY: "This is likely",
    Grade.POSSIBLE: "This is only possible, not shown",
}

RAISED = "the same client met a certain case of this on the same path, which makes it more credible here"
"""What is said where company raised the grade (`netinterf.verdict.same_path`)."""

IF_RARER = {
    Grade.LIKELY: "likely, not confirmed,",
    Grade.POSSIBLE: "only possible",
    Grade.NONE: "less likely than not",
}
"""What a finding is when interference is ten times rarer, for grades below the one it has."""


def sentences(verdict: Verdict) -> str:
    """Put a verdict into one or two plain sentences.

    A finding names the two strongest signs, what raised its prior where that raised its grade, the strongest sign that
    argues against it, and whether its grade would stand if such interference were ten times rarer than assumed.
    """
    if verdict.subject.kind == "group" or not (verdict.found and verdict.mechanism):
        return claim(verdict)
    about = [sign for sign in verdict.evidence if is_about(sign, verdict.mechanism)]  # strongest first
    signs = [_clause(sign.says) for sign in islice((sign for sign in about if sign.llr > 0), 2)]
    signs += [RAISED] if verdict.raised else []
    against = next((sign for sign in about if sign.llr < 0), None)
    signs += [] if against is None else [f"against it speaks that {_clause(against.says)}"]
    return f"{_surely(verdict)}{': ' if signs else ''}{'; '.join(signs)}."


def claim(verdict: Verdict) -> str:
    """Say what a verdict claims and how surely, without what shows it: for where that stands beside it."""
    if verdict.subject.kind == "group":
        if settled_by_members(verdict):
            return f"{group_happened(verdict)} (probability {percent(verdict.probability)})."
        return f"{_surely(verdict)}."
    if verdict.found and verdict.mechanism:
        return f"{_surely(verdict)}{f'; {RAISED}' if verdict.raised else ''}."
    subject = who(verdict.subject)
    if verdict.outcome is Outcome.OK:
        plan = " It was held to a rate like everything else on the link." if verdict.selective is False else ""
        return f"{_capital(subject)} worked, and nothing suggests interference.{plan}"
    because = verdict.reasons[0].says if verdict.reasons else ""
    if verdict.outcome is Outcome.DOWN:
        return f"{_capital(subject)} did not work, without a sign of interference. {because}".strip()
    return f"It cannot be told whether {subject} was interfered with. {because}".strip()


def _surely(verdict: Verdict) -> str:
    """Say what was done to whom, and how sure that is; of one, also how sure if such things are rarer than assumed."""
    rarer = ""
    if verdict.subject.kind != "group" and verdict.grade_if_rarer is not verdict.grade:
        rarer = f"; {IF_RARER[verdict.grade_if_rarer]} if such interference is ten times rarer here than assumed"
    return f"{happened(verdict)}. {SURE[verdict.grade]} (probability {percent(verdict.probability)}{rarer})"


def happened(verdict: Verdict) -> str:
    """Say what was done to whom, without the final dot: ``Perhaps`` before what is only possible.

    Of a subject without a mechanism, it says only who it is.
    """
    if verdict.subject.kind == "group":
        return group_happened(verdict)
    what = what_happened(verdict.mechanism) if verdict.mechanism else "{who}"
    mine = (observation.rule for observation in verdict.evidence if observation.mechanism == verdict.mechanism)
    what = next((SURVIVED[rule] for rule in mine if rule in SURVIVED), what)
    hedge = "perhaps " if verdict.grade is Grade.POSSIBLE else ""
    spared = ", while others were spared" if verdict.selective and is_rate(verdict.mechanism or "") else ""
    return _capital(hedge + what.format(who=who(verdict.subject)) + spared)


def who(subject: Subject) -> str:
    """Name a subject: ``the connection from 10.0.0.1 to example.com (192.0.2.1, port 443)``."""
    client = f" from {subject.client}" if subject.client else ""
    if subject.kind == "exchange":
        query_type = f" ({subject.query_type})" if subject.query_type else ""
        return f"the DNS question{client} to {subject.server} for {subject.name or 'the root'}{query_type}"
    port = "" if subject.server_port is None else f"port {subject.server_port}"
    if subject.name and subject.name.removesuffix(f":{subject.server_port}").strip("[]") != subject.server:
        server = f"{subject.name} ({', '.join(part for part in (subject.server, port) if part)})"
    else:
        server = " ".join(part for part in (subject.server, port) if part)
    kind = {"tcp": "connection", "udp": "UDP conversation", "icmp": "ICMP conversation"}
    return f"the {kind.get(subject.protocol or '', 'conversation')}{client} to {server}{_resolver(subject)}"


def _resolver(subject: Subject) -> str:
    """Say that the server answers encrypted DNS questions, where it does."""
    operator = encrypted_resolver(subject.name, subject.server, subject.server_port)
    if operator is None:
        return ""
    return f", a resolver for encrypted DNS{f' of {operator}' if operator else ''},"


def percent(probability: float) -> str:
    """Write a probability so that rounding never claims certainty: ``99.9 %`` at most, ``0.1 %`` at least."""
    return f"{min(max(100 * probability, 0.1), 99.9):.3g} %"


def is_about(observation: Observation, mechanism: str) -> bool:
    """Say whether an observation is about this mechanism: the same, a more general or a more special one."""
    return related(observation.mechanism, mechanism)


def _clause(says: str) -> str:
    """Fit a rule's sentence into a longer one."""
    return says.strip().rstrip(".")


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
