"""A job's token from GitHub's token service, over HTTPS to a stand-in for that."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme

from setup_kit import github_token
from setup_kit.errors import KitError

BEARER = "of-the-job-alone"


class TokenService(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        allowed = self.headers["Authorization"] == f"Bearer {BEARER}"
        self.send_response(200 if allowed else 403)
        self.end_headers()
        if allowed:
            self.wfile.write(json.dumps({"value": f"token for {query['audience'][0]}"}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = HTTPServer(("127.0.0.1", 0), TokenService)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://localhost:{server.server_port}/token?api-version=2.0"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_job_asks_for_a_token_that_entra_takes(url: str) -> None:
    variables = {github_token.URL: url, github_token.BEARER: BEARER}
    assert github_token.offered(variables)
    assert github_token.job_token(variables) == "token for api://AzureADTokenExchange"


def test_a_refusal_names_the_permission_and_shows_no_token(url: str) -> None:
    wrong = "of-another-job"
    with pytest.raises(KitError) as refused:
        github_token.job_token({github_token.URL: url, github_token.BEARER: wrong})
    assert "id-token: write" in refused.value.remedy
    assert "403" in refused.value.original
    assert wrong not in str(refused.value.__dict__)


def test_a_token_is_asked_for_over_https_alone() -> None:
    with pytest.raises(KitError, match="no token"):
        github_token.job_token({github_token.URL: "http://localhost/token?", github_token.BEARER: BEARER})
