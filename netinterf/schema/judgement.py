"""Tables of what analyzers saw in traffic, and of what that adds up to."""

from functools import cached_property

import attrs
import numpy as np

from netinterf.arrays import F64, I8, I32, I64, U8, U16, U32, Mask
from netinterf.table import Ragged, Table, Text, column, ragged, text
from netinterf.values import frozen

__all__ = [
    "Anomalies",
    "Evidence",
    "Groups",
    "Rule",
    "Verdicts",
]


@frozen(kw_only=True, cache_hash=True)  # tables of evidence are joined by their rules
class Rule:
    """One kind of observation: the vocabulary of explanations. Ids are public and never change their meaning.

    Its weight is what the literature or a count says of it alone. What a fit made of that, beside other rules, and what
    real benign traffic bounds it to stand in the model; ``netinterf analyzers --rules`` prints all side by side.
    """

    id: str  # "rst.premature": family.observation
    mechanism: str  # what it speaks for or against, in the words of the verdict format
    group: str  # evidence of one group counts once: its strongest item (by |llr|)
    says: str  # one sentence for people, may use {measure} fields
    measures: tuple[str, ...] = ()  # names of the numbers in Evidence.measured, in order
    weight: float | None = None  # nats at full strength, positive for interference; None where a test computes it
    decisive: bool = False  # an impossibility that may confirm on its own
    references: tuple[str, ...] = ()  # RFC sections, papers
    # drawn from other subjects of the capture: not counted again where subjects are judged as a group
    shared: bool = False
    exposed: tuple[str, ...] = ("any",)  # what a subject must have shown for the rule to look at it
    blind: tuple[str, ...] = ()  # kinds of recording of which it says nothing (columns of Recording)
    leaves: str = ""  # code of the reason for which it leaves a subject open: who says nothing there was blind
    was: str = ""  # its id before the last minor version, if it had another: still accepted, and printed beside it


@frozen(eq=False, kw_only=True)
class Evidence(Table):
    """One row per observation: what an analyzer saw, how much it weighs, and which packets show it."""

    subject: I32 = column("i4", "row in Flows or Exchanges, by subject_kind")
    subject_kind: U8 = column("u1", "SubjectKind code")
    rule: U16 = column("u2", "index into the table's rules")
    time: I64 = column("i8", "when it was seen", unit="ns since 1970 UTC")
    llr: F64 = column("f8", "natural-log likelihood ratio, positive for interference, 0 when not informative")
    forged: Ragged = ragged("i4", "rows in Packets held to be forged (or the last before silence)")
    witness: Ragged = ragged("i4", "rows in Packets that show it, the forged ones included")
    measured: Ragged = ragged("f8", "numbers named by the rule's measures, NaN when unknown")
    rules: tuple[Rule, ...] = attrs.field(default=())

    @cached_property
    def rules_seen(self) -> list[int]:
        """Places of the rules that say something; of eight hundred, few do."""
        seen = np.zeros(len(self.rules), np.bool_)
        seen[self.rule] = True
        return np.flatnonzero(seen).tolist()


