"""Translators, firewalls, balancers and accelerators that forget, rewrite or change, and mean no harm."""

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import Identifiers
from netinterf.simulate.messages.tls import application_data
from netinterf.simulate.network.accelerator import Accelerator
from netinterf.simulate.network.balancer import BackendSwitch, SecondBackend
from netinterf.simulate.network.firewall import OpeningLimiter, ResetLook, StateTable
from netinterf.simulate.network.nat import Normalizer, Translator
from netinterf.simulate.network.oddities import BusyHost, Miscounter, ResetHabits
from netinterf.simulate.network.packet import ACK, SYN
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.network.proxy import ResetCookies, SynProxy
from netinterf.simulate.network.reroute import Reroute
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes, talk_again, upload
from netinterf.simulate.plays.benign_web_http import all_at_once, refusals

__all__ = ["PLAYS"]

BANS = (1.2e11, 3.6e12)
"""How long guards ban, ns: from the first ban of sshguard (sshguard(8), 120 s) over that of fail2ban (jail.conf(5), ten
minutes) to the hour that firewalls offer."""


def draw_look(setup: Setup) -> ResetLook:
    """Draw how the resets of some box look."""
    rng = setup.rng
    return ResetLook(
        ttl=setup.choice(64, 128, 255, 60, int(rng.integers(30, 256))), ip_id=setup.choice(0, rng.integers(2**16)),
        ip_flags=2 * int(setup.chance(0.6)), window=setup.choice(0, 0, rng.integers(65_536)),
        acknowledges=setup.chance(0.3), copies=1 + setup.chance(0.15),
    )  # fmt: skip


def stale_state(setup: Setup, table: StateTable, idle: float) -> None:
    """Schedule visits that pause for longer than the table remembers them, and some that do not."""
    path = setup.path(table)
    ends = (App(ending=Ending.CLOSE), App())
    for begin in setup.times(2, 4):
        setup.visit(path, begin, script=talk_again(setup, idle * float(setup.rng.uniform(1.05, 2))), apps=ends)
        setup.visit(
            path,
            begin,
            script=talk_again(setup, idle * float(setup.rng.uniform(0.05, 0.5))),
            apps=ends,
            look_alike=False,
        )


def nat_timeout_silence(setup: Setup) -> None:
    """A translator forgets idle connections and drops what still comes of them."""
    idle = setup.log_uniform(3e10, 3e11)
    stale_state(setup, StateTable(setup.scene.world, idle=idle), idle)


def nat_timeout_reset(setup: Setup) -> None:
    """A translator or firewall forgets idle connections and answers what still comes of them with resets of its own."""
    idle = setup.log_uniform(3e10, 3e11)
    table = StateTable(setup.scene.world, idle=idle, look=draw_look(setup), to_server=setup.chance(0.3),
                       spares_repeats=setup.chance(0.3))  # fmt: skip
    stale_state(setup, table, idle)


def firewall_reboot(setup: Setup) -> None:
    """A firewall restarts and no longer knows the connections that are open."""
    when = setup.log_uniform(1e9, 5e9)
    look = draw_look(setup) if setup.chance(0.6) else None
    table = StateTable(setup.scene.world, wiped=setup.now + int(when), look=look, to_server=setup.chance(0.4))
    path = setup.path(table)
    for begin in setup.rng.uniform(0, when * 0.5, int(setup.rng.integers(2, 5))):
        setup.visit(path, float(begin), script=talk_again(setup, when), apps=(App(ending=Ending.CLOSE), App()))
    setup.visit(path, when + setup.log_uniform(1e9, 5e9), look_alike=False)


def firewall_unknown_fin(setup: Setup) -> None:
    """A firewall answers the FIN of a connection that it has already closed for itself; its reset has another TTL."""
    idle = setup.log_uniform(2e9, 8e9)
    table = StateTable(setup.scene.world, idle=idle, look=draw_look(setup))
    path = setup.path(table)
    for begin in setup.times(2, 5):
        pause = idle * float(setup.rng.uniform(1.1, 3))
        script = [*download(setup, int(setup.log_uniform(1_000, 20_000))), Turn(True, b"", pause)]
        setup.visit(path, begin, script=script, apps=(App(ending=Ending.CLOSE), App()))


