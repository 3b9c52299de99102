"""Hosts and their registrable domains, column by column."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.context.domains import bare_hosts, registrable, registrable_domains
from netinterf.table import Text


def slow(name: str) -> str:
    """Do the same for one name, label by label."""
    labels = name.split(".")
    if ":" in name or "[" in name or labels[-1][:1].isdigit():
        return ""
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-keep:])


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.example.com", "example.com"),
        ("example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("www.wikipedia.de", "wikipedia.de"),
        ("localhost", "localhost"),
        ("192.0.2.1", ""),
        ("2001:db8::1", ""),
        ("", ""),
    ],
)
def test_domains_of_names(name: str, domain: str) -> None:
    """Two labels, three below short second levels; addresses have none."""
    assert registrable(name) == domain


@given(st.lists(st.text("ab.:[1", max_size=12)))
def test_columns_agree_with_single_names(names: list[str]) -> None:
    """A column gives what each name gives alone, whatever stands beside it."""
    assert list(registrable_domains(Text.of(names))) == [slow(name) for name in names]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("example.com:8080", "example.com"),
        ("example.com.", "example.com"),
        ("example.com.:80", "example.com"),
        ("example.com", "example.com"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        (":", ""),
        (".", ""),
        ("", ""),
    ],
)
def test_hosts_lose_their_port(host: str, name: str) -> None:
    """Port and final dot go; IPv6 addresses are left alone."""
    assert bare_hosts(Text.of(["x:1", host, "y."]))[1] == name


def test_no_names() -> None:
    """Empty in, empty out."""
    assert len(bare_hosts(Text.empty(0, np.uint8))) == len(registrable_domains(Text.empty(0, np.uint8))) == 0
