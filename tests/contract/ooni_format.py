"""The archival data format of OONI as a JSON Schema, written from its published description.

Source: github.com/ooni/spec, data formats df-000 to df-008 and nettest ts-027 (urlgetter); what oonidata's models take.
"""

import copy

TEXT, MAYBE_TEXT, MAYBE_NUMBER = {"type": "string"}, {"type": ["string", "null"]}, {"type": ["number", "null"]}
COUNT = {"type": "integer", "minimum": 0}
FAILURE = {
    "enum": [
        None,
        *("connection_refused", "connection_reset", "eof_error", "generic_timeout_error"),
        *("dns_no_answer", "dns_nxdomain_error", "dns_refused_error", "dns_servfail_error", "dns_server_misbehaving"),
        *("host_unreachable", "network_unreachable"),
        *("ssl_failed_handshake", "ssl_invalid_certificate", "ssl_invalid_hostname", "ssl_unknown_authority"),
    ]
}
ADDRESS = {"type": "string", "pattern": r"^(\[[0-9a-f:.]+\]|[0-9.]+):[0-9]+$"}
DATE = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"}


def told(required, *, optional=None):
    """Describe an object with these keys and no others."""
    every = {**required, **(optional or {})}
    return {"type": "object", "properties": every, "required": list(required), "additionalProperties": False}


def listed(items):
    """Describe a list."""
    return {"type": "array", "items": items}


TIMES = {"t": {"type": "number"}, "t0": MAYBE_NUMBER, "transaction_id": {"type": "integer", "minimum": 1}}
BINARY = told({"data": TEXT, "format": {"const": "base64"}})
ANSWER = told({"answer_type": TEXT, "ttl": COUNT}, optional={"hostname": TEXT, "ipv4": TEXT, "ipv6": TEXT})
QUERY = told(
    {
        "answers": {"anyOf": [{"type": "null"}, listed(ANSWER)]},
        "engine": {"enum": ["udp", "tcp"]},
        "failure": FAILURE,
        "hostname": TEXT,
        "query_type": TEXT,
        "raw_response": MAYBE_TEXT,
        "rcode": {"type": ["integer", "null"]},
        "resolver_address": ADDRESS,
        **TIMES,
    }
)
STATUS = told({"failure": FAILURE, "success": {"type": "boolean"}})
CONNECT = told({"ip": TEXT, "port": COUNT, "status": STATUS, **TIMES})
HANDSHAKE = told(
    {
        "address": ADDRESS,
        "cipher_suite": MAYBE_TEXT,
        "failure": FAILURE,
        "negotiated_protocol": MAYBE_TEXT,
        "network": {"enum": ["tcp", "udp"]},
        "no_tls_verify": {"type": ["boolean", "null"]},
        "peer_certificates": listed(BINARY),
        "server_name": MAYBE_TEXT,
        "tags": listed(TEXT),
        "tls_version": MAYBE_TEXT,
        **TIMES,
    }
)
HEADERS = {
    "headers": {"type": "object", "additionalProperties": TEXT},
    "headers_list": listed({"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}),
    "body": {"type": "null"},
    "body_is_truncated": {"type": "boolean"},
}
TOR = told({"exit_ip": {"type": "null"}, "exit_name": {"type": "null"}, "is_tor": {"const": False}})
REQUEST = told({"method": TEXT, "url": TEXT, "tor": TOR, **HEADERS})
RESPONSE = told({"code": COUNT, **HEADERS})
TRANSACTION = told(
    {
        "address": ADDRESS,
        "alpn": TEXT,
        "failure": FAILURE,
        "network": {"const": "tcp"},
        "request": REQUEST,
        "response": {"anyOf": [{"type": "null"}, RESPONSE]},
        **TIMES,
    }
)
OPERATIONS = ["connect", "read", "write", "read_from", "write_to"]
OPERATIONS += [f"{kind}_handshake_{end}" for kind in ("tls", "quic") for end in ("start", "done")]
EVENT = told(
    {"address": ADDRESS, "failure": FAILURE, "operation": {"enum": OPERATIONS}, "proto": {"enum": ["tcp", "udp"]}}
    | TIMES,
    optional={"num_bytes": {"type": "integer", "minimum": 1}},
)
STAGES = ["resolve", "connect", "tls_handshake", "quic_handshake", "http_round_trip"]
FINDINGS = told(
    {
        "schema": {"const": 1},
        "capture": TEXT,
        "client": TEXT,
        "verdicts": {"type": "array", "minItems": 1},
        "groups": {"type": "array"},
        "unseen": listed(told({"transaction_id": COUNT, "operation": {"enum": STAGES}})),
        "events_left_out": COUNT,
        "named_by_answer": listed(COUNT),
    }
)
TEST_KEYS = told(
    {
        "agent": {"type": "null"},
        "network_events": listed(EVENT),
        "queries": listed(QUERY),
        "requests": listed(TRANSACTION),
        "socksproxy": {"type": "null"},
        "tcp_connect": listed(CONNECT),
        "tls_handshakes": listed(HANDSHAKE),
        "x_dns_late_replies": listed(QUERY),
        "x_netinterf": FINDINGS,
    },
    optional={"failure": FAILURE, "failed_operation": {"enum": [None, *STAGES]}},
)
MEASUREMENT = told(
    {
        "annotations": {"type": "object", "additionalProperties": TEXT, "required": ["note"]},
        "data_format_version": {"const": "0.2.0"},
        "extensions": {"type": "object", "additionalProperties": {"const": 0}},
        "input": {"type": "string", "pattern": "^(https|http|dnslookup|tcpconnect|udp)://."},
        "measurement_start_time": DATE,
        "options": {"const": []},
        "probe_asn": {"const": "AS0"},
        "probe_cc": {"const": "ZZ"},
        "probe_ip": {"const": "127.0.0.1"},
        "probe_network_name": {"const": ""},
        "report_id": {"const": ""},
        "resolver_asn": {"const": "AS0"},
        "resolver_ip": {"const": "127.0.0.2"},
        "resolver_network_name": {"const": ""},
        "software_name": {"const": "netinterf"},
        "software_version": TEXT,
        "test_keys": TEST_KEYS,
        "test_name": {"const": "urlgetter"},
        "test_runtime": {"type": "number", "minimum": 0},
        "test_start_time": DATE,
        "test_version": TEXT,
    }
)
"""One line."""


def failed():
    """Describe the measurement of a capture that could not be read: it failed, and nothing was tried."""
    described = copy.deepcopy(MEASUREMENT)
    described["properties"]["input"] = {"type": "null"}
    keys = described["properties"]["test_keys"]["properties"]
    keys["failure"] = {"type": "string", "pattern": "^unknown_failure: ."}
    keys["failed_operation"] = {"type": "null"}
    findings = keys["x_netinterf"]["properties"]
    findings["client"] = {"type": "null"}
    for properties in (keys, findings):
        properties |= {key: {"const": []} for key, value in properties.items() if value.get("type") == "array"}
    return described


FAILED = failed()