def firewall_reset_ttl(setup: Setup) -> None:
    """All resets of a server come from the firewall before it and have a hop limit of their own."""
    habits = ResetHabits(ttl=setup.choice(255, 128, 64, 32, int(setup.rng.integers(40, 256))), bare=setup.chance(0.5))
    path = setup.path(door=[habits])
    for begin in setup.times(3, 6):
        app = [App(ending=Ending.RESET), App(ending=Ending.REFUSE), App(ending=Ending.CLOSE_HARD)]
        setup.visit(path, begin, apps=(App(), app[int(setup.rng.integers(3))]))


def connection_limit(setup: Setup) -> None:
    """A server's guard resets connections above a number per minute, whatever they ask for."""
    guard = OpeningLimiter(
        setup.scene.world, int(setup.rng.integers(2, 5)), setup.log_uniform(3e9, 6e10), look=draw_look(setup)
    )
    path = setup.path(door=[guard])
    for begin in setup.times(6, 12, gap=0.5 * SECOND):
        setup.visit(path, begin)


def fail_to_ban(setup: Setup) -> None:
    """After too many logins or requests a server's guard is silent to this client for a while, then hears it again."""
    ban = setup.log_uniform(*BANS)
    look = draw_look(setup) if setup.chance(0.3) else None
    reads = look is None and setup.chance(0.5)  # a guard that reads along swallows the request that is too much
    path = setup.path(
        door=[OpeningLimiter(setup.scene.world, int(setup.rng.integers(2, 6)), 6e10, ban=ban, look=look, reads=reads)]
    )
    port = setup.choice(22, 443, 25, 993, 80)
    hello = b"SSH-2.0-OpenSSH_9.6\r\n" if port == 22 else application_data(setup.rng, 80)
    login = [Turn(True, hello), Turn(False, hello, 5e6), Turn(True, application_data(setup.rng, 300)),
             Turn(False, application_data(setup.rng, 60), 1e9)]  # fmt: skip
    script = None if reads and port in (80, 443) else login
    for begin in setup.times(7, 10, gap=1.5 * SECOND):
        setup.visit(path, begin, port=port, script=script, apps=(App(patience=2e10), App(ending=Ending.CLOSE)))
    if setup.chance(0.5):  # most captures end before a ban does
        setup.visit(path, ban + 1e11, port=port, script=script, look_alike=False)


def carrier_nat(setup: Setup) -> None:
    """A carrier's translator gives all flows other ports, hop limits, identifications and timestamps."""
    world, rng = setup.scene.world, setup.rng
    public = setup.scene.servers(1)[0]
    tidy = Normalizer(
        world, ttl=setup.choice(0, 0, 255, 64, rng.integers(40, 255)), tos=setup.choice(-1, 0),
        clamp=setup.choice(0, 1400, 1360, 1452), shift=int(rng.integers(2**31)) * setup.chance(0.5),
        identifiers=Identifiers(str(rng.choice(["global", "random"])), int(rng.integers(2**16)), rng),
        dont_fragment=None if setup.chance(0.6) else setup.chance(0.5),
    )  # fmt: skip
    setup.shared += [tidy, Translator(world, public)]
    path = setup.path()
    for begin in setup.times(3, 6):
        app = App(ending=Ending.ABORT, abort_at=2000) if setup.chance(0.4) else App(ending=Ending.CLOSE)
        setup.visit(path, begin, apps=(app, App()))


def stripped_options(setup: Setup) -> None:
    """A middlebox takes TCP options out: of greetings only, or of every segment though both ends agreed on them."""
    kinds = [frozenset({8}), frozenset({4, 5}), frozenset({8, 3}), frozenset({8, 4, 5, 3})]
    strips, syn_only = kinds[int(setup.rng.integers(4))], setup.chance(0.6)
    if not syn_only:
        strips = frozenset({8})  # taking SACK or scale out of open connections would break them
    box = Normalizer(setup.scene.world, strips, syn_only) if syn_only else Normalizer(
        setup.scene.world, strips, directions=(False,), tos=setup.choice(-1, 0))  # fmt: skip
    path = setup.path(box)
    for begin in setup.times(3, 6):
        setup.visit(path, begin, apps=(App(ending=Ending.RESET), App()) if setup.chance(0.4) else None)


