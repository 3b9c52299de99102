"""A certain case raises the prior of its mechanism for what else one client did with one server.

Whoever interferes with one conversation stands on its path, and what else takes that path passes the same place. So
where a mechanism is certain of one subject, it is likelier to begin with for the others of the same *path*: the same
client and server, and the same kind of subject. Those two hosts are the narrowest notion of a path that addresses show,
and whether two subjects share them depends on nothing else in the capture. So whatever else a capture holds, and
however it is parted, a prior moves only where the certain case is in the same part.

*Certain* is what reaches the top rung's probability in a sound recording, and rests on two independence groups. Of both
ends only evidence of their own counts (`netinterf.verdict.clusters.own_evidence`): what was drawn from other subjects
may rest on the same case, which would then speak twice, or for itself. A prior rises at most `Model.same_path` times
(`python -m benchmarks fit`), by no more than the subject's own evidence weighs, and by what evidence that was drawn
from others has not said already. So what has no evidence of its own stays as it is. Only what is certain unraised
raises others: nothing is passed on.

Beside a certain case *healthy* is not said of what anything speaks against, however little, and whichever mechanism it
is: where one of two answers is missing from the recording, the other is odd in other ways, or in none. So of a name
that was certainly forged nothing is said by an answer alone.

No mechanism whose groups are parts of one likelihood ratio by design (`Model.joint`) is certain so: they are not
independent.
"""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.mechanisms import Written, known_as
from netinterf.numbering import combined, joined, numbered, numbered_text
from netinterf.schema import Evidence, SubjectKind
from netinterf.verdict.model import SUBJECTS, Model
from netinterf.verdict.subjects import Subjects
from netinterf.verdict.weigh import Hypotheses, Suspicions, added

__all__ = ["beside_certain", "certain_of", "met_elsewhere", "own_weights", "paths_of", "raise_priors"]


def raise_priors(
    judged: Hypotheses,
    evidence: Evidence,
    subjects: Subjects,
    quiet: F64,
    mechanisms: tuple[str, ...],
    model: Model,
) -> F64:
    """Say by how much the prior of each hypothesis rises, for a certain case of it elsewhere on its path.

    Args:
        judged: The hypotheses, with unraised priors, held back where the capture cannot tell them from a plan.
        evidence: What they rest on.
        subjects: Whom they are about.
        quiet: What silence weighs, nats, for each verdict row.
        mechanisms: The vocabulary.
        model: Caps and grades.

    Returns:
        Nats, 0 where nothing rises.
    """
    sound = subjects.whole & (subjects.loss_share <= model.loss_ceiling)
    certain = sound[judged.row] & certain_of(judged, mechanisms, model)
    if model.same_path <= 1 or not certain.any():
        return np.zeros(len(judged))
    own = own_weights(judged, evidence, subjects.prior_kind, quiet, mechanisms, model)
    certain &= certain_of(own, mechanisms, model)
    most = np.clip(np.where(own.supported, own.worth, 0.0), 0.0, np.log(model.same_path))
    gain = own.llr + most - judged.llr  # what others on the path say beyond what is drawn from them already
    return np.where(met_elsewhere(judged, certain, paths_of(subjects)), np.clip(gain, 0.0, most), 0.0)


def beside_certain(judged: Hypotheses, subjects: Subjects, mechanisms: tuple[str, ...], model: Model) -> Mask:
    """Say which subjects are not healthy for the company they keep: on the path of a certain case of any mechanism.

    Those are subjects that anything speaks against, and DNS exchanges about a name about which others certainly got
    forged answers.

    Args:
        judged: The hypotheses, as in `raise_priors`.
        subjects: Whom they are about.
        mechanisms: The vocabulary.
        model: Caps and grades.
    """
    beside, certain = np.zeros(len(subjects), np.bool_), certain_of(judged, mechanisms, model)
    if not certain.any():
        return beside
    path = paths_of(subjects)
    met = np.isin(path, path[judged.row[certain]])
    beside[judged.row[judged.supported]] = True
    beside &= met
    records = (known_as(word) for word in mechanisms)
    answers = np.array([record is not None and record.written is Written.ANSWER for record in records])
    forged = judged.row[certain & answers[judged.mechanism]]
    asked = np.flatnonzero((subjects.kind == SubjectKind.EXCHANGE) & met)
    about = combined(path[asked], numbered_text(subjects.name.take(asked))[0])
    beside[asked[np.isin(about, about[np.isin(asked, forged)])]] = True
    return beside


def certain_of(judged: Hypotheses, mechanisms: tuple[str, ...], model: Model) -> Mask:
    """Say which hypotheses are certain, if the recording is sound: by themselves, on two independence groups."""
    bar = np.log(model.confirmed / (1 - model.confirmed))
    joint = np.array([word in model.joint for word in mechanisms] or [False])[judged.mechanism]
    certain: Mask = (judged.score >= bar) & (judged.groups > 1) & ~joint
    return certain


def own_weights(
    suspicions: Suspicions, evidence: Evidence, prior_kind: I64, quiet: F64, mechanisms: tuple[str, ...], model: Model
) -> Hypotheses:
    """Weigh the same hypotheses without what was drawn from other subjects."""
    shared = np.array([rule.shared for rule in evidence.rules] or [False])[evidence.rule[suspicions.pair_evidence]]
    alone = Suspicions(
        row=suspicions.row,
        mechanism=suspicions.mechanism,
        pair_hypothesis=suspicions.pair_hypothesis[~shared],
        pair_evidence=suspicions.pair_evidence[~shared],
    )
    return added(alone, evidence, prior_kind, quiet, mechanisms, model, in_full=False)


def paths_of(subjects: Subjects) -> I64:
    """Number the path of each subject: its client, its server, and what kind of subject it is."""
    hosts = 1 + int(max(subjects.client.max(initial=0), subjects.server.max(initial=0)))
    ends = (subjects.client, hosts), (subjects.server, hosts)
    return joined(*ends, (subjects.prior_kind, len(SUBJECTS)))[0]


def met_elsewhere(suspicions: Suspicions, certain: Mask, path: I64) -> Mask:
    """Say which hypotheses are certain of another subject of the same path.

    Args:
        suspicions: The hypotheses, at most one of each mechanism per subject.
        certain: Which of them are certain.
        path: Number of each subject's path.
    """
    place, _ = numbered(path[suspicions.row])
    key, _ = joined((place, len(place) + 1), (suspicions.mechanism, 1 + int(suspicions.mechanism.max(initial=0))))
    met, times = np.unique(key[certain], return_counts=True)
    at = np.searchsorted(met, key)
    cases = np.append(times, 0)[np.where(np.append(met, -1)[at] == key, at, len(met))]
    result: Mask = cases - certain > 0
    return result
