"""What the tests do with a page: open it, wait until it is exact, and read what it shows."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import parse_qs

import numpy as np
from playwright.sync_api import Page


def open_page(page: Page, url: str) -> None:
    """Goes there and waits until every figure has been exact."""
    page.goto(url)
    page.wait_for_selector('html[data-ready="1"]', state="attached")


def figure(number: int = 0) -> str:
    return f'section[data-figure="{number}"]'


def settle(page: Page, number: int = 0) -> None:
    """Waits until the figure is exact, two frames from now at the earliest."""
    frames(page)
    page.wait_for_selector(f'{figure(number)}[data-exact="1"]', state="attached")


def frames(page: Page, count: int = 2) -> None:
    """Waits for frames: in the second one what an input changed at once is drawn and told."""
    page.evaluate("count => probe.frame(count)", count)


def rest(page: Page, put_off: int = 200) -> None:
    """Waits until the page has done what it puts off by so many ms or fewer: the URL says what is shown."""
    page.wait_for_function("ms => probe.isIdle(ms)", arg=put_off)


@contextmanager
def moving(page: Page, number: int = 0) -> Iterator[None]:
    """What is done inside moves the figure's view; afterwards it is exact, and the URL says where it is."""
    before = page.evaluate("n => probe.settled(n)", number)
    yield
    page.wait_for_function("([n, before]) => probe.settled(n) > before", arg=[number, before])
    settle(page, number)
    rest(page)


@dataclass(frozen=True)
class Box:
    """The plot's rectangle in CSS pixels of the window."""

    x: float
    y: float
    width: float
    height: float

    def at(self, fx: float, fy: float) -> tuple[float, float]:
        """A place by its shares from the left and from the top."""
        return self.x + self.width * fx, self.y + self.height * fy

    @property
    def middle(self) -> tuple[float, float]:
        return self.at(0.5, 0.5)


def plot(page: Page, number: int = 0) -> Box:
    found = page.locator(f"{figure(number)} canvas.data").bounding_box()
    assert found
    return Box(**found)


def pixels(page: Page, number: int = 0) -> np.ndarray:
    """RGBA of the data canvas, (height, width, 4) uint8."""
    width, height, text = page.evaluate("n => probe.pixels(n)", number)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)


def hash_of(page: Page) -> dict[str, str]:
    """The URL's state, empty values kept."""
    return {key: values[0] for key, values in parse_qs(page.url.partition("#")[2], keep_blank_values=True).items()}


@dataclass(frozen=True)
class View:
    """The ranges that a figure shows."""

    x0: float
    x1: float
    y0: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    def at(self, fx: float, fy: float) -> tuple[float, float]:
        """Axis numbers at shares from the left and from the top."""
        return self.x0 + self.width * fx, self.y1 - self.height * fy


def wait_hash(page: Page, keys: str = "x0", number: int = 0) -> dict[str, str]:
    """Waits until the URL says where the view went."""
    name = keys if number == 0 else f"{keys}.{number}"
    page.wait_for_function("n => new URLSearchParams(location.hash.slice(1)).has(n)", arg=name)
    return hash_of(page)


def view(page: Page, number: int = 0) -> View:
    """The figure's ranges, from the URL once it is written (the view must have left home)."""
    state = wait_hash(page, number=number)
    end = "" if number == 0 else f".{number}"
    return View(*(float(state[key + end]) for key in ("x0", "x1", "y0", "y1")))


def home(low: float, high: float) -> tuple[float, float]:
    """A range and 2 % on each side."""
    return low - (high - low) * 0.02, high + (high - low) * 0.02


def home_view(x: np.ndarray, y: np.ndarray) -> View:
    return View(*home(float(np.nanmin(x)), float(np.nanmax(x))), *home(float(np.nanmin(y)), float(np.nanmax(y))))


@contextmanager
def count_messages(page: Page) -> Iterator[Callable[[], int]]:
    """Counts the messages that the page sends from here on."""
    page.evaluate("() => probe.countSent()")
    yield lambda: page.evaluate("() => probe.sent")


def choose(page: Page, name: str, value: str, number: int = 0) -> None:
    """Picks a value in the figure's form: in a list, or by writing it."""
    control = page.locator(f'{figure(number)} form [name="{name}"]')
    if control.evaluate("e => e.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)
        control.press("Enter")


def until(page: Page, condition: str, arg: object = None) -> None:
    page.wait_for_function(condition, arg=arg)


def hover(page: Page, x: float, y: float) -> None:
    """Moves the mouse there; what is told of the place stands in the tooltip, if anything is."""
    page.mouse.move(x, y)
    frames(page)


@dataclass
class Watch:
    """What `watching` saw: how many frames, and how many colours each blank one among them had."""

    frames: int = 0
    blank: tuple[int, ...] = ()


@contextmanager
def watching(page: Page) -> Iterator[Watch]:
    """Looks at every frame that is drawn inside. The view before has no data in its first row of pixels, as at home."""
    seen = Watch()
    empty = np.unique(pixels(page)[0].view(np.uint32))
    page.evaluate("empty => probe.watch(empty)", empty.tolist())
    yield seen
    seen.frames, blank = page.evaluate("() => [probe.frames, probe.blank]")
    seen.blank = tuple(blank)


def tip(page: Page, number: int = 0) -> dict[str, str]:
    """The tooltip's names and values."""
    page.wait_for_selector(f"{figure(number)} .tip", state="visible")
    return page.evaluate("n => probe.tip(n)", number)


def number(text: str) -> float:
    """A formatted number, with its minus sign and separators."""
    return float(text.replace("\u2212", "-").replace(",", "").replace("\u202f", "").replace("\u00a0", ""))


def root(low: float, high: float) -> tuple[Fraction, int]:
    """Start and exponent of the root that docs/reference.md gives to numbers from low to high."""
    a, b = Fraction(low), Fraction(high)
    exponent = math.floor(math.log2(b - a)) - 1
    while True:
        half = Fraction(2) ** (exponent - 1)
        start = a // half * half
        if b < start + 2 * half:
            return start, exponent
        exponent += 1


def level(exponent: int, length: float, device_pixels: int) -> int:
    """The level whose cells are nearest to a device pixel."""
    return min(24, max(0, round(exponent - 8 - math.log2(length / device_pixels))))


def cell(value: float, exponent: int, z: int) -> int:
    """The number of the cell that holds a value, by exact arithmetic."""
    return math.floor(Fraction(value) / Fraction(2) ** (exponent - 8 - z))


def cells(values: np.ndarray, exponent: int, z: int) -> np.ndarray:
    """`cell` for arrays: exact too, since a power of two only moves the exponent of a double."""
    return np.floor(values.astype(np.float64) * 2.0 ** (8 + z - exponent)).astype(np.int64)


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
