"""Measurements as OONI documents them: of a probe of today, and of a visit that comes to a given end."""

import base64
import datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

START = "2024-02-12 18:44:32"
START_NS = int(datetime.datetime(2024, 2, 12, 18, 44, 32, tzinfo=datetime.UTC).timestamp()) * 10**9
ISSUER = "CN=Example CA,O=Example"


def certificate() -> tuple[str, str]:
    """Make a certificate as measurements show them, and hash its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    issuer = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Example CA"),
        ]
    )
    builder = x509.CertificateBuilder().issuer_name(issuer).subject_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + datetime.timedelta(90))
    made = builder.sign(key, hashes.SHA256())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode(), sha256(public).hexdigest()


CERTIFICATE, KEY = certificate()


def measured(keys: dict[str, Any], **base: Any) -> dict[str, Any]:
    """Write a measurement."""
    return {
        "annotations": {}, "data_format_version": "0.2.0", "input": "https://www.example.com/", "probe_asn": "AS30722",
        "measurement_start_time": START, "probe_cc": "IT", "probe_ip": "127.0.0.1", "resolver_asn": "AS137",
        "resolver_ip": "192.0.2.53", "software_name": "ooniprobe", "test_name": "web_connectivity",
        "test_keys": keys, "test_version": "0.5.28", **base,
    }  # fmt: skip


def address(kind: str, shown: str) -> dict[str, Any]:
    """Write an answer."""
    return {"answer_type": kind, "ipv4" if kind == "A" else "ipv6": shown, "ttl": None, "asn": 15133}


def connected(ip: str, port: int, number: int, failure: str | None = None, t0: float = 0.25) -> dict[str, Any]:
    """Write a connection."""
    status = {"failure": failure, "success": failure is None}
    return {"ip": ip, "port": port, "status": status, "t0": t0, "t": t0 + 0.1, "transaction_id": number}


MODERN = measured(
    {
        "queries": [
            {"answers": [address("A", "192.0.2.80"), address("AAAA", "2001:db8::80")], "engine": "getaddrinfo",
             "failure": None, "hostname": "www.example.com", "query_type": "ANY", "resolver_address": "",
             "t0": 0.0001, "t": 0.006, "transaction_id": 1},
            {"answers": None, "engine": "udp", "failure": "dns_nxdomain_error", "hostname": "WWW.example.com.",
             "query_type": "A", "resolver_address": "198.51.100.9:53", "t0": 0.0001, "t": 0.006, "transaction_id": 2},
            {"answers": [address("A", "192.0.2.99")], "engine": "doh", "failure": None, "hostname": "www.example.com",
             "resolver_address": "https://dns.example/dns-query", "t": 0.1},
            {"answers": [address("A", "192.0.2.80")], "failure": None, "hostname": "192.0.2.80", "t": 0.0},
        ],
        "tcp_connect": [
            connected("192.0.2.80", 443, 3), connected("2001:db8::80", 443, 4, "generic_timeout_error"),
            connected("192.0.2.80", 80, 5), connected("192.0.2.81", 80, 6, "connection_refused"),
            connected("192.0.2.82", 443, 7),
        ],
        "tls_handshakes": [
            {"network": "tcp", "address": "192.0.2.80:443", "failure": None, "server_name": "www.example.com",
             "peer_certificates": [{"data": CERTIFICATE, "format": "base64"}], "t0": 0.4, "t": 0.5,
             "transaction_id": 3},
            {"network": "tcp", "address": "192.0.2.82:443", "failure": "connection_reset", "t": 0.5,
             "server_name": "www.example.com", "peer_certificates": [], "transaction_id": 7},
            {"network": "udp", "address": "192.0.2.80:443", "failure": "generic_timeout_error", "t0": 0.5, "t": 10.5,
             "server_name": "www.example.com", "transaction_id": 8},
        ],
        "requests": [
            {"network": "tcp", "address": "192.0.2.80:443", "failure": None, "transaction_id": 3, "t0": 0.6, "t": 0.7,
             "request": {"url": "https://www.example.com/", "x_transport": "tcp"},
             "response": {"code": 200, "body": "x" * 5000}},
            {"network": "tcp", "address": "192.0.2.80:80", "failure": "eof_error", "transaction_id": 5, "t": 0.7,
             "request": {"url": "http://www.example.com/", "x_transport": "tcp"}, "response": {"code": 0}},
        ],
        "control": {
            "dns": {"failure": None, "addrs": ["192.0.2.80", "192.0.2.81", "192.0.2.82"]},
            "tcp_connect": {"192.0.2.80:443": {"status": True, "failure": None},
                            "[2001:db8::80]:443": {"status": False, "failure": "generic_timeout_error"},
                            "192.0.2.81:80": {"status": False, "failure": None}},
            "tls_handshake": {"192.0.2.80:443": {"server_name": "www.example.com", "status": True, "failure": None}},
            "quic_handshake": {}, "http_request": {"body_length": 5000, "failure": None, "status_code": 200},
            "http3_request": None,
        },
        "blocking": "tcp_ip", "accessible": False,
    }
)  # fmt: skip


def visit(name: str, ip: str, hour: float = 0, **how: Any) -> dict[str, Any]:
    """Write a visit of a page over HTTPS, with the test helper's view of it.

    Args:
        name: Of the page.
        ip: Where it lives.
        hour: When, from `START`.
        how: ``answer``, if the name was answered otherwise; failures of ``tcp``, ``tls`` and ``page``, and of
            ``control``; ``blocking`` as the probe says, ``asn``, and other keys of the measurement.
    """
    answer, control = how.pop("answer", ip), how.pop("control", None)
    tcp, tls, page, asn = (how.pop(key, None) for key in ("tcp", "tls", "page", "asn"))
    began = datetime.datetime.fromisoformat(START) + datetime.timedelta(hours=hour)
    server = {"address": f"{answer}:443", "network": "tcp", "transaction_id": 3, "t0": 0.4, "t": 0.5}
    shaken = server | {"failure": tls, "server_name": name, "peer_certificates": []}
    loaded = server | {
        "failure": page,
        "request": {"url": f"https://{name}/"},
        "response": {"code": 0 if page else 200},
    }
    seen = {"status": control is None, "failure": control}
    keys = {
        "queries": [{"answers": [address("A", answer)], "engine": "getaddrinfo", "failure": None, "hostname": name,
                     "query_type": "ANY", "resolver_address": "", "t0": 0.001, "t": 0.01, "transaction_id": 1}],
        "tcp_connect": [connected(answer, 443, 3, tcp)],
        "tls_handshakes": [] if tcp else [shaken],
        "requests": [] if tcp or tls else [loaded],
        "control": {"dns": {"failure": None, "addrs": [ip]},
                    "tcp_connect": {f"{ip}:443": {"status": True, "failure": None}},
                    "tls_handshake": {f"{ip}:443": {"server_name": name, **seen}},
                    "http_request": {"failure": control, "status_code": -1 if control else 200}},
        "blocking": how.pop("blocking", False), "accessible": not (tcp or tls or page),
    }  # fmt: skip
    asn = asn or "AS30722"
    told = {"probe_asn": asn, "resolver_asn": asn, "report_id": f"{hour}_{asn}", "input": f"https://{name}/"}
    return measured(keys, measurement_start_time=began.strftime("%Y-%m-%d %H:%M:%S"), **told | how)
