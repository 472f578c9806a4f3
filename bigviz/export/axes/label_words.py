"""Labels of categories as they are written. As in static/axes/label-words.js."""

from __future__ import annotations

__all__ = ["label_words"]


def label_words(label: str) -> str:
    """The label; "(blank)" for one without a visible character, which would leave a gap."""
    return label if label.strip() else "(blank)"
