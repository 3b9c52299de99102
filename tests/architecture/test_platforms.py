"""Nothing on the main path needs more than Windows has: read from the source, and run without the rest.

The tests run on Linux. What they can show is that no name is used that other systems lack, that paths are compared by
the rules of their system, and that a scan does its work when those names are gone and the console has another encoding.
"""

import ast
import ntpath
import os
import posixpath
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import netinterf
from netinterf.capture.finding import identity
from netinterf.cli.output import reader_left
from netinterf.engine.examples import FOLDER

PACKAGE = Path(netinterf.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOT = PACKAGE.parent

ABSENT_MODULES = {"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
"""Modules that the library reference lists for Unix only."""

ABSENT = {
    "os": {
        "chown", "chroot", "ctermid", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups",
        "getloadavg", "getpgid", "getpgrp", "getpriority", "getsid", "getuid", "initgroups", "killpg", "lchown",
        "memfd_create", "mkfifo", "mknod", "nice", "openpty", "pipe2", "posix_fadvise", "posix_fallocate",
        "posix_spawn", "posix_spawnp", "pread", "preadv", "pwrite", "pwritev", "readv", "register_at_fork",
        "sched_getaffinity", "sched_setaffinity", "sched_yield", "sendfile", "setgid", "setpgid", "setpriority",
        "setsid", "setuid", "statvfs", "sync", "sysconf", "uname", "wait", "wait3", "wait4", "waitid", "writev",
        "O_CLOEXEC", "O_DIRECT", "O_DIRECTORY", "O_DSYNC", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC",
        "O_TMPFILE",
    },
    "signal": {
        "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGPROF", "SIGQUIT", "SIGSTOP",
        "SIGTSTP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer",
        "sigwait",
    },
    "mmap": {"MAP_ANON", "MAP_ANONYMOUS", "MAP_POPULATE", "MAP_PRIVATE", "MAP_SHARED", "PROT_READ", "PROT_WRITE"},
    "socket": {"AF_PACKET", "AF_UNIX", "SO_REUSEPORT"},
    "time": {"clock_gettime", "clock_getres", "pthread_getcpuclockid", "tzset"},
}  # fmt: skip
"""Names that the library reference gives to Unix only, by module."""

GUARDED = {
    ("__main__.py", "signal.pthread_kill"),  # in the branch of other systems
    ("workers.py", "os.sched_getaffinity"),  # behind hasattr
    ("capture/source.py", "mmap.MAP_SHARED"),  # only where MAP_POPULATE is known, which is Linux
    ("capture/source.py", "mmap.PROT_READ"),
    ("values.py", "os.register_at_fork"),  # behind hasattr
    ("cli/ring.py", "fcntl"),  # in the branch of other systems; Windows has msvcrt
}


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    """List everything in the source of the library, each with its module's path in plain slashes."""
    paths = [(path.relative_to(PACKAGE).as_posix(), path) for path in MODULES]
    return [(name, node) for name, path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


def test_no_name_is_used_that_windows_lacks() -> None:
    """Modules and names of Unix only are not used, except behind a question whether they exist."""
    used = set()
    for path, node in nodes():
        if isinstance(node, ast.Import):
            used |= {(path, alias.name) for alias in node.names if alias.name in ABSENT_MODULES}
        elif isinstance(node, ast.ImportFrom):
            used |= {(path, node.module)} if node.module in ABSENT_MODULES else set()
            taken = {alias.name for alias in node.names} & ABSENT.get(node.module or "", set())
            used |= {(path, f"{node.module}.{name}") for name in taken}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, name = node.value.id, node.attr
            used |= {(path, f"{module}.{name}")} if name in ABSENT.get(module, ()) else set()
    assert used == GUARDED


def test_no_path_of_one_system_is_written_down() -> None:
    """No string begins with a folder that only Unix has."""
    folders = ("/dev/", "/etc/", "/proc/", "/tmp/", "/usr/", "/var/")
    words = [(path, node.value) for path, node in nodes() if isinstance(node, ast.Constant)]
    assert [(path, word) for path, word in words if isinstance(word, str) and word.startswith(folders)] == []


def test_text_files_name_their_encoding() -> None:
    """No text is read or written in an encoding that depends on the system."""
    lacking = []
    for path, node in nodes():
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        said = [part.value for part in node.args if isinstance(part, ast.Constant)]
        if isinstance(node.func, ast.Name) and node.func.id == "open":
            lacking += [(path, node.lineno)] * (not any("b" in str(mode) for mode in said))
        elif isinstance(node.func, ast.Attribute) and node.func.attr in {"read_text", "write_text"}:
            lacking += [(path, node.lineno)] * ("utf-8" not in said)
    assert lacking == []


@pytest.mark.parametrize(
    ("one", "other", "rules", "same"),
    [
        (r"C:\captures\visit.pcap", "c:/captures/./VISIT.PCAP", ntpath, True),
        (r"C:\captures\..\visit.pcap", r"C:\visit.pcap", ntpath, True),
        (r"\\server\share\visit.pcap", "//SERVER/share/visit.pcap", ntpath, True),
        (r"C:\captures\visit.pcap", r"D:\captures\visit.pcap", ntpath, False),
        ("/captures/./visit.pcap", "/captures/old/../visit.pcap", posixpath, True),
        ("/captures/visit.pcap", "/captures/Visit.pcap", posixpath, False),
        ("/captures/visit.pcap", r"\captures\visit.pcap", posixpath, False),
    ],
)
def test_paths_are_compared_by_the_rules_of_their_system(one: str, other: str, rules: object, same: bool) -> None:
    """On Windows case and the kind of slash make no other file; elsewhere they do."""
    assert (identity(one, rules) == identity(other, rules)) is same  # type: ignore[arg-type]


def test_a_reader_that_left_is_recognised_on_every_system() -> None:
    """A broken pipe is one on all systems; what Windows may say instead is one there only; a full disk never is."""
    cases = [
        BrokenPipeError(32, "Broken pipe"),
        OSError(22, "Invalid argument"),
        OSError(28, "No space left on device"),
    ]
    assert [reader_left(error, "posix") for error in cases] == [True, False, False]
    assert [reader_left(error, "nt") for error in cases] == [True, True, False]


BARE = """
import multiprocessing, os, sys

for name in [name for name in ABSENT["os"] if name.startswith("O_")]:
    delattr(os, name)  # before modules of the standard library ask for them

import asyncio, mmap, signal, socket, subprocess, tempfile, time
from concurrent.futures import process

import attrs, numpy, scipy.optimize, scipy.special  # which ask for their system when they are imported

for module, names in ABSENT.items():
    for name in names & set(dir(sys.modules[module])):
        delattr(sys.modules[module], name)
sys.modules.update(dict.fromkeys(ABSENT_MODULES))
tempfile.TemporaryFile = tempfile.NamedTemporaryFile  # there is no other on Windows
multiprocessing.set_start_method("spawn")

from netinterf.capture import source
from netinterf.cli.main import main

source.MEMORY_LIMIT = 1000  # so that a stream goes to a temporary file
sys.exit(main(sys.argv[1:]))
"""


def scan(*words: str, cwd: Path, stdin: bytes = b"", bare: bool) -> tuple[int, str, str]:
    """Run the command as it is, or with all names gone that Windows lacks, on a console of its."""
    program = f"ABSENT = {ABSENT!r}\nABSENT_MODULES = {ABSENT_MODULES!r}\n{BARE}"
    start = ["-c", program] if bare else ["-m", "netinterf"]
    done = subprocess.run(
        [sys.executable, *start, "scan", "--all", "--format", "jsonl", *words],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252"},
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("cp1252")


@pytest.mark.parametrize("words", [["*.PCAP.[g]z", "**/visit*.gz", "below"], ["-"]], ids=["patterns", "stream"])
def test_a_scan_needs_nothing_that_windows_lacks(words: list[str], tmp_path: Path) -> None:
    """Patterns, a folder and standard input give the same lines without the names that only Unix has."""
    for name, place in (("tcp.reset", "visit.pcap.gz"), ("dns.injection", "OTHER.PCAP.gz"), ("benign", "below/b.gz")):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        shutil.copy(str(FOLDER / f"{name}.pcap.gz"), tmp_path / place)
    stdin = (tmp_path / "visit.pcap.gz").read_bytes() if words == ["-"] else b""
    whole = scan(*words, cwd=tmp_path, stdin=stdin, bare=False)
    assert (whole[0], whole[2]) == (0, "")
    assert scan(*words, cwd=tmp_path, stdin=stdin, bare=True) == whole
