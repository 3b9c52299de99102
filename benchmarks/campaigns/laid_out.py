"""From a made-up campaign to its report: what scans would find of each visit, and what a store would hold of that.

The very judgement that reports are made by is asked, and no capture is needed for it.
"""

import attrs
import numpy as np

from benchmarks.campaigns.world import ELSEWHERE, NOWHERE, SECOND, SIX, Came, World
from netinterf.campaign.judged.loading import NONE, Loaded, Network
from netinterf.campaign.judged.report import Report
from netinterf.campaign.judged.whole import with_networks
from netinterf.campaign.stored.reader import Reader
from netinterf.numbering import numbered
from netinterf.observations.attempts import DNS, QUIC, TLS, Attempts, State, numbered_alike, priors_of
from netinterf.observations.table import observe
from netinterf.pooling.answers import Answered
from netinterf.table import Text
from netinterf.verdict.keys import BIN_NS
from netinterf.verdict.model import default_model
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_TCP, KIND_UDP

__all__ = ["attempts_of", "judged", "loaded"]

STEPS, PORTS = np.array([DNS, TLS, QUIC], np.uint8), np.array([53, 443, 443], np.uint16)
KINDS = np.array([KIND_EXCHANGE, KIND_TCP, KIND_UDP])
LOOKUP, CONNECTION = 0, 1

STATES = np.array([State.ANSWERED, State.SILENT, State.SILENT, State.UNKNOWN], np.uint8)
WEIGHTS = np.array([[-2.3, 0.0, 0.0, 0.0], [-2.5, 0.0, 2.2, 0.0], [-1.9, 0.0, 0.0, 0.0]])
"""What packets weigh by themselves, by step and `Came`, nats: as scans of ordinary captures have it. Of requests that
met silence it is near the most that they have, which is the worst for whom nobody blocks."""

BEHIND, AGAIN, TRIES = SECOND // 10, 7 * SECOND, 3
"""Steps of a visit follow each other so, and tries of one that fails, ns; and most tries of one: programs try again,
and that fails for the same reason."""

RESOLVERS = 1 << 25
"""Where numbers of addresses begin that resolvers have."""
HOPS = 57.0
"""Hop limit that all answers come with."""


def judged(world: World) -> Report:
    """Judge all that was tried; there is no store, so cells are counted, and cannot be written out."""
    model = default_model()
    return Report.judged(Reader("made up"), *with_networks(loaded(world), model), model)


def loaded(world: World) -> Loaded:
    """Give what a store would hold."""
    attempts = attempts_of(world)
    table = observe(attempts)
    table = attrs.evolve(table, time=table.time // BIN_NS * BIN_NS)
    captures, units = world.size.places * world.size.runs, int(attempts.unit.max()) + 1
    name = np.full(units, NONE)
    name[attempts.unit] = np.where(attempts.called < 0, NONE, attempts.called)
    lookups = attempts.take(np.flatnonzero((attempts.transport == DNS) & attempts.answered))
    networks = zip(world.system.tolist(), world.country.tolist(), strict=True)
    return Loaded(
        observations=table, row=np.arange(len(table)),
        networks=tuple(Network(f"net-{asn}", asn, f"country-{country}") for asn, country in networks),
        countries=world.country, captures=tuple(map(str, range(captures))), measured=np.zeros(captures, np.bool_),
        mechanism=np.full(len(table), -1, np.int16), mechanisms=(), unit_name=name,
        unit_service=np.full(units, NONE), unit_suffix=("",) * units,
        own_resolver=(table.transport == DNS) & (table.site == world.system[table.place]),
        cut_off=np.zeros(len(table), np.int64), answers=answered(world, lookups),
        answers_in=lookups.capture.astype(np.int64),
    )  # fmt: skip


def answered(world: World, lookups: Attempts) -> Answered:
    """Give what names resolved to, by the lookups that were answered."""
    address, time = world.address[lookups.row], lookups.time // BIN_NS * BIN_NS
    hops = np.full(len(lookups), HOPS)
    return Answered(
        place=lookups.place.astype(np.int64), unit=lookups.unit, address=numbered(address)[0],
        denied=address == NOWHERE, least=hops, most=hops, first=time, last=time,
    )  # fmt: skip


def attempts_of(world: World) -> Attempts:
    """Lay out the steps of all visits, each as often as it was tried; their rows are those of the visits."""
    led = (world.dns == Came.ANSWERED) & (world.address != NOWHERE)
    came = np.stack([world.dns, *(np.where(led, step, Came.UNTRIED) for step in (world.tcp, world.quic))])
    step, visit = np.nonzero(came != Came.UNTRIED)
    tries = np.where(came[step, visit] == Came.ANSWERED, 1, world.rng.integers(1, TRIES + 1, len(step)))
    again = np.arange(tries.sum()) - np.repeat(np.cumsum(tries) - tries, tries)
    step, visit = np.repeat(step, tries), np.repeat(visit, tries)
    came, lookup = came[step, visit], step == LOOKUP
    place, resolver, address = world.place[visit], world.resolver[visit], world.address[visit]
    at_home = world.system[np.where(resolver < ELSEWHERE, resolver, 0)]
    shut = (step == CONNECTION) & (came == Came.UNOPENED)
    prior, llr = priors_of(default_model())[KINDS[step]], WEIGHTS[step, came]
    six, low = ~lookup & (address >= SIX), np.where(lookup, RESOLVERS + resolver, address).astype(np.uint64)
    count, later = len(step), np.zeros(len(step), np.int64)
    attempts = Attempts(
        place=place.astype(np.int32), capture=(place * world.size.runs + world.run[visit]).astype(np.int32),
        row=visit.astype(np.int32), client=np.zeros(count, np.int32), asn=world.system[place],
        site=np.where(lookup, np.where(resolver < ELSEWHERE, at_home, -resolver), world.hoster[world.name[visit]]),
        unit=later, called=later, service=later, host=later, high=np.where(six, 0x2001_0DB8 << 32, 0).astype(np.uint64),
        low=np.where(six, low, low | np.uint64(0xFFFF << 32)), port=PORTS[step], transport=STEPS[step],
        name=Text.of([f"name{one}" if one >= 0 else "" for one in np.where(shut, -1, world.name[visit]).tolist()]),
        time=world.time[visit] + step * BEHIND + again * AGAIN, state=STATES[came], abrupt=np.zeros(count, np.bool_),
        at_opening=~lookup & (came == Came.UNOPENED), unread=np.zeros(count, np.bool_),
        traced=np.zeros(count, np.bool_), missed=np.zeros(count), prior=prior, llr=llr, log_odds=prior + llr,
    )  # fmt: skip
    return numbered_alike(attempts)
