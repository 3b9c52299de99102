"""What came of an operation, by the failure that a probe wrote down.

Probes have written failures since 2012, and test helpers still use words that no probe does. What may mean several
things, such as EAI_AGAIN of a system's resolver (an error or silence), is not known, and neither is what is a matter of
the probe alone: no route, no address of that family.

Sources: github.com/ooni/spec df-007; the failures of ooni/probe-cli (netxlite) and of its test helper (oohelperd).
"""

from netinterf.observations.attempts import State

__all__ = ["ABRUPT", "NO_CONNECTION", "NO_NAME", "state_of"]

ABRUPT = frozenset({"connection_refused", "connection_refused_error", "connection_reset", "connection_lost_error"})
"""Refused or reset; Twisted calls a connection lost that was not closed."""

NO_NAME = frozenset({"dns_nxdomain_error", "dns_name_error"})
"""The answer that there is no such name (NXDOMAIN), the second in the words of test helpers and of the first probes. A
name without an address of the kind that was asked for (``dns_no_answer``) may exist."""

NO_CONNECTION = "dns_"
"""How failures begin that stopped a request before any connection: the lookup has a row of its own."""

STATES = {
    **dict.fromkeys(ABRUPT, State.BROKEN),
    **dict.fromkeys(
        ("generic_timeout_error", "tcp_timed_out_error", "deferred_timeout_error", "task_timed_out"), State.SILENT
    ),
    **dict.fromkeys(
        (
            *("eof_error", "connection_done", "response_never_received"),
            *("ssl_failed_handshake", "ssl_invalid_hostname", "ssl_unknown_authority", "ssl_unknown_autority"),
            *("ssl_invalid_certificate", "ssl_error", "quic_incompatible_version"),
            *("dns_refused_error", "dns_servfail_error", "dns_server_misbehaving", "dns_server_failure"),
            *("dns_name_failure", "dns_non_recoverable_failure"),
        ),
        State.HEARD,
    ),
    # that a name does not exist, or has no address, is an answer; so is an address that no server can have
    **dict.fromkeys((*NO_NAME, "dns_no_answer", "dns_bogon_error"), State.ANSWERED),
}


def state_of(failure: str) -> State:
    """Say what came of an operation; the empty failure is success."""
    return STATES.get(failure, State.UNKNOWN) if failure else State.ANSWERED
