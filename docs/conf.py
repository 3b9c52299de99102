"""Sphinx configuration; the reference tables are generated from the code first, so that they cannot drift."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import generate  # noqa: E402

from netinterf.version import __version__  # noqa: E402

generate.write_all(HERE / "reference")

project = "netinterf"
author = copyright = "the netinterf authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"netinterf {release}"
exclude_patterns = ["_build", "mechanisms/facts", "reference/questions.md", "examples"]  # parts of other pages
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nitpicky = False
