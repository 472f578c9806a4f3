"""Which tiles nginx keeps, for how long, and for whom. Each test asks for tiles in colours of its own."""

from __future__ import annotations

from ..patience import until
from ..server.api.calls import ARROW, TABLE, call, stream_of
from .conftest import TILE, Behind


def status(behind: Behind, name: str = "open", query: str = "", **headers: str) -> str | None:
    """What nginx says of its cache with the first tile of a document."""
    found: str | None = behind.tile(name, query, **headers).headers["X-Cache-Status"]
    return found


def test_a_public_tile_is_kept_and_asked_about_again(behind_nginx: Behind) -> None:
    behind, query = behind_nginx, "?cmap=bgy"
    first = behind.tile("open", query)
    assert first.headers["X-Cache-Status"] == "MISS"
    # A hit comes within a second of the answer, or of its renewal: on a slow machine one asks more than once.
    until(lambda: status(behind, "open", query) == "HIT")
    until(lambda: status(behind, "open", query) == "REVALIDATED")
    behind.served.await_event("request", route="tiles", status=304)
    same = behind.tile("open", query)
    assert (same.body, same.headers["ETag"]) == (first.body, first.headers["ETag"])
    rows, owner = stream_of(TABLE), behind.people.bearer("owner")
    assert call(behind.served, "POST", "datasets/rows/append", rows, Content_Type=ARROW, **owner)[0] == 200
    until(lambda: status(behind, "open", query) == "EXPIRED")
    now = behind.tile("open", query)
    assert now.headers["ETag"] == behind.served.get(f"/open{TILE}{query}").headers["ETag"] != first.headers["ETag"]
    assert (first.headers["X-Bigviz-Version"], now.headers["X-Bigviz-Version"]) == ("1", "2")


def test_a_plot_that_becomes_private_is_private_a_second_later(behind_nginx: Behind) -> None:
    behind, access = behind_nginx, behind_nginx.people.library.access
    assert behind.tile("open").status == 200
    access.set("document", "open", False, {"owner": "owner"})
    until(lambda: behind.tile("open").status == 401)
    access.set("document", "open", True, {"owner": "owner"})
    until(lambda: behind.tile("open").status == 200)


def test_what_is_private_is_not_kept(behind_nginx: Behind) -> None:
    behind, viewer, owner = behind_nginx, behind_nginx.people.bearer("viewer"), behind_nginx.people.bearer("owner")
    cookie = behind.people.cookie("viewer", behind.served.server.port)
    for headers in (viewer, viewer, owner, cookie, cookie):
        assert status(behind, "secret", **headers) == "BYPASS"
    assert [status(behind, "secret") for _ in range(3)] == ["MISS"] * 3
    query = "?cmap=fire"
    assert [status(behind, "open", query, **owner) for _ in range(2)] == ["BYPASS"] * 2
    assert status(behind, "open", query) == "MISS", "what was answered to an owner was not kept"


def test_only_tiles_are_kept(behind_nginx: Behind) -> None:
    for path in ("/open/", "/", "/open/layers/0/tilejson.json", "/healthz", "/_/login"):
        assert "X-Cache-Status" not in behind_nginx.front.get(path).headers
