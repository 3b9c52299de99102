"""Connections that their own ends reset or abandon: aborts, unread data, give-ups, dead and reborn hosts."""

import attrs
import numpy as np

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.messages.tls import application_data
from netinterf.simulate.network.oddities import GarbageProbe, LostAborts, ResetHabits
from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.simulate.plays.benign_tcp import House, download, look_alikes, records, upload

__all__ = ["PLAYS"]


def client_abort(house: House) -> None:
    """Tabs are closed while pages still load: RST/ACK with unread data, then bare RSTs for what was in flight."""
    path = house.path()
    for begin in house.times(2, 5):
        size = int(house.between(8_000, 200_000))
        app = App(ending=Ending.ABORT, abort_at=int(house.rng.integers(1500, size)))
        house.visit(path, begin, script=download(house, size), apps=(app, App()))


def client_abort_at_hello(house: House) -> None:
    """A client aborts as soon as the server's first flight is in, for instance because it does not trust it."""
    path = house.path()
    for begin in house.times(2, 5):
        app = App(ending=Ending.ABORT, abort_at=int(house.rng.integers(100, 1400)))
        house.visit(path, begin, script=download(house, 3000), apps=(app, App()))


def abort_unheard(house: House) -> None:
    """A client gives up in the middle of a request; its abort is lost or bare, and it answers what still comes."""
    rtt = house.between(2e7, 2.5e8)
    lost = house.chance(0.5)
    path = house.path(rtt=rtt, near=[LostAborts() if lost else ResetHabits(bare=True, outbound=True)])
    for begin in house.times(2, 5):
        script = download(house, 6000)
        script[1] = Turn(False, script[1].payload, house.between(1e6, 3e8))
        patience = rtt * house.rng.uniform(1.05, 2.4)
        house.visit(path, begin, script=script, apps=(App(patience=float(patience), resets=True), App()))


def client_lingers_not(house: House) -> None:
    """Programs close without lingering: RST/ACK at the end of a talk that went well."""
    path = house.path()
    for begin in house.times(2, 6):
        house.visit(path, begin, apps=(App(ending=Ending.RESET), App()))


def reset_per_segment(house: House) -> None:
    """An upload is aborted: each acknowledgement still under way meets a bare RST, with growing sequence numbers."""
    rtt = house.between(4e7, 2.5e8)
    path = house.path(rtt=rtt)
    for begin in house.times(1, 3):
        app = App(patience=float(round(rtt * house.rng.uniform(1.6, 3.5))), resets=True)
        script = upload(house, int(house.rng.integers(200_000, 400_000)))
        script[-1] = Turn(False, script[-1].payload, 20 * SECOND)
        house.visit(path, begin, script=script, apps=(app, App(ending=Ending.CLOSE)))


def server_unread_data(house: House) -> None:
    """A server answers an upload early and closes with the rest unread: RST/ACK from the server."""
    path = house.path()
    for begin in house.times(2, 4):
        size = int(house.between(20_000, 150_000))
        app = App(ending=Ending.ABORT, abort_at=int(house.rng.integers(3000, size)))
        house.visit(path, begin, script=upload(house, size), apps=(App(ending=Ending.CLOSE), app))


def server_closes_first(house: House) -> None:
    """A server closes an idle connection for good while the client still has something to say: late data meets RST."""
    path = house.path()
    for begin in house.times(2, 4):
        house.visit(path, begin, apps=(App(), App(ending=Ending.CLOSE_HARD)))
        rng = house.rng
        says = download(house, 4000)
        late = Turn(True, application_data(rng, 300), house.between(5e6, 2e9))
        house.meet(
            path, begin, says=[*says, late], knows=says, apps=(App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD))
        )


def server_timeout(house: House) -> None:
    """Browsers open connections in advance and say nothing; after 15 to 60 s the server closes them, or nobody does."""
    path = house.path()
    for begin in house.times(2, 5):
        idle = house.between(1.5e10, 7e10)
        resets = house.chance(0.3)
        silent = [Turn(True, b"", 1e15)]
        ends = App(patience=idle, resets=resets)
        client = App(ending=Ending.WAIT, patience=house.between(2e10, 2e11)) if house.chance(0.3) else App()
        house.meet(path, begin, says=silent, knows=download(house, 1000), apps=(client, ends))


