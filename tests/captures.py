"""Where the labelled public captures lie."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("NETINTERF_CAPTURES") or ROOT.parent / "shared" / "data" / "captures")
"""It may be absent."""
