"""What a rule weighs: by the literature, after the fit, and at most.

The literature's weight stands with the rule, what a fit made of it and what real benign traffic bounds it to stand in
the model. Here they come together, for whoever wants to read one table.
"""

from collections.abc import Iterable

from netinterf.schema import Rule
from netinterf.values import frozen
from netinterf.verdict.model import Model

__all__ = ["RuleWeight", "weights_of"]


@frozen(kw_only=True)
class RuleWeight:
    """One rule under one model; all weights in nats, positive for interference."""

    rule: Rule
    factor: float  # what a fit multiplies its observations by; 1 where the model does not list it
    most: float  # what one observation may carry: what real benign traffic supports, or the cap of proof, or against

    @property
    def literature(self) -> float | None:
        """Weight at full strength before the fit; None where a test computes it."""
        return self.rule.weight

    @property
    def fitted(self) -> float | None:
        """Weight at full strength after the fit and within its cap; None where a test computes it."""
        if self.rule.weight is None:
            return None
        value = self.rule.weight * self.factor
        return max(value, self.most) if value < 0 else min(value, self.most)


def weights_of(rules: Iterable[Rule], model: Model) -> tuple[RuleWeight, ...]:
    """Look up what rules weigh under a model, in their order."""
    return tuple(RuleWeight(rule=rule, factor=model.factor(rule), most=_most(rule, model)) for rule in rules)


def _most(rule: Rule, model: Model) -> float:
    """Say how much one observation of a rule may carry."""
    if rule.weight is not None and rule.weight < 0:
        return -model.group_cap
    return max(model.group_cap, model.decisive_cap) if rule.decisive else model.bound(rule)