def opened_and_left(house: House) -> None:
    """Scanners and racing programs open connections, say nothing and are gone: the server ends them by itself."""
    path = house.path()
    for begin in house.times(3, 9):
        silent = [Turn(True, b"", 1e15)]
        client = App(ending=Ending.SILENT, dies=house.between(3e8, 3e9))
        server = App(patience=house.between(4e9, 7e10), resets=house.chance(0.2))
        house.meet(path, begin, says=silent, knows=download(house, 1000), apps=(client, server))


def closed_port(house: House) -> None:
    """Nobody listens on the port: RST/ACK for each SYN; some clients try again at once."""
    path = house.path()
    port = house.one_of(443, 80, 8443, 25, int(house.rng.integers(1024, 65_000)))
    for begin in house.times(2, 5):
        house.visit(path, begin, port=port, apps=(App(), App(ending=Ending.REFUSE)))


def keepalive_death(house: House) -> None:
    """A client is gone; the server's keep-alive probes stay unanswered and it resets at last."""
    path = house.path()
    for begin in house.times(1, 3):
        server = App(ending=Ending.SILENT, keepalive=house.between(1e10, 6e10))
        client = App(ending=Ending.SILENT, dies=house.between(2e9, 1e10))
        house.visit(path, begin, apps=(client, server) if house.chance(0.6) else (server, client))


def keepalive_garbage(house: House) -> None:
    """Keep-alive probes of an old host carry one byte that was never sent."""
    outbound = house.chance(0.6)
    probe = GarbageProbe(outbound)
    path = house.path(near=[probe] if outbound else [], door=[] if outbound else [probe])
    lively = App(ending=Ending.SILENT, keepalive=house.between(5e9, 3e10))
    for begin in house.times(1, 3):
        patient = App(ending=Ending.IDLE_RESET, idle=house.between(4e10, 2e11))
        house.visit(path, begin, apps=(lively, patient) if outbound else (patient, lively))


def crash_and_reboot(house: House) -> None:
    """A server loses power in mid transfer and answers with bare RSTs once it is back."""
    path = house.path()
    for begin in house.times(2, 4):
        server = App(dies=house.between(2e8, 2e9), revives=house.between(1e9, 2e10))
        script = download(house, int(house.between(50_000, 300_000)))
        script.append(Turn(True, application_data(house.rng, 500), house.between(5e8, 5e9)))
        house.visit(path, begin, script=script, apps=(App(ending=Ending.CLOSE), server))


def client_vanishes(house: House) -> None:
    """A client is switched off or out of reach in mid transfer: the server repeats itself to nobody."""
    path = house.path()
    for begin in house.times(2, 4):
        client = App(dies=house.between(5e7, 2e9))
        house.visit(path, begin, script=download(house, int(house.between(30_000, 300_000))), apps=(client, App()))


def fin_unanswered(house: House) -> None:
    """A server repeats its FIN to a client that left after its page had come."""
    path = house.path()
    for begin in house.times(2, 4):
        script = download(house, int(house.between(1_000, 9_000)))
        late = App(ending=Ending.CLOSE)
        gone = App(ending=Ending.SILENT, dies=house.between(1.5e9, 4e9))
        script.append(Turn(False, application_data(house.rng, 31), house.between(4e9, 3e10)))
        house.visit(path, begin, script=script, apps=(gone, late))


def client_gives_up(house: House) -> None:
    """A backend needs longer than clients wait: they close or reset after seconds without an answer."""
    path = house.path()
    for begin in house.times(2, 4):
        script = download(house, 3000)
        script[-1] = Turn(False, script[-1].payload, house.between(1e10, 1e11))
        client = App(ending=Ending.CLOSE, patience=house.between(1e9, 1e10), resets=house.chance(0.5))
        house.visit(path, begin, script=script, apps=(client, App()))


def slow_backend(house: House) -> None:
    """The request is acknowledged at once and answered after seconds."""
    path = house.path()
    for begin in house.times(2, 5):
        script = download(house, int(house.between(1_000, 30_000)))
        place = house.one_of(1, 3)
        script[place] = Turn(False, script[place].payload, house.between(4e8, 3e10))
        house.visit(path, begin, script=script)


def silent_service(house: House) -> None:
    """A server accepts connections and requests and never says a word; clients leave after a while."""
    path = house.path()
    for begin in house.times(2, 5):
        client = App(patience=house.between(3e9, 4e10), resets=house.chance(0.3))
        says = download(house, 1000)
        house.meet(path, begin, says=says, knows=[Turn(True, b"x" * 10**7)], apps=(client, App()))


