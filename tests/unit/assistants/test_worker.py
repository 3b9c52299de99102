"""The other process: what takes too long, is not wanted any more, or dies costs its own answer only."""

import anyio
import pytest

from netinterf.assistants.server import answered
from netinterf.assistants.setting import Setting
from netinterf.assistants.worker import Worker
from tests.unit.assistants.desks import Bad


@pytest.fixture
def worker(tmp_path):
    """Give a process that answers badly, and end it."""
    one = Worker(Setting(root=str(tmp_path)), Bad)
    yield one
    one.end()


def ask(worker, name, seconds=30.0, **arguments):
    """Ask one question."""
    return anyio.run(answered, worker, name, arguments, seconds)


def test_one_process_answers_until_it_is_ended(worker):
    """It is started by the first question, and again by the first after its end."""
    first, second = ask(worker, "say", number=1), ask(worker, "say", number=2)
    assert first["process"] == second["process"]
    assert (first["number"], second["number"]) == (1, 2)
    worker.end()
    assert ask(worker, "say")["process"] != first["process"]


def test_what_takes_too_long_is_stopped(worker):
    """The answer says so, and the next question is answered by a new process."""
    assert ask(worker, "sleep", 0.2)["error"]["code"] == "time"
    assert "process" in ask(worker, "say")


def test_what_dies_costs_its_own_answer(worker):
    """A process that is gone is an answer, too."""
    assert ask(worker, "die")["error"]["code"] == "failed"
    assert "process" in ask(worker, "say")


def test_what_is_not_wanted_any_more_is_stopped(worker):
    """Whoever cancels a question, at whatever moment, does not wait for it, and nobody else does."""

    async def leave(after):
        with anyio.move_on_after(after):
            await answered(worker, "sleep", {}, 30.0)
        return await answered(worker, "say", {"after": after}, 30.0)

    for after in (0.0, 0.001, 0.05, 0.3):
        assert anyio.run(leave, after)["after"] == after