@frozen(eq=False, kw_only=True)
class Verdicts(Table):
    """One row per flow and DNS exchange that was judged: what the evidence about it adds up to."""

    subject: I32 = column("i4", "row in Flows or Exchanges, by subject_kind")
    subject_kind: U8 = column("u1", "SubjectKind code")
    flow: I32 = column("i4", "row in Flows: the subject itself, or the flow that carried the exchange")
    first_packet: I32 = column("i4", "row in Packets of the subject's first packet, -1 for none", missing=True)
    start: I64 = column("i8", "time of the subject's first packet", unit="ns since 1970 UTC")
    end: I64 = column("i8", "time of the subject's last packet", unit="ns since 1970 UTC")
    outcome: U8 = column("u1", "place in the enumeration Outcome")
    grade: U8 = column("u1", "place in the enumeration Grade")
    grade_if_rarer: U8 = column("u1", "the grade if interference were ten times rarer than the prior says")
    mechanism: I32 = column("i4", "index into the table's mechanisms, -1 for none", fill=-1)
    raised: Mask = column("?", "a certain case on the same path raised the grade", fill=False)
    probability: F64 = column("f8", "probability that the subject was interfered with")
    q_value: F64 = column("f8", "expected share of false alarms among all verdicts of the capture at least as probable")
    also: Ragged = ragged("i4", "further mechanisms at work, by index into the table's mechanisms")
    also_probability: Ragged = ragged("f8", "probability of each mechanism in also")
    evidence: Ragged = ragged("i4", "rows in Evidence about the subject, strongest first")
    weight: Ragged = ragged("f8", "what each of these observations weighs under the model", unit="nats")
    forged: Ragged = ragged("i4", "rows in Packets held to be forged by the mechanism (or the last before silence)")
    reasons: I64 = column("i8", "Reason bits: why the subject is down or could not be judged", fill=0)
    selective: I8 = column("i1", "1 others are spared, 0 all are limited alike, -1 unknown", fill=-1)
    name: Text = text("server name, host or question name of the subject")
    trigger: U8 = column("u1", "TriggerKind code", fill=0)
    trigger_packet: I32 = column("i4", "row in Packets that carries the trigger, -1 for none", fill=-1)
    mechanisms: tuple[str, ...] = attrs.field(default=())
    model: str = attrs.field(default="")


@frozen(eq=False, kw_only=True)
class Anomalies(Table):
    """One row per verdict on a flow or exchange: how far it stands out from its peers, whatever the verdict says."""

    score: F64 = column("f8", "share of ordinary conversations of its kind that stand out less, NaN without peers")
    fact: Ragged = ragged("u1", "facts by which it is listed, the rarest first: places among those of its kind")
    value: Ragged = ragged("u1", "value of each of these facts")
    given: Ragged = ragged("i1", "value of the fact that tells most about each of these, -1 where it is unknown")
    ordinary: Ragged = ragged("f8", "share of ordinary conversations alike in that one with a value as rare")
    alike: Ragged = ragged("i4", "peers at the same port that show the value")
    peers: Ragged = ragged("i4", "peers at the same port of which the fact is known")


@frozen(eq=False, kw_only=True)
class Groups(Table):
    """One row per group of subjects that was found to be interfered with, the surest first."""

    by: U8 = column("u1", "place in the enumeration GroupBy")
    value: Text = text("what its members have in common, as people write it; empty for time and capture")
    members: U32 = column("u4", "flows and exchanges in it, those that an earlier group explains left out")
    affected: U32 = column("u4", "how many of them are expected to be affected")
    share: F64 = column("f8", "share of members that is affected, posterior mean")
    share_low: F64 = column("f8", "lower end of the 95 % interval of the share")
    share_high: F64 = column("f8", "upper end")
    llr: F64 = column("f8", "log-likelihood ratio: some share is affected against none is", unit="nats")
    contrast: F64 = column("f8", "log Bayes factor: affected more than its controls; 0 without any", unit="nats")
    clusters: U32 = column("u4", "independent observations that say something")
    controls: U32 = column("u4", "the same among what it was compared with")
    control_share: F64 = column("f8", "share of controls that is affected, posterior mean, NaN without any")
    probability: F64 = column("f8", "probability that the group is interfered with, its search paid for")
    q_value: F64 = column("f8", "expected share of false alarms among the groups of its kind ranked no lower")
    outcome: U8 = column("u1", "place in the enumeration Outcome")
    grade: U8 = column("u1", "place in the enumeration Grade")
    grade_if_rarer: U8 = column("u1", "the grade if interference were ten times rarer than the prior says")
    mechanism: I32 = column("i4", "index into the table's mechanisms")
    selective: I8 = column("i1", "1 controls are spared, 0 they are hit alike, -1 unknown", fill=-1)
    start: I64 = column("i8", "when the first affected member began", unit="ns since 1970 UTC")
    end: I64 = column("i8", "when the last affected member ended", unit="ns since 1970 UTC")
    subjects: Ragged = ragged("i4", "its members, the surest to be affected first", refers="Verdicts")
    mechanisms: tuple[str, ...] = attrs.field(default=())
    model: str = attrs.field(default="")
