"""Groups written out: from a row of the table of groups to a verdict in the words of the verdict format."""

import attrs
import numpy as np

from netinterf.schema import Grade, GroupBy, Groups, Outcome, SubjectKind, TriggerKind
from netinterf.verdict.judgement import Judgement
from netinterf.verdict.listing import supporting_evidence
from netinterf.verdict.reasons import Reason
from netinterf.written.group_words import OTHERS, percents
from netinterf.written.numbers import agreed
from netinterf.written.parts import observations
from netinterf.written.record import Affected, Observation, Subject, Trigger, Verdict, whys
from netinterf.written.words import sentences

__all__ = ["write_group"]

OUTCOMES, GRADES, BY = tuple(Outcome), tuple(Grade), tuple(GroupBy)
ACCUSED = GRADES.index(Grade.LIKELY)  # the last grade of what is interfered with
SELECTIVE = {1: True, 0: False, -1: None}

SHOWN = 5
"""Members whose strongest observation stands with the evidence of their group."""


def write_group(judgement: Judgement, row: int) -> Verdict:
    """Write out one group."""
    groups, verdicts = judgement.groups, judgement.verdicts
    grade = GRADES[groups.grade[row]]
    members = groups.subjects[row].astype(np.int64)
    first = judgement.first_frame[members[: groups.affected[row]]]
    verdict = Verdict(
        capture=judgement.capture,
        subject=subject_of(groups, row, int(first[first >= 0].min()) if np.any(first >= 0) else None),
        outcome=OUTCOMES[groups.outcome[row]],
        grade=grade,
        grade_if_rarer=GRADES[groups.grade_if_rarer[row]],
        mechanism=groups.mechanisms[groups.mechanism[row]],
        probability=float(groups.probability[row]),
        also=(),
        q_value=float(groups.q_value[row]),
        evidence=evidence_of(judgement, row),
        reasons=whys(Reason.SUSPICION) if grade is Grade.POSSIBLE else (),
        frames=tuple(judgement.group_frames[row].tolist()),
        trigger=trigger_of(judgement, row, int(members[0])),
        selective=SELECTIVE[int(groups.selective[row])],
        group=Affected(
            members=int(groups.members[row]),
            affected=int(groups.affected[row]),
            share=float(groups.share[row]),
            share_low=float(groups.share_low[row]),
            share_high=float(groups.share_high[row]),
            findings=int(np.count_nonzero(verdicts.grade[members[: groups.affected[row]]] <= ACCUSED)),
        ),
        attribution=judgement.attributions.of(members[: groups.affected[row]]),
        start=int(groups.start[row]),
        end=int(groups.end[row]),
        files=judgement.files,
        rows=np.stack([verdicts.subject_kind[members].astype(np.int64), verdicts.subject[members]], axis=1),
    )
    return attrs.evolve(verdict, explanation=sentences(verdict))


def subject_of(groups: Groups, row: int, first_frame: int | None) -> Subject:
    """Say what a group is about: its common value stands where the verdict format has a key for it."""
    by, value = BY[groups.by[row]], groups.value[row]
    places = {GroupBy.SERVER, GroupBy.PREFIX, GroupBy.ASN, GroupBy.COUNTRY}
    return Subject(
        kind=SubjectKind.GROUP.name.lower(),
        protocol=value if by is GroupBy.PROTOCOL else None,
        client=value if by is GroupBy.CLIENT else None,
        client_port=None,
        server=value if by in places else None,
        server_port=None,
        name=value if by in {GroupBy.NAME, GroupBy.DOMAIN} else None,
        first_frame=first_frame,
        by=by.value,
    )


def trigger_of(judgement: Judgement, row: int, member: int) -> Trigger | None:
    """Say what set the interference off: the name, as the surest member shows it, or the address; else None."""
    by, value = BY[judgement.groups.by[row]], judgement.groups.value[row]
    kind = TriggerKind(int(judgement.verdicts.trigger[member]))
    frame = int(judgement.trigger_frame[member])
    if by is GroupBy.NAME and kind not in {TriggerKind.NONE, TriggerKind.ADDRESS}:
        return Trigger(kind=kind.word, value=value, frame=frame if frame >= 0 else None)
    if by is GroupBy.SERVER:
        return Trigger(kind=TriggerKind.ADDRESS.word, value=value, frame=None)
    return None


def evidence_of(judgement: Judgement, row: int) -> tuple[Observation, ...]:
    """List the evidence of a group: its share, its contrast, and what its surest members show; strongest first."""
    groups = judgement.groups
    members, affected = int(groups.members[row]), int(groups.affected[row])
    share, low, high = (float(getattr(groups, word)[row]) for word in ("share", "share_low", "share_high"))
    clusters, controls = int(groups.clusters[row]), int(groups.controls[row])
    evidence = [
        Observation(
            rule="group.share",
            says=agreed(
                f"About {affected:,} of {members:,} are affected, by {clusters:,} independent observations; of all "
                f"that are like them, a share of {100 * share:.0f} % would be ({percents(low, high)})"
            ),
            llr=float(groups.llr[row]),
            frames=(),
            measured={
                "members": float(members),
                "affected": float(affected),
                "share": share,
                "share_low": low,
                "share_high": high,
                "clusters": float(clusters),
            },
        )
    ]
    if controls:
        control_share = float(groups.control_share[row])
        others = OTHERS.get(BY[groups.by[row]], "others")
        evidence.append(
            Observation(
                rule="group.contrast",
                says=agreed(f"Compared with {controls:,} observations of {others}, ")
                + f"of which about {100 * control_share:.0f} % are affected",
                llr=float(groups.contrast[row]),
                frames=(),
                measured={"controls": float(controls), "control_share": control_share},
            )
        )
    places, weights = supporting_evidence(groups, judgement.verdicts, judgement.evidence, row)
    strongest = places.offsets[:-1][:SHOWN][places.lengths[:SHOWN] > 0]  # of each member
    evidence += observations(judgement, places.values[strongest], weights.values[strongest])
    return tuple(sorted(evidence, key=lambda entry: -abs(entry.llr)))
