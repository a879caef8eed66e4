"""Text for XML files: XML forbids some characters that names of tracks may contain."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["clean_xml"]

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean_xml(text: str) -> str:
    """The text with a replacement character for every character that XML forbids.

    Examples
    --------
    >>> clean_xml("a\\x00b")
    'a\\ufffdb'
    """
    return _NOT_XML.sub("\ufffd", text)
