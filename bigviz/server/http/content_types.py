"""Content types of the answers."""

from typing import Final

__all__ = ["ARROW", "HTML", "JAVASCRIPT", "JSON", "NPY", "PNG"]

ARROW: Final = "application/vnd.apache.arrow.file"
HTML: Final = "text/html; charset=utf-8"
JAVASCRIPT: Final = "text/javascript; charset=utf-8"
JSON: Final = "application/json; charset=utf-8"
NPY: Final = "application/octet-stream"
PNG: Final = "image/png"
