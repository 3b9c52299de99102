"""Networks as a whole, beside what was loaded of a store: no row of it is about them, and all are."""

import attrs
import numpy as np

from netinterf.arrays import Mask
from netinterf.campaign.judged.loading import EVERYTHING, NONE, Loaded
from netinterf.mechanisms import borders, covers, known_as
from netinterf.observations.table import Observations
from netinterf.pooling.whole import Whole
from netinterf.verdict.model import Model

__all__ = ["kind_of", "with_networks"]


def kind_of(key: int) -> str:
    """Say what a unit is, by the key of its name."""
    return {NONE: "server", EVERYTHING: "network"}.get(key, "name")


def with_networks(loaded: Loaded, model: Model) -> tuple[Loaded, Whole]:
    """Add the hours of networks as a whole, and take from names and servers what a network cut off explains.

    Args:
        loaded: The observations of a store, or some of them. Where nobody else holds them, their memory is free again
            as soon as they are copied.
        model: Priors, and where accusing begins.

    Returns:
        What is judged, and what was found of the networks.
    """
    struck = loaded.observations.struck > 0
    records = [known_as(mechanism) for mechanism in loaded.mechanisms]
    hushed = struck & by_mechanism(loaded, [record is not None and record.silent for record in records])
    closed, listed = borders()
    border = struck & by_mechanism(loaded, [covers(closed, mechanism) for mechanism in loaded.mechanisms])
    whole = Whole.of(loaded.observations, len(loaded.networks), hushed, border, model)
    if not len(whole.reach):
        return loaded, whole
    spared, cut_off = whole.spared(loaded.observations, hushed)
    rows, look = whole.observations(loaded.observations), whole.reach.row
    mechanisms = tuple(dict.fromkeys([*loaded.mechanisms, listed]))
    told = np.where(border[look], loaded.mechanism[look], mechanisms.index(listed))
    mechanism = np.where(cut_off > 0, -1, loaded.mechanism)
    both = attrs.evolve(
        loaded,
        observations=Observations.empty(),
        row=np.concatenate([loaded.row, loaded.row[look]]),
        mechanism=np.concatenate([mechanism, np.where(whole.reach.cut, told, -1)]).astype(np.int16),
        mechanisms=mechanisms,
        unit_name=np.append(loaded.unit_name, EVERYTHING),
        unit_service=np.append(loaded.unit_service, NONE),
        unit_suffix=(*loaded.unit_suffix, ""),
        own_resolver=np.concatenate([loaded.own_resolver, np.zeros(len(rows), np.bool_)]),
        cut_off=np.concatenate([cut_off, np.zeros(len(rows), np.int64)]),
    )
    columns = spared.columns()
    del loaded, spared
    return attrs.evolve(both, observations=Observations.lengthened(columns, rows)), whole


def by_mechanism(loaded: Loaded, wanted: list[bool]) -> Mask:
    """Say which observations a scan holds to suffer one of some mechanisms."""
    return np.array([*wanted, False])[loaded.mechanism]  # -1 finds the last
