"""Tiles of what was appended, asked of a server, are those of a dataset that was uploaded with all of its rows."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest

from ..running import Running
from .calls import ARROW, call, document, stream_of, upload

PLACES = ["0/0/0", "1/0/0", "1/1/1", "3/4/4", "4,2/7/1"]


def rows(seed: int, count: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=count) + seed  # the root grows
    kinds = np.array(["b", "a", "c"])[: 2 + seed % 2]
    return pa.table(
        {"x": x, "y": rng.normal(size=count), "v": rng.integers(0, 99, count), "kind": rng.choice(kinds, count)}
    )


def put(plots: Running, name: str, dataset: str, agg: str, keep: str) -> None:
    made = document(dataset, agg=agg)
    made["layout"]["layers"][0]["filter"] = keep
    assert call(plots, "PUT", f"documents/{name}", made)[0] == 201


@pytest.mark.parametrize(
    ("agg", "keep"), [("count", ""), ("sum(v)", ""), ("by(kind)", ""), ("mean(v)", "v > 40 and kind != 'c'")]
)
def test_tiles_of_each_version_are_those_of_one_upload(plots: Running, agg: str, keep: str) -> None:
    parts = [rows(seed, 2_000) for seed in range(4)]
    assert upload(plots, "grown", parts[0])[0] == 201
    put(plots, "a", "grown", agg, keep)
    for number, part in enumerate(parts[1:]):
        assert call(plots, "POST", "datasets/grown/append", stream_of(part), Content_Type=ARROW)[0] == 200
        if number == 0:  # a version is skipped
            continue
        name = f"whole{number}"
        assert upload(plots, name, pa.concat_tables(parts[: number + 2]))[0] == 201
        put(plots, name, name, agg, keep)
        for place in PLACES:
            mine, other = (plots.get(f"/{page}/layers/0/tiles/{place}.npy") for page in ("a", name))
            assert mine.status == other.status == 200
            one, two = (np.load(io.BytesIO(each.body)) for each in (mine, other))
            assert np.array_equal(one, two, equal_nan=True), place


def test_tiles_that_an_append_does_not_touch_keep_their_etag(plots: Running) -> None:
    upload(plots, "grown", rows(0, 2_000))
    call(plots, "PUT", "documents/a", document("grown"))
    one = rows(0, 1)
    call(plots, "POST", "datasets/grown/append", stream_of(one), Content_Type=ARROW)
    places = [f"2/{i}/{j}" for i in range(4) for j in range(4)]

    def tags() -> list[str | None]:
        return [plots.get(f"/a/layers/0/tiles/{place}.npy").headers["Etag"] for place in places]

    before = tags()
    call(plots, "POST", "datasets/grown/append", stream_of(one), Content_Type=ARROW)
    after = tags()
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
    same = next(place for place, old, new in zip(places, before, after, strict=True) if old == new)
    tag = after[places.index(same)]
    assert plots.get(f"/a/layers/0/tiles/{same}.npy", If_None_Match=tag).status == 304


def test_tiles_that_rollover_and_patches_do_not_touch_keep_their_etag(plots: Running) -> None:
    """Rows in the order of x: the oldest are those of the first tiles."""
    x = np.arange(4_096.0)
    table = pa.table({"x": x, "y": (x * 37) % 500})
    kept = "datasets/grown?rollover_rows=4096"
    assert call(plots, "PUT", kept, stream_of(table), Content_Type=ARROW)[0] == 201
    call(plots, "PUT", "documents/a", document("grown"))

    def tags() -> list[str | None]:
        return [plots.get(f"/a/layers/0/tiles/3,0/{i}/0.npy").headers["Etag"] for i in range(8)]

    def changed(before: list[str | None]) -> list[int]:
        return [at for at, (old, new) in enumerate(zip(before, tags(), strict=True)) if old != new]

    call(plots, "POST", "datasets/grown/append", stream_of(table.slice(4_000, 1)), Content_Type=ARROW)
    before = tags()
    late = pa.table({"x": [2_600.5] * 10, "y": [5.0] * 10})
    assert call(plots, "POST", "datasets/grown/append", stream_of(late), Content_Type=ARROW)[0] == 200
    assert changed(before) == [0, 5]
    assert plots.get("/a/layers/0/tiles/3,0/1/0.npy", If_None_Match=before[1]).status == 304
    before = tags()
    wrong = pa.table({"_row": [1_100, 1_101], "y": [1.0, 2.0]})
    assert call(plots, "POST", "datasets/grown/patch", stream_of(wrong), Content_Type=ARROW)[0] == 200
    assert changed(before) == [2]
    last = pa.concat_tables([table.slice(11), table.slice(4_000, 1), late])
    y = last["y"].to_numpy().copy()
    y[[1_100 - 11, 1_101 - 11]] = 1.0, 2.0
    upload(plots, "whole", last.set_column(1, "y", pa.array(y)))
    call(plots, "PUT", "documents/b", document("whole"))
    for i in range(8):
        one, two = (plots.get(f"/{page}/layers/0/tiles/3,0/{i}/0.npy").body for page in "ab")
        assert one == two
