"""What a build does beside packing: manual page and completion, and the C of `netinterf.compiled` where a compiler is.

The first two are made from the parser and installed where shells and man look for them (`netinterf.cli.shells`).

Without a compiler, or with ``NETINTERF_PURE`` set, the package is pure Python: it says the same and takes longer.
In a checkout, ``python -c "from hatch_build import compiled; print(compiled())"`` does what an editable install does.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

ROOT = Path(__file__).parent
FOLDER = ROOT / "netinterf" / "compiled"
LIBRARY = FOLDER / "kernels.so"  # of the same name on every system, as Python finds it by its path

FLAGS = ["-std=c99", "-O3", "-ffp-contract=off", "-fno-fast-math", "-fPIC", "-shared"]
"""What keeps each operation rounded by itself, as numpy rounds it; -O3 moves several buckets in one instruction."""


class MakingHook(BuildHookInterface[Any]):
    """Puts into a wheel what is made; with the library it is for one system, and for every Python on it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Write what shells take, compile, and say what the wheel is for."""
        if self.target_name != "wheel":
            return
        self.aside = tempfile.TemporaryDirectory()
        for place, text in shared().items():
            made = Path(self.aside.name, place)
            made.parent.mkdir(parents=True)
            made.write_text(text, encoding="utf-8", newline="\n")
            build_data["shared_data"][str(made)] = place
        if compiled():
            # not one of those that promise to run on other Linux systems as well, which was not tried
            system = next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{system}"
            build_data["artifacts"].append(LIBRARY.relative_to(ROOT).as_posix())

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Take away what was written aside."""
        if self.target_name == "wheel":
            self.aside.cleanup()


def shared() -> dict[str, str]:
    """Make what is installed outside of the package, of this state of the source."""
    sys.path.insert(0, str(ROOT))
    from netinterf.cli.shells import shared_files

    return shared_files()


def compiled() -> Path | None:
    """Compile the C sources into one library beside them; give the library, or None where nothing is compiled."""
    named = os.environ.get("CC", "").split()
    compiler = named or [found for found in map(shutil.which, ("cc", "gcc", "clang")) if found][:1]
    if not compiler or os.environ.get("NETINTERF_PURE"):
        return None
    try:
        # moved into its place when it is whole: another process may have the one before it loaded
        with tempfile.TemporaryDirectory(dir=ROOT) as folder:
            made = Path(folder) / LIBRARY.name
            sources = sorted(FOLDER.glob("*.[ch]"))
            state = f"-DSOURCE={zlib.crc32(b''.join(path.read_bytes() for path in sources))}u"
            files = [str(path) for path in sources if path.suffix == ".c"]
            subprocess.run([*compiler, *FLAGS, state, *files, "-o", str(made)], check=True, capture_output=True)
            made.replace(LIBRARY)
    except (OSError, subprocess.CalledProcessError):
        return None
    return LIBRARY
