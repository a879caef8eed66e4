"""A static site: an index that loads quickly, a page per section, model and track, and data files.

It refers to nothing outside its folder, so it can be published by copying.
"""

from benchbench.reporting.site.writing import write_site

__all__ = ["write_site"]
