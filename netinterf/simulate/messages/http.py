"""HTTP/1.1 requests and answers (RFC 9112)."""

__all__ = ["http_request"]


def http_request(name: str, target: str = "/") -> bytes:
    """Build an HTTP/1.1 request head (RFC 9112 §3)."""
    return f"GET {target} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: example/1.0\r\nAccept: */*\r\n\r\n".encode()
