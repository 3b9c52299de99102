"""Translators, firewalls, balancers and accelerators that forget, rewrite or change, and mean no harm."""

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import Identifiers
from netinterf.simulate.messages.tls import application_data
from netinterf.simulate.network.accelerator import Accelerator
from netinterf.simulate.network.balancer import Flip, SecondBackend
from netinterf.simulate.network.firewall import Doorman, Look, StateTable
from netinterf.simulate.network.nat import Normalizer, Translator
from netinterf.simulate.network.oddities import DeafDoor, Miscounter, ResetHabits
from netinterf.simulate.network.packet import ACK, SYN
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.network.proxy import ResetCookies, SynProxy
from netinterf.simulate.network.reroute import Reroute
from netinterf.simulate.plays.benign_tcp import House, download, look_alikes, talk_again, upload
from netinterf.simulate.plays.benign_web_http import all_at_once, refusals

__all__ = ["PLAYS"]

BANS = (1.2e11, 3.6e12)
"""How long guards ban, ns: from the first ban of sshguard (sshguard(8), 120 s) over that of fail2ban (jail.conf(5), ten
minutes) to the hour that firewalls offer."""


def draw_look(house: House) -> Look:
    """Draw how the resets of some box look."""
    rng = house.rng
    return Look(
        ttl=house.one_of(64, 128, 255, 60, int(rng.integers(30, 256))), ip_id=house.one_of(0, rng.integers(2**16)),
        ip_flags=2 * int(house.chance(0.6)), window=house.one_of(0, 0, rng.integers(65_536)),
        acknowledges=house.chance(0.3), copies=1 + house.chance(0.15),
    )  # fmt: skip


def stale_state(house: House, table: StateTable, idle: float) -> None:
    """Schedule visits that pause for longer than the table remembers them, and some that do not."""
    path = house.path(table)
    ends = (App(ending=Ending.CLOSE), App())
    for begin in house.times(2, 4):
        house.visit(path, begin, script=talk_again(house, idle * float(house.rng.uniform(1.05, 2))), apps=ends)
        house.visit(
            path, begin, script=talk_again(house, idle * float(house.rng.uniform(0.05, 0.5))), apps=ends, odd=False
        )


def nat_timeout_silence(house: House) -> None:
    """A translator forgets idle connections and drops what still comes of them."""
    idle = house.between(3e10, 3e11)
    stale_state(house, StateTable(house.scene.world, idle=idle), idle)


def nat_timeout_reset(house: House) -> None:
    """A translator or firewall forgets idle connections and answers what still comes of them with resets of its own."""
    idle = house.between(3e10, 3e11)
    table = StateTable(house.scene.world, idle=idle, look=draw_look(house), to_server=house.chance(0.3),
                       spares_repeats=house.chance(0.3))  # fmt: skip
    stale_state(house, table, idle)


def firewall_reboot(house: House) -> None:
    """A firewall restarts and no longer knows the connections that are open."""
    when = house.between(1e9, 5e9)
    look = draw_look(house) if house.chance(0.6) else None
    table = StateTable(house.scene.world, wiped=house.now + int(when), look=look, to_server=house.chance(0.4))
    path = house.path(table)
    for begin in house.rng.uniform(0, when * 0.5, int(house.rng.integers(2, 5))):
        house.visit(path, float(begin), script=talk_again(house, when), apps=(App(ending=Ending.CLOSE), App()))
    house.visit(path, when + house.between(1e9, 5e9), odd=False)


def firewall_unknown_fin(house: House) -> None:
    """A firewall answers the FIN of a connection that it has already closed for itself; its reset has another TTL."""
    idle = house.between(2e9, 8e9)
    table = StateTable(house.scene.world, idle=idle, look=draw_look(house))
    path = house.path(table)
    for begin in house.times(2, 5):
        pause = idle * float(house.rng.uniform(1.1, 3))
        script = [*download(house, int(house.between(1_000, 20_000))), Turn(True, b"", pause)]
        house.visit(path, begin, script=script, apps=(App(ending=Ending.CLOSE), App()))


