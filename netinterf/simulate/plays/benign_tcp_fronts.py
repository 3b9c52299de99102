"""What stands before servers, or in place of them, and speaks with a header of its own when all is said."""

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.messages.http import http_answer, http_request
from netinterf.simulate.network.firewall import ResetLook
from netinterf.simulate.network.late import DataMarker, IdleCloser, LateGuard
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes, records, upload

__all__ = ["PLAYS"]

IDLE = (5, 10, 15, 30, 60)
"""Seconds after which front ends close what is idle: the defaults of Apache httpd (5), HAProxy's examples (10, 30), and
delivery networks and balancers (15, 60)."""


def late_segment_guard(setup: Setup) -> None:
    """A device that saw the server close resets each segment of an upload that still comes, each made from it."""
    look = ResetLook(ttl=setup.choice(255, 64, 128, int(setup.rng.integers(40, 255))), ip_id=setup.choice(0, 4711),
                acknowledges=setup.chance(0.7), ip_flags=setup.choice(0, 2))  # fmt: skip
    path = setup.path(door=[LateGuard(look)])
    for begin in setup.times(2, 4):
        knows = upload(setup, int(setup.log_uniform(500, 6_000)))
        late = Turn(True, records(setup.rng, int(setup.log_uniform(4_000, 60_000))), setup.log_uniform(1e5, 1e6))
        says = [*knows[:3], late, *knows[3:]]
        setup.meet(path, begin, says=says, knows=knows, apps=(App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD)))
    setup.visit(path, setup.log_uniform(1e8, 4e9), script=download(setup, 4_000), look_alike=False)


def idle_front_end(setup: Setup) -> None:
    """A front end at another hop closes or resets connections that were idle for a round number of seconds."""
    idle = setup.choice(*IDLE) * SECOND
    closer = IdleCloser(setup.scene.world, setup.choice(64, 128, 255, int(setup.rng.integers(40, 255))), idle / 2)
    path = setup.path(door=[closer])
    end = Ending.RESET if setup.chance(0.4) else Ending.CLOSE
    for begin in setup.times(2, 4):
        script = [*download(setup, int(setup.log_uniform(500, 20_000))), Turn(False, b"", idle)]
        setup.visit(path, begin, script=script, apps=(App(), App(ending=end)))


def marks_data_only(setup: Setup) -> None:
    """An old server sets the don't-fragment flag on data only, and its first data may be its last."""
    path = setup.path(door=[DataMarker()])
    for begin in setup.times(2, 5):
        request = http_request(setup.name)
        answer = http_answer(200, bytes(int(setup.log_uniform(20, 900))))
        script = [Turn(True, request, 1e6), Turn(False, answer, setup.log_uniform(1e6, 5e7))]
        setup.visit(path, begin, script=script, port=80, apps=(App(), App(ending=Ending.CLOSE)))


PLAYS = look_alikes("tcp", late_segment_guard, idle_front_end, marks_data_only)
