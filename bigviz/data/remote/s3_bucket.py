"""Requests to a bucket in the dialect of S3, signed by `botocore`: parts of objects, and lists of them.

`obstore` would do it, but reads what comes with an error status, and lists, into memory, however long they are (it ends
the process where that is said to be 1 TB), and follows redirects wherever they lead.
"""

from __future__ import annotations

import asyncio
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from bigviz.common.errors import BadInput
from bigviz.common.threads.waits import wait_for
from bigviz.data.limits import MOST_FILES
from bigviz.data.remote.address import Address
from bigviz.data.remote.facts import Facts
from bigviz.data.remote.failures import credentials_of, failure_of
from bigviz.data.remote.settings import endpoint_of, first_of, is_set
from bigviz.data.remote.transfers import host_of
from bigviz.data.remote.web_client import (
    AskedRange,
    WebError,
    answer,
    is_redirect,
    patiently,
    refusal,
    whole_body,
)

__all__ = ["MOST_LISTED", "S3Bucket", "amazon_bucket", "google_bucket", "required", "too_many"]

MOST_LISTED: Final = 10 * MOST_FILES  # objects below a directory, most of which may be no tables
_PAGE: Final = 1 << 24  # bytes of an answer with a list: 1,000 keys of 1,024 bytes, and what is said of each
_EMPTY: Final = 100  # answers without anything, one after the other
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")
_SIZE: Final = re.compile(r"[0-9]{1,18}")

Sign = Callable[[str], Mapping[str, str]]
"""From an address to the headers that let it be read; it may block."""


class S3Bucket:
    """A bucket whose address is `base`. Safe to use from any number of threads."""

    errors: tuple[type[Exception], ...] = (WebError,)
    """What requests raise; `failures` puts it into words."""

    def __init__(self, base: str, sign: Sign | None = None, blocks: bool = False) -> None:
        self._base = base.rstrip("/")
        self._sign = sign
        self._blocks = blocks

    def words(self, address: Address, error: Exception) -> Exception:
        """What requests raise as an error of bigviz; all others as they are."""
        return failure_of(error, address) if isinstance(error, self.errors) else error

    async def part(self, key: str, start: int, stop: int, etag: str | None) -> tuple[bytes, Facts]:
        """The bytes from `start` to `stop`, fewer where the object ends, and what the store says with them. A server
        that sends more than it says, or does not end, is not listened to: then these are more, but not many. With an
        `etag` only of the object that has it, if the server looks at it. Raises `errors`."""
        return await patiently(partial(self._part, f"{self._base}/{quote(key)}", AskedRange(start, stop, etag)))

    def below(self, address: Address) -> list[Facts]:
        """All objects below a directory. Raises Unreadable and NotFound."""
        return self._list(address, "", MOST_LISTED)[1]

    def some_below(self, address: Address) -> list[Facts]:
        """The first objects below a directory, those of one answer. Raises Unreadable and NotFound."""
        return self._list(address, "", 0)[1]

    def level(self, address: Address) -> tuple[list[str], list[Facts]]:
        """The keys of the directories in a directory, and the objects in it. Raises Unreadable and NotFound."""
        return self._list(address, "/", MOST_LISTED)

    def _list(self, address: Address, delimiter: str, most: int) -> tuple[list[str], list[Facts]]:
        listed = partial(self._listed, address, delimiter, most)  # which is not begun where the host is not asked
        return wait_for(host_of(address.host).ask(address, listed, partial(self.words, address)))

    async def _part(self, url: str, asked: AskedRange) -> tuple[bytes, Facts]:
        signed = await self._signed(url)
        async with answer(urlsplit(url), {**asked.headers(), **signed}) as (connection, head):
            _refuse_redirect(head)
            return await asked.read(connection, head)

    async def _listed(self, address: Address, delimiter: str, most: int) -> tuple[list[str], list[Facts]]:
        """Directories (with a delimiter) and objects below a key, of as many answers as it takes for `most`."""
        folders: list[str] = []
        objects: list[Facts] = []
        async for more_folders, more_objects in self._pages(address.key.rstrip("/"), delimiter):
            folders += more_folders
            objects += more_objects
            if len(folders) + len(objects) > most:
                if most == 0:
                    break
                raise too_many(address)
        return folders, objects

    async def _pages(self, key: str, delimiter: str) -> AsyncIterator[tuple[list[str], list[Facts]]]:
        token: str | None = None
        empty = 0
        while True:
            query = {"list-type": "2", "prefix": f"{key}/" if key else ""}
            query |= {"delimiter": delimiter} if delimiter else {}
            query |= {"continuation-token": token} if token else {}
            found = await patiently(partial(self._page, f"{self._base}?{urlencode(query, quote_via=quote, safe='')}"))
            page = list(_folders(found)), list(_objects(found))
            yield page
            empty = 0 if any(page) else empty + 1
            after = _text(found, "NextContinuationToken")
            if _text(found, "IsTruncated") != "true" or not after:
                return
            if after == token or empty == _EMPTY:
                raise WebError("a list that does not end")
            token = after

    async def _page(self, url: str) -> ET.Element:
        signed = await self._signed(url)
        async with answer(urlsplit(url), {"Accept": "*/*", "Accept-Encoding": "identity", **signed}) as (
            connection,
            head,
        ):
            _refuse_redirect(head)
            if head.status != 200:
                raise refusal(head)
            return _parsed(await whole_body(connection, head, _PAGE))

    async def _signed(self, url: str) -> Mapping[str, str]:
        if self._sign is None:
            return {}
        if not self._blocks:
            return self._sign(url)
        return await asyncio.get_running_loop().run_in_executor(None, self._sign, url)


