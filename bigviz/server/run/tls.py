"""`--certificate` and `--key`: TLS by the server itself."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final

from bigviz.common.errors import BadInput

__all__ = ["context_of"]

_MISMATCH: Final = "KEY_VALUES_MISMATCH"
_WEAK: Final = ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK")


def context_of(certificate: str | Path | None, key: str | Path | None) -> ssl.SSLContext | None:
    """What a server needs for TLS 1.2 and newer; None where neither file is given.

    `certificate` is PEM: the server's own certificate first, then those between it and the root. One file may hold
    certificates and key and be given twice. Raises BadInput, which names the file, where one of them is not given,
    cannot be read, is not what it should be, or belongs to another than the other, and for a key with a passphrase.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing, given = ("certificate", "key") if certificate is None else ("key", "certificate")
        raise BadInput(f"--{given} needs --{missing}: TLS takes a certificate and its key.", missing)
    _check_certificate(certificate)
    _check_readable(key, "key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, lambda: _refuse_passphrase(key))
    except ssl.SSLError as error:
        raise _refusal(error, certificate, key) from None
    return context


def _check_readable(path: str | Path, field: str) -> None:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise BadInput(f"--{field} {path} cannot be read: {reason}.", field, str(path)) from None


def _check_certificate(path: str | Path) -> None:
    """BadInput for a file that holds no certificate: with the key at hand OpenSSL does not tell which one is wrong."""
    _check_readable(path, "certificate")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise BadInput(
            f"--certificate {path} holds no certificate in PEM: it begins with -----BEGIN CERTIFICATE-----. One in DER "
            "becomes PEM by `openssl x509 -inform der -in FILE`.",
            "certificate",
            str(path),
        ) from None


def _refuse_passphrase(key: str | Path) -> str:
    """In place of OpenSSL's question at the terminal, which a server in the background never gets answered."""
    raise BadInput(
        f"--key {key} has a passphrase, and nobody could type it when the server starts again: write the key without "
        "one, for the server's user alone, with `openssl pkey -in FILE -out NEW`.",
        "key",
        str(key),
    )


def _refusal(error: ssl.SSLError, certificate: str | Path, key: str | Path) -> BadInput:
    """Why OpenSSL does not take the pair; the certificate by itself is one."""
    if error.reason == _MISMATCH:
        return BadInput(
            f"--key {key} is not the key of --certificate {certificate}, whose first certificate has to be the "
            "server's own.",
            "key",
            str(key),
        )
    if error.reason in _WEAK:
        return BadInput(
            f"--certificate {certificate} is too weak for this machine's OpenSSL ({error.reason}): make one with an "
            "RSA key of 2,048 bits or more, or an elliptic one.",
            "certificate",
            str(certificate),
        )
    return BadInput(
        f"--key {key} holds no private key in PEM: it begins with -----BEGIN PRIVATE KEY-----, or with EC or RSA in "
        "front of PRIVATE.",
        "key",
        str(key),
    )
