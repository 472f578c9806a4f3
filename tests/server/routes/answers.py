"""Addresses on the shared server, and the answers of its routes as arrays, tables and pixels."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
from PIL import Image

from ..running import Running

L = "/points/layers/0"
MORE = "/all%20of%20them%20%26%20%3Cmore%3E"
WINDOW = "x0=-1&x1=1&y0=-1&y1=2"


def npy(body: bytes) -> np.ndarray:
    """The array of an `.npy` answer."""
    return np.load(io.BytesIO(body), allow_pickle=False)


def table(body: bytes) -> pa.Table:
    """The table of an `.arrow` answer."""
    return pa.ipc.open_file(pa.BufferReader(body)).read_all()


def pixels(body: bytes) -> np.ndarray:
    """The RGBA pixels of a `.png` answer, (height, width, 4)."""
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"))


def failure(served: Running, path: str, status: int) -> dict:
    """The JSON of an error answer, which has one form everywhere."""
    answer = served.get(path)
    assert answer.status == status, (path, answer.status, answer.body)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    found = json.loads(answer.body)
    assert set(found) == {"error", "field", "got"} and found["error"]
    assert served.get("/healthz").status == 200
    return found
