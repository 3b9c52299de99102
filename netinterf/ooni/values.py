"""Values of JSON that anybody may have written: each is what it should be, or nothing.

Measurements are written by programs of twelve years and travel through many hands. A key that is missing, null or of
another type says nothing; it is no reason to lose the rest.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from netinterf.context.network_lines import read_asn, read_country
from netinterf.context.special import prefix_halves
from netinterf.context.suffixes import a_label
from netinterf.protocols.certificates import read_certificate

__all__ = [
    "Address", "Endpoint", "Shown", "asn_in", "certificate_in", "country_in", "dict_in", "endpoint_of", "failure_in",
    "halves_of", "host_of", "list_in", "name_of", "number_in", "text_in", "time_of",
]  # fmt: skip

Address = tuple[int, int]
Endpoint = tuple[int, int, int]
Shown = tuple[str, str]

MOST = 2000
"""Operations in a list: what belongs together is searched among all of them, and probes write some hundred at most."""
LONGEST_NAME = 253  # RFC 1035 §2.3.4
LONGEST_ADDRESS = 64  # IPv6 takes 45 (POSIX, INET6_ADDRSTRLEN), and brackets or the name of an interface
LARGEST_PORT = 65535
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 1 << 32  # s since 1970, in 2106
LARGEST = 2.0**31
"""Numbers beyond it are no times within a measurement, no status and no port."""


def dict_in(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Take an object, empty if there is none."""
    value = holder.get(key)
    return value if isinstance(value, Mapping) else {}


def list_in(holder: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Take the objects of a list, none if there is no list.

    Raises:
        ValueError: There are more than a probe can have written.
    """
    value = holder.get(key)
    if not isinstance(value, list):
        return []
    if len(value) > MOST:
        raise ValueError(f"it has more than {MOST:,} {key}")
    return [entry for entry in value if isinstance(entry, Mapping)]


def text_in(holder: Mapping[str, Any], key: str) -> str:
    """Take a string, empty if there is none; what UTF-8 cannot hold is replaced."""
    value = holder.get(key)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def number_in(holder: Mapping[str, Any], key: str) -> float:
    """Take a number, 0 if there is none."""
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if abs(value) < LARGEST else 0.0


def failure_in(holder: Mapping[str, Any]) -> str:
    """Take a failure, empty for success."""
    return text_in(holder, "failure")


def asn_in(holder: Mapping[str, Any], key: str) -> int:
    """Take the number of an autonomous system, 0 if there is none."""
    try:
        return read_asn(text_in(holder, key))
    except ValueError:
        return 0


def country_in(holder: Mapping[str, Any], key: str) -> int:
    """Take a country as `netinterf.context.networks.country_code` writes it; 0 for none, which ZZ stands for, too."""
    try:
        return 0 if text_in(holder, key).upper() == "ZZ" else read_country(text_in(holder, key))
    except ValueError:
        return 0


def halves_of(written: str) -> Address | None:
    """Read an address as halves, None if it is none."""
    return _halves(written) if len(written) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=1 << 14)
def _halves(written: str) -> Address | None:
    """Read one address, of which a measurement holds the same in many places."""
    try:
        return prefix_halves(str(ip_address(written.strip("[]"))))[:2]
    except ValueError:
        return None


def endpoint_of(written: str) -> Endpoint | None:
    """Read an address and a port, None if they are none."""
    host, _, port = written.rpartition(":")
    address = halves_of(host)
    if address is None or not (port.isascii() and port.isdecimal()) or int(port) > LARGEST_PORT:
        return None
    return (*address, int(port))


def name_of(written: str) -> str:
    """Write a host as a name is written that is asked for; empty for an address, and for what is no name."""
    name = written.lower().rstrip(".")
    return "" if len(name) > LONGEST_NAME or halves_of(name) is not None or any(map(str.isspace, name)) else name


@lru_cache(maxsize=1 << 10)
def host_of(url: str) -> tuple[str, str]:
    """Take scheme and name out of a URL, or the name alone out of what is none; spelled in ASCII."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "")[: LONGEST_NAME + 1]
        return parts.scheme.lower(), name_of(".".join(map(a_label, host.split("."))))
    except ValueError:
        return "", ""


def certificate_in(handshake: Mapping[str, Any]) -> Shown:
    """Say who issued the certificate that a handshake showed first, and the hash of its key; empty if it showed none.

    The key is hashed by SHA-256, in hexadecimal.
    """
    for certificate in list_in(handshake, "peer_certificates")[:1]:
        return _shown(text_in(certificate, "data"))
    return "", ""


@lru_cache(maxsize=1 << 10)
def _shown(data: str) -> Shown:
    """Read issuer and key of one certificate, of which measurements of one name show the same."""
    try:
        certificate = read_certificate(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        return "", ""
    return ("", "") if certificate is None else (certificate.issuer, sha256(certificate.key).hexdigest())


def time_of(measurement: Mapping[str, Any]) -> int:
    """Say when a measurement began, ns since 1970 UTC.

    Raises:
        ValueError: It does not tell.
    """
    for key in ("measurement_start_time", "test_start_time"):
        try:
            began = datetime.fromisoformat(text_in(measurement, key))
        except ValueError:
            continue
        seconds = int((began.replace(tzinfo=began.tzinfo or UTC) - EPOCH).total_seconds())
        if 0 <= seconds < LATEST:
            return seconds * 1_000_000_000
    raise ValueError("it does not tell when it began")
