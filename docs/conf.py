"""Settings of the documentation; `make docs` builds it into `docs/_build/html`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import docstrings  # noqa: E402 (found by the line above)
import generated  # noqa: E402

project = "infant-arm"
copyright = "the authors of infant-arm"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
smartquotes_action = "qe"  # options begin with two hyphens, no dash
html_theme = "furo"
html_title = "infant-arm"

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3
copybutton_exclude = ".linenos, .gp, .go"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

# Signatures name other libraries' types, and types that this project keeps private (a name by its file, `floor.room.file.Name`,
# or one room deeper). These have no page here. Every other name must have one: sphinx-build runs with -n.
nitpick_ignore_regex = [
    ("py:.*", r"(?!(infant_env|agents|training)\.).*"),
    ("py:.*", r"(infant_env|agents|training)(\.\w+){3,4}"),
    ("py:.*", r"agents\.babbling\.Sample"),
]


def setup(app):
    """Connects what is generated, and what turns the project's docstrings into Sphinx's own language."""
    app.connect("source-read", generated.fill)
    app.connect("env-get-outdated", generated.outdated)
    app.connect("autodoc-process-docstring", docstrings.translate, priority=400)  # before napoleon
