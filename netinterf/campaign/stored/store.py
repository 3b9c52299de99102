"""A store on disk: a folder of Parquet files that only grows, readable at every moment.

Rows lie in *parts*, one per batch of captures, and a part has one number in every table. A batch counts when its part
of ``captures`` is there, which is put in place last (`netinterf.campaign.stored.parts`); rows of a batch without one
are those of a collect that was cut off, and are left out by whoever reads here. So are those of parts that a merged one
stands for (`netinterf.campaign.stored.replaced`).
"""

import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from string import hexdigits

from netinterf.arrow import pyarrow
from netinterf.campaign.stored.schema import SCHEMA
from netinterf.errors import UsageError
from netinterf.values import frozen
from netinterf.version import __version__
from netinterf.writing import ASIDE, NewFile

__all__ = ["NOTE", "Store", "dropped", "is_own", "new_name", "synced", "written_whole"]

ABOUT = "netinterf-store.json"
BEGUN = frozenset({"lock", "lock-journal", "private"})
"""What a store that was not finished making may hold; files that are not whole besides."""

OWN = ("captures", "marks", "names", "observations", "pending", "private", "replaced", ABOUT, "lock", "lock-journal")
"""What lies in a store, whatever else somebody keeps beside it."""

NOTE = "parts.json"
"""In the folder of a merged part: the parts that it stands for, while any of them may still lie in place."""

NAME_BYTES = 8
"""Random bytes of a name."""

KEY_BYTES = 32
"""Length of the key: 256 bits, of which BLAKE2b takes up to 512."""


