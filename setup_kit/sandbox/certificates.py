"""The sandbox's own certificate authority and the one server certificate that every part shows."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from setup_kit.sandbox.files import write_private


@dataclass(frozen=True)
class Certificates:
    """`authority`: what clients trust; `server`: the leaf alone, what the ODBC driver pins; `key`: private."""

    authority: Path
    server: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A server's TLS settings; a new object each time, so that a part may add its own protocols to it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.server, self.key)
        return context


def prepare(directory: Path) -> Certificates:
    """The certificates in `directory`; the first call makes them, for 127.0.0.1 and localhost.

    The authority's private key is never written: nobody can make a further certificate that clients of this
    sandbox would trust.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    certificates = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    if not certificates.authority.exists():
        import trustme  # at the first start only, and a tenth of a second

        authority = trustme.CA(organization_name="setup-kit sandbox")
        leaf = authority.issue_cert("127.0.0.1", "localhost", common_name="setup-kit sandbox")
        write_private(certificates.key, leaf.private_key_pem.bytes())
        write_private(certificates.server, leaf.cert_chain_pems[0].bytes())
        # Last: its being there says that all three are.
        write_private(certificates.authority, authority.cert_pem.bytes())
    return certificates
