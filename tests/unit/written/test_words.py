"""What a subject is called in sentences."""

import pytest

from netinterf.written.record import Subject
from netinterf.written.words import who


def tcp(server: str, name: str | None, port: int = 8080) -> Subject:
    """A TCP connection to a server, under a name."""
    return Subject(
        kind="flow",
        protocol="tcp",
        client="192.0.2.7",
        client_port=50_000,
        server=server,
        server_port=port,
        name=name,
        first_frame=1,
    )


@pytest.mark.parametrize("name", ["198.51.100.1", "198.51.100.1:8080", None])
def test_a_server_asked_for_by_its_address_is_named_once(name: str | None) -> None:
    """The words "198.51.100.1 (198.51.100.1, port 8080)" say one thing twice."""
    assert who(tcp("198.51.100.1", name)) == "the connection from 192.0.2.7 to 198.51.100.1 port 8080"


@pytest.mark.parametrize("name", ["[2001:db8::1]", "[2001:db8::1]:8080", "2001:db8::1"])
def test_so_is_one_of_version_six(name: str) -> None:
    """Brackets are how a URL writes it (RFC 3986 section 3.2.2)."""
    assert who(tcp("2001:db8::1", name)) == "the connection from 192.0.2.7 to 2001:db8::1 port 8080"


@pytest.mark.parametrize("name", ["example.org", "198.51.100.2", "198.51.100.1:80"])
def test_what_differs_from_the_server_is_said(name: str) -> None:
    """Another name, address or port stays."""
    assert who(tcp("198.51.100.1", name)) == f"the connection from 192.0.2.7 to {name} (198.51.100.1, port 8080)"
