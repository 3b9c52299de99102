"""Which connections lead to resolvers for encrypted DNS."""

import csv
import ipaddress
from importlib.resources import files

import pytest

from netinterf.context.resolvers import encrypted_resolver, public_resolver
from netinterf.written.record import Subject
from netinterf.written.words import who


@pytest.mark.parametrize(
    ("name", "server", "port", "operator"),
    [
        ("dns.google", "8.8.8.8", 443, "Google"),
        ("Mozilla.Cloudflare-DNS.com.", "104.16.248.249", 443, "Cloudflare"),
        (None, "1.1.1.1", 443, "Cloudflare"),
        (None, "9.9.9.9", 853, "Quad9"),
        (None, "192.0.2.1", 853, ""),  # whoever it is, it is asked over TLS
        ("example.com", "1.1.1.1", 443, None),  # other things live at the same address
        ("example.com", "192.0.2.1", 443, None),
        (None, "192.0.2.1", 443, None),
        (None, "8.8.8.8", 53, None),  # in the clear
        ("notdns.google", "192.0.2.1", 443, None),
    ],
)
def test_who_answers_encrypted_questions(name: str | None, server: str, port: int, operator: str | None) -> None:
    """By name and what lies below it, by address where no name is shown, and by port."""
    assert encrypted_resolver(name, server, port) == operator


def test_verdicts_say_so() -> None:
    """A reader learns that a resolver was hit."""
    subject = Subject(
        kind="flow", protocol="tcp", client="10.0.0.1", client_port=4000, server="8.8.8.8", server_port=853,
        name="dns.google", first_frame=1, query_type=None, query_id=None,
    )  # fmt: skip
    assert "to dns.google (8.8.8.8, port 853), a resolver for encrypted DNS of Google," in who(subject)


def test_every_row_has_a_source_and_a_readable_value() -> None:
    """Addresses are written as Python writes them, names in lower case; nothing stands twice."""
    text = files("netinterf").joinpath("data", "encrypted-resolvers.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len({row["value"] for row in rows}) == len(rows)
    for row in rows:
        assert row["operator"]
        assert row["source"]
        if ":" in row["value"] or row["value"].replace(".", "").isdigit():
            assert str(ipaddress.ip_address(row["value"])) == row["value"]
        else:
            assert row["value"] == row["value"].lower()


def test_public_resolvers_are_known_by_address():
    """Whoever runs them; others are nobody's."""
    assert public_resolver("8.8.8.8") == "Google"
    assert public_resolver("2620:fe::fe") == "Quad9"
    assert public_resolver("192.0.2.1") is None
