"""TLS by the server itself: what it takes, and what it speaks then."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPConnection
from pathlib import Path

import pytest
import trustme
from websockets.exceptions import InvalidStatus

from bigviz.common.errors import BadInput
from bigviz.document.spec import Document
from bigviz.server.run.tls import context_of

from ...patience import PATIENCE
from ..certificates import Certificates
from ..people import PASSWORD, People
from ..running import Running, running
from ..wire import Browser


@pytest.fixture(scope="module")
def secure(documents: list[Document], certificates: Certificates) -> Iterator[Running]:
    with running(documents[:1], **certificates.options) as found:
        found.trust = certificates.trusting()
        yield found


@pytest.fixture
def odd(tmp_path: Path, certificates: Certificates) -> Path:
    """Files that are not what they should be."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.pem").touch()
    (tmp_path / "text.pem").write_text("no PEM\n")
    (tmp_path / "server.der").write_bytes(ssl.PEM_cert_to_DER_cert(certificates.certificate.read_text()))
    trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(str(tmp_path / "other.key"))
    return tmp_path


def refused(certificate: Path | None, key: Path | None) -> BadInput:
    with pytest.raises(BadInput) as error:
        context_of(certificate, key)
    return error.value


def test_without_files_there_is_no_tls():
    assert context_of(None, None) is None


def test_one_file_needs_the_other(certificates: Certificates):
    for given, missing, field in (("certificate", "key", "key"), ("key", "certificate", "certificate")):
        error = refused(*(certificates.options[each] if each == given else None for each in ("certificate", "key")))
        assert error.field == field and error.message.startswith(f"--{given} needs --{missing}")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("missing.pem", "no such file"), ("folder", "is a directory"), ("empty.pem", "holds no"),
        ("text.pem", "holds no"), ("server.der", "holds no"), ("text.pem/x", "not a directory"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["certificate", "key"])
def test_a_file_that_is_none_is_named(odd: Path, certificates: Certificates, field: str, name: str, word: str):
    files = certificates.options | {field: odd / name}
    error = refused(files["certificate"], files["key"])
    assert error.field == field and f"--{field} {odd / name} " in error.message and word in error.message


def test_a_file_that_may_not_be_read(odd: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch):
    def denied(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)  # root may read everything
    assert refused(certificates.certificate, certificates.key).message.endswith("cannot be read: permission denied.")


def test_a_key_of_another_certificate(odd: Path, certificates: Certificates):
    error = refused(certificates.certificate, odd / "other.key")
    assert error.field == "key" and f"is not the key of --certificate {certificates.certificate}" in error.message


def test_a_certificate_in_place_of_the_key_and_the_other_way_round(certificates: Certificates):
    assert refused(certificates.key, certificates.key).field == "certificate"
    assert refused(certificates.certificate, certificates.certificate).field == "key"


def test_a_key_with_a_passphrase_is_refused_without_a_question(odd: Path, certificates: Certificates):
    locked = odd / "locked.key"
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", certificates.key, "-out", locked]
    subprocess.run(command, check=True, timeout=PATIENCE)
    error = refused(certificates.certificate, locked)
    assert error.field == "key" and "has a passphrase" in error.message and "openssl pkey" in error.message


def test_one_file_may_hold_both(odd: Path, certificates: Certificates):
    both = odd / "both.pem"
    both.write_bytes(certificates.key.read_bytes() + certificates.certificate.read_bytes())
    context = context_of(both, both)
    assert context is not None and context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_server_that_cannot_speak_it_takes_no_port(documents: list[Document], odd: Path, certificates: Certificates):
    options = certificates.options | {"key": odd / "other.key"}
    with pytest.raises(BadInput, match="is not the key"), running(documents[:1], **options):
        pass


def test_pages_addresses_and_lists_are_https(secure: Running):
    assert secure.server.url == f"https://127.0.0.1:{secure.server.port}/points/"
    assert secure.get("/points/").status == 200
    template = json.loads(secure.get("/points/layers/0/tilejson.json").body)["tiles"][0]
    assert template.startswith(f"{secure.url}points/layers/0/tiles/")
    facts = secure.await_event("facts")
    assert len(facts["origins"]) == 3 and all(each.startswith("https://") for each in facts["origins"])
    assert secure.await_event("listening")["url"] == secure.server.url


def test_versions_before_1_2_are_refused(secure: Running, certificates: Certificates):
    old = certificates.trusting()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    secure.trust, before = old, secure.trust
    try:
        with pytest.raises(ssl.SSLError, match=r"(?i)version"):
            secure.get("/points/")
    finally:
        secure.trust = before


def test_plain_http_gets_nothing(secure: Running):
    connection = HTTPConnection("127.0.0.1", secure.server.port, timeout=PATIENCE)
    with pytest.raises((BadStatusLine, ConnectionError)):
        connection.request("GET", "/points/")
        connection.getresponse()
    connection.close()


def test_the_websocket_is_of_https_pages_alone(secure: Running):
    with Browser(secure.url, "points", ssl=secure.trust) as browser:
        assert browser.layer().value["rows"] == 100_000
    with pytest.raises(InvalidStatus) as error:
        Browser(secure.url, "points", origin=f"http://127.0.0.1:{secure.server.port}", ssl=secure.trust)
    assert error.value.response.status_code == 403


def test_cookies_are_secure(documents: list[Document], certificates: Certificates, tmp_path: Path):
    people = People.at(tmp_path / "library")
    people.library.users.set_password("viewer", PASSWORD)
    with people.library, running(documents[:1], library=people.library, **certificates.options) as server:
        server.trust = certificates.trusting()
        form = f"username=viewer&password={PASSWORD.replace(' ', '+')}".encode()
        kind = "application/x-www-form-urlencoded"
        for origin, status in ((server.url.rstrip("/"), 303), (f"http://127.0.0.1:{server.server.port}", 403)):
            made = server.get("/_/login", "POST", form, Content_Type=kind, Origin=origin)
            assert made.status == status
            if status == 303:
                assert {"Secure", "HttpOnly"} <= set(made.headers["Set-Cookie"].split("; "))
