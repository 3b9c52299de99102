"""Bytes that hosts exchange: TCP options, TLS, HTTP, DNS, QUIC."""
