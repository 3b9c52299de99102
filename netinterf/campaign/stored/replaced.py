"""Parts that a merged one stands for: from when on they do not count, and where they lie until nobody reads them.

Before a merged part is put in place, a note in a folder of its own says which parts it stands for. They stop counting
with the one step that puts the merged part among ``captures``: whoever lists the store reads the note, and takes either
them or it. Then they are moved into the folder of the note, those of ``captures`` first, so that who finds an entry
there finds all else of its part; who has listed them before finds them in that folder, for an hour.

Parts of ``private`` are deleted at once: nobody reads them but who holds the store, and what lies in the folder may be
handed on.
"""

import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from netinterf.campaign.stored.store import NOTE, Store, dropped, is_own, synced, written_whole

__all__ = ["note", "retire", "settle"]

TABLES = ("captures", "observations", "marks", "private/seen")
"""Tables in the order in which their parts are moved: while an entry among captures stands, nothing of it has gone."""

LIFE = 3600.0  # s for which they are kept: longer than any report takes


def note(store: Store, merged: str, numbers: Iterable[str]) -> None:
    """Write down which parts a merged one stands for, before it counts.

    Args:
        store: The store.
        merged: Number of the merged part.
        numbers: Those of the parts.

    Raises:
        OSError: It cannot be written.
    """
    folder = store.replaced / merged
    folder.mkdir(parents=True, exist_ok=True)
    synced(store.replaced)
    written_whole(folder / NOTE, json.dumps(sorted(numbers)).encode())


def retire(store: Store, merged: str, files: Sequence[Path]) -> None:
    """Move the files of parts away for which a merged one stands, and drop its note; what fails is left to `settle`.

    Args:
        store: The store.
        merged: Number of the merged part.
        files: Their files, in the order of `TABLES`.
    """
    folder = store.replaced / merged
    with suppress(OSError):  # a system that moves no file which somebody reads: the note keeps them from counting
        for file in files:
            place = folder / file.relative_to(store.path)
            if store.private in file.parents:
                file.unlink()
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)
        for home in {file.parent for file in files}:
            synced(home)
        (folder / NOTE).unlink()


def settle(store: Store) -> None:
    """Finish what a merge that was cut off left to do, and delete what has been replaced for long."""
    folders = sorted(store.replaced.iterdir()) if store.replaced.is_dir() else []
    listed = {table: store.parts(table) for table in TABLES} if folders else {}
    for folder in folders:
        if not (folder / NOTE).exists():
            if is_own(folder.name) and time.time() - folder.stat().st_mtime > LIFE:
                dropped(folder)
        elif folder.name in listed["captures"]:
            numbers = json.loads((folder / NOTE).read_bytes())
            files = [file for table in TABLES for number in numbers for file in listed[table].get(number, ())]
            retire(store, folder.name, files)
        else:  # the merged part never came to count
            dropped(folder)
