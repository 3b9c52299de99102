"""What ends connections within the client's own machine or home: user-space stacks, virtual machines, the own router.

No router is crossed on the way to them, so that all servers seem to be next door.
"""

import attrs

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import Stack
from netinterf.simulate.network.accelerator import SynDelay
from netinterf.simulate.network.firewall import ResetLook, StateTable
from netinterf.simulate.network.oddities import ResetHabits
from netinterf.simulate.network.path import Leg, Path, Station
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes, talk_again

__all__ = ["PLAYS"]

GVISOR = Stack(ttl=64, window=65_535, window_field=2050, scale=5, id_mode="zero")
"""Hosts as gVisor's netstack plays them for tunnel programs: its own window scale, timestamps, no identification."""

LWIP = Stack(ttl=255, window=65_535, window_field=65_535, scale=-1, timestamps=False, sack=False, order="bsd",
             id_mode="global", dont_fragment=False, quick=0, delayed_ack=2.5e8)  # fmt: skip
"""Hosts as lwIP plays them: IP_DEFAULT_TTL of 255, no option but the segment size, one counter of identifications, no
don't-fragment bit (opt.h; its timer for acknowledgements, TCP_FAST_INTERVAL, is 250 ms)."""

SLIRP = Stack(ttl=64, window=65_535, window_field=65_535, scale=-1, timestamps=False, sack=False, order="bsd",
              id_mode="global", dont_fragment=False)  # fmt: skip
"""Hosts as slirp plays them in QEMU and VirtualBox: IPDEFTTL of 64, TCP_DO_RFC1323 off, one counter of identifications
(tcp_subr.c, ip_output.c)."""

SLIRP_RESETS = 255
"""MAXTTL, with which slirp's tcp_respond sends the resets that belong to no connection of its own (tcp_subr.c)."""


def next_door(setup: Setup, *boxes: Station, door: tuple[Station, ...] = ()) -> Path:
    """Lay a path that crosses no router and takes next to no time."""
    path = setup.path(*boxes, door=door, rtt=setup.log_uniform(5e4, 2e6), where=0.5, luck=0.0)
    for part in path.parts:
        if isinstance(part, Leg):
            part.hops = 0
    return path


def from_afar(script: list[Turn], far: float) -> list[Turn]:
    """Let what servers say take the round trip that the stack next door hides, ns."""
    return [Turn(turn.outbound, turn.payload, turn.delay + far * (not turn.outbound)) for turn in script]


def user_mode_nat(setup: Setup) -> None:
    """A virtual machine's host ends all its connections: slow greetings, instant acknowledgements, one TTL."""
    setup.neighbours = 0
    far = setup.log_uniform(1.5e7, 2.5e8)
    strays = ResetHabits(ttl=SLIRP_RESETS, strays=True)
    path = next_door(setup, SynDelay(far), door=(strays,))
    small = setup.chance(0.5)  # 8,192 bytes of buffer, rounded up to whole segments: TCP_RCVSPACE of older versions
    stack = attrs.evolve(SLIRP, window=8760, window_field=8760) if small else SLIRP
    endings = (Ending.RESET, Ending.CLOSE, Ending.CLOSE_HARD, Ending.REFUSE)
    for begin in setup.times(4, 8):
        ending = endings[int(setup.rng.choice(4, p=[0.3, 0.4, 0.2, 0.1]))]
        client = App(ending=Ending.CLOSE) if setup.chance(0.3) else App()
        script = from_afar(download(setup, int(setup.log_uniform(2_000, 60_000))), far)
        setup.visit(path, begin, script=script, apps=(client, App(ending=ending)), stacks=(setup.stack, stack))


def program_stack(setup: Setup) -> None:
    """A tunnel program on the host greets for every server before it has reached any: failures come after the hello."""
    setup.neighbours = 0
    stack = GVISOR if setup.chance(0.5) else LWIP
    names, servers = setup.scene.names(5)[1:], setup.scene.servers(4)
    path = next_door(setup)
    for name, server in zip(names, servers, strict=True):
        far, fails = setup.log_uniform(2e7, 4e8), setup.chance(0.4)
        dial = setup.log_uniform(5e7, 1e10)  # until it learns that nobody is there
        for begin in setup.times(1, 3):
            script = from_afar(download(setup, int(setup.log_uniform(1_000, 60_000)), name), far)
            apps = (App(), App(ending=Ending.CLOSE))
            if fails:
                script = [script[0], Turn(False, b"", dial)]
                apps = (App(), App(ending=Ending.RESET if setup.chance(0.6) else Ending.CLOSE))
            setup.visit(path, begin, name=name, server=server, script=script, apps=apps, stacks=(setup.stack, stack))


def gateway_redials(setup: Setup) -> None:
    """The home router's line comes up anew with another address: it resets what was open, and crosses no hop itself."""
    when = setup.log_uniform(1e9, 5e9)
    look = ResetLook(ttl=setup.choice(255, 255, 64), ip_id=setup.choice(0, 4711), ip_flags=setup.choice(0, 2),
                acknowledges=setup.chance(0.4), copies=1 + setup.chance(0.3))  # fmt: skip
    table = StateTable(setup.scene.world, wiped=setup.now + int(when), look=look)
    path = setup.path(luck=0.0)
    at = next(place for place, part in enumerate(path.parts) if isinstance(part, Leg) and part.hops)
    path.parts.insert(at, table)
    for begin in setup.rng.uniform(0, when * 0.6, int(setup.rng.integers(2, 5))):
        setup.visit(path, float(begin), script=talk_again(setup, when), apps=(App(ending=Ending.CLOSE), App()))
    setup.visit(path, when + setup.log_uniform(1e9, 5e9), look_alike=False)


PLAYS = (
    *look_alikes("tcp", user_mode_nat),
    *look_alikes("tcp", program_stack, gateway_redials, vantages=("client",)),
)
