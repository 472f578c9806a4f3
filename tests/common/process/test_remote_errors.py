"""An error reads back in another process as it was."""

from __future__ import annotations

import json
import math

import pytest

from bigviz.common.errors import BadInput, BigvizError, Cancelled, Conflict, NotFound, OutOfDate, TooMany
from bigviz.common.process.remote_errors import error_json, error_of


def sent(error: BaseException) -> BigvizError:
    """As channels send JSON: without NaN."""
    return error_of(json.loads(json.dumps(error_json(error), allow_nan=False)))


@pytest.mark.parametrize(
    "error", [BadInput("no", "x", "got", 3), NotFound("gone"), Cancelled(), BigvizError("?", got=2.5)]
)
def test_its_class_and_what_it_tells_are_kept(error: BigvizError) -> None:
    found = sent(error)
    assert type(found) is type(error)
    assert (found.message, found.field, found.got, found.at) == (error.message, error.field, error.got, error.at)


@pytest.mark.parametrize("version", [7, None])
def test_what_a_class_adds_is_kept(version: int | None) -> None:
    late = sent(TooMany("slower", retry_after=12.5))
    assert isinstance(late, TooMany) and late.retry_after == 12.5
    old = sent(OutOfDate("changed", "If-Match", '"3"', version))
    assert isinstance(old, OutOfDate) and old.version == version
    bare = error_of({"kind": "TooMany", "message": "slower"})  # of a process that says no more
    assert isinstance(bare, TooMany) and bare.retry_after == 1.0


@pytest.mark.parametrize("got", [math.nan, -math.inf, [1], {"a": math.nan}, object])
def test_a_value_that_is_no_json_is_told_in_words(got: object) -> None:
    assert sent(BadInput("no", got=got)).got == repr(got)


def test_a_value_of_any_size_is_told_shortly() -> None:
    told = sent(BadInput("no", got=list(range(100_000)))).got
    assert isinstance(told, str) and len(told) < 250


def test_a_class_of_one_room_is_told_by_the_one_above_it() -> None:
    class Taken(Conflict):
        pass

    assert type(sent(Taken("taken"))) is Conflict
    assert type(error_of({"kind": "naming", "message": "?"})) is BigvizError


def test_of_other_errors_nothing_is_told() -> None:
    found = sent(OSError("/home/somebody"))
    assert type(found) is BigvizError and "somebody" not in found.message
