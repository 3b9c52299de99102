"""Connections that their own ends reset or abandon: aborts, unread data, give-ups, dead and reborn hosts."""

import attrs
import numpy as np

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.messages.tls import application_data
from netinterf.simulate.network.oddities import GarbageProbe, LostAborts, ResetHabits
from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes, records, upload

__all__ = ["PLAYS"]


def client_abort(setup: Setup) -> None:
    """Tabs are closed while pages still load: RST/ACK with unread data, then bare RSTs for what was in flight."""
    path = setup.path()
    for begin in setup.times(2, 5):
        size = int(setup.log_uniform(8_000, 200_000))
        app = App(ending=Ending.ABORT, abort_at=int(setup.rng.integers(1500, size)))
        setup.visit(path, begin, script=download(setup, size), apps=(app, App()))


def client_abort_at_hello(setup: Setup) -> None:
    """A client aborts as soon as the server's first flight is in, for instance because it does not trust it."""
    path = setup.path()
    for begin in setup.times(2, 5):
        app = App(ending=Ending.ABORT, abort_at=int(setup.rng.integers(100, 1400)))
        setup.visit(path, begin, script=download(setup, 3000), apps=(app, App()))


def abort_unheard(setup: Setup) -> None:
    """A client gives up in the middle of a request; its abort is lost or bare, and it answers what still comes."""
    rtt = setup.log_uniform(2e7, 2.5e8)
    lost = setup.chance(0.5)
    path = setup.path(rtt=rtt, near=[LostAborts() if lost else ResetHabits(bare=True, outbound=True)])
    for begin in setup.times(2, 5):
        script = download(setup, 6000)
        script[1] = Turn(False, script[1].payload, setup.log_uniform(1e6, 3e8))
        patience = rtt * setup.rng.uniform(1.05, 2.4)
        setup.visit(path, begin, script=script, apps=(App(patience=float(patience), resets=True), App()))


def client_lingers_not(setup: Setup) -> None:
    """Programs close without lingering: RST/ACK at the end of a talk that went well."""
    path = setup.path()
    for begin in setup.times(2, 6):
        setup.visit(path, begin, apps=(App(ending=Ending.RESET), App()))


def reset_per_segment(setup: Setup) -> None:
    """An upload is aborted: each acknowledgement still under way meets a bare RST, with growing sequence numbers."""
    rtt = setup.log_uniform(4e7, 2.5e8)
    path = setup.path(rtt=rtt)
    for begin in setup.times(1, 3):
        app = App(patience=float(round(rtt * setup.rng.uniform(1.6, 3.5))), resets=True)
        script = upload(setup, int(setup.rng.integers(200_000, 400_000)))
        script[-1] = Turn(False, script[-1].payload, 20 * SECOND)
        setup.visit(path, begin, script=script, apps=(app, App(ending=Ending.CLOSE)))


def server_unread_data(setup: Setup) -> None:
    """A server answers an upload early and closes with the rest unread: RST/ACK from the server."""
    path = setup.path()
    for begin in setup.times(2, 4):
        size = int(setup.log_uniform(20_000, 150_000))
        app = App(ending=Ending.ABORT, abort_at=int(setup.rng.integers(3000, size)))
        setup.visit(path, begin, script=upload(setup, size), apps=(App(ending=Ending.CLOSE), app))


def server_closes_first(setup: Setup) -> None:
    """A server closes an idle connection for good while the client still has something to say: late data meets RST."""
    path = setup.path()
    for begin in setup.times(2, 4):
        setup.visit(path, begin, apps=(App(), App(ending=Ending.CLOSE_HARD)))
        rng = setup.rng
        says = download(setup, 4000)
        late = Turn(True, application_data(rng, 300), setup.log_uniform(5e6, 2e9))
        setup.meet(
            path, begin, says=[*says, late], knows=says, apps=(App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD))
        )


def server_timeout(setup: Setup) -> None:
    """Browsers open connections in advance and say nothing; after 15 to 60 s the server closes them, or nobody does."""
    path = setup.path()
    for begin in setup.times(2, 5):
        idle = setup.log_uniform(1.5e10, 7e10)
        resets = setup.chance(0.3)
        silent = [Turn(True, b"", 1e15)]
        ends = App(patience=idle, resets=resets)
        client = App(ending=Ending.WAIT, patience=setup.log_uniform(2e10, 2e11)) if setup.chance(0.3) else App()
        setup.meet(path, begin, says=silent, knows=download(setup, 1000), apps=(client, ends))


