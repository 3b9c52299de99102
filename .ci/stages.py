"""Do in a folder what the first stage of the Dockerfile does in an image, where no base image can be had.

``python .ci/stages.py FOLDER``: COPY, ENV and RUN are obeyed with the folder for the root, but that packages of the
system are taken as they are. What is installed is then in ``FOLDER/opt/netinterf``.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
PLACES = re.compile(r"(?<![\w./])/(source|build|opt|wheel)\b")


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """List the instructions of a Dockerfile, each with its words in one line."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    for line in filter(None, lines):
        word, _, rest = line.partition(" ")
        yield word, rest


def obey(root: Path) -> None:
    """Do the first stage."""
    root.joinpath("source").mkdir(parents=True)
    env = {**os.environ, "EXTRAS": "geo,zstd"}
    stages = 0
    for word, rest in instructions((SOURCE / "Dockerfile").read_text(encoding="utf-8")):
        stages += word == "FROM"
        if stages > 1:
            break
        here = PLACES.sub(rf"{root}/\1", rest)
        if word == "ENV":
            env |= dict(pair.split("=", 1) for pair in here.split())
        elif word == "COPY":
            *names, target = rest.split()
            for name in names:
                copy(SOURCE / name, root / "source" / target)
        elif word == "RUN" and "apt-get" not in here:
            subprocess.run(["bash", "-euo", "pipefail", "-c", here], cwd=root / "source", env=env, check=True)


def copy(source: Path, target: Path) -> None:
    """Copy a file into a folder, or what a folder holds, without what Python and a compiler left in it."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


if __name__ == "__main__":
    obey(Path(sys.argv[1]).resolve())
