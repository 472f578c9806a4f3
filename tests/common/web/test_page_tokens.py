"""Page tokens: made with a secret, read with the same one alone, for as long as they say."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput, Unauthorized
from bigviz.common.web.page_tokens import PageToken, PageTokens, secret_of

SECRET = "k" * 43
OURS = PageTokens(SECRET, now=lambda: 1_000.0)
TOKEN, EXPIRES = OURS.make("sales", "https://www.example.org", 60.0, "ada")


@given(st.text(min_size=1, max_size=60), st.floats(1, 604_800))
def test_what_was_said_is_read(name: str, seconds: float):
    token, expires = OURS.make(name, "HTTPS://www.example.org:443", seconds)
    assert OURS.read(token) == PageToken(name, "https://www.example.org", expires) and expires == 1_000.0 + seconds
    assert PageTokens.is_one(token) and token.isascii() and not set(token) & set(' ,;"/?')


def test_the_user_who_asked_is_in_it():
    assert OURS.read(TOKEN).user == "ada"


def test_one_letter_changed_is_another_token():
    for at in range(len(TOKEN)):
        other = TOKEN[:at] + ("A" if TOKEN[at] != "A" else "Q") + TOKEN[at + 1 :]
        with pytest.raises(Unauthorized, match="not this server's"):
            OURS.read(other)


@given(st.text(max_size=100))
def test_noise_is_none(text: str):
    for each in (text, f"{text}.{'x' * 43}", f"{TOKEN}{text or 'x'}"):
        with pytest.raises(Unauthorized):
            OURS.read(each)


def test_a_payload_without_its_signature_is_not_read():
    """Also one that is no JSON at all: nothing of it is looked at."""
    for said in ({"document": "sales", "origin": "https://www.example.org", "expires": 9e9}, {}, []):
        payload = urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
        for signature in ("", "x" * 43, TOKEN.partition(".")[2]):
            with pytest.raises(Unauthorized, match="not this server's"):
                OURS.read(f"{payload}.{signature}")


def test_another_secret_reads_none():
    with pytest.raises(Unauthorized):
        PageTokens("l" * 43).read(TOKEN)


@pytest.mark.parametrize(("now", "valid"), [(EXPIRES - 0.001, True), (EXPIRES, False), (EXPIRES + 1e9, False)])
def test_it_ends(now: float, valid: bool):
    later = PageTokens(SECRET, now=lambda: now)
    if valid:
        assert later.read(TOKEN).document == "sales"
    else:
        with pytest.raises(Unauthorized, match="expired"):
            later.read(TOKEN)


@pytest.mark.parametrize("seconds", [0, -1, 604_801, float("nan"), float("inf")])
def test_times_that_cannot_be(seconds: float):
    with pytest.raises(BadInput, match="seconds"):
        OURS.make("sales", "https://www.example.org", seconds)


@pytest.mark.parametrize("origin", ["", "null", "*", "https://*.example.org", "www.example.org", "https://a/b"])
def test_origins_that_are_none(origin: str):
    with pytest.raises(BadInput, match="origin"):
        OURS.make("sales", origin, 60)


def test_a_name_too_long_for_a_token():
    with pytest.raises(BadInput, match="too long"):
        OURS.make("x" * 2_000, "https://www.example.org", 60)


def test_the_secret_of_a_file(tmp_path: Path):
    path = tmp_path / "secret.txt"
    path.write_text(f"  {SECRET}\n")
    assert secret_of(path) == SECRET
    path.write_text("short-secret")
    with pytest.raises(BadInput) as refused:
        secret_of(path)
    assert "12" in refused.value.message and "short-secret" not in refused.value.message
    path.write_bytes(b"\xff" * 50)
    for each in (path, tmp_path / "none", tmp_path):
        with pytest.raises(BadInput, match="bigviz secret >"):
            secret_of(each)
