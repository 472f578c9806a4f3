"""`bigviz.embed`: the tag that it writes, and what it refuses."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

import bigviz as bv
from bigviz.common.errors import BadInput, BigvizError
from bigviz.common.web.page_tokens import PageTokens
from bigviz.library.secrets import new_secret

URL = "https://plots.example.org/prefix/"
ORIGIN = "https://www.example.org"


def tag(html: str) -> dict[str, str | None]:
    """The attributes of the only tag."""
    found: list[dict[str, str | None]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda name, attributes: found.append({"": name, **dict(attributes)})  # type: ignore[assignment]
    parser.feed(html)
    (only,) = found
    assert only.pop("") == "script" and html.endswith("></script>")
    return only


@pytest.fixture(autouse=True)
def _without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BIGVIZ_URL", "BIGVIZ_TOKEN", "BIGVIZ_SECRET"):
        monkeypatch.delenv(name, raising=False)


def test_a_public_plot_asks_nobody() -> None:
    assert tag(bv.embed("sales", URL)) == {"async": None, "src": "https://plots.example.org/prefix/sales/autoload.js"}
    assert tag(bv.embed("sales"))["src"] == "http://127.0.0.1:5006/sales/autoload.js"


def test_names_and_views_are_data() -> None:
    found = tag(bv.embed('"><b> é', URL, view='#x="><i>&y=1', height=300, title="<Sales> & more"))
    assert found["src"] == "https://plots.example.org/prefix/%22%3E%3Cb%3E%20%C3%A9/autoload.js"
    assert (found["data-view"], found["data-height"]) == ('x="><i>&y=1', "300")
    assert found["data-title"] == "<Sales> & more"


@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_secret_signs_without_a_server(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, path = new_secret(), tmp_path / "secret"
    path.write_text(secret)
    if where == "environment":
        monkeypatch.setenv("BIGVIZ_SECRET", secret)
    found = tag(bv.embed("sales", URL, origin="https://WWW.example.org:443", secret=path if where == "file" else None))
    said = PageTokens(secret).read(str(found["data-token"]))
    assert (said.document, said.origin, said.user) == ("sales", ORIGIN, None)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"origin": "www.example.org"}, "origin"),
        ({"origin": ORIGIN, "expires": 0}, "seconds"),
        ({"origin": ORIGIN, "view": "abcdefghijklmnopqrstuv"}, "view"),
        ({"height": 0}, "height"),
        ({"url": "plots.example.org"}, "url"),
    ],
)
def test_what_cannot_be(options: dict[str, object], field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGVIZ_SECRET", new_secret())
    with pytest.raises(BadInput) as refused:
        bv.embed("sales", **{"url": URL, **options})  # type: ignore[arg-type]
    assert refused.value.field == field


def test_names_that_cannot_be() -> None:
    with pytest.raises(BigvizError):
        bv.embed("a/b", URL)
