"""What a lab scenario says, and the stage on which it says it: hosts, names, path, rules and errands as values."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.lab.certificates import authority

__all__ = ["Scenario", "Site", "Stage"]

SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "ta",
    "ve",
    "wi",
    "bre",
    "cla",
    "sto",
)
ENDINGS = ("com", "org", "net", "info", "io", "news", "co")
LINES = ("near_up", "near_down", "far_up", "far_down")
TRUSTED, STRANGER = "Lab Root", "Transit Security Gateway"


@attrs.frozen
class Scenario:
    """One play of the lab."""

    name: str
    says: str
    play: Callable[["Stage"], None]
    mechanism: str | None = None  # None: nobody interferes
    system: str = ""
    confounder: str = ""

    @property
    def family(self) -> str:
        """First word of the name, with ``benign.`` before it when nobody interferes."""
        first = self.name.split(".")[1 if self.name.startswith("benign.") else 0]
        return first if self.mechanism else "benign." + first


@attrs.frozen
class Site:
    """A server that was set up."""

    name: str
    address: str
    port: int
    tls: bool


class Stage:
    """Collects what one run needs; everything drawn from one seeded source.

    Attributes:
        rng: The source of chance.
        version: 4 or 6, drawn.
        rtt: Round trip between the ends in seconds, without queues.
        errands: What the client will do.
        rules: What the box will do.
        lines: The path, by direction and stretch.
    """

    def __init__(self, scenario: Scenario, seed: int, folder: Path) -> None:
        self.scenario, self.seed, self.folder = scenario, seed, folder
        self.rng = rng = random.Random(f"{scenario.name}/{seed}")
        self.version = rng.choice((4, 4, 6))
        self.four = f"192.168.{rng.randrange(256)}.{rng.randrange(2, 250)}"
        self.six = self.address(6)
        self.servers: list[list[dict[str, Any]]] = [[]]  # programs, each with its services
        self.aside: list[dict[str, Any]] = []
        self.hosts: list[str] = []
        self.spread: dict[str, int] = {}  # further hops to single hosts
        self.resolver = self.host()
        self.zones: dict[str, dict[str, Any]] = {}
        self.resolver_runs = True
        self.resolver_pause = rng.uniform(0.0005, 0.01)
        self.errands: list[dict[str, Any]] = []
        self.rules: list[dict[str, Any]] = []
        self.nat: dict[str, Any] | None = None
        self.settings: dict[str, dict[str, str]] = {"client": {}, "server": {}}
        self.controls: dict[str, str] = {}  # by socket: a namespace may not change its default
        for side in self.settings:
            self.congestion(rng.choice(("cubic", "cubic", "cubic", "reno", "bbr")), side)
        self.settings["client"]["ipv4/ip_default_ttl"] = str(rng.choice((64, 64, 128)))
        self.settings["server"]["ipv4/ip_default_ttl"] = str(rng.choice((64, 64, 64, 128, 255)))
        self.limit = 14.0  # seconds after which unfinished errands are left
        self.rtt = 0.02 * 10 ** rng.uniform(0, 1)
        share = rng.uniform(0.08, 0.6)  # where on the path the box sits
        rate = rng.uniform(2e6, 6e6)
        near, far = self.rtt / 2 * share, self.rtt / 2 * (1 - share)
        self.lines: dict[str, dict[str, Any]] = {
            "near_up": {"delay": near, "hops": rng.randrange(1, 4)},
            "near_down": {"delay": near, "rate": rate, "queue": int(rate * rng.uniform(0.05, 0.25))},
            "far_up": {"delay": far, "hops": rng.randrange(3, 13)},
            "far_down": {"delay": far},
        }
        self.lines["near_down"]["hops"] = self.lines["near_up"]["hops"]
        self.lines["far_down"]["hops"] = max(1, self.lines["far_up"]["hops"] + rng.randrange(-1, 2))
        for line in LINES:
            self.lines[line]["jitter"] = rng.uniform(5e-5, 6e-4)
        if rng.random() < 0.4:
            self.lossy(rng.uniform(0.001, 0.01))

    def congestion(self, kind: str, side: str = "server") -> None:
        """Let a host use a congestion control, or Reno where the kernel lacks it."""
        known = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text(encoding="utf-8").split()
        self.controls[side] = kind if kind in known else "reno"

    def address(self, version: int | None = None) -> str:
        """Draw a global address."""
        if (version or self.version) == 6:
            words = [f"{self.rng.randrange(1, 1 << 16):x}" for _ in range(7)]
            return f"2a0{self.rng.randrange(1, 10)}:" + ":".join(words)
        first = self.rng.choice([*range(12, 90), *range(128, 169), *range(193, 203), *range(204, 223)])
        return f"{first}.{self.rng.randrange(20, 250)}.{self.rng.randrange(256)}.{self.rng.randrange(2, 250)}"

    def host(self, version: int | None = None) -> str:
        """Give the far side another address."""
        self.hosts.append(self.address(version))
        self.spread[self.hosts[-1]] = self.rng.choice((0, 0, 1, 2, 3))
        return self.hosts[-1]

    def name(self, first: str = "www") -> str:
        """Draw a host name."""
        middle = "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randrange(3, 5)))
        return f"{first}.{middle}.{self.rng.choice(ENDINGS)}"

    def lossy(self, share: float, burst: float = 1.0) -> None:
        """Let the far stretch lose packets of servers, and a few of the client's."""
        self.lines["far_down"].update(loss=share, burst=burst)
        self.lines["far_up"]["loss"] = share / 4

    def clean(self) -> None:
        """Let the path lose nothing: for plays whose single packets matter."""
        for line in LINES:
            self.lines[line].pop("loss", None)

    def site(
        self, name: str = "", *, tls: bool = True, port: int = 0, address: str = "", program: int = 0, **service: Any
    ) -> Site:
        """Set up a web site, or another service, and its DNS entry."""
        name, address = name or self.name(), address or self.host()
        port = port or (443 if tls else 80)
        service |= {"addresses": [address], "port": port}
        issuer = service.pop("authority", TRUSTED)
        if tls:
            path = self.folder / f"{name}.{port}.pem"
            service["certificate"] = str(authority(issuer).issue(name, path))
        service.setdefault("pause", self.rng.uniform(0, 0.03))
        while len(self.servers) <= program:
            self.servers.append([])
        self.servers[program].append(service)
        self.zone(name, address)
        return Site(name, address, port, tls)

    def zone(self, name: str, *addresses: str, **options: Any) -> None:
        """Give a name addresses and the temperament of its zone."""
        entry = self.zones.setdefault(name, {"ttl": self.rng.choice((60, 300, 3600)), "apex": name.split(".", 1)[-1]})
        for address in addresses:
            entry.setdefault("AAAA" if ":" in address else "A", []).append(address)
        entry.update(options)

    def impostor(self, site: Site) -> None:
        """Put a host beside the box that answers in the place of a site with another certificate."""
        path = self.folder / f"{site.name}.other.pem"
        self.aside.append(
            {
                "addresses": [site.address],
                "port": site.port,
                "certificate": str(authority(STRANGER).issue(site.name, path)),
            }
        )

    def rule(self, rule: str, **values: Any) -> None:
        """Let the box do something; the mechanism is the scenario's unless given."""
        self.rules.append({"rule": rule, "mechanism": self.scenario.mechanism or "", **values})

    def visit(
        self,
        site: Site,
        at: float,
        *,
        size: int = 0,
        steps: Sequence[Sequence[Any]] | None = None,
        patience: float = 5.0,
        affected: bool = False,
        resolve: bool = True,
        **more: Any,
    ) -> None:
        """Let the client visit a site: look it up, connect, TLS, one request and its answer, close.

        Args:
            site: Where to.
            at: Seconds from the start.
            size: Bytes asked for, 0: drawn like a small page.
            steps: Other steps after ``connect`` (and ``tls``).
            patience: Seconds the client waits for anything.
            affected: The benign look-alike of the scenario happens here.
            resolve: Ask the resolver first.
            more: ``options`` of the socket, ``local_port``, ``trusting``.
        """
        size = size or int(self.rng.lognormvariate(9.5, 1.0)) + 500
        path = f"/{self.rng.choice(SYLLABLES)}-{size}.html"
        begin: list[Sequence[Any]] = [["resolve"], ["connect"]] if resolve else [["connect"]]
        if site.tls:
            begin.append(["tls"])
        self.errand(
            at,
            begin + list(steps if steps is not None else [["get", path], ["response"]]),
            name=site.name,
            address=site.address,
            port=site.port,
            patience=patience,
            affected=affected,
            **more,
        )

    def errand(
        self, at: float, steps: Sequence[Sequence[Any]], *, patience: float = 5.0, affected: bool = False, **more: Any
    ) -> None:
        """Let the client do steps of any kind."""
        self.errands.append(
            {
                "at": at,
                "steps": steps,
                "patience": patience,
                "affected": affected,
                "name": "",
                "port": 0,
                "family": self.version,
                **more,
            }
        )

    def query(self, name: str, at: float, kind: str = "", *, affected: bool = False, **options: Any) -> None:
        """Let the client ask the resolver."""
        kind = kind or ("AAAA" if self.version == 6 else "A")
        self.errand(at, [["query", name, kind, options]], name=name, affected=affected)

    def crowd(self, count: int = 3, spread: float = 3.0, **service: Any) -> list[Site]:
        """Add plain visits to other sites, which nobody touches."""
        sites = [self.site(tls=self.rng.random() < 0.75, **service) for _ in range(count)]
        for site in sites:
            self.visit(site, self.rng.uniform(0, spread))
        return sites
