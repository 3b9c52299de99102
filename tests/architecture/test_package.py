"""What is published: a wheel for one system or for all, and a source archive to build it from."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hatch_build import LIBRARY, compiled
from netinterf.cli.shells import shared_files
from netinterf.version import __version__

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "netinterf" / "data"

MOST, MOST_DATA = 2_500_000, 600_000  # bytes
"""What a wheel may weigh, and the data in it."""


def build(folder: Path, *words: str, root: Path = ROOT, **environment: str) -> Path:
    """Build without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder), *words]
    env = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both."""
    return build(tmp_path_factory.mktemp("built"))


def names(wheel: Path) -> set[str]:
    """List what a wheel holds."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_without_a_compiler_is_for_every_system(tmp_path: Path) -> None:
    """It is pure Python: the library, its data, its types, all licences, what shells and man take, and nothing else."""
    (wheel,) = build(tmp_path, "-t", "wheel", CC="no-compiler-has-this-name").glob("*.whl")
    assert wheel.name == f"netinterf-{__version__}-py3-none-any.whl"
    inside = names(wheel)
    about = f"netinterf-{__version__}.dist-info/"
    beside = f"netinterf-{__version__}.data/"
    assert {name.split("/")[0] for name in inside} == {"netinterf", about[:-1], beside[:-1]}
    with zipfile.ZipFile(wheel) as archive:
        installed = {name: archive.read(name).decode("utf-8") for name in inside if name.startswith(beside)}
    assert installed == {f"{beside}data/{path}": text for path, text in shared_files().items()}
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "netinterf").rglob("*") if path.is_file()}
    shipped = {name for name in files if "__pycache__" not in name and not name.endswith(LIBRARY.suffix)}
    assert {name for name in inside if name.startswith("netinterf/")} == shipped
    assert {"netinterf/py.typed", "netinterf/data/model.json", "netinterf/data/THIRD_PARTY.md"} <= inside
    licences = {path.relative_to(ROOT).as_posix() for path in (DATA / "licenses").iterdir()} | {"LICENSE"}
    assert {name.removeprefix(f"{about}licenses/") for name in inside if "dist-info/licenses/" in name} == licences
    assert f"{about}entry_points.txt" in inside


def test_the_wheel_with_a_compiler_is_for_every_python_of_one_system(built: Path, tmp_path: Path) -> None:
    """It holds what was compiled beside all that a pure one holds, and fits no other system."""
    if compiled() is None:
        pytest.skip("no C compiler")
    (wheel,), (pure,) = (folder.glob("*.whl") for folder in (built, build(tmp_path, "-t", "wheel", NETINTERF_PURE="1")))
    assert re.fullmatch(rf"netinterf-{__version__}-py3-none-(linux|macosx|win)\w+\.whl", wheel.name)
    assert pure.name.endswith("-py3-none-any.whl")
    assert names(wheel) - names(pure) == {LIBRARY.relative_to(ROOT).as_posix()}
    assert names(wheel) > names(pure)


def test_a_wheel_can_be_made_again(tmp_path: Path) -> None:
    """From another folder, at another time and under other permissions, it is the same to the last byte."""
    copy, epoch = tmp_path / "elsewhere" / "copy", str(1_700_000_000)
    skip = shutil.ignore_patterns("__pycache__", f"*{LIBRARY.suffix}")
    shutil.copytree(ROOT / "netinterf", copy / "netinterf", ignore=skip, copy_function=shutil.copyfile)
    for name in ("hatch_build.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, copy / name)
    for path in copy.rglob("*.json"):
        path.chmod(0o600)
    wheels = []
    for root in (ROOT, copy):
        (wheel,) = build(tmp_path / root.name, "-t", "wheel", root=root, SOURCE_DATE_EPOCH=epoch).glob("*.whl")
        wheels.append(wheel)
    assert wheels[0].name == wheels[1].name
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    with zipfile.ZipFile(wheels[0]) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(2023, 11, 14)}


def test_what_is_tested_with_is_known_by_its_hashes() -> None:
    """The list for `.ci/run` pins all that is asked for, on every Python and system, and each by hashes."""
    text = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8")
    entries = re.findall(
        r"^([\w.-]+)==([\w.+!-]+)( ;[^\\\n]*)? \\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
    )
    assert len(entries) == len(re.findall("==", re.sub(r";.*", "", text)))
    pinned: dict[str, list[str]] = {}
    for name, version, *_ in entries:
        pinned.setdefault(canonicalize_name(name), []).append(version)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for line in [*project["dependencies"], *extras["test"], *extras["docs"], *extras["release"]]:
        asked = Requirement(line)
        versions = pinned[canonicalize_name(asked.name)]
        assert all(asked.specifier.contains(version) for version in versions), line
    assert "://" not in text


def test_nothing_is_kept_from_growing_without_a_reason() -> None:
    """What is needed has a floor, and no ceiling: none is known to break."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]:
        assert [part.operator for part in Requirement(line).specifier] == [">="], line


def test_the_metadata_say_what_was_tested(built: Path) -> None:
    """The oldest Python is the one that is required; nothing is needed beside the six dependencies."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"netinterf-{__version__}.dist-info/METADATA").decode("utf-8")
    versions = re.findall(r"^Classifier: Programming Language :: Python :: (3\.\d+)$", metadata, re.MULTILINE)
    (required,) = re.findall(r"^Requires-Python: >=(3\.\d+)$", metadata, re.MULTILINE)
    assert required == versions[0]
    needed = re.findall(r"^Requires-Dist: (\w+)[^;\n]*$", metadata, re.MULTILINE)
    assert sorted(needed) == ["attrs", "cryptography", "numpy", "rich", "scapy", "scipy"]


def test_a_wheel_is_built_of_the_source_archive_alone(built: Path, tmp_path: Path) -> None:
    """It holds what one of the whole source holds."""
    (archive,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    with tarfile.open(archive) as source:
        source.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    (made,) = build(tmp_path / "made", "-t", "wheel", root=unpacked).glob("*.whl")
    assert names(made) == names(wheel)


def test_the_wheel_is_small(built: Path) -> None:
    """Of its bytes three quarters are Python, docstrings among them; a file of data that is larger needs a reason."""
    (wheel,) = built.glob("*.whl")
    assert wheel.stat().st_size < MOST
    with zipfile.ZipFile(wheel) as archive:
        data = [entry for entry in archive.infolist() if entry.filename.startswith("netinterf/data/")]
    assert sum(entry.compress_size for entry in data) < MOST_DATA


def test_the_source_archive_holds_what_tests_need(built: Path) -> None:
    """Whoever builds from source gets tests, benchmarks and the manual as well, and nothing that was generated."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        inside = {name.split("/", 1)[1] for name in source.getnames() if "/" in name}
    for needed in (
        *("README.md", "LICENSE", "tests/conftest.py", "docs/examples/probe.py", "benchmarks/__main__.py"),
        *("hatch_build.py", "netinterf/compiled/recursion.c", "SECURITY.md", "Dockerfile", ".dockerignore"),
        *(".ci/constraints.txt", ".ci/run", ".ci/packages", ".ci/conda/recipe.yaml", ".ci/stages.py"),
    ):
        assert needed in inside
    assert not [name for name in inside if "__pycache__" in name or name.startswith("docs/_build") or ".whl" in name]
    assert LIBRARY.relative_to(ROOT).as_posix() not in inside
