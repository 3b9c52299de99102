"""TLS handshakes that fail or surprise without anybody on the path: names, versions, certificates, sizes."""

from netinterf.simulate.hosts.actor import Actor, ended
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.messages.certificates import PUBLIC, Authority, Recipe, draw_authority, issue, self_signed
from netinterf.simulate.messages.hellos import server_hello
from netinterf.simulate.messages.tls import (
    application_data,
    certificate_flight,
    client_flight,
    client_hello,
    server_flight,
    tls_alert,
    tls_record,
)
from netinterf.simulate.network.packet import ACK, RST, SYN, Packet
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes

__all__ = ["PLAYS"]


def hello(setup: Setup, name: str = "", *, hybrid: bool | None = None) -> bytes:
    """Say hello as a browser does."""
    size = {None: setup.choice(0, 517, 1750), True: 1750, False: 0}[hybrid]
    return client_hello(name or setup.name, setup.rng, size=size)


def turned_away(setup: Setup, words: bytes, ending: Ending, *, unlisted: list[str]) -> None:
    """Schedule visits by names that the server does not know, which get *words* and an end, and by one it knows."""
    path = setup.path()
    for begin in setup.times(3, 7):
        name = unlisted[int(setup.rng.integers(len(unlisted)))]
        script = [Turn(True, hello(setup, name)), *([Turn(False, words, setup.log_uniform(1e5, 2e7))] if words else [])]
        setup.visit(path, begin, name=name, script=script, apps=(App(), App(ending=ending)))
    for begin in setup.times(1, 3):
        setup.visit(path, begin, look_alike=False)


def unknown_name_alert(setup: Setup) -> None:
    """A server does not serve the name asked for: alert unrecognized_name or handshake_failure, and FIN."""
    alert = tls_alert(setup.choice(112, 40, 80), setup.choice(2, 2, 1))
    ending = Ending.CLOSE if setup.chance(0.6) else Ending.CLOSE_HARD
    turned_away(setup, alert, ending, unlisted=setup.scene.names(int(setup.rng.integers(1, 5))))


def unknown_name_reset(setup: Setup) -> None:
    """A server resets every connection whose name it does not serve."""
    turned_away(setup, b"", Ending.RESET, unlisted=setup.scene.names(int(setup.rng.integers(1, 5))))


def unknown_name_close(setup: Setup) -> None:
    """A server closes every connection whose name it does not serve, without a word."""
    turned_away(setup, b"", Ending.CLOSE, unlisted=setup.scene.names(int(setup.rng.integers(1, 5))))


def unknown_name_silence(setup: Setup) -> None:
    """A server acknowledges hellos with names that it does not serve and lets them wait until clients leave."""
    path = setup.path()
    for begin in setup.times(2, 5):
        says = [Turn(True, hello(setup, setup.scene.names(1)[0])), Turn(False, b"never")]
        client = App(patience=setup.log_uniform(3e9, 2e10), resets=setup.chance(0.3))
        setup.meet(path, begin, says=says, knows=says[:1], apps=(client, App()))
    setup.visit(path, setup.log_uniform(1e8, 5e9), look_alike=False)


def hello_too_large(setup: Setup) -> None:
    """A server cannot read hellos of two segments: it resets them or waits for ever; small ones work."""
    path = setup.path()
    resets = setup.chance(0.6)
    for begin in setup.times(2, 5):
        says = [Turn(True, hello(setup, hybrid=True)), Turn(False, b"never")]
        client = App(patience=setup.log_uniform(3e9, 2e10))
        server = App(ending=Ending.ABORT, abort_at=1) if resets else App()
        setup.meet(path, begin, says=says, knows=[Turn(True, says[0].payload)], apps=(client, server))
    for begin in setup.times(2, 4):
        small = download(setup, 5000)
        small[0] = Turn(True, hello(setup, hybrid=False))
        setup.visit(path, begin, script=small, look_alike=False)


