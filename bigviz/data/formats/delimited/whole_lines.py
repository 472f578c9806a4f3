"""Where the last whole line of a text that grows ends: a line feed within a quoted cell ends none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Lines"]


@dataclass(frozen=True)
class Lines:
    """How lines and cells end. A quote opens a cell where a line or a cell begins, and nowhere else; a doubled one, or
    one after the `escape`, does not close it. Without a `quote` there are no quoted cells."""

    delimiters: str = ",\t;|"
    quote: str = '"'
    escape: str = '"'
    _cells: re.Pattern[bytes] = field(init=False, repr=False)
    _whole: re.Pattern[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Nothing here is ever tried twice (possessive repetition), so the time is that of one pass.
        quote, ends = re.escape(self.quote or "\0").encode(), re.escape(self.delimiters).encode() + rb"\n"
        inner = rb"(?:[^" + quote + rb"]++|" + quote + quote + rb")*+"
        if self.escape not in ("", self.quote):
            escape = re.escape(self.escape).encode()
            inner = rb"(?:[^" + quote + escape + rb"]++|" + escape + rb".|" + quote + quote + rb")*+"
        cells = rb"(?<![^" + ends + rb"])" + quote + inner + rb"(" + quote + rb")?"
        rest = rb"[^" + ends + rb"]*+"
        cell = rb"(?:" + quote + inner + quote + rest + rb"|[^" + quote + ends + rb"]" + rest + rb")?+"
        whole = rb"(?:" + cell + rb"(?:(?!\n)[" + ends + rb"]" + cell + rb")*+\n)*+"
        object.__setattr__(self, "_cells", re.compile(cells, re.DOTALL))
        object.__setattr__(self, "_whole", re.compile(whole, re.DOTALL))

    def end(self, text: bytes) -> int:
        """How many bytes of a text that begins with a line are whole lines."""
        if not self.quote or self.quote.encode() not in text:
            return text.rfind(b"\n") + 1
        found = self._whole.match(text)
        return found.end() if found else 0

    def first(self, text: bytes) -> int:
        """How many bytes of a text are its first line; 0 while that is not whole."""
        for start, stop in self._bare(text):
            at = text.find(b"\n", start, stop)
            if at >= 0:
                return at + 1
        return 0

    def starts(self, text: bytes) -> Iterator[int]:
        """Where each line begins that is not empty, of whole lines."""
        begin = 0
        for start, stop in self._bare(text):
            while (at := text.find(b"\n", start, stop)) >= 0:
                if text[begin:at].strip(b"\r"):
                    yield begin
                start = begin = at + 1
        if text[begin:].strip(b"\r\n"):
            yield begin

    def _bare(self, text: bytes) -> Iterator[tuple[int, int]]:
        """What lies between quoted cells; nothing after a quote that is not closed."""
        at = 0
        if self.quote and self.quote.encode() in text:
            for cell in self._cells.finditer(text):
                yield at, cell.start()
                if not cell[1]:
                    return
                at = cell.end()
        yield at, len(text)