def levelled_headers(setup: Setup) -> None:
    """A cloud's border gives every packet from outside the same hop limit and traffic class."""
    ttl = setup.choice(251, 64, 128, int(setup.rng.integers(40, 255)))
    setup.shared.append(Normalizer(setup.scene.world, ttl=ttl, tos=0, directions=(False,)))
    path = setup.path()
    for begin in setup.times(3, 6):
        setup.visit(path, begin, apps=(App(), App(ending=Ending.RESET if setup.chance(0.5) else Ending.CLOSE_HARD)))


def tunnel(setup: Setup) -> None:
    """A tunnel makes segments smaller, hides hops and takes the don't-fragment bit away."""
    box = Normalizer(setup.scene.world, clamp=int(setup.rng.integers(1200, 1420)), dont_fragment=False)
    longer = int(setup.rng.integers(-4, 5))
    path = setup.path(box, Reroute(setup.scene.world, 0, (longer, longer), (0, 0)))
    for begin in setup.times(3, 6):
        setup.visit(path, begin, apps=(App(ending=Ending.ABORT, abort_at=1800), App()) if setup.chance(0.5) else None)


def balancer_idle_reset(setup: Setup) -> None:
    """A load balancer resets idle connections, with its own hop limit and without options."""
    habits = ResetHabits(ttl=setup.choice(255, 64, 128, 0), bare=setup.chance(0.3))
    path = setup.path(door=[habits])
    for begin in setup.times(2, 4):
        server = App(ending=Ending.IDLE_RESET, idle=min(7e11, setup.log_uniform(1e10, 7e11)))
        setup.visit(path, begin, apps=(App(ending=Ending.SILENT), server))


def second_backend(setup: Setup) -> None:
    """A repeated SYN reaches another machine behind the same address: two SYN/ACKs with different numbers."""
    rng = setup.rng
    door = SecondBackend(setup.scene.world, setup.log_uniform(1.01e9, 4e9), setup.choice(64, 128, 255, 63, 61),
                         repeats=int(rng.integers(0, 3)))  # fmt: skip
    path = setup.path(door=[door])
    for begin in setup.times(2, 5):
        setup.visit(path, begin)


def anycast_flip(setup: Setup) -> None:
    """The route to an anycast address changes: another site, which knows nothing of open connections, resets them."""
    when = setup.log_uniform(1e9, 4e9)
    ttl = int(setup.rng.integers(45, 64) if setup.chance(0.6) else setup.rng.choice([64, 128, 255]))
    flip = BackendSwitch(setup.scene.world, setup.now + int(when), ResetLook(ttl=ttl, ip_flags=2))
    shift = Reroute(setup.scene.world, setup.now + int(when), (int(setup.rng.integers(-5, 8)),) * 2,
                    (int(setup.log_uniform(1e5, 3e7)),) * 2)  # fmt: skip
    path = setup.path(shift, door=[flip])
    for begin in setup.rng.uniform(0, when * 0.6, int(setup.rng.integers(2, 5))):
        setup.visit(path, float(begin), script=talk_again(setup, when), apps=(App(ending=Ending.CLOSE), App()))
    setup.visit(path, when + setup.log_uniform(1e9, 5e9), look_alike=False)


def syn_cookies(setup: Setup) -> None:
    """Under a flood a server answers with cookies: no options, and another number when the secret has changed."""
    proxy = SynProxy(setup.scene.world, ttl=setup.host.ttl, forgets=1.0,
                     mss=setup.choice(536, 1300, 1440, 1460), window=setup.host.window)  # fmt: skip
    lost = BusyHost(
        setup.scene.world, lambda packet: bool(packet.flags & SYN), setup.log_uniform(0.2e9, 2.5e9), outbound=False
    )
    path = setup.path(near=[lost] if setup.chance(0.6) else [], door=[proxy])
    for begin in setup.times(3, 6):
        setup.visit(path, begin)


def syn_proxy(setup: Setup) -> None:
    """A firewall makes the handshake for the server: other hop limit, window and options in the SYN/ACK than later."""
    rng = setup.rng
    proxy = SynProxy(
        setup.scene.world, ttl=setup.choice(255, 64, 128, rng.integers(30, 256)),
        window=int(rng.integers(1000, 65_536)), mss=setup.choice(1460, 536), ip_id=setup.choice(0, rng.integers(2**16)),
    )  # fmt: skip
    path = setup.path(proxy, where=float(rng.uniform(0.1, 0.95)))
    short = setup.chance(0.15)  # nothing but short answers: no conversation shows what the server looks like
    for begin in setup.times(3, 6) if not short else ():
        setup.visit(path, begin, apps=(App(), App(ending=Ending.RESET)) if setup.chance(0.3) else None)
    if short or setup.chance(0.3):
        refusals(setup, (403, 200, 302), "Access denied", path=path)
    if setup.chance(0.3):
        all_at_once(setup, path)


