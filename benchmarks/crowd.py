"""Made-up crowds: subjects and evidence as tables, for measuring what groups of them say. No packets are involved.

Each subject has one observation that weighs what it is given, so that what is measured is the statistics of groups and
nothing else.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import F64, I64
from netinterf.context.networks import KnownNetworks
from netinterf.schema import Evidence, Groups, Hosts, Rule, SubjectKind
from netinterf.table import Ragged, Text
from netinterf.verdict.combine import judge
from netinterf.verdict.groups import find_groups
from netinterf.verdict.model import Model
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_TCP, KIND_UDP, Subjects

__all__ = ["Crowd", "block", "crowd", "crowd_model"]

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
MECHANISMS = {KIND_TCP: "tcp.reset", KIND_UDP: "quic.drop", KIND_EXCHANGE: "dns.injection"}
PROTOCOLS = np.array([6, 17, 1, 17], np.uint8)
SLASH_24 = 256
SIGNS = ("crowd", "again")  # independence groups


def crowd_model(**changes: Any) -> Model:
    """Build a model in which an observation weighs what it says: one mechanism a kind, wide caps."""
    kinds = {KIND_TCP: "tcp", KIND_UDP: "udp", KIND_EXCHANGE: "exchange"}
    numbers: dict[str, Any] = {
        "fitted_on": "crowd",
        "version": "1",
        "priors": {(word, MECHANISMS[kind]): -5.8 for kind, word in kinds.items()},
        "other_prior": -7.0,
        "group_cap": 14.0,
        "other_bound": 14.0,
        "dependence": 0.0,
        "decisive_cap": 14.0,
        "other_total_cap": 14.0,
        "possible": 0.5,
        "likely": 0.9,
        "confirmed": 0.99,
        "shaping_ceiling": 0.85,
        "loss_ceiling": 0.01,
        "group_prior": -6.9,
        "site_correlation": 0.1,
    }
    return Model(**{**numbers, **changes})


@attrs.frozen(eq=False, kw_only=True)
class Crowd:
    """Subjects, where they live, and what was seen of them."""

    subjects: Subjects
    evidence: Evidence
    hosts: Hosts

    def groups(self, model: Model | None = None, networks: KnownNetworks | None = None) -> Groups:
        """Find its groups."""
        numbers = model or crowd_model()
        verdicts = judge(self.evidence, self.subjects, numbers)
        return find_groups(self.evidence, self.subjects, verdicts, self.hosts, networks, numbers)


def crowd(
    llr: Sequence[float] | F64,
    *,
    client: Sequence[int] | I64 = (0,),
    server: Sequence[int] | I64 = (0,),
    name: Sequence[str] | Text = ("",),
    minute: Sequence[float] | F64 = (0.0,),
    kind: Sequence[int] | I64 = (KIND_TCP,),
    mechanism: Sequence[str] = (),
    reasons: Sequence[int] = (0,),
    shared: bool = False,
) -> Crowd:
    """Make subjects up: one per weight; other columns may have one entry for all.

    Of each subject two independent things were seen, since one that is no proof accuses nobody.

    Args:
        llr: What both observations about each weigh together, nats; 0 for no observation.
        client: Which client, from 0.
        server: Which server; 256 of them to a /24.
        name: Names.
        minute: When, minutes from the start.
        kind: Place in ``model.SUBJECTS``.
        mechanism: What each observation speaks of; the mechanism of its kind when empty.
        reasons: Reason bits.
        shared: The observations are drawn from other subjects.
    """
    weight = np.asarray(llr, np.float64)
    count = len(weight)

    def column(values: Any, kind: Any) -> Any:
        return np.resize(np.asarray(values, kind), count) if count else np.empty(0, kind)

    clients, servers, kinds = column(client, np.int32), column(server, np.int32), column(kind, np.int64)
    begin = START + (column(minute, np.float64) * 60 * SECOND).astype(np.int64)
    texts = name if isinstance(name, Text) else Text.of([name[row % len(name)] for row in range(count)])
    users = int(clients.max(initial=0)) + 1
    low = np.concatenate([0x0A000000 + np.arange(users), 0x40000000 + np.arange(int(servers.max(initial=0)) + 1)])
    is_exchange = kinds == KIND_EXCHANGE
    place = np.where(is_exchange, np.cumsum(is_exchange), np.cumsum(~is_exchange)) - 1
    subjects = Subjects(
        subject=place.astype(np.int32),
        kind=np.where(is_exchange, SubjectKind.EXCHANGE, SubjectKind.FLOW).astype(np.uint8),
        prior_kind=kinds,
        flow=np.arange(count, dtype=np.int32),
        protocol=PROTOCOLS[kinds],
        client=clients,
        server=servers + np.int32(users),
        port=np.full(count, 443),
        first_packet=np.full(count, -1, np.int32),
        start=begin,
        end=begin + SECOND,
        name=texts,
        named_by=np.ones(count, np.uint8),
        named_in=np.full(count, -1, np.int32),
        ja4=Text.empty(count, np.uint8),
        reasons=column(reasons, np.int64),
        whole=np.ones(count, np.bool_),
        broken=np.zeros(count, np.bool_),
        unseen=np.zeros(count, np.int64),
        unheard=np.zeros(count, np.bool_),
        loss_share=np.zeros(count),
        by_flow=np.flatnonzero(~is_exchange),
        by_exchange=np.flatnonzero(is_exchange),
    )
    seen = np.repeat(np.flatnonzero(weight), len(SIGNS))
    told = [mechanism[row % len(mechanism)] for row in range(count)] if mechanism else []
    words = list(dict.fromkeys(told or MECHANISMS.values()))
    spoken = [words.index(told[row]) for row in seen] if told else np.array([0, 1, 0, 2])[kinds[seen]]
    sign = np.tile(np.arange(len(SIGNS)), len(seen) // len(SIGNS))
    evidence = Evidence(
        subject=place[seen].astype(np.int32),
        subject_kind=subjects.kind[seen],
        rule=(np.asarray(spoken, np.int64).reshape(-1) * len(SIGNS) + sign).astype(np.uint16),
        time=begin[seen],
        llr=weight[seen] / len(SIGNS),
        forged=Ragged.empty(len(seen), np.int32),
        witness=Ragged.empty(len(seen), np.int32),
        measured=Ragged.empty(len(seen), np.float64),
        rules=tuple(
            Rule(id=f"{sign}.{word}", mechanism=word, group=sign, says=f"{word} was seen", shared=shared)
            for word in words
            for sign in SIGNS
        ),
    )
    hosts = Hosts.of(high=np.zeros(len(low), np.uint64), low=(0xFFFF << 32 | low).astype(np.uint64))
    return Crowd(subjects=subjects, evidence=evidence, hosts=hosts)


def block(
    kind: str,
    rng: np.random.Generator,
    *,
    names: int = 20,
    addresses: int = 16,
    weights: tuple[F64, F64] | None = None,
) -> tuple[Crowd, str]:
    """Make up a capture in which one name, address, prefix, client or nothing is blocked.

    Names live at 2-4 addresses and addresses hold 2-5 names; each pair is visited 2-5 times, ten minutes apart, so
    that each visit is an observation of its own.

    Args:
        kind: ``"name"``, ``"server"``, ``"prefix"``, ``"client"`` or ``"none"``.
        rng: Source of chance.
        names: How many names.
        addresses: How many addresses; two to a prefix.
        weights: What flows that are hit, and that are spared, weigh in nats, to be drawn from; None draws from
            N(6, 3) and N(-2, 1).

    Returns:
        The capture and what is blocked, as a group's value says it.
    """
    wanted = rng.integers(2, 5, names)
    load = np.zeros(addresses, np.int64)
    pairs = []
    for name in range(names):
        free = [a for a in np.argsort(load + rng.random(addresses)) if load[a] < 5][: wanted[name]]
        load[free] += 1
        pairs += [(name, int(address)) for address in free]
    visits = rng.integers(2, 6, len(pairs))
    name, address = np.repeat(np.array(pairs), visits, axis=0).T
    client = rng.integers(0, 3, len(name))
    minute = 10.0 * np.concatenate([np.arange(n) for n in visits])
    server = address // 2 * SLASH_24 + address % 2
    full = np.flatnonzero(load >= 2)
    truth = {
        "name": int(rng.integers(names)),
        "server": int(rng.choice(full)) if len(full) else 0,
        "prefix": int(rng.integers(addresses // 2)),
        "client": int(rng.integers(3)),
        "none": 0,
    }[kind]
    column = {"name": name, "server": address, "prefix": address // 2, "client": client, "none": np.full(len(name), -1)}
    hit = column[kind] == truth
    if weights is None:
        llr = np.where(hit, rng.normal(6, 3, len(name)), rng.normal(-2, 1, len(name)))
    else:
        llr = np.where(hit, rng.choice(weights[0], len(name)), rng.choice(weights[1], len(name)))
    value = {
        "name": f"www.site{truth}.example",
        "server": f"64.0.{truth // 2}.{truth % 2}",
        "prefix": f"64.0.{truth}.0/24",
        "client": f"10.0.0.{truth}",
        "none": "",
    }[kind]
    names_of = [f"www.site{row}.example" for row in name]
    return crowd(llr, client=client, server=server, name=names_of, minute=minute), value
