"""`Dataset.where`: counted, summed and taken as pyarrow does it on the same rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput

from ...growing import Growing

ROWS = 50_000


def table() -> pa.Table:
    rng = np.random.default_rng(11)
    floats = rng.normal(size=ROWS)
    floats[::97] = np.nan
    return pa.table(
        {
            "n": pa.array(rng.integers(-(2**62), 2**62, ROWS), mask=rng.random(ROWS) < 0.1),
            "u": pa.array(rng.integers(0, 2**64, ROWS, np.uint64)),
            "f": pa.array(floats, mask=rng.random(ROWS) < 0.1),
            "k": pa.array(rng.choice(["a", "b", "ç"], ROWS)).dictionary_encode(),
            "d": pa.array([Decimal(int(each)).scaleb(-2) for each in rng.integers(-(10**9), 10**9, ROWS)]),
            "b": pa.array(rng.random(ROWS) < 0.5),
            "t": pa.array(rng.integers(0, 10**9, ROWS), pa.timestamp("ms")),
            "span": pa.array(rng.integers(0, 10**9, ROWS), pa.duration("us")),
        }
    )


@pytest.fixture(params=["memory", "parquet"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[bv.Dataset, pa.Table]:
    made = table()
    if request.param == "memory":
        return bv.open(made), made
    pq.write_table(made, tmp_path / "t.parquet", row_group_size=7_000)
    return bv.open(tmp_path / "t.parquet"), made


def test_answers_are_those_of_the_rows_that_are_kept(both: tuple[bv.Dataset, pa.Table]):
    dataset, whole = both
    selected = dataset.where("k in ('a', 'ç') and not f > 0.5")
    wanted = whole.filter(pc.and_(pc.is_in(whole["k"].cast(pa.string()), pa.array(["a", "ç"])),
                                  pc.invert(pc.greater(whole["f"], 0.5))))  # fmt: skip
    assert selected.count() == wanted.num_rows > 0
    integers = [each for each in wanted["n"].to_pylist() if each is not None]
    assert selected.sum("n") == sum(integers)
    assert selected.mean("n") == pytest.approx(sum(integers) / len(integers))
    assert selected.sum("u") == sum(wanted["u"].to_pylist())
    floats = [each for each in wanted["f"].to_pylist() if each is not None and each == each]
    assert selected.sum("f") == pytest.approx(sum(floats))
    assert selected.mean("f") == pytest.approx(sum(floats) / len(floats))
    assert selected.sum("d") == sum(wanted["d"].to_pylist())
    assert selected.sum("b") == sum(wanted["b"].to_pylist())
    for name in ("n", "u", "d", "k", "b", "t", "span"):
        values = [each for each in wanted[name].to_pylist() if each is not None]
        assert (selected.min(name), selected.max(name)) == (min(values), max(values)), name
    assert (selected.min("f"), selected.max("f")) == (min(floats), max(floats))
    taken = selected.to_arrow()
    assert taken.drop(["f"]).equals(wanted.drop(["f"]))
    np.testing.assert_array_equal(taken["f"].to_numpy(), wanted["f"].to_numpy())


def test_the_first_rows_in_the_file_s_order(both: tuple[bv.Dataset, pa.Table]):
    dataset, whole = both
    wanted = whole.filter(pc.equal(whole["k"].cast(pa.string()), "b"))
    found = dataset.where("k = 'b'").to_arrow(limit=11, columns=["t", "k"])
    assert found.to_pylist() == wanted.select(["t", "k"]).slice(0, 11).to_pylist()
    assert found.schema == whole.select(["t", "k"]).schema
    assert dataset.where("k = 'b'").to_arrow(limit=0).num_rows == 0


def test_no_row_has_no_mean_and_no_ends(both: tuple[bv.Dataset, pa.Table]):
    selected = both[0].where("f > 1000")
    assert (selected.count(), selected.sum("n"), selected.sum("f"), selected.sum("d")) == (0, 0, 0, 0)
    assert (selected.mean("f"), selected.min("k"), selected.max("t")) == (None, None, None)
    assert selected.to_arrow().num_rows == 0


def test_stamps_in_nanoseconds_keep_them():
    dataset = bv.open(pa.table({"t": pa.array([1, 2**62, None], pa.timestamp("ns", "Europe/Berlin"))}))
    assert dataset.where("true").max("t") == np.datetime64(2**62, "ns")


def test_times_have_a_mean_and_lengths_of_time_a_sum(both: tuple[bv.Dataset, pa.Table]):
    dataset, whole = both
    selected, wanted = dataset.where("f > 0.5"), whole.filter(pc.greater(whole["f"], 0.5))
    stamps, spans = (wanted[name].cast(pa.int64()).to_pylist() for name in ("t", "span"))
    assert selected.mean("t") == np.datetime64(sum(stamps) * 10**6 // len(stamps), "ns")
    assert selected.sum("span") == np.timedelta64(sum(spans) * 1_000, "ns")
    assert selected.mean("span") == np.timedelta64(sum(spans) * 1_000 // len(spans), "ns")
    none = dataset.where("f > 99")
    assert (none.mean("t"), none.sum("span")) == (None, np.timedelta64(0, "ns"))
    with pytest.raises(BadInput, match="sum needs a column of numbers or durations; 't' holds timestamp"):
        selected.sum("t")
    with pytest.raises(BadInput, match="mean needs a column of numbers or times; 'k'"):
        selected.mean("k")
    noon = pa.array([43_200, 0], pa.time32("s"))
    days = bv.open({"day": np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"), "noon": noon})
    assert days.where("true").mean("day") == np.datetime64("2024-01-01T12:00", "ns")
    assert days.where("true").mean("noon") == dt.time(6)
    far = bv.open({"t": pa.array([2**62, 2**62], pa.timestamp("s"))})
    with pytest.raises(BadInput, match="beyond what timestamp"):
        far.where("true").mean("t")


def test_ends_of_dates_and_of_labels_that_are_no_text():
    days = [dt.date(9999, 12, 31), None, dt.date(1, 1, 1)]
    dataset = bv.open(pa.table({"day": pa.array(days), "code": pa.array([30, None, 4]).dictionary_encode()}))
    everything = dataset.where("true")
    assert (everything.min("day"), everything.max("day")) == (dt.date(1, 1, 1), dt.date(9999, 12, 31))
    assert (everything.min("code"), everything.max("code")) == (4, 30)


def test_rows_that_were_rolled_over_are_not_there_and_corrected_ones_are():
    grown = Growing(pa.table({"n": range(10), "k": list("abcdefghij")})).roll(4)
    dataset = grown.correct([5], pa.table({"n": [500], "k": ["z"]})).append(pa.table({"n": [10], "k": ["a"]})).version()
    assert dataset.where("n >= 0").count() == 7
    assert dataset.where("n > 7 and k != 'i'").to_arrow()["n"].to_pylist() == [500, 9, 10]
    assert dataset.where("k = 'z' or k = 'a'").sum("n") == 510


def test_faults_name_their_place():
    dataset = bv.open(pa.table({"fare": [1.0], "kind": ["a"]}))
    with pytest.raises(bv.BadInput, match="fare") as caught:
        dataset.where("kind = 'a' and fair > 1")
    assert (caught.value.field, caught.value.got, caught.value.at) == ("filter", "fair", 15)
    with pytest.raises(bv.BadInput, match="numbers"):
        dataset.where("true").sum("kind")
    with pytest.raises(bv.NotFound):
        dataset.where("true").sum("nothing")
    with pytest.raises(bv.BadInput, match="limit"):
        dataset.where("true").to_arrow(limit=-1)
