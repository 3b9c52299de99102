"""How operating systems differ on the wire: initial TTL, options, windows, identifiers, timers."""

import numpy as np

from netinterf.values import define, frozen

__all__ = ["Identifiers", "Stack", "draw_client", "draw_server"]


@frozen
class Stack:
    """The habits of one TCP/IP stack."""

    ttl: int = 64
    mss: int = 1460
    window: int = 64240  # field of the SYN
    window_field: int = 501  # field of later segments
    scale: int = 7  # negative: no window scaling
    timestamps: bool = True
    sack: bool = True
    order: str = "linux"  # of the options in a SYN: linux, windows or bsd
    id_mode: str = "socket"  # socket, global, random or zero
    dont_fragment: bool = True
    tos: int = 0
    congestion: str = "cubic"  # cubic, reno or bbr
    buffer: int = 0  # receive buffer in bytes; 0: as large as needed
    delayed_ack: float = 40e6  # ns that an acknowledgement may wait (RFC 9293 §3.8.6.3: at most 0.5 s)
    quick: int = 16  # segments acknowledged at once before acknowledgements are delayed (Linux TCP_MAX_QUICKACKS)
    probes: bool = True  # sends tail loss probes (RFC 8985 §7)
    challenge_acks: bool = True  # answers resets beside the expected number with a challenge (RFC 5961 §3.2)
    tries: int = 8  # retransmissions before it gives up
    syn_tries: int = 5


@define
class Identifiers:
    """Where IPv4 identifications come from."""

    mode: str
    last: int
    rng: np.random.Generator

    def take(self) -> int:
        """Give the identification of the next packet."""
        if self.mode == "zero":
            return 0
        if self.mode == "socket":
            self.last = (self.last + 1) % 2**16
            return self.last
        if self.mode == "random":
            return int(self.rng.random() * 2**16)
        self.last = (self.last + 1 + int(self.rng.random() * 5)) % 2**16
        return self.last


def draw_client(rng: np.random.Generator) -> Stack:
    """Draw a client: mostly Linux-like, some Windows-like or BSD-like stacks."""
    kind = rng.choice(["linux", "windows", "bsd"], p=[0.55, 0.25, 0.2])
    if kind == "windows":
        return Stack(ttl=128, window=64240, window_field=int(rng.integers(500, 1030)), scale=8, timestamps=False,
                     order="windows", id_mode="global", quick=0, tries=5, syn_tries=3)  # fmt: skip
    if kind == "bsd":
        return Stack(window=65535, window_field=int(rng.integers(1000, 2060)), scale=6, id_mode="zero", quick=4,
                     order="bsd",
                     delayed_ack=float(rng.choice([40e6, 100e6])))  # fmt: skip
    window = int(rng.choice([64_240, 65_535, 29_200], p=[0.75, 0.15, 0.1]))  # today's Linux, Android, older kernels
    field = -(-window // 128) if rng.random() < 0.7 else int(rng.integers(200, 600))
    return Stack(window=window, window_field=field, id_mode=str(rng.choice(["socket", "zero"], p=[0.85, 0.15])))


def draw_server(rng: np.random.Generator) -> Stack:
    """Draw a server: a Linux-like host, a load balancer with an initial TTL of 255, or one without timestamps."""
    ttl = int(rng.choice([64, 128, 255], p=[0.8, 0.1, 0.1]))
    return Stack(
        ttl=ttl,
        order={64: "linux", 128: "windows", 255: "bsd"}[ttl],
        mss=int(rng.choice([1460, 1440, 1400, 1380], p=[0.7, 0.1, 0.1, 0.1])),
        window=int(rng.choice([65_160, 65_535, 64_240, 28_960], p=[0.6, 0.15, 0.1, 0.15])),
        window_field=int(rng.integers(60, 1030)),
        scale=int(rng.choice([7, 8, 9, 13])),
        timestamps=bool(rng.random() < 0.8),
        id_mode=str(rng.choice(["socket", "zero", "random"], p=[0.7, 0.2, 0.1])),
        dont_fragment=bool(rng.random() < 0.95),
        tos=int(rng.choice([0, 0, 0, 0x20, 0x28])),
        congestion=str(rng.choice(["cubic", "reno", "bbr"], p=[0.7, 0.1, 0.2])),
        tries=int(rng.integers(5, 11)),
    )
