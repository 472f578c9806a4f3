"""From errors to answers."""

from __future__ import annotations

import inspect
import json

from hypothesis import given
from hypothesis import strategies as st

from bigviz.common import errors
from bigviz.data.appending import refusals as appending
from bigviz.server import refusals
from bigviz.server.error_json import STATUS, describe, dump, retry_after, status_of
from bigviz.server.websocket.requests import Malformed


def test_every_error_has_a_status():
    modules = (errors, refusals, appending)
    classes = [each for module in modules for _, each in inspect.getmembers(module, inspect.isclass)]
    own = [each for each in classes if issubclass(each, errors.BigvizError)]
    assert {each for each in own if each is not errors.BigvizError} == set(STATUS)
    assert status_of(Malformed("x")) == 400 and status_of(errors.BigvizError("x")) == 500
    assert status_of(KeyError("x")) == 500


def test_who_asks_too_often_is_told_when_to_come_again():
    assert retry_after(errors.TooMany("x", retry_after=0.2)) == 1
    assert retry_after(errors.TooMany("x", retry_after=61.01)) == 62
    assert retry_after(errors.Busy("x")) == 1
    assert retry_after(errors.BadInput("x")) is None


def test_what_is_not_bigvizs_own_error_tells_nothing():
    assert describe(KeyError("/secret/path")) == {
        "error": "The server failed to answer; its log says why.",
        "field": None,
        "got": None,
    }


@given(st.one_of(st.text(), st.floats(), st.integers(), st.binary(), st.none(), st.lists(st.text(), max_size=3)))
def test_anything_that_came_can_be_told(got):
    text = dump(describe(errors.BadInput("no", "x", got)))
    found = json.loads(text)
    assert set(found) == {"error", "field", "got"}
    assert not set(b"<>&") & set(text)
    assert found["got"] is None or isinstance(found["got"], int | bool) or len(found["got"]) <= 201


def test_where_a_text_is_wrong_is_told():
    assert describe(errors.BadInput("no", "filter", "x", 0)) == {"error": "no", "field": "filter", "got": "x", "at": 0}


def test_lone_surrogates_do_not_stop_an_answer():
    for words in (("no", "x", "\ud800"), ("no", "\ud800"), ("\ud800",)):
        assert b"ud800" in dump(describe(errors.BadInput(*words)))