@frozen
class Store:
    """Where a store lies.

    Args:
        path: Its folder.
    """

    path: Path

    @property
    def pending(self) -> Path:
        """Where parts are written aside."""
        return self.path / "pending"

    @property
    def replaced(self) -> Path:
        """Where parts lie for which a merged one stands."""
        return self.path / "replaced"

    @property
    def private(self) -> Path:
        """What is left out when a store is handed on."""
        return self.path / "private"

    @property
    def key(self) -> Path:
        """The file of the key."""
        return self.private / "key"

    def told(self, table: str) -> Path:
        """Where it is written which names or servers are told."""
        return self.path / "names" / f"{table}.parquet"

    def check(self) -> None:
        """Check that it can be read.

        Raises:
            UsageError: There is no store, or a later version wrote it.
            MissingExtra: pyarrow is not installed.
        """
        pyarrow()
        try:
            about = json.loads((self.path / ABOUT).read_text("utf-8"))
            schema, version = about["schema"], about["version"]
        except FileNotFoundError:
            raise UsageError(f"{self.path}: this is no store of a campaign: it holds no {ABOUT}") from None
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise UsageError(f"{self.path / ABOUT}: this cannot be read ({cause})") from cause
        if not isinstance(schema, int) or schema > SCHEMA:
            raise UsageError(
                f"{self.path}: this store has schema {schema} and was written by version {version}; version "
                f"{__version__} knows schemas up to {SCHEMA}"
            )

    def secret(self) -> bytes:
        """Read the key.

        Raises:
            UsageError: It is not there: the store was handed on without it, and nothing can be added.
        """
        try:
            secret = self.key.read_bytes()
        except OSError as cause:
            raise UsageError(
                f"{self.path}: captures cannot be added to a store without its private/key ({cause.strerror})"
            ) from cause
        if len(secret) != KEY_BYTES:
            raise UsageError(f"{self.key}: a key has {KEY_BYTES} bytes, and this one {len(secret)}")
        return secret

    def own(self) -> Iterator[str]:
        """List all files of the store, to compare others with them."""
        for name in OWN:
            yield str(self.path / name)
            for folder, _, files in os.walk(self.path / name):
                yield from (os.path.join(folder, file) for file in files)

    def make(self) -> None:
        """Make it where there is none yet, with a key of its own; the description is written last.

        Raises:
            MissingExtra: pyarrow is not installed; nothing was made.
            UsageError: Something else stands in the place of its key.
            OSError: It cannot be written.
        """
        pyarrow()
        if (self.path / ABOUT).exists():
            return
        self.private.mkdir(exist_ok=True)
        with suppress(OSError):  # a file system without permissions
            self.private.chmod(0o700)
        if not self.key.exists():
            written_whole(self.key, secrets.token_bytes(KEY_BYTES))
        self.secret()
        about = {"netinterf": "a store of a campaign, see docs/guide/campaigns.md", "schema": SCHEMA}
        written_whole(self.path / ABOUT, json.dumps(about | {"version": __version__}).encode() + b"\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store, so that one process at a time adds to it; the system lets go when the process ends.

        The lock is that of a database file: the one lock of the standard library that every system has and that no
        process can leave behind.

        Raises:
            UsageError: Another process holds it, or the folder holds something else.
            OSError: There can be no such folder.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if others := [] if (self.path / ABOUT).exists() else self._foreign():
            raise UsageError(f"{self.path}: this folder is no store, and holds {others[0]}: name a new or empty one")
        with closing(sqlite3.connect(self.path / "lock", timeout=0, isolation_level=None)) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.DatabaseError as cause:
                held = "locked" in str(cause)
                why = "another process is adding captures to it" if held else f"it cannot be locked ({cause})"
                raise UsageError(f"{self.path}: {why}") from cause
            yield

    def _foreign(self) -> list[str]:
        """List what lies in the folder that no store which was not finished making would hold."""
        here = [(name, name in BEGUN) for name in sorted(os.listdir(self.path))]
        if self.private.is_dir():
            here += [(f"private/{name}", name == self.key.name) for name in sorted(os.listdir(self.private))]
        return [name for name, begun in here if not begun and not os.path.basename(name).startswith(ASIDE)]

    def parts(self, table: str) -> dict[str, list[Path]]:
        """List the files of a table by the number of their part, whether it counts or not."""
        found: dict[str, list[Path]] = {}
        for file in sorted((self.path / table).rglob("part-*.parquet")):
            found.setdefault(self.number_of(file), []).append(file)
        return found

    @staticmethod
    def number_of(file: Path) -> str:
        """Read off a file the number of its part."""
        return file.stem.removeprefix("part-")

    def committed(self, table: str) -> list[Path]:
        """List the files of a table that count, as they are now; what is added meanwhile is not among them."""
        return self.committed_of([table])[table]

    def committed_of(self, tables: Sequence[str]) -> dict[str, list[Path]]:
        """List the files of tables that count, all as they are at one moment.

        While entries among ``captures`` stand, all else of their parts does as well: so what was listed is whole where
        none of them has gone meanwhile.
        """
        while True:
            numbers = set(self.parts("captures"))
            left_out = self.stood_for(numbers)
            listed = {table: self.parts(table) for table in tables}
            if numbers <= self.parts("captures").keys():
                return {
                    table: [file for number, files in parts.items() if number in numbers - left_out for file in files]
                    for table, parts in listed.items()
                }

    def stood_for(self, numbers: set[str]) -> set[str]:
        """List the parts that merged ones among some stand for."""
        found: set[str] = set()
        for note in self.replaced.glob(f"*/{NOTE}"):
            if note.parent.name in numbers:
                with suppress(FileNotFoundError):  # they have been moved away just now
                    found.update(json.loads(note.read_bytes()))
        return found

    def moved(self, file: Path) -> Path:
        """Find a file of a part that a merged one came to stand for, since it was listed.

        Raises:
            UsageError: It is gone.
        """
        for folder in self.replaced.iterdir() if self.replaced.is_dir() else ():
            place = folder / file.relative_to(self.path)
            if place.exists():
                return place
        raise UsageError(
            f"{self.path}: the store was compacted since it was opened, and {file.name} is gone: open it again"
        )


def new_name() -> str:
    """Draw a name for something that lies aside; no other has the same."""
    return secrets.token_hex(NAME_BYTES)


def is_own(name: str) -> bool:
    """Say whether a store called something so, or left it of a file that was not whole: all else is somebody's."""
    stem, _, kind = name.partition(".")
    drawn = len(stem) == 2 * NAME_BYTES and set(stem) <= set(hexdigits) and kind in {"", "pickle", "npy"}
    return drawn or name.startswith(ASIDE)


def written_whole(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all, also when the power fails."""
    with NewFile(path) as file:
        file.stream.write(content)
        file.stream.flush()
        os.fsync(file.stream.fileno())
    synced(path.parent)


def synced(folder: Path) -> None:
    """Wait until what a folder lists is on the disk; some systems do not open folders."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def dropped(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, as far as it can be."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
