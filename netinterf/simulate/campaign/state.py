"""How things stand in one network in one run: what is blocked, who is down, who turns it away, how good its line is."""

from functools import cache

import attrs

from netinterf.simulate.campaign.causes import Cause, draw_causes, in_force
from netinterf.simulate.campaign.censors import Block, draw_blocks
from netinterf.simulate.campaign.parameters import Campaign
from netinterf.simulate.campaign.topology import Network, Topology, topology
from netinterf.simulate.network.packet import Address, address
from netinterf.values import define, frozen

__all__ = ["Plan", "State", "plan"]


@frozen(eq=False)
class Plan:
    """A whole campaign before it is played."""

    topology: Topology
    blocks: tuple[Block, ...]
    causes: tuple[Cause, ...]

    def state(self, network: Network, run: int) -> "State":
        """Say how things stand in a network in a run."""
        state = State(
            tuple(one for one in self.blocks if one.network == network.number and in_force(one.since, one.until, run))
        )
        for cause in self.causes:
            concerned = cause.network in {"", network.name} and cause.country in {"", network.code}
            if concerned and in_force(cause.since, cause.until, run):
                state.take(cause)
        return state


@define(eq=False)
class State:
    """What holds in one network in one run."""

    blocks: tuple[Block, ...]
    doors: dict[Address, str] = attrs.field(factory=dict)  # how servers turn everybody, or this network, away
    gone: dict[str, str] = attrs.field(factory=dict)  # names: nxdomain or silence
    amounts: dict[str, float] = attrs.field(factory=dict)  # of what befalls line, recorder and clock

    def take(self, cause: Cause) -> None:
        """Take in one harmless cause."""
        if cause.servers:
            for place in cause.servers:
                self.doors.setdefault(address(place), cause.form)
        elif cause.name:
            self.gone[cause.name] = cause.form
        else:
            self.amounts[cause.kind] = cause.amount


@cache
def plan(campaign: Campaign) -> Plan:
    """Draw a campaign."""
    who = topology(campaign)
    return Plan(who, draw_blocks(who), draw_causes(who))