def old_version(setup: Setup) -> None:
    """A server speaks TLS 1.0 only: the client answers with alert protocol_version and leaves, or resets."""
    path = setup.path()
    for begin in setup.times(2, 5):
        message = bytearray(server_hello(setup.rng, version=0x0303))
        message[4:6] = b"\x03\x01"
        flight = tls_record(22, bytes(message), 0x0301) + tls_record(22, b"\x0e\x00\x00\x00", 0x0301)
        ending = Ending.CLOSE if setup.chance(0.6) else Ending.RESET
        script = [Turn(True, hello(setup)), Turn(False, flight, setup.log_uniform(1e5, 2e7)), Turn(True, tls_alert(70))]
        setup.visit(path, begin, script=script, apps=(App(ending=ending), App()))


def certified(setup: Setup, chain: tuple[bytes, ...], name: str = "") -> list[Turn]:
    """Write a TLS 1.2 visit to a server with a certificate."""
    rng = setup.rng
    return [
        Turn(True, client_hello(name or setup.name, rng)),
        Turn(False, certificate_flight(rng, chain), setup.log_uniform(2e5, 2e7)),
        Turn(True, client_flight(rng), setup.log_uniform(2e5, 1e7)),
        Turn(False, tls_record(20, b"\x01") + tls_record(22, rng.bytes(40)), setup.log_uniform(1e5, 1e6)),
        Turn(True, application_data(rng, int(rng.integers(100, 700)))),
        Turn(False, application_data(rng, int(setup.log_uniform(900, 12_000))), setup.log_uniform(1e6, 3e7)),
    ]


def authority(setup: Setup) -> Authority:
    """Draw a public authority."""
    return draw_authority(setup.rng, setup.now, PUBLIC)


def certificate_rotation(setup: Setup) -> None:
    """A server's certificate changes between visits: renewed, with another key, sometimes by another authority."""
    path = setup.path()
    signer = authority(setup)
    names = [setup.name]
    chains = [issue(signer, setup.rng, names, setup.now, Recipe(age=float(setup.rng.uniform(30, 88))))]
    chains.append(
        issue(authority(setup) if setup.chance(0.5) else signer, setup.rng, names, setup.now, Recipe(age=0.1))
    )
    for order, begin in enumerate(sorted(setup.times(4, 8))):
        setup.visit(path, begin, script=certified(setup, chains[order >= 2]))


def several_certificates(setup: Setup) -> None:
    """One address serves many names, each with a certificate of its own or all with one that lists them."""
    path = setup.path()
    names = setup.scene.names(int(setup.rng.integers(3, 6)))
    shared = issue(authority(setup), setup.rng, names, setup.now)
    signers = [authority(setup), authority(setup)]
    own = {name: issue(signers[order % 2], setup.rng, [name], setup.now) for order, name in enumerate(names)}
    together = setup.chance(0.4)
    for begin in setup.times(4, 8):
        name = names[int(setup.rng.integers(len(names)))]
        setup.visit(path, begin, name=name, script=certified(setup, shared if together else own[name], name))


def private_authority(setup: Setup) -> None:
    """An organization's server has a certificate of its own authority, or one that it signed itself."""
    path = setup.path()
    recipe = Recipe(days=setup.choice(365, 3650, 825), age=float(setup.rng.uniform(1, 300)), scts=False, informed=False)
    if setup.chance(0.5):
        chain = self_signed(setup.rng, setup.name, setup.now, recipe)
    else:
        own = draw_authority(
            setup.rng, setup.now, ("Orchard Works", "Granite Institute", "Willow Clinic"), intermediate=False
        )
        chain = issue(own, setup.rng, [setup.name], setup.now, recipe)
    for begin in setup.times(2, 5):
        setup.visit(path, begin, script=certified(setup, chain))


