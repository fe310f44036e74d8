"""Sphinx configuration; ``docs/build.py`` stages the pages and calls Sphinx with it."""

project = "Spillway"
author = "the Spillway authors"
copyright = "the Spillway authors, Apache-2.0"
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Spillway"
html_show_sphinx = False
html_static_path: list[str] = []
# No page needs the network, and a build needs none either.
html_theme_options = {"navigation_with_keys": True}
nitpicky = True
