"""What a capture shows in the terms of OONI's archival data format: visits made of lookups, connections and pages.

Packets hold what happened on the wire; the format holds operations, each with a beginning, an end and how it failed.
The modules here read the one from the tables of the other, whole columns at a time: `visits` says what belongs
together, `outcomes` how each operation of a connection ended, `lookups`, `pages` and `events` what was asked, answered,
sent and heard; `measurement` writes what is asked for.

Source: github.com/ooni/spec, data formats df-000 (base), df-001 (HTTP), df-002 (DNS), df-005 (TCP connect), df-006 (TLS
handshake), df-007 (failures) and df-008 (network events); nettest ts-027 (urlgetter).
"""

__all__: list[str] = []
