"""The servers of the conformance suite, and one runner of checks for each driver set-up and worker."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator

import pytest
import trustme

pytest.register_assert_rewrite("tests.sandbox.sql.conformance.checks", "tests.sandbox.sql.conformance.session")

from tests.sandbox.sql.conformance.client import Place, World  # noqa: E402 - after the line above, which is for them
from tests.sandbox.sql.conformance.clients import CLIENTS  # noqa: E402
from tests.sandbox.sql.conformance.runner import Runner, runner  # noqa: E402
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, TENANT, Host, Person, Policy  # noqa: E402

TOKEN = "header.claims.signature"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    authority = trustme.CA()
    with contextlib.ExitStack() as stack:

        def serve(signer: trustme.CA = authority, name: str = "localhost", tls: ssl.TLSVersion | None = None) -> Place:
            folder = tmp_path_factory.mktemp("conformance")
            trusted = folder / "authority.pem"
            authority.cert_pem.write_to_path(str(trusted))
            host = Host(folder / "data", signer, folder, name=name, tls=tls)
            stack.callback(host.close)
            host.people[TOKEN] = Person("1a2b3c4d-0000-4000-8000-000000000001", "app", TENANT, "operator@example.com")
            server = host.serve(Policy("conformance", administrator="1a2b3c4d-0000-4000-8000-000000000001"))
            return Place(server.port, trusted, host.certificate)

        yield World(
            main=serve(),
            only_tls_1_2=serve(tls=ssl.TLSVersion.TLSv1_2),
            only_tls_1_3=serve(tls=ssl.TLSVersion.TLSv1_3),
            other_authority=serve(trustme.CA()),
            other_name=serve(name="elsewhere.example"),
            folder=tmp_path_factory.mktemp("conformance"),
            administrator=ADMINISTRATOR,
            password=PASSWORD,
            token=TOKEN,
            bad_token="header.claims.forged",
        )


@pytest.fixture(scope="session")
def runners(world: World) -> Iterator[dict[str, Runner]]:
    """Runners by the name of the set-up, made when first used."""
    made: dict[str, Runner] = {}

    class Made(dict[str, Runner]):
        def __missing__(self, name: str) -> Runner:
            self[name] = made[name] = runner(CLIENTS[name], world)
            return self[name]

    yield Made()
    for each in made.values():
        each.close()
