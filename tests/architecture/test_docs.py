"""The manual's programs run, and the README keeps its promises."""

import re
import shutil
import sys
import types
from importlib.resources import as_file, files
from pathlib import Path

import pytest

import netinterf

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{place}")
    for page in PAGES
    for place, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_python_blocks_run(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python block of the manual runs as it stands, on a capture called visit.pcap."""
    with as_file(files("netinterf") / "data" / "examples" / "tcp.reset.pcap.gz") as example:
        shutil.copy(example, tmp_path / "visit.pcap")
    monkeypatch.chdir(tmp_path)
    page = types.ModuleType("manual")  # a module by name, so that classes of the page can be pickled
    monkeypatch.setitem(sys.modules, "manual", page)
    exec(compile(block, "<manual>", "exec"), page.__dict__)


def test_the_readme_has_exactly_two_commands() -> None:
    """One command installs and scans, one runs the tests."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert [len(command.strip().splitlines()) for command in commands] == [1, 1]
    assert "scan" in commands[0]
    assert "pytest" in commands[1]


def test_the_readme_shows_real_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the README shows of a scan is what a scan prints."""
    monkeypatch.chdir(ROOT)
    shown = re.findall(r"```\n\$ netinterf scan (\S+)\n(.*?)…\n```", Path("README.md").read_text("utf-8"), re.DOTALL)
    assert len(shown) == 1
    printed = netinterf.report.text(netinterf.scan(shown[0][0]))
    assert printed.startswith(shown[0][1].rstrip())


def test_local_links_lead_somewhere() -> None:
    """Links between pages name files that exist or are generated."""
    generated = {"columns.md", "rules.md", "link-types.md", "model.md", "scenarios.md", "store.md", "systems.md"}
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+\.md)", page.read_text(encoding="utf-8")):
            path = (page.parent / target).resolve()
            assert path.exists() or path.name in generated, f"{page}: {target}"
