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
from netinterf.simulate.plays.benign_tcp import House, download, look_alikes

__all__ = ["PLAYS"]


def hello(house: House, name: str = "", *, hybrid: bool | None = None) -> bytes:
    """Say hello as a browser does."""
    size = {None: house.one_of(0, 517, 1750), True: 1750, False: 0}[hybrid]
    return client_hello(name or house.name, house.rng, size=size)


def turned_away(house: House, words: bytes, ending: Ending, *, unlisted: list[str]) -> None:
    """Schedule visits by names that the server does not know, which get *words* and an end, and by one it knows."""
    path = house.path()
    for begin in house.times(3, 7):
        name = unlisted[int(house.rng.integers(len(unlisted)))]
        script = [Turn(True, hello(house, name)), *([Turn(False, words, house.between(1e5, 2e7))] if words else [])]
        house.visit(path, begin, name=name, script=script, apps=(App(), App(ending=ending)))
    for begin in house.times(1, 3):
        house.visit(path, begin, odd=False)


def unknown_name_alert(house: House) -> None:
    """A server does not serve the name asked for: alert unrecognized_name or handshake_failure, and FIN."""
    alert = tls_alert(house.one_of(112, 40, 80), house.one_of(2, 2, 1))
    ending = Ending.CLOSE if house.chance(0.6) else Ending.CLOSE_HARD
    turned_away(house, alert, ending, unlisted=house.scene.names(int(house.rng.integers(1, 5))))


def unknown_name_reset(house: House) -> None:
    """A server resets every connection whose name it does not serve."""
    turned_away(house, b"", Ending.RESET, unlisted=house.scene.names(int(house.rng.integers(1, 5))))


def unknown_name_close(house: House) -> None:
    """A server closes every connection whose name it does not serve, without a word."""
    turned_away(house, b"", Ending.CLOSE, unlisted=house.scene.names(int(house.rng.integers(1, 5))))


def unknown_name_silence(house: House) -> None:
    """A server acknowledges hellos with names that it does not serve and lets them wait until clients leave."""
    path = house.path()
    for begin in house.times(2, 5):
        says = [Turn(True, hello(house, house.scene.names(1)[0])), Turn(False, b"never")]
        client = App(patience=house.between(3e9, 2e10), resets=house.chance(0.3))
        house.meet(path, begin, says=says, knows=says[:1], apps=(client, App()))
    house.visit(path, house.between(1e8, 5e9), odd=False)


def hello_too_large(house: House) -> None:
    """A server cannot read hellos of two segments: it resets them or waits for ever; small ones work."""
    path = house.path()
    resets = house.chance(0.6)
    for begin in house.times(2, 5):
        says = [Turn(True, hello(house, hybrid=True)), Turn(False, b"never")]
        client = App(patience=house.between(3e9, 2e10))
        server = App(ending=Ending.ABORT, abort_at=1) if resets else App()
        house.meet(path, begin, says=says, knows=[Turn(True, says[0].payload)], apps=(client, server))
    for begin in house.times(2, 4):
        small = download(house, 5000)
        small[0] = Turn(True, hello(house, hybrid=False))
        house.visit(path, begin, script=small, odd=False)


def old_version(house: House) -> None:
    """A server speaks TLS 1.0 only: the client answers with alert protocol_version and leaves, or resets."""
    path = house.path()
    for begin in house.times(2, 5):
        message = bytearray(server_hello(house.rng, version=0x0303))
        message[4:6] = b"\x03\x01"
        flight = tls_record(22, bytes(message), 0x0301) + tls_record(22, b"\x0e\x00\x00\x00", 0x0301)
        ending = Ending.CLOSE if house.chance(0.6) else Ending.RESET
        script = [Turn(True, hello(house)), Turn(False, flight, house.between(1e5, 2e7)), Turn(True, tls_alert(70))]
        house.visit(path, begin, script=script, apps=(App(ending=ending), App()))


def certified(house: House, chain: tuple[bytes, ...], name: str = "") -> list[Turn]:
    """Write a TLS 1.2 visit to a server with a certificate."""
    rng = house.rng
    return [
        Turn(True, client_hello(name or house.name, rng)),
        Turn(False, certificate_flight(rng, chain), house.between(2e5, 2e7)),
        Turn(True, client_flight(rng), house.between(2e5, 1e7)),
        Turn(False, tls_record(20, b"\x01") + tls_record(22, rng.bytes(40)), house.between(1e5, 1e6)),
        Turn(True, application_data(rng, int(rng.integers(100, 700)))),
        Turn(False, application_data(rng, int(house.between(900, 12_000))), house.between(1e6, 3e7)),
    ]


def authority(house: House) -> Authority:
    """Draw a public authority."""
    return draw_authority(house.rng, house.now, PUBLIC)