def zero_window_death(house: House) -> None:
    """A client stops reading: its window closes, the server probes it, and one of them gives up."""
    path = house.path()
    small = attrs.evolve(house.stack, buffer=house.one_of(16_384, 32_768, 65_536))
    for begin in house.times(1, 3):
        script = download(house, 16_000)
        script += [Turn(False, records(house.rng, 160_000))]
        client = App(
            read_rate=house.between(20, 300), patience=house.between(8e9, 4e10), resets=house.chance(0.7),
            dies=house.between(5e10, 1e11),
        )  # fmt: skip
        server = App(dies=house.between(2e10, 6e10))  # it would ask about the window for ever
        house.visit(path, begin, script=script, apps=(client, server), stacks=(small, house.host))


def simultaneous_close(house: House) -> None:
    """Both ends close at the same moment: crossing FINs, sometimes a FIN that meets a reset."""
    path = house.path()
    for begin in house.times(2, 5):
        ends = [Ending.CLOSE, Ending.CLOSE_HARD]
        apps = tuple(App(ending=ends[int(house.rng.integers(2))]) for _ in range(2))
        house.visit(path, begin, apps=(apps[0], apps[1]))


def reset_with_text(house: House) -> None:
    """Resets of a server carry a few words that say why."""
    words = [b"No TCP", b"Go away", b"tcp_close, during connect", b"No FIN", b"Connection timed out, sorry"]
    habits = ResetHabits(payload=words[int(house.rng.integers(len(words)))], bare=house.chance(0.3))
    path = house.path(door=[habits])
    for begin in house.times(2, 4):
        app = App(ending=Ending.RESET) if house.chance(0.5) else App(ending=Ending.REFUSE)
        house.visit(path, begin, apps=(App(), app))


def left_over_acknowledgement(house: House) -> None:
    """Resets of a Windows-like server have no ACK flag and yet a number in that field."""
    path = house.path(door=[ResetHabits(left_over=True, bare=True)])
    for begin in house.times(2, 4):
        house.visit(path, begin, apps=(App(), App(ending=Ending.RESET)))


def doubled_resets(house: House) -> None:
    """A server, or the box before it, sends each reset two or three times within a millisecond."""
    habits = ResetHabits(copies=int(house.rng.integers(2, 4)), gap=int(house.between(5e3, 9e5)), bare=house.chance(0.5))
    path = house.path(door=[habits])
    for begin in house.times(2, 5):
        app = [App(ending=Ending.RESET), App(ending=Ending.REFUSE), App(ending=Ending.CLOSE_HARD)]
        house.visit(path, begin, apps=(App(), app[int(house.rng.integers(3))]))


def server_restart(house: House) -> None:
    """A server restarts: all its connections break at once, new ones are refused for seconds, then all is well."""
    path = house.path()
    when = house.between(2e9, 6e9)
    down = house.between(5e8, 5e9)
    for begin in np.sort(house.rng.uniform(0, when, int(house.rng.integers(2, 5)))):
        script = download(house, 4000)
        script.append(Turn(False, application_data(house.rng, 600), when - begin))
        ending = Ending.RESET if house.chance(0.6) else Ending.CLOSE_HARD
        house.visit(path, float(begin), script=script, apps=(App(), App(ending=ending)))
    for begin in house.rng.uniform(when, when + down, int(house.rng.integers(1, 4))):
        house.visit(path, float(begin) + 50 * MILLISECOND, apps=(App(), App(ending=Ending.REFUSE)))
    house.visit(path, when + down + house.between(1e9, 1e10), odd=False)


PLAYS = (
    *look_alikes("tcp", client_abort, client_lingers_not, reset_per_segment, server_unread_data, server_closes_first),
    *look_alikes(
        "tcp", server_timeout, opened_and_left, closed_port, keepalive_death, keepalive_garbage, crash_and_reboot
    ),
    *look_alikes("tcp", client_vanishes, fin_unanswered, client_gives_up, slow_backend, silent_service),
    *look_alikes("tcp", zero_window_death, simultaneous_close, reset_with_text, left_over_acknowledgement),
    *look_alikes("tcp", doubled_resets, server_restart),
    *look_alikes("tcp", client_abort_at_hello, abort_unheard, cause="client-abort"),
)
