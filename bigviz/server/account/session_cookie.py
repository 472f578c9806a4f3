"""The cookie that carries a session: read by no script, sent to no other site, and over TLS only where there is TLS."""

from __future__ import annotations

from typing import Any

from bigviz.library.sessions import SESSION_SECONDS
from bigviz.server.http.base import Handler

__all__ = ["clear_session_cookie", "set_session_cookie"]


def set_session_cookie(handler: Handler, secret: str) -> None:
    """Give the browser the secret of its session, for as long as the session lasts."""
    handler.set_cookie(handler.site.access.cookie, secret, max_age=int(SESSION_SECONDS), **_attributes(handler))


def clear_session_cookie(handler: Handler) -> None:
    """Have the browser drop the session's cookie."""
    handler.clear_cookie(handler.site.access.cookie, **_attributes(handler))


def _attributes(handler: Handler) -> dict[str, Any]:
    secure = handler.scheme == "https"
    return {"path": f"{handler.mount}/", "httponly": True, "secure": secure, "samesite": "Lax"}
