"""`bigviz.embed`: the HTML that shows a plot of a server in a page of another origin."""

from __future__ import annotations

import html
import os
from pathlib import Path
from urllib.parse import quote

from bigviz.client.connect import server_address
from bigviz.client.http import Http, route
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.common.web.page_tokens import DEFAULT_SECONDS, PageTokens, canonical_origin, secret_of, secret_text
from bigviz.data.given import given_text
from bigviz.document.names import check_name

__all__ = ["embed"]


def embed(
    name: str,
    url: str | None = None,
    *,
    origin: str | None = None,
    expires: float = DEFAULT_SECONDS,
    token: str | None = None,
    secret: str | os.PathLike[str] | None = None,
    view: str | None = None,
    height: int | None = None,
    title: str | None = None,
) -> str:
    """HTML of a plot on a plot server, for a page of another origin: a script tag, which puts the plot where it stands.

    The server has to be started with `--allow-origin` and the page's origin. `url` is the server's address, by default
    what the environment variable BIGVIZ_URL says, else http://127.0.0.1:5006.

    A public document needs nothing else. Of a private one name the `origin` of the page, "https://www.example.org": the
    tag then has a token, with which pages of that origin show this document, and nothing else, for `expires` seconds
    (an hour; at most 7 days). Make it anew for each visitor whom your page has let in. It is signed here where there is
    a secret: `secret`, a file that `bigviz secret` has written and the server was given by `--secret-file`, or else
    BIGVIZ_SECRET. Without one the server is asked, as the owner of the document, whose token is `token` or else
    BIGVIZ_TOKEN.

    `view` is what stands after the # of the plot's address, or, for a public document, the id of a kept view. The plot
    fills its container; `height`, in CSS pixels, is its height whatever that is. `title` names it for screen readers.

    Raises BadInput for what is not of its form, and what the server refuses.
    """
    check_name(name)
    server = server_address(url).rstrip("/")
    asked = Http(server, None if origin is None else token or os.environ.get("BIGVIZ_TOKEN") or None)
    if height is not None and (not isinstance(height, int | float) or not 0 < height <= 100_000):
        raise BadInput(f"height is a number of pixels from 1 to 100,000, got {echoed(height)}.", "height")
    if view is not None:
        given_text(view, "view", "x0=1&x1=2")
    data = {"view": None if view is None else view.removeprefix("#"), "height": height, "title": title, "token": None}
    if origin is not None:
        if view is not None and view and "=" not in view:
            message = f"The view of a private plot is the text after the # of its address, got {view[:60]!r}."
            raise BadInput(message, "view", view[:60])
        data["token"] = _page_token(asked, name, origin, expires, secret)
    attributes = "".join(f' data-{key}="{html.escape(str(value))}"' for key, value in data.items() if value is not None)
    source = html.escape(f"{server}/{quote(name, safe='')}/autoload.js")
    return f'<script async src="{source}"{attributes}></script>'


def _page_token(server: Http, name: str, origin: str, seconds: float, secret: str | os.PathLike[str] | None) -> str:
    """A token for pages of an origin, signed here where there is a secret, else by the server."""
    origin = canonical_origin(given_text(origin, "origin", "https://www.example.org"))
    text = os.environ.get("BIGVIZ_SECRET")
    if secret is not None or text:
        own = secret_text(str(text), "BIGVIZ_SECRET") if secret is None else secret_of(Path(secret))
        return PageTokens(own).make(name, origin, seconds)[0]
    asked = {"origin": origin, "seconds": seconds}
    return str(server.send("POST", route("documents", name, "embed"), asked)["token"])
