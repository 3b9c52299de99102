"""TLS that is answered with somebody else's certificate."""

from netinterf.analyzers.tls_interception.analyzer import TlsInterception

__all__ = ["TlsInterception"]
