"""Everything that was concluded about a capture: verdicts, groups, attributions, injectors, who stands out.

It holds on to what is needed to judge again, or to write it out, and lets go of the packets: where tables pointed at
packets, frame numbers stand in columns of their own.
"""

from typing import TYPE_CHECKING, Any, Self

import attrs
import numpy as np

from netinterf.anomaly.score import find_anomalies
from netinterf.attribute.injectors import Injector, list_injectors
from netinterf.context.networks import KnownNetworks
from netinterf.schema import Anomalies, Evidence, Exchanges, Files, Flows, Groups, Hosts, Verdicts
from netinterf.table import Ragged
from netinterf.values import frozen
from netinterf.verdict.attribution import Attributions, attribute
from netinterf.verdict.combine import judge
from netinterf.verdict.groups import find_groups
from netinterf.verdict.listing import forged_frames, forged_of_accused
from netinterf.verdict.model import Model
from netinterf.verdict.subjects import Subjects, list_subjects

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Judgement"]


@frozen(eq=False, kw_only=True)
class Judgement:
    """What was concluded about one capture."""

    capture: str
    verdicts: Verdicts
    evidence: Evidence
    hosts: Hosts
    flows: Flows
    exchanges: Exchanges
    first_frame: np.ndarray[Any, np.dtype[np.int32]]  # of each verdict, -1 for none
    trigger_frame: np.ndarray[Any, np.dtype[np.int32]]  # of each verdict, -1 for none
    forged: Ragged  # frame numbers of each verdict
    witness: Ragged  # frame numbers of each piece of evidence
    groups: Groups
    group_frames: Ragged  # frame numbers of each group
    subjects: Subjects  # who is judged; packets by frame number
    evidence_forged: Ragged  # frame numbers that each piece of evidence holds to be forged
    attributions: Attributions
    anomalies: Anomalies  # how far each subject stands out, whatever its verdict
    injectors: tuple[Injector, ...] = ()  # hands that wrote forged DNS answers
    networks: KnownNetworks = attrs.field(factory=KnownNetworks)  # no more than what tells of these hosts
    files: Files = attrs.field(factory=Files)  # that the capture was joined from

    @classmethod
    def of(
        cls,
        verdicts: Verdicts,
        evidence: Evidence,
        trace: "Trace",
        *,
        model: Model | None = None,
        subjects: Subjects | None = None,
        anomalies: Anomalies | None = None,
    ) -> Self:
        """Find groups, handwriting and hands among verdicts, and who stands out whatever its verdict.

        Args:
            verdicts: What `classify` returned for *evidence* and *trace*.
            evidence: The evidence.
            trace: The capture.
            model: What the verdicts were reached with; None takes the model that ships with the library.
            subjects: Who was judged; None lists them once more.
            anomalies: How far each of them stands out; None finds it out.
        """
        subjects = list_subjects(trace, evidence) if subjects is None else subjects
        groups = find_groups(evidence, subjects, verdicts, trace.hosts, trace.outside.networks, model)
        about = (subjects.subject, subjects.kind, subjects.flow, subjects.name)
        anomalies = find_anomalies(trace, *about) if anomalies is None else anomalies
        frames = trace.packets.frame.astype(np.int32)
        numbered = np.append(frames, np.int32(-1))  # row -1 reads the appended -1
        forged = forged_of_accused(verdicts)
        evidence_forged = Ragged(evidence.forged.offsets, frames[evidence.forged.values])
        return cls(
            capture=trace.source,
            verdicts=verdicts,
            evidence=evidence,
            hosts=trace.hosts,
            flows=trace.flows,
            exchanges=trace.exchanges,
            first_frame=numbered[verdicts.first_packet],
            trigger_frame=numbered[verdicts.trigger_packet],
            forged=Ragged(forged.offsets, frames[forged.values]),
            witness=Ragged(evidence.witness.offsets, frames[evidence.witness.values]),
            groups=groups,
            group_frames=forged_frames(groups, verdicts, attrs.evolve(evidence, forged=evidence_forged)),
            subjects=attrs.evolve(
                subjects, first_packet=numbered[subjects.first_packet], named_in=numbered[subjects.named_in]
            ),
            evidence_forged=evidence_forged,
            attributions=attribute(verdicts, evidence, trace),
            anomalies=anomalies,
            injectors=list_injectors(trace, verdicts),
            networks=KnownNetworks(trace.outside.networks.held(trace.hosts.high, trace.hosts.low)),
            files=trace.files,
        )

    def under(self, model: Model) -> Self:
        """Judge the same subjects by the same evidence under another model: no capture is needed for it.

        Only subjects that were findings under this model say which system they look like.
        """
        evidence = attrs.evolve(self.evidence, forged=self.evidence_forged, witness=self.witness)
        verdicts = judge(evidence, self.subjects, model)
        groups = find_groups(evidence, self.subjects, verdicts, self.hosts, self.networks, model)
        return attrs.evolve(
            self,
            verdicts=verdicts,
            groups=groups,
            first_frame=verdicts.first_packet,
            trigger_frame=verdicts.trigger_packet,
            forged=forged_of_accused(verdicts),
            group_frames=forged_frames(groups, verdicts, evidence),
        )
