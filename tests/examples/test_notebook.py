"""The manual's notebook is kept without outputs, and runs from the first cell to the last."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "examples" / "figure.ipynb"


def test_the_notebook_holds_no_outputs() -> None:
    """What it shows depends on who runs it, so nothing of it is kept."""
    cells = [cell for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in cells] == [([], None)] * len(cells)


def test_the_notebook_leads_from_a_capture_to_a_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs; they show what was found, a frame, a picture of it, and the packets of one verdict."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, 4)
    client = nbclient.NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output.text for output in shown if output.get("name") == "stderr" and "Warning" in output.text]
    kinds = {kind for output in shown for kind in output.get("data", {})}
    assert {"text/html", "image/png", "image/svg+xml"} <= kinds
    assert "6 × tcp.reset" in shown[0].text
    assert (tmp_path / "visit.svg").read_text("utf-8").endswith("</svg>\n")
