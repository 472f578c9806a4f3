"""How stores are asked: where the environment says that they are, and how long they are waited for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["PATIENCE", "Patience", "delta_options", "endpoint_of", "first_of", "is_set"]

_ENDPOINTS: Final = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "gs": ("GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST"),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_TRUE: Final = frozenset({"1", "true", "on", "yes", "y", "t"})


@dataclass(frozen=True)
class Patience:
    """How long, in seconds, a connection, the next bytes of an answer, 256 KiB of it and all of it are awaited, and how
    often and how long a failed request is sent again. The wait before it doubles from `wait` to `most_wait`."""

    connect: float = 5
    silence: float = 30
    request: float = 600
    retries: int = 8
    total: float = 90
    wait: float = 0.1
    most_wait: float = 10
    piece: float = 120


PATIENCE = Patience()


def endpoint_of(kind: str) -> str:
    """The address of a store that is not the usual one of its kind; "" for that."""
    found = first_of(_ENDPOINTS.get(kind, ()))
    return f"http://{found}" if found and "://" not in found else found  # as Google's own tools take theirs


def first_of(names: Iterable[str]) -> str:
    """The value of the first variable of the environment that has one."""
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def is_set(name: str) -> bool:
    """Whether a variable of the environment says yes."""
    return os.environ.get(name, "").lower() in _TRUE


def delta_options() -> dict[str, str]:
    """What the package `deltalake`, which reads the environment too, does not find there; and how long it waits."""
    limits = PATIENCE
    waits = {
        "connect_timeout": f"{1e3 * limits.connect:.0f}ms", "timeout": f"{1e3 * limits.silence:.0f}ms",
        "max_retries": str(limits.retries), "retry_timeout": f"{1e3 * limits.total:.0f}ms",
    }  # fmt: skip
    return {**waits, **({"allow_http": "true"} if endpoint_of("s3").startswith("http://") else {})}
