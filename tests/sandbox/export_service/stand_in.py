"""A service that can be made to answer anything."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trustme

from setup_kit.clouds import Cloud
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.identity import Identity

TENANT = "11111111-1111-1111-1111-111111111111"
ORGANIZATION = "22222222-2222-2222-2222-222222222222"
AUDIENCE = "https://dataexportserviceformicrosoftdynamics365.com/"


@dataclass(frozen=True)
class Asked:
    """A request that the stand-in got; names of headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class StandIn:
    """An HTTPS server of one's own: an authority that gives everybody tokens, and a service.

    `replies` maps "METHOD /path" to a Reply, a function of the request, or a list of replies of which the last stays.
    """

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        self.ca_file = directory / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.asked: list[Asked] = []
        self.replies: dict[str, Reply | Callable[[Asked], Reply] | list[Reply]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.address = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self._be_an_authority()
        self.challenge(f"{self.address}/{TENANT}", AUDIENCE)
        self.replies["GET /crm/exporter/metadata/connector"] = Reply(body={"ConnectorUrl": self.address})

    def challenge(self, authority: str, audience: str) -> None:
        header = f'Bearer authorization_uri="{authority}", resource_id="{audience}"'
        self.replies["GET /crm/exporter/aad/challenge"] = Reply(401, headers={"WWW-Authenticate": header})

    def of(self, path: str) -> list[Asked]:
        with self._lock:
            return [request for request in self.asked if request.path == path]

    def cloud(self, discovery: str | None = None) -> Cloud:
        return Cloud(
            name="stand-in",
            authority=self.address,
            resource_manager=self.address,
            resource_manager_audience="https://management.azure.com/",
            graph=self.address,
            graph_audience="https://graph.microsoft.com",
            vault_audience="https://vault.azure.net",
            sql_audience="https://database.windows.net/",
            discovery=discovery or self.address,
            ca_file=self.ca_file,
        )

    def identity(self) -> Identity:
        return Identity(self.cloud(), TENANT, {"AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"})

    def client(self, discovery: str | None = None) -> ExportServiceClient:
        return ExportServiceClient(
            self.identity(),
            self.cloud(discovery),
            organization_url="https://contoso.crm4.dynamics.com",
            organization_id=ORGANIZATION,
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _be_an_authority(self) -> None:
        base = f"{self.address}/{TENANT}"
        self.replies[f"GET /{TENANT}/v2.0/.well-known/openid-configuration"] = Reply(
            body={
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "issuer": f"{base}/v2.0",
                "jwks_uri": f"{base}/keys",
            }
        )
        self.replies[f"POST /{TENANT}/oauth2/v2.0/token"] = Reply(
            body={"token_type": "Bearer", "expires_in": 3600, "access_token": "a-token"}
        )

    def _answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            reply = self.replies.get(f"{asked.method} {asked.path}", Reply(404, {"Message": "No such thing."}))
            if isinstance(reply, list):
                return reply.pop(0) if len(reply) > 1 else reply[0]
        return reply if isinstance(reply, Reply) else reply(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet

            def _do(self) -> None:
                url = urlsplit(self.path)
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                is_json = "json" in self.headers.get("Content-Type", "")
                reply = stand_in._answer(
                    Asked(
                        method=self.command,
                        path=url.path,
                        query=dict(parse_qsl(url.query)),
                        headers={name.lower(): value for name, value in self.headers.items()},
                        body=json.loads(text) if text and is_json else text,
                    )
                )
                body = reply.body if isinstance(reply.body, str | bytes) else json.dumps(reply.body)
                data = b"" if reply.body is None else body.encode() if isinstance(body, str) else body
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                return

        return Handler