def reset_cookies(setup: Setup) -> None:
    """A guard answers a client's first SYN wrongly on purpose; the client resets that, tries again and is let in."""
    guard = ResetCookies(setup.scene.world, setup.choice(255, 64, 128, setup.host.ttl), setup.choice(0, 8192, 65_535))
    path = setup.path(guard) if setup.chance(0.5) else setup.path(door=[guard])
    for begin in setup.times(2, 5):
        client = (setup.scene.clients(1)[0], setup.scene.next_port()) if setup.chance(0.5) else None
        setup.visit(path, begin, client=client)


def full_accept_queue(setup: Setup) -> None:
    """A server's accept queue is full: handshakes seem done, requests are ignored or reset, until there is room."""
    resets = setup.chance(0.3)
    lasts = setup.log_uniform(1e9, 2e10) if setup.chance(0.7) else 1e12
    door = BusyHost(setup.scene.world, lambda packet: not packet.flags & SYN, lasts, resets=resets)
    path = setup.path(door=[door])
    for begin in setup.times(2, 5):
        setup.visit(path, begin, apps=(App(ending=Ending.CLOSE, patience=setup.log_uniform(1e10, 6e10)), App()))


def missed_greetings(setup: Setup) -> None:
    """A busy server misses the first SYNs and answers repetitions, as do busy links."""
    door = BusyHost(setup.scene.world, lambda packet: packet.flags & (SYN | ACK) == SYN, setup.log_uniform(5e8, 8e9))
    path = setup.path(door=[door])
    for begin in setup.times(3, 6):
        setup.visit(path, begin)


def accelerator(setup: Setup) -> None:
    """Accelerators near the client acknowledge for all servers, some for clients too: in a fraction of the way."""
    setup.shared.append(Accelerator(ttl=setup.choice(0, 0, 64, 255)))
    if setup.chance(0.5):
        setup.shared.append(Accelerator(setup.choice(0, 0, 64, 255), True, setup.choice(0, 80, 443)))
    path = setup.path(rtt=setup.log_uniform(8e7, 7e8), where=float(setup.rng.uniform(0.01, 0.3)), luck=0.0)
    for begin in setup.times(3, 6):
        script = upload(setup, int(setup.log_uniform(2_000, 40_000)))
        setup.visit(path, begin, script=script, apps=(App(), App(ending=Ending.RESET)) if setup.chance(0.3) else None)


def miscounting_proxy(setup: Setup) -> None:
    """A proxy near the client miscounts: some packets of the server carry other bytes at a place once more."""
    rate = setup.rng.uniform(0.1, 0.5)
    path = setup.path(Miscounter(lambda: setup.chance(rate)), where=0.02)
    for begin in setup.times(2, 5):
        script = [turn for _ in range(int(setup.rng.integers(3, 9))) for turn in chat(setup)]
        setup.visit(path, begin, script=script, port=setup.choice(5222, 5223, 443, 993))


def chat(setup: Setup) -> list[Turn]:
    """Say something short, get a short and then a longer answer."""
    rng = setup.rng
    short, longer = (application_data(rng, int(size)) for size in (rng.integers(12, 60), rng.integers(80, 700)))
    says = Turn(True, application_data(rng, int(rng.integers(20, 90))), setup.log_uniform(1e7, 5e8))
    return [says, Turn(False, short, setup.log_uniform(1e6, 5e7)), Turn(False, longer, setup.log_uniform(1e6, 5e7))]


PLAYS = (
    *look_alikes(
        "tcp", nat_timeout_silence, nat_timeout_reset, firewall_reboot, firewall_unknown_fin, firewall_reset_ttl
    ),
    *look_alikes("tcp", connection_limit, fail_to_ban, carrier_nat, stripped_options, levelled_headers, tunnel),
    *look_alikes(
        "tcp",
        balancer_idle_reset,
        second_backend,
        anycast_flip,
        syn_cookies,
        syn_proxy,
        reset_cookies,
        full_accept_queue,
    ),
    *look_alikes(
        "tcp",
        missed_greetings,
        accelerator,
        miscounting_proxy,
    ),
)
