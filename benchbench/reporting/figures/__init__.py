"""Figures as SVG: hand-made where a page's style and script reach into them, drawn otherwise."""
