"""The manual's notebooks are kept without outputs, and run from the first cell to the last."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "docs" / "examples" / "gallery"

SHOWS = {
    "campaign": ({"text/html"}, "is blocked in"),
    "figure": ({"text/html", "image/png", "image/svg+xml"}, "6 × tcp.reset"),
    "first-look": ({"text/html"}, "was cut off by a forged reset"),
    "forged-dns": ({"text/html", "image/png"}, "got a forged answer"),
    "throttling": ({"text/html", "image/png", "image/svg+xml"}, "rate.token_bucket"),
    "two-places": ({"text/html"}, "is blocked here"),
}
"""What each notebook shows: kinds of output, and words of it."""


def test_the_gallery_is_whole() -> None:
    """Each notebook is run below, and named in the manual."""
    names = {path.stem for path in GALLERY.glob("*.ipynb")}
    assert names == set(SHOWS)
    manual = (ROOT / "docs" / "guide" / "notebooks.md").read_text("utf-8")
    assert all(f"gallery/{name}.ipynb" in manual for name in names)


@pytest.mark.parametrize("name", SHOWS)
def test_the_notebook_holds_no_outputs(name: str) -> None:
    """What it shows depends on who runs it, so nothing of it is kept."""
    cells = [cell for cell in nbformat.read(GALLERY / f"{name}.ipynb", 4).cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in cells] == [([], None)] * len(cells)


@pytest.mark.parametrize("name", SHOWS)
def test_the_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs without a warning, and shows what the notebook is about."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(GALLERY / f"{name}.ipynb", 4)
    client = nbclient.NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output.text for output in shown if output.get("name") == "stderr" and "Warning" in output.text]
    kinds, words = SHOWS[name]
    assert kinds <= {kind for output in shown for kind in output.get("data", {})}
    assert words in "".join(str(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in shown)
