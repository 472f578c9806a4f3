"""A certificate authority of the tests' own, and what it issued for this machine's loopback."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass
class Certificates:
    """The PEM files of a server, in a directory."""

    directory: Path
    authority: trustme.CA
    issued: trustme.LeafCert

    @classmethod
    def at(cls, directory: Path) -> Certificates:
        authority = trustme.CA()
        found = cls(directory, authority, authority.issue_cert("127.0.0.1", "localhost"))
        for place, blob in enumerate(found.issued.cert_chain_pems):
            blob.write_to_path(str(found.certificate), append=place > 0)
        found.issued.private_key_pem.write_to_path(str(found.key))
        return found

    @property
    def certificate(self) -> Path:
        return self.directory / "server.pem"

    @property
    def key(self) -> Path:
        return self.directory / "server.key"

    @property
    def options(self) -> dict[str, Path]:
        """Those of a server that uses them."""
        return {"certificate": self.certificate, "key": self.key}

    def trusting(self) -> ssl.SSLContext:
        """What a client needs to believe them."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context
