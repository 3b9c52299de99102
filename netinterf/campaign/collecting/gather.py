"""What a worker does: judge a batch of captures, and write what they show aside; what it hands back is a receipt.

It shares nothing with others: it reads the captures, the key of the store and what the store held when collecting
began, and writes into a folder that nobody else writes into. So it may run anywhere that sees both, be lost, or run
twice.
"""

import pickle
from functools import lru_cache
from pathlib import Path

import numpy as np

from netinterf.arrays import U64
from netinterf.campaign.collecting.batch import Batch, Entry, File, Judge
from netinterf.campaign.place import Place
from netinterf.campaign.stored.store import Store, new_name
from netinterf.engine.options import Options
from netinterf.values import frozen

__all__ = ["Cut", "Receipt", "Setting", "Task", "gather", "opened"]


@frozen
class Setting:
    """What all batches of a collect have in common: it lies beside the parts, since tables of networks are large.

    Args:
        store: Path of the store.
        name: What its files are called; no other collect has the same.
    """

    store: str
    name: str

    @classmethod
    def written(cls, store: Store, options: Options, contents: U64) -> "Setting":
        """Write down how to judge, and which contents the store holds, rising.

        Raises:
            OSError: It cannot be written.
        """
        setting = cls(str(store.path), new_name())
        store.pending.mkdir(exist_ok=True)
        store.pending.joinpath(f"{setting.name}.pickle").write_bytes(pickle.dumps(options))
        np.save(store.pending / f"{setting.name}.npy", contents)
        return setting

    def options(self) -> Options:
        """Read how to judge."""
        options: Options = pickle.loads((Store(Path(self.store)).pending / f"{self.name}.pickle").read_bytes())
        return options

    def contents(self) -> U64:
        """Map which contents the store held."""
        contents: U64 = np.load(Store(Path(self.store)).pending / f"{self.name}.npy", mmap_mode="r")
        return contents


@lru_cache(maxsize=1)
def opened(setting: Setting) -> tuple[Options, U64, bytes]:
    """Read a setting, and the key of its store, once for all batches of a collect."""
    return setting.options(), setting.contents(), Store(Path(setting.store)).secret()


@frozen(kw_only=True)
class Cut:
    """A capture that is cut by time: one worker cuts it, others look at a piece each, one puts together what they saw.

    Attributes:
        size: Bytes of a piece, at most.
        folder: Where what is known of it lies, below ``pending``; empty before it is cut.
        capture: Hash of its content.
        pieces: How many there are.
        piece: Which one is to be looked at; None to cut it, or to put it together.
    """

    size: int
    folder: str = ""
    capture: str = ""
    pieces: int = 0
    piece: int | None = None


@frozen(kw_only=True)
class Task:
    """One batch of captures of one place, or what is to be done with one that is cut."""

    setting: Setting
    place: Place
    files: tuple[File, ...]
    taken: frozenset[str] = frozenset()  # contents that came in since collecting began
    lost: str = ""  # why nobody could judge them: they are entered, and not tried
    cut: Cut | None = None  # of a batch of one


@frozen(kw_only=True)
class Receipt:
    """What was written aside.

    Attributes:
        folder: Where, below ``pending``; empty where there is nothing to keep.
        number: Of the part: a hash of what is in it.
        entries: What became of each file.
        trouble: Why it could not be written, empty where it was.
        cut: How a capture was cut, of which nothing else is done yet.
    """

    folder: str = ""
    number: str = ""
    entries: tuple[Entry, ...] = ()
    trouble: str = ""
    cut: Cut | None = None


def gather(task: Task, judge: Judge | None = None, capture: str = "") -> Receipt:
    """Judge a batch, and write it aside.

    Args:
        task: The batch.
        judge: How each capture is judged; None reads it as a whole.
        capture: Hash of the content of its one capture, where it is known.
    """
    pending = Store(Path(task.setting.store)).pending
    try:
        options, contents, secret = opened(task.setting)
        batch = Batch(task.place, secret, options, contents, task.taken, task.lost)
        for file in task.files:
            batch.enter(file, judge, capture)
        folder = new_name()
        batch.finish(pending / folder)
    except OSError as cause:
        return Receipt(trouble=f"{task.setting.store}: {cause.strerror or cause}")
    return Receipt(folder=folder if batch.kept else "", number=batch.number, entries=batch.entries)
