"""Payload bytes to message tables: DNS, TLS handshakes and HTTP/1 heads.

The parsers take bytes and give tables; they do no I/O and never raise on what the bytes hold. A message that cannot be
read to its end is a row with an error code and the offset where reading stopped.
"""

__all__: list[str] = []