def firewall_reset_ttl(house: House) -> None:
    """All resets of a server come from the firewall before it and have a hop limit of their own."""
    habits = ResetHabits(ttl=house.one_of(255, 128, 64, 32, int(house.rng.integers(40, 256))), bare=house.chance(0.5))
    path = house.path(door=[habits])
    for begin in house.times(3, 6):
        app = [App(ending=Ending.RESET), App(ending=Ending.REFUSE), App(ending=Ending.CLOSE_HARD)]
        house.visit(path, begin, apps=(App(), app[int(house.rng.integers(3))]))


def connection_limit(house: House) -> None:
    """A server's guard resets connections above a number per minute, whatever they ask for."""
    guard = Doorman(house.scene.world, int(house.rng.integers(2, 5)), house.between(3e9, 6e10), look=draw_look(house))
    path = house.path(door=[guard])
    for begin in house.times(6, 12, gap=0.5 * SECOND):
        house.visit(path, begin)


def fail_to_ban(house: House) -> None:
    """After too many logins or requests a server's guard is silent to this client for a while, then hears it again."""
    ban = house.between(*BANS)
    look = draw_look(house) if house.chance(0.3) else None
    reads = look is None and house.chance(0.5)  # a guard that reads along swallows the request that is too much
    path = house.path(
        door=[Doorman(house.scene.world, int(house.rng.integers(2, 6)), 6e10, ban=ban, look=look, reads=reads)]
    )
    port = house.one_of(22, 443, 25, 993, 80)
    hello = b"SSH-2.0-OpenSSH_9.6\r\n" if port == 22 else application_data(house.rng, 80)
    login = [Turn(True, hello), Turn(False, hello, 5e6), Turn(True, application_data(house.rng, 300)),
             Turn(False, application_data(house.rng, 60), 1e9)]  # fmt: skip
    script = None if reads and port in (80, 443) else login
    for begin in house.times(7, 10, gap=1.5 * SECOND):
        house.visit(path, begin, port=port, script=script, apps=(App(patience=2e10), App(ending=Ending.CLOSE)))
    if house.chance(0.5):  # most captures end before a ban does
        house.visit(path, ban + 1e11, port=port, script=script, odd=False)


def carrier_nat(house: House) -> None:
    """A carrier's translator gives all flows other ports, hop limits, identifications and timestamps."""
    world, rng = house.scene.world, house.rng
    public = house.scene.servers(1)[0]
    tidy = Normalizer(
        world, ttl=house.one_of(0, 0, 255, 64, rng.integers(40, 255)), tos=house.one_of(-1, 0),
        clamp=house.one_of(0, 1400, 1360, 1452), shift=int(rng.integers(2**31)) * house.chance(0.5),
        identifiers=Identifiers(str(rng.choice(["global", "random"])), int(rng.integers(2**16)), rng),
        dont_fragment=None if house.chance(0.6) else house.chance(0.5),
    )  # fmt: skip
    house.shared += [tidy, Translator(world, public)]
    path = house.path()
    for begin in house.times(3, 6):
        app = App(ending=Ending.ABORT, abort_at=2000) if house.chance(0.4) else App(ending=Ending.CLOSE)
        house.visit(path, begin, apps=(app, App()))


def stripped_options(house: House) -> None:
    """A middlebox takes TCP options out: of greetings only, or of every segment though both ends agreed on them."""
    kinds = [frozenset({8}), frozenset({4, 5}), frozenset({8, 3}), frozenset({8, 4, 5, 3})]
    strips, greetings = kinds[int(house.rng.integers(4))], house.chance(0.6)
    if not greetings:
        strips = frozenset({8})  # taking SACK or scale out of open connections would break them
    box = Normalizer(house.scene.world, strips, greetings) if greetings else Normalizer(
        house.scene.world, strips, directions=(False,), tos=house.one_of(-1, 0))  # fmt: skip
    path = house.path(box)
    for begin in house.times(3, 6):
        house.visit(path, begin, apps=(App(ending=Ending.RESET), App()) if house.chance(0.4) else None)


