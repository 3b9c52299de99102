"""The reserve: repositories of public captures that nobody opens, designs on or tests with.

Weights can be held out repository by repository; gates and code are written by people who have looked. So a quarter of
the repositories, chosen by a hash of their names, is judged once per closing note and otherwise left alone. What was
looked at leaves the reserve for good, and `LOOKED_AT` says when that was and why.
"""

import csv
import hashlib
from pathlib import Path

__all__ = ["COURSES", "LOOKED_AT", "home_of", "open_folder", "reserved"]

PARTS = 4
"""One repository in so many is kept in reserve."""

LOOKED_AT = {
    "zeek/zeek": "among the first 2,577 captures, which the library was built with",
    "fox-it/quantuminsert": "among the first 2,577 captures, which the library was built with",
    "KimiNewt/pyshark": "among the first 2,577 captures, which the library was built with",
    "cloudflare/mitmengine": "named where certificates behind antivirus and proxies were asked for",
}
"""Repositories that the hash would keep in reserve, and why they are not in it."""

COURSES = {
    "GFW 2017": ("cs161project3", "greatfirewallofchina", "evade-gfw", "jcjackchen/pcap", "great-firewall"),
    "DNS injector exercise": (
        "dnsinject", "dns-inject", "dns_inject", "dnspoison", "dns-poison", "dns_poison", "dns-packet-inj", "cse508",
        "adf-project", "manonthesideattack-dns", "dns-poisoining", "dns_cache_poisoning",
    ),
}  # fmt: skip
"""Exercises that several repositories answer, by parts of their names in small letters: they are left out together."""


def reserved(repository: str) -> bool:
    """Say whether a repository is kept in reserve."""
    number = int(hashlib.sha256(repository.encode()).hexdigest(), 16)
    return number % PARTS == 0 and repository not in LOOKED_AT


def home_of(repository: str) -> str:
    """Name what is left out together with a repository: its course, else itself."""
    name = repository.lower()
    return next((course for course, parts in COURSES.items() if any(part in name for part in parts)), repository)


def open_folder(captures: Path, target: Path) -> Path:
    """Make a folder that holds the labelled captures without the reserve: links, and tables without its rows.

    Args:
        captures: The folder with ``CATALOG.csv`` and ``FLOWS.csv``.
        target: An empty folder.
    """
    for name in ("CATALOG.csv", "FLOWS.csv"):
        with (captures / name).open(newline="", encoding="utf-8") as text:
            reader = csv.DictReader(text)
            rows = [row for row in reader if not reserved(row["repo"])]
        with (target / name).open("w", newline="", encoding="utf-8") as text:
            writer = csv.DictWriter(text, reader.fieldnames or ())
            writer.writeheader()
            writer.writerows(rows)
        if name == "CATALOG.csv":
            for row in rows:
                link = target / row["file"]
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to((captures / row["file"]).resolve())
    return target