def too_many(address: Address) -> BadInput:
    """The error for a directory of more objects than are listed."""
    return BadInput(f"{address.shown} has more than {MOST_LISTED:,} objects. Name a directory in it.", "source")


def google_bucket(address: Address) -> S3Bucket | None:
    """A bucket of Google's which is asked without credentials; None for others."""
    endpoint = endpoint_of("gs")
    if not is_set("GOOGLE_SKIP_SIGNATURE") and (not endpoint or os.environ.get("GOOGLE_BASE_URL")):
        return None
    return S3Bucket(f"{(endpoint or 'https://storage.googleapis.com').rstrip('/')}/{_name(address)}")


def amazon_bucket(address: Address) -> S3Bucket | None:
    """A bucket of Amazon's, or of what stands in its place; None for what needs more than signed requests (S3 Express,
    keys of customers). Raises BadInput where the package that signs is not installed, or its settings are wrong."""
    if is_set("AWS_S3_EXPRESS") or _name(address).endswith("--x-s3") or os.environ.get("AWS_SSE_CUSTOMER_KEY_BASE64"):
        return None
    region = first_of(("AWS_REGION", "AWS_DEFAULT_REGION"))
    if is_set("AWS_SKIP_SIGNATURE"):
        return S3Bucket(_amazon_base(_name(address), region or "us-east-1"))
    exceptions = required("botocore.exceptions", address)
    try:
        credentials, region_of_profile = _credentials()
    except exceptions.BotoCoreError as error:
        raise BadInput(
            f"{address.shown} cannot be connected to: the settings of its store in the environment or in ~/.aws are "
            f"wrong ({type(error).__name__}). {credentials_of(address)}",
            field="source",
            got=address.shown,
        ) from None
    region = region or region_of_profile or "us-east-1"
    base = _amazon_base(_name(address), region)
    if credentials is None:
        return S3Bucket(base)
    return S3Bucket(base, partial(_signature, credentials, region), hasattr(credentials, "refresh_needed"))


def required(name: str, address: Address) -> Any:
    """A module of a package that connects to stores. Raises BadInput where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise BadInput(
            f"{address.shown} is elsewhere, and reading it takes a package that is not installed: "
            "pip install 'bigviz[remote]'.",
            field="source",
            got=address.shown,
        ) from error


def _credentials() -> tuple[Any, str | None]:
    """Those of Amazon's own tools, and the region that a profile names. None where there are none, as for a public
    bucket: then requests are not signed."""
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        given = [os.environ.get(name) for name in names]
        return import_module("botocore.credentials").Credentials(*given), None
    session = import_module("botocore.session").Session()
    return session.get_credentials(), session.get_config_variable("region")


def _signature(credentials: Any, region: str, url: str) -> dict[str, str]:
    auth = import_module("botocore.auth")
    payer = {"x-amz-request-payer": "requester"} if is_set("AWS_REQUEST_PAYER") else {}
    request = import_module("botocore.awsrequest").AWSRequest("GET", url, payer)
    try:
        auth.S3SigV4Auth(credentials.get_frozen_credentials(), "s3", region).add_auth(request)
    except import_module("botocore.exceptions").BotoCoreError:
        raise WebError("no credentials can be had") from None
    return dict(request.headers.items())


def _amazon_base(bucket: str, region: str) -> str:
    endpoint, in_host = endpoint_of("s3"), is_set("AWS_VIRTUAL_HOSTED_STYLE_REQUEST")
    if endpoint:
        return endpoint if in_host else f"{endpoint.rstrip('/')}/{bucket}"
    domain = f"s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    return f"https://{bucket}.{domain}" if in_host else f"https://{domain}/{bucket}"


def _name(address: Address) -> str:
    return quote(address.root.partition("://")[2], safe="")


def _refuse_redirect(head: Any) -> None:
    """Stores lead on where the region is wrong; a signature is good for one place only."""
    if is_redirect(head):
        region = head.headers.get("x-amz-bucket-region", "")
        raise WebError(f"redirect without LOCATION, region {region if _REGION.fullmatch(region) else 'unknown'}")


def _parsed(data: bytes) -> ET.Element:
    """An answer in XML, without what XML can hide in it."""
    try:
        text = data.decode("utf-8-sig")
        if "<!" in text:  # a key has it escaped
            raise ValueError("a document type")
        found = ET.fromstring(text)
    except (ValueError, ET.ParseError):
        raise WebError("a list that is none") from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    return found


def _folders(found: ET.Element) -> Iterator[str]:
    for each in found.iterfind("CommonPrefixes"):
        yield _checked(_text(each, "Prefix"))


def _objects(found: ET.Element) -> Iterator[Facts]:
    for each in found.iterfind("Contents"):
        key = _text(each, "Key")
        if key.endswith("/"):
            continue  # stands for a directory
        size = _text(each, "Size")
        try:
            modified = int(datetime.fromisoformat(_text(each, "LastModified")).timestamp())
        except (ValueError, OverflowError):
            raise WebError("a list that is none") from None
        if not _SIZE.fullmatch(size):
            raise WebError("a list that is none")
        etag = _text(each, "ETag")
        quoted = etag if not etag or etag.endswith('"') else f'"{etag}"'
        yield Facts(_checked(key), int(size), quoted if quoted.isprintable() and quoted else None, modified * 10**9)


def _checked(key: str) -> str:
    steps = key.removesuffix("/").split("/")
    if {"", ".", ".."} & set(steps):
        raise WebError("a key with an empty step")
    return key


def _text(found: ET.Element, name: str) -> str:
    return found.findtext(name) or ""