def levelled_headers(house: House) -> None:
    """A cloud's border gives every packet from outside the same hop limit and traffic class."""
    ttl = house.one_of(251, 64, 128, int(house.rng.integers(40, 255)))
    house.shared.append(Normalizer(house.scene.world, ttl=ttl, tos=0, directions=(False,)))
    path = house.path()
    for begin in house.times(3, 6):
        house.visit(path, begin, apps=(App(), App(ending=Ending.RESET if house.chance(0.5) else Ending.CLOSE_HARD)))


def tunnel(house: House) -> None:
    """A tunnel makes segments smaller, hides hops and takes the don't-fragment bit away."""
    box = Normalizer(house.scene.world, clamp=int(house.rng.integers(1200, 1420)), dont_fragment=False)
    longer = int(house.rng.integers(-4, 5))
    path = house.path(box, Reroute(house.scene.world, 0, (longer, longer), (0, 0)))
    for begin in house.times(3, 6):
        house.visit(path, begin, apps=(App(ending=Ending.ABORT, abort_at=1800), App()) if house.chance(0.5) else None)


def balancer_idle_reset(house: House) -> None:
    """A load balancer resets idle connections, with its own hop limit and without options."""
    habits = ResetHabits(ttl=house.one_of(255, 64, 128, 0), bare=house.chance(0.3))
    path = house.path(door=[habits])
    for begin in house.times(2, 4):
        server = App(ending=Ending.IDLE_RESET, idle=min(7e11, house.between(1e10, 7e11)))
        house.visit(path, begin, apps=(App(ending=Ending.SILENT), server))


def second_backend(house: House) -> None:
    """A repeated SYN reaches another machine behind the same address: two SYN/ACKs with different numbers."""
    rng = house.rng
    door = SecondBackend(house.scene.world, house.between(1.01e9, 4e9), house.one_of(64, 128, 255, 63, 61),
                         repeats=int(rng.integers(0, 3)))  # fmt: skip
    path = house.path(door=[door])
    for begin in house.times(2, 5):
        house.visit(path, begin)


def anycast_flip(house: House) -> None:
    """The route to an anycast address changes: another site, which knows nothing of open connections, resets them."""
    when = house.between(1e9, 4e9)
    ttl = int(house.rng.integers(45, 64) if house.chance(0.6) else house.rng.choice([64, 128, 255]))
    flip = Flip(house.scene.world, house.now + int(when), Look(ttl=ttl, ip_flags=2))
    shift = Reroute(house.scene.world, house.now + int(when), (int(house.rng.integers(-5, 8)),) * 2,
                    (int(house.between(1e5, 3e7)),) * 2)  # fmt: skip
    path = house.path(shift, door=[flip])
    for begin in house.rng.uniform(0, when * 0.6, int(house.rng.integers(2, 5))):
        house.visit(path, float(begin), script=talk_again(house, when), apps=(App(ending=Ending.CLOSE), App()))
    house.visit(path, when + house.between(1e9, 5e9), odd=False)


def syn_cookies(house: House) -> None:
    """Under a flood a server answers with cookies: no options, and another number when the secret has changed."""
    proxy = SynProxy(house.scene.world, ttl=house.host.ttl, forgets=1.0,
                     mss=house.one_of(536, 1300, 1440, 1460), window=house.host.window)  # fmt: skip
    lost = DeafDoor(
        house.scene.world, lambda packet: bool(packet.flags & SYN), house.between(0.2e9, 2.5e9), outbound=False
    )
    path = house.path(near=[lost] if house.chance(0.6) else [], door=[proxy])
    for begin in house.times(3, 6):
        house.visit(path, begin)