def client_distrusts(setup: Setup) -> None:
    """A client does not accept the certificate, which has expired or is pinned otherwise: alert and FIN, or a reset."""
    path = setup.path()
    chain = issue(authority(setup), setup.rng, [setup.name], setup.now, Recipe(age=float(setup.rng.uniform(91, 400))))
    for begin in setup.times(2, 5):
        script = certified(setup, chain)[:2]
        script.append(Turn(True, tls_alert(setup.choice(48, 45, 42, 46)), setup.log_uniform(2e5, 1e7)))
        setup.visit(
            path, begin, script=script, apps=(App(ending=Ending.RESET if setup.chance(0.5) else Ending.CLOSE), App())
        )


def client_certificate_wanted(setup: Setup) -> None:
    """A server wants a certificate of the client, gets none, and ends with an encrypted alert and FIN or RST."""
    path = setup.path()
    for begin in setup.times(2, 5):
        script = [Turn(True, hello(setup)), Turn(False, server_flight(setup.rng, 3000), setup.log_uniform(1e6, 2e7)),
                  Turn(True, application_data(setup.rng, 120)),
                  Turn(False, application_data(setup.rng, 19), 1e6)]  # fmt: skip
        app = App(ending=Ending.CLOSE_HARD if setup.chance(0.5) else Ending.RESET)
        setup.visit(path, begin, script=script, apps=(App(), app))


def other_protocol(setup: Setup) -> None:
    """A client speaks something else on a TLS port: the server resets, closes, complains or says nothing."""
    first = (b"SSH-2.0-OpenSSH_9.6\r\n", b"EHLO mail.example.com\r\n", b"\x13BitTorrent protocol" + bytes(48),
             setup.rng.bytes(int(setup.rng.integers(40, 900))), b"\x16\x03\x01\x00\x05hello")  # fmt: skip
    path = setup.path()
    for begin in setup.times(3, 6):
        says = [Turn(True, first[int(setup.rng.integers(5))]), Turn(False, b"never")]
        ends = (App(ending=Ending.RESET), App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD), App())
        knows = says[:1]
        if setup.chance(0.4):
            answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" if setup.chance(0.5) else tls_alert(10)
            knows = [says[0], Turn(False, answer, setup.log_uniform(1e5, 1e7))]
        app = ends[int(setup.rng.integers(4))]
        setup.meet(path, begin, says=says, knows=knows, apps=(App(patience=setup.log_uniform(3e9, 1.5e10)), app))
    setup.visit(path, setup.log_uniform(1e8, 5e9), look_alike=False)


def balancer_without_backend(setup: Setup) -> None:
    """A load balancer greets clients and acknowledges hellos, then resets since no machine behind it answers."""
    wait, own = setup.log_uniform(2e5, 6e9), setup.choice(255, 64, 128, setup.host.ttl)
    flags, copies = (RST | ACK if setup.chance(0.6) else RST), setup.choice(1, 1, 2)

    def serve(actor: Actor, packet: Packet) -> None:
        if packet.flags & (SYN | ACK) == SYN:
            actor.send(SYN | ACK, actor.isn, packet.seq + 1, options=b"\x02\x04\x05\xb4", ip_id=0)
        elif packet.payload:
            end = ended(packet)
            actor.send(ACK, actor.isn + 1, end)
            for order in range(copies):
                actor.later(
                    wait + order * 1e5, flags, actor.isn + 1, end if flags & ACK else 0, ttl=own, window=0, ip_id=0
                )

    path = setup.path()
    for begin in setup.times(2, 5):
        setup.play_server(path, begin, serve, script=[Turn(True, hello(setup)), Turn(False, b"never")], app=App())


PLAYS = (
    *look_alikes("tls", unknown_name_alert, unknown_name_reset, unknown_name_close, unknown_name_silence),
    *look_alikes("tls", hello_too_large, old_version, certificate_rotation, several_certificates, private_authority),
    *look_alikes("tls", client_distrusts, client_certificate_wanted, other_protocol, balancer_without_backend),
)
