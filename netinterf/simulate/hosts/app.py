"""What the program at one end of a connection does: how it ends, how patient it is, how fast it reads."""

import enum

from netinterf.values import frozen

__all__ = ["App", "Ending", "Turn"]


class Ending(enum.Enum):
    """What an end does when its script is over."""

    WAIT = "wait"  # closes when the other end has closed
    CLOSE = "close"  # sends FIN
    ABORT = "abort"  # closes with unread data: RST/ACK (RFC 9293 §3.10.4, RFC 2525 §2.17)
    CLOSE_HARD = "close_hard"  # sends FIN and forgets the connection: later data meets RST
    IDLE_RESET = "idle_reset"  # resets the connection after it was idle, as load balancers do
    REFUSE = "refuse"  # nobody listens
    SILENT = "silent"  # stays open
    RESET = "reset"  # sends RST/ACK once the script is over, as programs do that close without lingering


@frozen(kw_only=True)
class App:
    """The program at one end; durations in ns."""

    ending: Ending = Ending.WAIT
    abort_at: int = 0  # received bytes at which ABORT strikes
    idle: float = 60e9  # before IDLE_RESET strikes
    goodbye: bytes = b""  # said in answer to a FIN, before the own one
    patience: float = 0.0  # gives up when the next turn of the other end does not come for so long; 0 never
    resets: bool = False  # gives up with RST/ACK, not with FIN
    dies: float = 0.0  # after the connection began the host falls silent for good; 0 never
    revives: float = 0.0  # after it died the host answers again, with resets since it forgot everything; 0 never
    keepalive: float = 0.0  # probes after so long without a segment (RFC 9293 §3.8.4); 0 never
    read_rate: float = 0.0  # bytes/s that the program reads; 0 as they come


@frozen
class Turn:
    """What one end says once it has heard all earlier turns of the other."""

    outbound: bool
    payload: bytes
    delay: float = 0.0  # ns of thinking before it