def opened_and_left(setup: Setup) -> None:
    """Scanners and racing programs open connections, say nothing and are gone: the server ends them by itself."""
    path = setup.path()
    for begin in setup.times(3, 9):
        silent = [Turn(True, b"", 1e15)]
        client = App(ending=Ending.SILENT, dies=setup.log_uniform(3e8, 3e9))
        server = App(patience=setup.log_uniform(4e9, 7e10), resets=setup.chance(0.2))
        setup.meet(path, begin, says=silent, knows=download(setup, 1000), apps=(client, server))


def closed_port(setup: Setup) -> None:
    """Nobody listens on the port: RST/ACK for each SYN; some clients try again at once."""
    path = setup.path()
    port = setup.choice(443, 80, 8443, 25, int(setup.rng.integers(1024, 65_000)))
    for begin in setup.times(2, 5):
        setup.visit(path, begin, port=port, apps=(App(), App(ending=Ending.REFUSE)))


def keepalive_death(setup: Setup) -> None:
    """A client is gone; the server's keep-alive probes stay unanswered and it resets at last."""
    path = setup.path()
    for begin in setup.times(1, 3):
        server = App(ending=Ending.SILENT, keepalive=setup.log_uniform(1e10, 6e10))
        client = App(ending=Ending.SILENT, dies=setup.log_uniform(2e9, 1e10))
        setup.visit(path, begin, apps=(client, server) if setup.chance(0.6) else (server, client))


def keepalive_garbage(setup: Setup) -> None:
    """Keep-alive probes of an old host carry one byte that was never sent."""
    outbound = setup.chance(0.6)
    probe = GarbageProbe(outbound)
    path = setup.path(near=[probe] if outbound else [], door=[] if outbound else [probe])
    lively = App(ending=Ending.SILENT, keepalive=setup.log_uniform(5e9, 3e10))
    for begin in setup.times(1, 3):
        patient = App(ending=Ending.IDLE_RESET, idle=setup.log_uniform(4e10, 2e11))
        setup.visit(path, begin, apps=(lively, patient) if outbound else (patient, lively))


def crash_and_reboot(setup: Setup) -> None:
    """A server loses power in mid transfer and answers with bare RSTs once it is back."""
    path = setup.path()
    for begin in setup.times(2, 4):
        server = App(dies=setup.log_uniform(2e8, 2e9), revives=setup.log_uniform(1e9, 2e10))
        script = download(setup, int(setup.log_uniform(50_000, 300_000)))
        script.append(Turn(True, application_data(setup.rng, 500), setup.log_uniform(5e8, 5e9)))
        setup.visit(path, begin, script=script, apps=(App(ending=Ending.CLOSE), server))


def client_vanishes(setup: Setup) -> None:
    """A client is switched off or out of reach in mid transfer: the server repeats itself to nobody."""
    path = setup.path()
    for begin in setup.times(2, 4):
        client = App(dies=setup.log_uniform(5e7, 2e9))
        setup.visit(path, begin, script=download(setup, int(setup.log_uniform(30_000, 300_000))), apps=(client, App()))


def fin_unanswered(setup: Setup) -> None:
    """A server repeats its FIN to a client that left after its page had come."""
    path = setup.path()
    for begin in setup.times(2, 4):
        script = download(setup, int(setup.log_uniform(1_000, 9_000)))
        late = App(ending=Ending.CLOSE)
        gone = App(ending=Ending.SILENT, dies=setup.log_uniform(1.5e9, 4e9))
        script.append(Turn(False, application_data(setup.rng, 31), setup.log_uniform(4e9, 3e10)))
        setup.visit(path, begin, script=script, apps=(gone, late))


def client_gives_up(setup: Setup) -> None:
    """A backend needs longer than clients wait: they close or reset after seconds without an answer."""
    path = setup.path()
    for begin in setup.times(2, 4):
        script = download(setup, 3000)
        script[-1] = Turn(False, script[-1].payload, setup.log_uniform(1e10, 1e11))
        client = App(ending=Ending.CLOSE, patience=setup.log_uniform(1e9, 1e10), resets=setup.chance(0.5))
        setup.visit(path, begin, script=script, apps=(client, App()))


def slow_backend(setup: Setup) -> None:
    """The request is acknowledged at once and answered after seconds."""
    path = setup.path()
    for begin in setup.times(2, 5):
        script = download(setup, int(setup.log_uniform(1_000, 30_000)))
        place = setup.choice(1, 3)
        script[place] = Turn(False, script[place].payload, setup.log_uniform(4e8, 3e10))
        setup.visit(path, begin, script=script)


