"""Which requests are from foreign pages."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from bigviz.common.errors import Forbidden
from bigviz.server.access.same_origin import from_foreign_page, refuse_foreign_change

from .requests import request

OWN = "http://127.0.0.1:5006"
FOREIGN = [
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    {"Sec_Fetch_Site": ""},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
    {"Sec_Fetch_Site": "same-origin", "Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:5007"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1:5006.evil.example"},
    {"Origin": "http://localhost:5006"},
    {"Origin": "ftp://127.0.0.1:5006"},
]
OURS = [{}, {"Sec_Fetch_Site": "same-origin"}, {"Origin": OWN}, {"Sec_Fetch_Site": "same-origin", "Origin": OWN}]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("headers", FOREIGN + OURS)
def test_changes_from_foreign_pages_are_refused(method: str, headers: dict[str, str]):
    with pytest.raises(Forbidden, match="Another page") if headers in FOREIGN else nullcontext():
        refuse_foreign_change(request(method, **headers))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", FOREIGN)
def test_looking_is_no_change(method: str, headers: dict[str, str]):
    refuse_foreign_change(request(method, **headers))


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Origin": OWN}, False),
        ({"Origin": "http://evil.example"}, True),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "document"}, False),  # a link that somebody clicked
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "iframe"}, True),
        ({"Sec_Fetch_Site": "same-site", "Sec_Fetch_Dest": "image"}, True),
        ({"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "image"}, False),
        ({"Sec_Fetch_Site": "none", "Sec_Fetch_Dest": "document"}, False),
    ],
)
def test_whose_cookies_are_used(headers: dict[str, str], foreign: bool):
    assert from_foreign_page(request(**headers)) is foreign


def test_an_http_origin_is_foreign_to_an_https_server():
    found = request("POST", Origin="http://plots.example.org", Host="plots.example.org")
    refuse_foreign_change(found)
    found.protocol = "https"
    with pytest.raises(Forbidden):
        refuse_foreign_change(found)
    found.headers["Origin"] = "https://plots.example.org"
    refuse_foreign_change(found)
