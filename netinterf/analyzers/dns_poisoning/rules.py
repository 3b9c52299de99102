"""The vocabulary of the DNS analyzer: what each sign is called, says and weighs.

Weights are natural-log likelihood ratios, starting values of a literature review, none fitted to a capture. Signs fall
into blocks whose members depend on each other (race, timing, header, construction, content, contrast, follow-up); the
verdict takes the strongest of a block, and no block but an impossibility reaches ``likely`` alone. So an accusation
needs two independent kinds of evidence, of which one is constructive (race, construction or content): timing and hop
limit only corroborate.

Most rules speak of the mechanism ``dns``: they bear on whatever forging is under suspicion. A contradiction says that a
second answer was seen, ``dns.injection``; `LONE` says that none was, ``dns.forged``.
"""

from netinterf.analyzers.dns_poisoning.answer_rules import ANSWER_RULES
from netinterf.analyzers.dns_poisoning.reply_rules import REPLY_RULES
from netinterf.analyzers.dns_poisoning.vocabulary import rule_id
from netinterf.schema import Rule

__all__ = ["RULES", "SINKHOLE", "WEIGHTS", "rule_id"]

SINKHOLE = 2.0
"""Weight of 0.0.0.0, 127.0.0.1 and their like: block lists and response policy zones use them on purpose."""

RULES: tuple[Rule, ...] = tuple(rule for _, rule in (*REPLY_RULES, *ANSWER_RULES))

WEIGHTS: dict[str, float] = {rule.id.removeprefix("dns."): weight for weight, rule in (*REPLY_RULES, *ANSWER_RULES)}
