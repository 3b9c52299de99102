"""Network namespaces with one TAP device each: a host with a kernel's own stacks whose wire ends in our hands.

A TAP device opened without a virtio header (``IFF_VNET_HDR``) offers no segmentation or checksum offload, so what is
captured on it is what a wire would carry (Linux ``Documentation/networking/tuntap.rst``); no ethtool is needed.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["GATEWAY_MAC", "HOST_MAC", "add", "available", "inside", "open_tap", "remove", "set_up", "settings"]

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h
CLONE_NEWNET = 0x40000000  # linux/sched.h
DEVICE = "eth0"
HOST_MAC, GATEWAY_MAC = bytes.fromhex("02a0c4000002"), bytes.fromhex("02a0c4000001")
GATEWAY_FOUR, GATEWAY_SIX = "169.254.7.1", "fe80::1"
LIBC = ctypes.CDLL(None, use_errno=True)


def available() -> str:
    """Say why the lab cannot run on this machine; an empty string when it can."""
    if not Path("/proc/self/ns/net").exists():
        return "the lab needs Linux network namespaces"
    if os.geteuid() != 0:
        return "the lab needs root to make network namespaces"
    missing = [program for program in ("ip", "tcpdump") if shutil.which(program) is None]
    if missing:
        return "not installed: " + ", ".join(missing)
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun cannot be opened"
    try:
        import cryptography  # noqa: F401
    except ImportError:
        return "not installed: the cryptography package (certificates)"
    name = f"lab-probe-{os.getpid()}"
    try:
        add(name)
        remove(name)
    except RuntimeError as failure:
        return str(failure)
    return ""


def run(*words: str, text: str | None = None) -> str:
    """Run a program; give its output, or raise RuntimeError with what it said."""
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def add(name: str) -> None:
    """Make a namespace."""
    run("ip", "netns", "add", name)


def remove(name: str) -> None:
    """Delete a namespace with everything in it."""
    run("ip", "netns", "del", name)


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Put the calling thread into a namespace for a while."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        enter(there)
        yield
    finally:
        enter(back)
        os.close(back)
        os.close(there)


def enter(descriptor: int) -> None:
    """Call setns(2); Python has it from 3.12 on only."""
    if LIBC.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))


def open_tap(name: str) -> int:
    """Make the device of namespace *name*; reading and writing the descriptor is the far end of its wire."""
    with inside(name):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TAP | IFF_NO_PI))
    return descriptor


def set_up(name: str, addresses: Sequence[str], mtu: int = 1500) -> None:
    """Give the device of a namespace its addresses and routes; everything else is reached through the box.

    Neighbours are permanent, so that no ARP or neighbour discovery is needed.
    """
    host, gateway = (":".join(f"{one:02x}" for one in mac) for mac in (HOST_MAC, GATEWAY_MAC))
    lines = [
        "link set lo up",
        f"link set {DEVICE} addrgenmode none",
        f"link set {DEVICE} address {host} mtu {mtu} txqueuelen 10000 up",
    ]
    lines += [
        f"addr add {one}/{128 if ':' in one else 32} dev {DEVICE}{' nodad' if ':' in one else ''}" for one in addresses
    ]
    lines += [
        f"neigh add {GATEWAY_FOUR} lladdr {gateway} dev {DEVICE} nud permanent",
        f"neigh add {GATEWAY_SIX} lladdr {gateway} dev {DEVICE} nud permanent",
        f"route add default via {GATEWAY_FOUR} dev {DEVICE} onlink",
        f"route add ::/0 via {GATEWAY_SIX} dev {DEVICE} onlink",
    ]
    families = {":" in one for one in addresses}
    if True not in families:
        lines.pop()
    if False not in families:
        lines = [line for line in lines if not line.startswith("route add default")]
    run("ip", "-n", name, "-batch", "-", text="\n".join(lines) + "\n")


def settings(name: str, values: dict[str, str]) -> None:
    """Write kernel settings (``ipv4/tcp_sack`` style) of a namespace."""
    with inside(name):
        for key, value in values.items():
            Path("/proc/sys/net", key).write_text(value)
