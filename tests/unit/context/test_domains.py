"""Hosts and their registrable domains, column by column."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.context.domains import bare_hosts, operator_domains, registrable_domains, within
from netinterf.context.suffixes import read_rules, suffix_rules
from netinterf.table import Text
from tests.oracles import naive_domains

LISTED = naive_domains.packaged()
OF_ALL, OF_REGISTRIES = naive_domains.rules_of(LISTED), naive_domains.rules_of(LISTED, private=False)


def registrable(name: str) -> str:
    """Ask for one name."""
    return registrable_domains(Text.of([name]))[0]


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.example.com", "example.com"),
        ("example.com", "example.com"),
        ("m.ok.ru", "ok.ru"),  # a short second level of a country that is no suffix
        ("ok.ru", "ok.ru"),
        ("a.b.t.co", "t.co"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("alice.github.io", "alice.github.io"),
        ("www.bob.github.io", "bob.github.io"),
        ("x.uk.com", "x.uk.com"),
        ("www.example.unlisted", "example.unlisted"),
        ("a.b.mm", "a.b.mm"),  # *.mm
        ("x.a.b.mm", "a.b.mm"),
        ("a.b.test.ck", "b.test.ck"),  # *.ck
        ("www.www.ck", "www.ck"),  # !www.ck
        ("www.city.kobe.jp", "city.kobe.jp"),
        ("www.c.kobe.jp", "www.c.kobe.jp"),
        ("www.test.k12.ak.us", "test.k12.ak.us"),
        ("www.食狮.公司.cn", "食狮.公司.cn"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("a.xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_domains_of_names(name: str, domain: str) -> None:
    """The public suffix and one label: both sections, wildcards, exceptions, either spelling of other alphabets."""
    assert registrable(name) == domain


@pytest.mark.parametrize("name", ["com", "co.uk", "github.io", "ck", "test.ck", "c.kobe.jp", "localhost", "公司.cn"])
def test_suffixes_and_single_labels_are_their_own(name: str) -> None:
    """Who is asked for a public suffix itself, or for a name of one label, is asked for that."""
    assert registrable(name) == registrable(f"{name.upper()}.") == name


@pytest.mark.parametrize("name", ["192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:443", "", "."])
def test_addresses_have_no_domain(name: str) -> None:
    """No top-level domain begins with a digit, and no name holds colons."""
    assert registrable(name) == ""


def test_case_ports_and_final_dots_do_not_matter() -> None:
    """Names are compared as resolvers do."""
    assert {registrable(one) for one in ("WwW.Example.CO.uk", "example.co.uk.", "a.example.co.UK:8080")} == {
        "example.co.uk"
    }


def test_what_one_company_hosts_is_run_by_it() -> None:
    """Names that a company gives away belong to different people, at the same servers."""
    names = Text.of(["alice.github.io", "bob.github.io", "m.ok.ru", "a.co.uk", "x.s3.amazonaws.com"])
    assert list(registrable_domains(names)) == ["alice.github.io", "bob.github.io", "ok.ru", "a.co.uk", names[4]]
    assert list(operator_domains(names)) == ["github.io", "github.io", "ok.ru", "a.co.uk", "amazonaws.com"]


ENDS = ["com", "co.uk", "ck", "www.ck", "github.io", "kobe.jp", "city.kobe.jp", "公司.cn", "xn--55qx5d.cn", "zz", ""]
LABELS = st.sampled_from(["a", "WWW", "www", "x--y", "食", "1", "", "city", "compute"])
HOSTS = st.builds(
    lambda labels, end, tail: ".".join([*labels, end]) + tail,
    st.lists(LABELS, max_size=4),
    st.sampled_from(ENDS) | st.sampled_from([".".join(rule[::-1]) for below in OF_ALL.values() for _, rule in below]),
    st.sampled_from(["", "", ".", ":80", ".:80", "..", ":1:2"]),
)


@given(st.lists(HOSTS | st.text("ab.:[1", max_size=12), max_size=8))
def test_columns_agree_with_single_names(hosts: list[str]) -> None:
    """A column gives what the algorithm gives for each name alone, whatever stands beside it."""
    column = Text.of(hosts)
    assert list(registrable_domains(column)) == [naive_domains.domain(host, OF_ALL) for host in hosts]
    assert list(operator_domains(column)) == [naive_domains.domain(host, OF_REGISTRIES) for host in hosts]


def test_a_list_without_a_second_section() -> None:
    """Comments, empty lines and what stands behind a space are no rules."""
    rules = read_rules("// VERSION: 1\n\n// ck\n*.ck  remark\n!www.ck\n a line that begins with a space\n")
    assert (sorted(rules.name), rules.version) == (["ck", "www.ck"], "1")
    assert np.array_equal(rules.icann, rules.all_sections)
    assert len(set(suffix_rules().hashes.tolist())) == len(suffix_rules().name)  # or one would hide another


def test_the_list_is_read_when_names_are_compared() -> None:
    """Importing the library, and addresses alone, do not read it."""
    script = (
        "import netinterf; from netinterf.context import suffixes, domains; from netinterf.table import Text\n"
        "domains.registrable_domains(Text.of(['192.0.2.1', '']))\n"
        "assert suffixes.suffix_rules.cache_info().currsize == 0\n"
        "domains.registrable_domains(Text.of(['example.org']))\n"
        "assert suffixes.suffix_rules.cache_info().currsize == 1\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("example.com:8080", "example.com"),
        ("Example.COM.", "example.com"),
        ("example.com.:80", "example.com"),
        ("example.com", "example.com"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        (":", ""),
        (".", ""),
        ("", ""),
    ],
)
def test_hosts_lose_their_port(host: str, name: str) -> None:
    """Port, final dot and case go; IPv6 addresses are left alone."""
    assert bare_hosts(Text.of(["x:1", host, "y."]))[1] == name


def test_no_names() -> None:
    """Empty in, empty out."""
    assert len(bare_hosts(Text.empty(0, np.uint8))) == len(registrable_domains(Text.empty(0, np.uint8))) == 0


@given(st.lists(st.text("ab.", max_size=6)), st.text("ab.", min_size=1, max_size=3))
def test_what_lies_within_a_domain(names: list[str], domain: str):
    """A name lies within a domain that it is, or that it ends with behind a dot."""
    expected = [name == domain or name.endswith("." + domain) for name in names]
    assert within(Text.of(names), domain).tolist() == expected
