"""What routes and messages declare, and that what declares nothing does not start."""

from __future__ import annotations

import re
from typing import ClassVar

import pytest

from bigviz.server.access.gate import Need, needs_of
from bigviz.server.access.hosts import Hosts
from bigviz.server.app import make_app
from bigviz.server.http import status
from bigviz.server.http.base import Guarded, Handler
from bigviz.server.site import Site
from bigviz.server.websocket import requests
from bigviz.server.websocket.requests import needs_of_messages


def test_one_need_is_for_get_and_head():
    class Route(Handler):
        need = Need.CALLER

    assert needs_of(Route) == {"GET": Need.CALLER, "HEAD": Need.CALLER}


def test_needs_by_method():
    class Route(Handler):
        need: ClassVar = {"GET": Need.document("viewer"), "PUT": Need.document("writer", "write")}

    assert needs_of(Route) == {**Route.need, "HEAD": Need.document("viewer")}


@pytest.mark.parametrize("need", [None, {}, "public", {"GET": "public"}, {"GET": None}])
def test_a_route_that_declares_no_need(need: object):
    class Route(Handler):
        pass

    if need is not None:
        Route.need = need
    with pytest.raises(TypeError, match="declares no `need`"):
        needs_of(Route)


def test_a_need_for_what_is_no_method():
    class Route(Handler):
        need: ClassVar = {"GET": Need.CALLER, "FETCH": Need.CALLER}

    with pytest.raises(TypeError, match="FETCH"):
        needs_of(Route)


def test_the_bases_declare_nothing():
    assert not hasattr(Guarded, "need") and not hasattr(Handler, "need")


def test_a_server_with_a_route_that_declares_nothing_does_not_start(monkeypatch):
    monkeypatch.delattr(status.Health, "need")
    with pytest.raises(TypeError, match="Health declares no `need`"):
        make_app(Site(Hosts.of("127.0.0.1", 1)))


def test_a_server_with_a_role_on_nothing_does_not_start(monkeypatch):
    monkeypatch.setattr(status.Health, "need", Need.document("viewer"))
    with pytest.raises(TypeError, match=re.escape("/healthz names nothing")):
        make_app(Site(Hosts.of("127.0.0.1", 1)))


def test_a_server_with_a_message_that_declares_nothing_does_not_start(monkeypatch):
    assert needs_of_messages().keys() == requests.KINDS.keys()
    monkeypatch.delattr(requests.CancelRequest, "need")
    with pytest.raises(TypeError, match="'cancel' declares no `need`"):
        make_app(Site(Hosts.of("127.0.0.1", 1)))


def test_a_kind_of_message_without_a_class_does_not_start(monkeypatch):
    monkeypatch.delitem(requests.KINDS, "view")
    with pytest.raises(TypeError, match="'view' declares no `need`"):
        needs_of_messages()
