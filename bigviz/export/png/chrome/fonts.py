"""The font of a picture's text: the family that the page would show on this machine, or one that is always there.

The page asks for the system's own font, then for a list of common ones; browsers on Linux look it up with fontconfig.
Where the tool of that name is there, it is asked; elsewhere the usual folders are looked through for the same list.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

__all__ = ["Face", "face_of"]

_FAMILIES: Final = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "Liberation Sans", "sans-serif")
_FILES: Final = {
    False: ("segoeui.ttf", "SFNS.ttf", "HelveticaNeue.ttc", "Roboto-Regular.ttf", "NotoSans-Regular.ttf",
            "LiberationSans-Regular.ttf", "DejaVuSans.ttf", "Arial.ttf"),
    True: ("segoeuib.ttf", "SFNS.ttf", "HelveticaNeue.ttc", "Roboto-Bold.ttf", "NotoSans-Bold.ttf",
           "LiberationSans-Bold.ttf", "DejaVuSans-Bold.ttf", "Arial Bold.ttf"),
}  # fmt: skip
_FOLDERS: Final = {
    "win32": ("C:/Windows/Fonts",),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
}
_SECONDS: Final = 5.0  # for fontconfig to answer, which it does in milliseconds
_UNITS: Final = 2048  # a size at which advances are those of the font's own units, unrounded


@dataclass(frozen=True)
class Face:
    """A font: its file (None: Pillow's own), and how far letters reach above and below the baseline, as shares of the
    size that add up to 1."""

    path: Path | None
    ascent: float
    descent: float

    def font(self, size: float) -> ImageFont.FreeTypeFont:
        """The font at a size in pixels."""
        return _font(self.path, size)

    def width(self, text: str, size: float) -> float:
        """How wide a text is at a size, without hinting."""
        return float(_font(self.path, _UNITS).getlength(text)) * size / _UNITS


@lru_cache(2)
def face_of(bold: bool) -> Face:
    """The page's font on this machine, of regular or of bold weight."""
    for path in _candidates(bold):
        try:
            _font(path, _UNITS)
            return Face(path, *_em_box(path.read_bytes()))
        except (OSError, struct.error, ValueError):  # no font that Pillow reads: the next one
            continue
    return Face(None, 0.78, 0.22)


def _candidates(bold: bool) -> list[Path]:
    tool = shutil.which("fc-match")
    found = []
    if tool:
        names = ",".join(_FAMILIES).replace("-", r"\-")  # else what follows would be a size
        pattern = f"{names}{':bold' if bold else ''}"
        try:
            told = subprocess.run(
                [tool, "--format=%{file}", pattern], capture_output=True, text=True, timeout=_SECONDS, check=True
            ).stdout
            found = [Path(told)] if told else []
        except (OSError, subprocess.SubprocessError):  # fontconfig without fonts, or one that hangs
            found = []
    folders = [Path(each).expanduser() for each in _FOLDERS.get(sys.platform, _FOLDERS["linux"])]
    files = {path.name: path for folder in folders if folder.is_dir() for path in folder.rglob("*.tt?")}
    return found + [files[name] for name in _FILES[bold] if name in files]


@lru_cache(64)
def _font(path: Path | None, size: float) -> ImageFont.FreeTypeFont:
    if path is not None:
        return ImageFont.truetype(str(path), size)
    own = ImageFont.load_default(size)
    if not isinstance(own, ImageFont.FreeTypeFont):
        raise OSError("this Pillow has no FreeType: install its wheel, or one that is built with it")
    return own


def _em_box(data: bytes) -> tuple[float, float]:
    """Ascent and descent of a font file's letters, which browsers place text by: the typographic ones of its OS/2
    table, scaled to add up to 1."""
    offset = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
    count = struct.unpack_from(">H", data, offset + 4)[0]
    for number in range(count):
        tag, _, start, _ = struct.unpack_from(">4sIII", data, offset + 12 + 16 * number)
        if tag == b"OS/2":
            ascent, descent = struct.unpack_from(">hh", data, start + 68)
            whole = ascent - descent
            if ascent > 0 and whole > 0:
                return ascent / whole, -descent / whole
    return 0.78, 0.22