def syn_proxy(house: House) -> None:
    """A firewall makes the handshake for the server: other hop limit, window and options in the SYN/ACK than later."""
    rng = house.rng
    proxy = SynProxy(
        house.scene.world, ttl=house.one_of(255, 64, 128, rng.integers(30, 256)),
        window=int(rng.integers(1000, 65_536)), mss=house.one_of(1460, 536), ip_id=house.one_of(0, rng.integers(2**16)),
    )  # fmt: skip
    path = house.path(proxy, where=float(rng.uniform(0.1, 0.95)))
    short = house.chance(0.15)  # nothing but short answers: no conversation shows what the server looks like
    for begin in house.times(3, 6) if not short else ():
        house.visit(path, begin, apps=(App(), App(ending=Ending.RESET)) if house.chance(0.3) else None)
    if short or house.chance(0.3):
        refusals(house, (403, 200, 302), "Access denied", path=path)
    if house.chance(0.3):
        all_at_once(house, path)


def reset_cookies(house: House) -> None:
    """A guard answers a client's first SYN wrongly on purpose; the client resets that, tries again and is let in."""
    guard = ResetCookies(house.scene.world, house.one_of(255, 64, 128, house.host.ttl), house.one_of(0, 8192, 65_535))
    path = house.path(guard) if house.chance(0.5) else house.path(door=[guard])
    for begin in house.times(2, 5):
        client = (house.scene.clients(1)[0], house.scene.next_port()) if house.chance(0.5) else None
        house.visit(path, begin, client=client)


def full_accept_queue(house: House) -> None:
    """A server's accept queue is full: handshakes seem done, requests are ignored or reset, until there is room."""
    resets = house.chance(0.3)
    lasts = house.between(1e9, 2e10) if house.chance(0.7) else 1e12
    door = DeafDoor(house.scene.world, lambda packet: not packet.flags & SYN, lasts, resets=resets)
    path = house.path(door=[door])
    for begin in house.times(2, 5):
        house.visit(path, begin, apps=(App(ending=Ending.CLOSE, patience=house.between(1e10, 6e10)), App()))


def missed_greetings(house: House) -> None:
    """A busy server misses the first SYNs and answers repetitions, as do busy links."""
    door = DeafDoor(house.scene.world, lambda packet: packet.flags & (SYN | ACK) == SYN, house.between(5e8, 8e9))
    path = house.path(door=[door])
    for begin in house.times(3, 6):
        house.visit(path, begin)


def accelerator(house: House) -> None:
    """Accelerators near the client acknowledge for all servers, some for clients too: in a fraction of the way."""
    house.shared.append(Accelerator(ttl=house.one_of(0, 0, 64, 255)))
    if house.chance(0.5):
        house.shared.append(Accelerator(house.one_of(0, 0, 64, 255), True, house.one_of(0, 80, 443)))
    path = house.path(rtt=house.between(8e7, 7e8), where=float(house.rng.uniform(0.01, 0.3)), luck=0.0)
    for begin in house.times(3, 6):
        script = upload(house, int(house.between(2_000, 40_000)))
        house.visit(path, begin, script=script, apps=(App(), App(ending=Ending.RESET)) if house.chance(0.3) else None)


def miscounting_proxy(house: House) -> None:
    """A proxy near the client miscounts: some packets of the server carry other bytes at a place once more."""
    rate = house.rng.uniform(0.1, 0.5)
    path = house.path(Miscounter(lambda: house.chance(rate)), where=0.02)
    for begin in house.times(2, 5):
        script = [turn for _ in range(int(house.rng.integers(3, 9))) for turn in chat(house)]
        house.visit(path, begin, script=script, port=house.one_of(5222, 5223, 443, 993))


def chat(house: House) -> list[Turn]:
    """Say something short, get a short and then a longer answer."""
    rng = house.rng
    short, longer = (application_data(rng, int(size)) for size in (rng.integers(12, 60), rng.integers(80, 700)))
    says = Turn(True, application_data(rng, int(rng.integers(20, 90))), house.between(1e7, 5e8))
    return [says, Turn(False, short, house.between(1e6, 5e7)), Turn(False, longer, house.between(1e6, 5e7))]


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
