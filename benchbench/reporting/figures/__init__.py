"""Figures of a page: SVG markup that its style sheet and script can address, and PNG images."""
