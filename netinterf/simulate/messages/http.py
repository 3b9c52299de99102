"""HTTP/1.1 requests and answers (RFC 9112), ordinary and as boxes on the path forge them.

Forged answers follow the shapes that were published: an iframe that shows a page of the censor's, a notice, a redirect
to a stub, a script added to a page. The words of notices are our own; only the marks that reports name are theirs.
"""

import numpy as np

__all__ = ["drawn_request", "http_answer", "http_request", "iframe_page", "notice_page", "redirect", "script_page"]

REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect",
           400: "Bad Request", 403: "Forbidden", 404: "Not Found", 406: "Not Acceptable", 413: "Content Too Large",
           429: "Too Many Requests", 451: "Unavailable For Legal Reasons", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout"}  # fmt: skip
"""Reason phrases of the status codes used here (RFC 9110 §15, RFC 6585 §4, RFC 7725 §3)."""

FILLING = ("page", "access", "request", "address", "network", "operator", "rules", "content", "contact", "number")


AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "curl/8.5.0",
    "Go-http-client/1.1",
    "python-requests/2.32.3",
)


def http_request(name: str, target: str = "/") -> bytes:
    """Build an HTTP/1.1 request head (RFC 9112 §3)."""
    return f"GET {target} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: example/1.0\r\nAccept: */*\r\n\r\n".encode()


def drawn_request(rng: np.random.Generator, name: str) -> bytes:
    """Build the request head of some browser or tool, for some page."""
    target = str(rng.choice(["/", "/", "/index.html", "/favicon.ico", f"/{rng.integers(1, 10**6)}"]))
    agent = str(rng.choice(AGENTS))
    fields = [f"Host: {name}", f"User-Agent: {agent}", "Accept: */*"]
    if agent.startswith("Mozilla"):
        fields += ["Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate", "Connection: keep-alive"]
    elif rng.random() < 0.3:
        fields[0], fields[1] = fields[1], fields[0]
    return "\r\n".join([f"GET {target} HTTP/1.1", *fields, "", ""]).encode()


def http_answer(status: int, body: bytes, headers: tuple[tuple[str, str], ...] = (), *, closes: bool = False) -> bytes:
    """Build a whole HTTP/1.1 answer (RFC 9112 §4).

    Args:
        status: Status code.
        body: Content.
        headers: Fields besides the length, in order.
        closes: Say that the connection ends with this answer.
    """
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", *(f"{name}: {value}" for name, value in headers)]
    lines += ["Connection: close"] * closes + [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def iframe_page(rng: np.random.Generator, source: str, *, status: int = 403) -> bytes:
    """Build a page that is nothing but an iframe of *source* (Iran: Aryan et al., FOCI 2013; Saudi Arabia)."""
    title = source.split("/")[2] if rng.random() < 0.5 else f"M{rng.integers(1, 9)}-{rng.integers(1, 99)}"
    size = 'style="width: 100%; height: 100%"' if rng.random() < 0.5 else 'width="100%" height="100%"'
    body = (
        f"<html><head><title>{title}</title></head><body>"
        f'<iframe src="{source}" {size} scrolling="no" marginwidth="0" marginheight="0" frameborder="0"></iframe>'
        "</body></html>\r\n"
    )
    return http_answer(status, body.encode(), closes=True)


def notice_page(
    rng: np.random.Generator, marks: tuple[str, ...], *, status: int = 200, server: str = "", least: int = 0
) -> bytes:
    """Build a page that says that access is denied.

    Args:
        rng: Source of the filling, of its length and of optional headers.
        marks: Words that must occur: names of products, laws, addresses.
        status: Status code.
        server: Value of the Server field; an empty one leaves it out.
        least: Least bytes of the body.
    """
    words = [str(rng.choice(FILLING)) for _ in range(int(rng.integers(8, 60)))]
    while sum(map(len, words)) < least:
        words += [str(rng.choice(FILLING)) for _ in range(50)]
    paragraphs = "".join(f"<p>{mark}</p>\n" for mark in marks)
    body = (
        f"<html>\n<head><title>{marks[0]}</title></head>\n<body>\n{paragraphs}<p>{' '.join(words)}</p>\n</body></html>"
    )
    headers = [("Server", server)] if server else []
    headers += [("Cache-Control", "no-cache")] if rng.random() < 0.5 else []
    headers.append(("Content-Type", str(rng.choice(["text/html", "text/html; charset=utf-8"]))))
    return http_answer(status, body.encode(), tuple(headers), closes=bool(rng.random() < 0.8))


def redirect(rng: np.random.Generator, location: str, *, status: int = 302) -> bytes:
    """Build a redirect to a page of the censor's, mostly with an empty body."""
    body = (
        b"" if rng.random() < 0.7 else f'<html><body><a href="{location}">{REASONS[status]}</a></body></html>'.encode()
    )
    headers = [("Location", location)] + ([("Cache-Control", "no-store")] if rng.random() < 0.4 else [])
    return http_answer(status, body, tuple(headers), closes=bool(rng.random() < 0.7))


def script_page(rng: np.random.Generator, source: str, target: str = "") -> bytes:
    """Build a page that loads a script of the injector's and then, if *target* is given, shows the page asked for."""
    shown = f'<iframe src="{target}" width="100%" height="100%"></iframe>' if target else ""
    filler = "<!-- " + "x" * int(rng.integers(0, 400)) + " -->"
    body = f'<html><head><script src="{source}"></script></head><body>{shown}{filler}</body></html>'
    return http_answer(200, body.encode(), (("Content-Type", "text/html"),), closes=bool(rng.random() < 0.7))
