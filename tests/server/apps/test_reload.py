"""`--dev`, shared pages, what is appended, and who may: apps on a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

import bigviz as bv
from bigviz.wire.frames import Type

from ..running import running
from .app_pages import AppPage, apps, rowless

APP = """
import bigviz as bv
import beside

number = bv.slider("number", 0, {most})
other = bv.select("other", ["a", "b"])
figure = bv.figure(title=beside.TITLE).points({{"x": [1.0, 2.0]}}, "x", "x")


@number.on_change
def changed(session, value):
    session.notify(f"{{value}} in {{beside.TITLE}}")
    if value == 9:
        raise RuntimeError("for its author")


def appended(name, version, rows):
    print(f"{{name}} {{version}} {{rows.num_rows}}")


bv.on_close(lambda session: print(f"closed with {{session.values['number']}}"))
bv.serve(bv.row(figure, number, other), on_append=appended)
"""


def test_a_changed_app_keeps_the_values_of_its_pages(tmp_path: Path):
    app, beside = tmp_path / "app.py", tmp_path / "beside.py"
    app.write_text(APP.format(most=50))
    beside.write_text("TITLE = 'First'")
    library = tmp_path / "library"
    with apps([("app", app)], dev=True, library=library, session_seconds=0.05) as served:
        with AppPage(served.url) as page:
            page.change("number", 30)
            assert page.notices(1) == ["30 in First"]
            page.change("other", "b")
            page.change("number", 9)
            error = page.push("error")
            assert error["app"]["file"] == "app.py" and error["app"]["message"] == "RuntimeError: for its author"
            assert "raise RuntimeError" in error["app"]["trace"], "with --dev the page has the traceback"
            bv.connect(served.url).stream("ticks", {"x": "int64"}).append({"x": [7, 8]})
            served.await_event("app", line="ticks 2 2")
            served.server._hub.sessions._seconds = 100  # type: ignore[union-attr]
            beside.write_text("TITLE = 'Second'")
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    assert page.take().kind == Type.SESSION
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
        with AppPage(served.url, session=page.session["id"]) as again:
            assert again.document["layout"]["children"][0]["title"] == "Second"
            assert again.session["values"] == {"number": 9, "other": "b"}
            again.change("number", 31)
            assert again.notices(1) == ["31 in Second"]
            app.write_text("1 / 0")
            failed = again.until(lambda got: got.kind == Type.ERROR)[-1].value
            assert failed["app"]["message"] == "ZeroDivisionError: division by zero"
            again.change("number", 32)
            assert again.notices(1) == ["32 in Second"], "the one before goes on"
            served.server._hub.sessions._seconds = 0.01  # type: ignore[union-attr]
        served.await_event("app", line="closed with 32")


def test_pages_of_a_shared_document_see_each_other(documents):
    with running([documents[0]], shared=True) as served:
        name = documents[0].id
        with AppPage(served.url, name) as one, AppPage(served.url, name) as two:
            assert one.session["id"] == two.session["id"] and one.session["shared"] and one.session["ranged"]
            number = one.say(op="range", ranges={"x0": [0.25, 0.5]})
            assert one.push("set") == {"ranges": {"x0": [0.25, 0.5]}, "sequence": 1, "id": number}
            assert two.push("set") == {"ranges": {"x0": [0.25, 0.5]}, "sequence": 1}
            with AppPage(served.url, name) as three:
                assert three.session["ranges"] == {"x0": [0.25, 0.5]} and "app" not in three.session


def test_a_shared_app_asks_with_the_rights_that_all_viewers_have():
    with (
        apps([("app", Path(__file__).with_name("remembering_app.py"))], shared=True) as served,
        AppPage(served.url) as one,
        AppPage(served.url) as other,
    ):
        one.change("do", "rows")
        assert one.notices(1) == other.notices(1) == ["[1.0, 3.0]"]
        session = served.server._hub.session(one.session["id"])  # type: ignore[union-attr]
        assert session is not None and len(session.pages) == 2
        rowless(served, next(iter(session.pages)))
        for page in (one, other):
            page.change("do", "rows")
            assert all("not give out single rows" in each.push("error")["message"] for each in (one, other))


def test_pages_of_other_documents_have_no_session(documents):
    with running([documents[0]]) as served, AppPage.__mro__[1](served.url, documents[0].id) as page:
        assert "session" not in page.hello.value
        page.say(op="control", control="a", value=1)
        assert "no session" in page.take().value["error"]
