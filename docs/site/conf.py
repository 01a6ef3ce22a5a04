"""How Sphinx builds the site: `make docs` calls it with the pages that `docs.site.tree` put together."""

from __future__ import annotations

from spacediff import __version__

project = "spacediff"
project_copyright = "the spacediff authors, Apache-2.0"
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
html_theme = "furo"
html_title = f"spacediff {release}"
html_copy_source = False
html_show_sphinx = False

myst_heading_anchors = 4
myst_links_external_new_tab = False

default_role = "literal"  # docstrings name code between single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"exclude-members": "model_config, model_post_init"}
python_use_unqualified_type_names = True
napoleon_use_ivar = True
python_display_short_literal_types = True
maximum_signature_line_length = 80