def silent_service(setup: Setup) -> None:
    """A server accepts connections and requests and never says a word; clients leave after a while."""
    path = setup.path()
    for begin in setup.times(2, 5):
        client = App(patience=setup.log_uniform(3e9, 4e10), resets=setup.chance(0.3))
        says = download(setup, 1000)
        setup.meet(path, begin, says=says, knows=[Turn(True, b"x" * 10**7)], apps=(client, App()))


def zero_window_death(setup: Setup) -> None:
    """A client stops reading: its window closes, the server probes it, and one of them gives up."""
    path = setup.path()
    small = attrs.evolve(setup.stack, buffer=setup.choice(16_384, 32_768, 65_536))
    for begin in setup.times(1, 3):
        script = download(setup, 16_000)
        script += [Turn(False, records(setup.rng, 160_000))]
        client = App(
            read_rate=setup.log_uniform(20, 300), patience=setup.log_uniform(8e9, 4e10), resets=setup.chance(0.7),
            dies=setup.log_uniform(5e10, 1e11),
        )  # fmt: skip
        server = App(dies=setup.log_uniform(2e10, 6e10))  # it would ask about the window for ever
        setup.visit(path, begin, script=script, apps=(client, server), stacks=(small, setup.host))


def simultaneous_close(setup: Setup) -> None:
    """Both ends close at the same moment: crossing FINs, sometimes a FIN that meets a reset."""
    path = setup.path()
    for begin in setup.times(2, 5):
        ends = [Ending.CLOSE, Ending.CLOSE_HARD]
        apps = tuple(App(ending=ends[int(setup.rng.integers(2))]) for _ in range(2))
        setup.visit(path, begin, apps=(apps[0], apps[1]))


def reset_with_text(setup: Setup) -> None:
    """Resets of a server carry a few words that say why."""
    words = [b"No TCP", b"Go away", b"tcp_close, during connect", b"No FIN", b"Connection timed out, sorry"]
    habits = ResetHabits(payload=words[int(setup.rng.integers(len(words)))], bare=setup.chance(0.3))
    path = setup.path(door=[habits])
    for begin in setup.times(2, 4):
        app = App(ending=Ending.RESET) if setup.chance(0.5) else App(ending=Ending.REFUSE)
        setup.visit(path, begin, apps=(App(), app))


def left_over_acknowledgement(setup: Setup) -> None:
    """Resets of a Windows-like server have no ACK flag and yet a number in that field."""
    path = setup.path(door=[ResetHabits(left_over=True, bare=True)])
    for begin in setup.times(2, 4):
        setup.visit(path, begin, apps=(App(), App(ending=Ending.RESET)))


def doubled_resets(setup: Setup) -> None:
    """A server, or the box before it, sends each reset two or three times within a millisecond."""
    habits = ResetHabits(
        copies=int(setup.rng.integers(2, 4)), gap=int(setup.log_uniform(5e3, 9e5)), bare=setup.chance(0.5)
    )
    path = setup.path(door=[habits])
    for begin in setup.times(2, 5):
        app = [App(ending=Ending.RESET), App(ending=Ending.REFUSE), App(ending=Ending.CLOSE_HARD)]
        setup.visit(path, begin, apps=(App(), app[int(setup.rng.integers(3))]))


def server_restart(setup: Setup) -> None:
    """A server restarts: all its connections break at once, new ones are refused for seconds, then all is well."""
    path = setup.path()
    when = setup.log_uniform(2e9, 6e9)
    down = setup.log_uniform(5e8, 5e9)
    for begin in np.sort(setup.rng.uniform(0, when, int(setup.rng.integers(2, 5)))):
        script = download(setup, 4000)
        script.append(Turn(False, application_data(setup.rng, 600), when - begin))
        ending = Ending.RESET if setup.chance(0.6) else Ending.CLOSE_HARD
        setup.visit(path, float(begin), script=script, apps=(App(), App(ending=ending)))
    for begin in setup.rng.uniform(when, when + down, int(setup.rng.integers(1, 4))):
        setup.visit(path, float(begin) + 50 * MILLISECOND, apps=(App(), App(ending=Ending.REFUSE)))
    setup.visit(path, when + down + setup.log_uniform(1e9, 1e10), look_alike=False)


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
