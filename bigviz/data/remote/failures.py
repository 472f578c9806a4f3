"""What goes wrong between bigviz and a store, in words that hold no secret.

The messages of `obstore` hold whole addresses, and those of signed addresses hold the signature. So nothing of them is
passed on but a status, a kind, and numbers; and errors are raised `from None`, since a traceback would show the others.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from bigviz.common.errors import BigvizError, NotFound, Unreadable
from bigviz.data.remote.address import Address

__all__ = [
    "credentials_of",
    "failure_of",
    "is_changed",
    "is_missing",
    "is_outside",
    "is_unanswered",
    "is_unreached",
    "unasked",
]

_STATUS: Final = re.compile(r"status code: (\d{3})\b(?: ([A-Z][A-Za-z' -]*[a-z]))?")
_TRIES: Final = re.compile(r"after (\d+) retries")
_REGION: Final = re.compile(r"region ([a-z0-9-]+)$")
_RANGES: Final = re.compile(r"Requested (\d+)\.\.(\d+), got (\d+)\.\.(\d+)")
_CREDENTIALS: Final = {
    "s3": "Credentials are those of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, "
    "AWS_PROFILE), of ~/.aws, or of the machine's role; AWS_SKIP_SIGNATURE=true asks without any.",
    "gs": "Credentials are those of GOOGLE_APPLICATION_CREDENTIALS, of `gcloud auth application-default login`, or of "
    "the machine; GOOGLE_SKIP_SIGNATURE=true asks without any.",
    "az": "Credentials are those of the environment: AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY, "
    "AZURE_STORAGE_SAS_TOKEN or AZURE_CLIENT_ID; AZURE_SKIP_SIGNATURE=true asks without any.",
    "http": "A signed address may have expired; a user and password are given as https://USER:PASSWORD@HOST/PATH.",
}


def is_missing(error: BaseException) -> bool:
    """There is no such object, or no such bucket."""
    return isinstance(error, FileNotFoundError) or _status(error)[:1] in (["404"], ["410"])


def is_changed(error: BaseException) -> bool:
    """The object is not the one whose ETag was given."""
    return type(error).__name__ == "PreconditionError" or _status(error)[:1] == ["412"]


def is_outside(error: BaseException) -> bool:
    """The range begins where the object ends, or later."""
    return _status(error)[:1] == ["416"]


def is_unanswered(error: BaseException) -> bool:
    """Nothing came in time, no connection was taken, or no address is known to connect to."""
    return _is_late(error) or is_unreached(error)


def is_unreached(error: BaseException) -> bool:
    """No connection was taken, or no address is known to connect to: no object's own fault."""
    return any(word in str(error) for word in ("kind: Connect", "dns error"))


def unasked(address: Address, seconds: float) -> Unreadable:
    """The error in place of a request to a host that did not answer the last ones."""
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    return Unreadable(
        f"{address.shown} cannot be read: its server did not answer several requests in a row, and is not asked again "
        f"until {until:%H:%M:%S} UTC. Try again then, and check that it runs.",
        field="source",
        got=address.shown,
    )


def failure_of(error: BaseException, address: Address) -> BigvizError:
    """The error to be raised in place of one of `obstore`."""
    shown, status = address.shown, _status(error)
    if is_missing(error):
        return NotFound(f"There is nothing at {shown}. Check the address.", "source", shown)
    if status[:1] in (["401"], ["403"]) or type(error).__name__ in ("PermissionDeniedError", "UnauthenticatedError"):
        what = " ".join(status) or "that access is denied"
        return Unreadable(
            f"{shown} may not be read: the server answered {what}. {credentials_of(address)}", "source", shown
        )
    return Unreadable(f"{shown} cannot be read: {_reason(error, status, address)}", "source", shown)


def credentials_of(address: Address) -> str:
    """Where the credentials for a store are looked for."""
    return _CREDENTIALS[{"abfs": "az", "abfss": "az", "https": "http"}.get(address.scheme, address.scheme)]


def _reason(error: BaseException, status: list[str], address: Address) -> str:
    text = str(error)
    ranges = _RANGES.search(text)
    tries = f" to each of {int(found[1]) + 1} requests" if (found := _TRIES.search(text)) else ""
    if "RangeNotSupported" in text:
        return (
            "its server answers requests for a part of it with the whole (200 instead of 206 Partial Content). "
            "Copy it here first, or to a server that knows ranges."
        )
    if ranges:
        asked, came = (f"bytes {ranges[at]} to {int(ranges[at + 1]) - 1}" for at in (1, 3))
        return f"{asked} were asked for and {came} came. Its server, or a proxy before it, is at fault."
    if "Content-Range" in text or "ContentRange" in text:
        return "its server does not say which part it sent (no usable Content-Range). Copy it here first."
    if type(error).__name__ == "InvalidPathError" or "a key with an empty step" in text:
        return "it holds a key with an empty step (as a//b), or one of dots, which no request can name."
    if text.startswith("certificate: "):
        return (
            f"the certificate of its server is not trusted here ({text.partition(': ')[2].partition(',')[0]}). Name "
            "that of its authority in SSL_CERT_FILE."
        )
    if "a redirect without" in text or "too many redirects" in text:
        return "its server leads on to another address, and from there to no answer. Check the address."
    if "redirect without LOCATION" in text:
        region = f" ({found[1]})" if (found := _REGION.search(text)) and found[1] != "unknown" else ""
        return f"its bucket is in another region{region}. Name that in AWS_REGION."
    if "a list that" in text or "than a list has" in text:
        return "what its server sent is no list of objects. Check its address and its settings."
    if "no credentials can be had" in text:
        return f"the credentials for it cannot be had. {credentials_of(address)}"
    if "dns error" in text:
        return "no address is known for the name of its server. Check the name, and the network."
    if "kind: Connect" in text:
        return "its server takes no connection. Check the address, the network, and that it runs."
    if _is_late(error):
        return "its server did not send it in time, tried several times. Try again later."
    if status:
        return (
            f"the server answered {' '.join(status)}{tries}. Try again later, and look into its log if that persists."
        )
    if "body" in text or "kind: Decode" in text:
        return "the connection was cut before all of it came, several times. Try again later."
    return f"of a failure that bigviz has no words for ({type(error).__name__}). Check the address and the credentials."


def _is_late(error: BaseException) -> bool:
    text = str(error)
    return isinstance(error, TimeoutError) or any(word in text for word in ("kind: Timeout", "TimedOut", "timed out"))


def _status(error: BaseException) -> list[str]:
    """The status of an answer, as "404", "Not Found"; nothing where none came."""
    found = _STATUS.search(str(error))
    return [each for each in found.groups() if each] if found else []
