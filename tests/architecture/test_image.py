"""The image and the conda package: made of files that are there, of what `pyproject.toml` asks for, and of no more."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from netinterf.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, Any]:
    """Read what the project asks for."""
    read: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def stages() -> Any:
    """Load what does the first stage where no base image can be had."""
    spec = importlib.util.spec_from_file_location("stages", ROOT / ".ci" / "stages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def said(stages: Any) -> list[tuple[str, str]]:
    """Read the Dockerfile."""
    return list(stages.instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")))


def copied(said: list[tuple[str, str]]) -> list[str]:
    """List what goes from the source into the image."""
    return [name for word, rest in said if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]]


def test_what_is_copied_is_there_and_let_through(said: list[tuple[str, str]]) -> None:
    """The list of what Docker leaves out leaves out the rest, and nothing that is asked for."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    through = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert set(copied(said)) == through
    assert all((ROOT / name).exists() for name in through)


def test_the_wheel_is_built_of_what_is_copied(said: list[tuple[str, str]], stages: Any, tmp_path: Path) -> None:
    """Nothing else of the source is needed."""
    for name in copied(said):
        source = ROOT / name
        stages.copy(source, tmp_path / name if source.is_dir() else (tmp_path / name).parent)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheel")]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert len(list((tmp_path / "wheel").glob("*.whl"))) == 1


def test_what_runs_has_no_power_and_no_compiler(said: list[tuple[str, str]]) -> None:
    """The last stage takes an environment from the one before, runs nothing while it is made, and is nobody's."""
    begins = [place for place, (word, _) in enumerate(said) if word == "FROM"]
    last = said[begins[-1] :]
    assert len(begins) == 2
    assert not [rest for word, rest in last if word in {"RUN", "ADD"}]
    assert [rest.split()[0] for word, rest in last if word == "COPY"] == ["--from=build"]
    assert [rest for word, rest in last if word == "USER"] == ["65534:65534"]
    assert [rest for word, rest in last if word == "ENTRYPOINT"] == ['["netinterf"]']


def test_the_image_takes_extras_that_there_are(said: list[tuple[str, str]]) -> None:
    """And a Python that is supported."""
    given = dict(rest.split("=", 1) for word, rest in said if word == "ARG" and "=" in rest)
    metadata = project()["project"]
    assert set(given["EXTRAS"].split(",")) <= set(metadata["optional-dependencies"])
    assert any(one.endswith(f":: {given['PYTHON']}") for one in metadata["classifiers"])


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    """Where it is installed."""
    if (linter := shutil.which("hadolint")) is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_conda_asks_for_what_the_project_asks_for() -> None:
    """Of the same versions, to build and to run, and tells the same about it."""
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / ".ci" / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    read = project()
    assert recipe["context"]["version"] == __version__
    asked = recipe["requirements"]
    assert wanted(asked["host"]) == written(read["build-system"]["requires"])
    assert wanted(asked["run"]) == written(read["project"]["dependencies"])
    about = read["project"]
    assert (recipe["about"]["summary"], recipe["about"]["license"]) == (about["description"], about["license"])
    assert re.findall(r"<([\d.]+)", recipe["build"]["skip"]) == [about["requires-python"].removeprefix(">=")]
    files = recipe["about"]["license_file"]
    assert about["license-files"] == [f"{name}/*" if (ROOT / name).is_dir() else name for name in files]


def wanted(lines: list[str]) -> set[str]:
    """Give what a recipe asks for, but Python and its installer, as pyproject.toml writes it."""
    return {line.replace(" ", "") for line in lines if line not in {"python", "pip"}}


def written(lines: list[str]) -> set[str]:
    """Give requirements without blanks."""
    return {f"{one.name}{one.specifier}" for one in map(Requirement, lines)}
