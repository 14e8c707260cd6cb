"""How Sphinx builds the site: `make docs`. Nothing is fetched, neither here nor by the pages."""

from typing import Any

import adaptml

project = "ADaPT-ML"
author = project_copyright = "The ADaPT-ML developers"
version = release = adaptml.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "myst_nb"]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
myst_enable_extensions = ["deflist"]
default_role = "code"  # a name in single backticks in a docstring

# One page a name, made from its docstring.
autosummary_generate = True
autoclass_content = "both"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "__init__, model_config"}
python_maximum_signature_line_length = 80
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

# The notebook is kept without outputs: the site shows what this version of the library gives.
nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_output_stderr = "remove"  # what libraries say of a notebook without widgets

html_theme = "pydata_sphinx_theme"
html_title = "ADaPT-ML"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "errors": [], "running": [], "notebooks/*": []}


def skip(_app: Any, _what: str, name: str, member: Any, skipped: bool, _options: Any) -> bool | None:
    """Leave out the steps that are methods too, for each has its page, and what scikit-learn adds."""
    is_step = getattr(member, "__name__", "") in adaptml.__all__ and callable(member)
    is_request = name.startswith("set_") and name.endswith("_request")
    return True if is_step or is_request else skipped or None


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-skip-member", skip)