def certificate_rotation(house: House) -> None:
    """A server's certificate changes between visits: renewed, with another key, sometimes by another authority."""
    path = house.path()
    signer = authority(house)
    names = [house.name]
    chains = [issue(signer, house.rng, names, house.now, Recipe(age=float(house.rng.uniform(30, 88))))]
    chains.append(
        issue(authority(house) if house.chance(0.5) else signer, house.rng, names, house.now, Recipe(age=0.1))
    )
    for order, begin in enumerate(sorted(house.times(4, 8))):
        house.visit(path, begin, script=certified(house, chains[order >= 2]))


def several_certificates(house: House) -> None:
    """One address serves many names, each with a certificate of its own or all with one that lists them."""
    path = house.path()
    names = house.scene.names(int(house.rng.integers(3, 6)))
    shared = issue(authority(house), house.rng, names, house.now)
    signers = [authority(house), authority(house)]
    own = {name: issue(signers[order % 2], house.rng, [name], house.now) for order, name in enumerate(names)}
    together = house.chance(0.4)
    for begin in house.times(4, 8):
        name = names[int(house.rng.integers(len(names)))]
        house.visit(path, begin, name=name, script=certified(house, shared if together else own[name], name))


def private_authority(house: House) -> None:
    """An organization's server has a certificate of its own authority, or one that it signed itself."""
    path = house.path()
    recipe = Recipe(days=house.one_of(365, 3650, 825), age=float(house.rng.uniform(1, 300)), scts=False, informed=False)
    if house.chance(0.5):
        chain = self_signed(house.rng, house.name, house.now, recipe)
    else:
        own = draw_authority(
            house.rng, house.now, ("Orchard Works", "Granite Institute", "Willow Clinic"), intermediate=False
        )
        chain = issue(own, house.rng, [house.name], house.now, recipe)
    for begin in house.times(2, 5):
        house.visit(path, begin, script=certified(house, chain))


def client_distrusts(house: House) -> None:
    """A client does not accept the certificate, which has expired or is pinned otherwise: alert and FIN, or a reset."""
    path = house.path()
    chain = issue(authority(house), house.rng, [house.name], house.now, Recipe(age=float(house.rng.uniform(91, 400))))
    for begin in house.times(2, 5):
        script = certified(house, chain)[:2]
        script.append(Turn(True, tls_alert(house.one_of(48, 45, 42, 46)), house.between(2e5, 1e7)))
        house.visit(
            path, begin, script=script, apps=(App(ending=Ending.RESET if house.chance(0.5) else Ending.CLOSE), App())
        )


def client_certificate_wanted(house: House) -> None:
    """A server wants a certificate of the client, gets none, and ends with an encrypted alert and FIN or RST."""
    path = house.path()
    for begin in house.times(2, 5):
        script = [Turn(True, hello(house)), Turn(False, server_flight(house.rng, 3000), house.between(1e6, 2e7)),
                  Turn(True, application_data(house.rng, 120)),
                  Turn(False, application_data(house.rng, 19), 1e6)]  # fmt: skip
        app = App(ending=Ending.CLOSE_HARD if house.chance(0.5) else Ending.RESET)
        house.visit(path, begin, script=script, apps=(App(), app))


def other_protocol(house: House) -> None:
    """A client speaks something else on a TLS port: the server resets, closes, complains or says nothing."""
    first = (b"SSH-2.0-OpenSSH_9.6\r\n", b"EHLO mail.example.com\r\n", b"\x13BitTorrent protocol" + bytes(48),
             house.rng.bytes(int(house.rng.integers(40, 900))), b"\x16\x03\x01\x00\x05hello")  # fmt: skip
    path = house.path()
    for begin in house.times(3, 6):
        says = [Turn(True, first[int(house.rng.integers(5))]), Turn(False, b"never")]
        ends = (App(ending=Ending.RESET), App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD), App())
        knows = says[:1]
        if house.chance(0.4):
            answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" if house.chance(0.5) else tls_alert(10)
            knows = [says[0], Turn(False, answer, house.between(1e5, 1e7))]
        app = ends[int(house.rng.integers(4))]
        house.meet(path, begin, says=says, knows=knows, apps=(App(patience=house.between(3e9, 1.5e10)), app))
    house.visit(path, house.between(1e8, 5e9), odd=False)


def balancer_without_backend(house: House) -> None:
    """A load balancer greets clients and acknowledges hellos, then resets since no machine behind it answers."""
    wait, own = house.between(2e5, 6e9), house.one_of(255, 64, 128, house.host.ttl)
    flags, copies = (RST | ACK if house.chance(0.6) else RST), house.one_of(1, 1, 2)

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

    path = house.path()
    for begin in house.times(2, 5):
        house.play_server(path, begin, serve, script=[Turn(True, hello(house)), Turn(False, b"never")], app=App())


PLAYS = (
    *look_alikes("tls", unknown_name_alert, unknown_name_reset, unknown_name_close, unknown_name_silence),
    *look_alikes("tls", hello_too_large, old_version, certificate_rotation, several_certificates, private_authority),
    *look_alikes("tls", client_distrusts, client_certificate_wanted, other_protocol, balancer_without_backend),
)
