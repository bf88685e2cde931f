"""Connecting with Microsoft's driver: trust, firewall, who is let in."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest
import trustme

from setup_kit.sandbox.sql.tds.login import encode_prelogin
from setup_kit.sandbox.sql.tds.packets import HEADER, PacketType, Status
from tests.sandbox.sql.conftest import (
    AZURE_ADDRESS,
    PASSWORD,
    TENANT,
    Host,
    Person,
    Policy,
    Rule,
    Server,
    closing,
    driver,
    number,
)

ZEROS = ("0.0.0.0", "0.0.0.0")  # noqa: S104 - addresses in a rule
AS_SERVICE = "APP=Data Export Service;"


def test_the_administrator_is_dbo(server: Server, database: str) -> None:
    with closing(server.connect(database)) as connection:
        row = connection.execute(
            "SELECT DB_NAME(), SUSER_SNAME(), ORIGINAL_LOGIN(), USER_NAME(), SCHEMA_NAME()"
        ).fetchone()
    assert tuple(row) == (database, "sqladmin", "sqladmin", "dbo", "dbo")


def test_a_certificate_that_is_not_the_pinned_one_is_refused(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("127.0.0.1").cert_chain_pems[0].write_to_path(str(other))
    text = server.connection_string("master", "sqladmin", PASSWORD).replace(str(server.host.certificate), str(other))
    with pytest.raises(pyodbc.OperationalError, match="doesn't match"):
        pyodbc.connect(text, timeout=20)


_CONNECT = """
import os, pyodbc, sys
try:
    print(pyodbc.connect(os.environ["TEXT"], timeout=20).execute("SELECT 6 * 7").fetchone()[0])
except pyodbc.Error as error:
    print(error.args[1])
"""


@pytest.mark.parametrize(
    ("authority_of", "name", "outcome"),
    [
        ("ours", "localhost", "42"),
        ("ours", "example.org", "subject name does not match host name"),
        ("another", "localhost", "certificate verify failed"),
    ],
)
def test_inside_tds_7_4_the_certificate_is_checked_against_the_authority_and_the_name(
    server: Server, authority: trustme.CA, tmp_path: Path, authority_of: str, name: str, outcome: str
) -> None:
    ca = authority if authority_of == "ours" else trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    text = (
        f"Driver={driver()};Server=tcp:127.0.0.1,{server.port};Encrypt=yes;TrustServerCertificate=no;"
        f"HostnameInCertificate={name};UID=sqladmin;PWD={PASSWORD};Database=master"
    )
    environment = {**os.environ, "TEXT": text, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    done = subprocess.run([sys.executable, "-c", _CONNECT], env=environment, capture_output=True, text=True, timeout=60)
    assert outcome in done.stdout


class TestTls:
    """A handshake inside TDS packets ends at TLS 1.2, as with SQL Server; around them it goes up to 1.3."""

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_tds_8_0_runs_over_either_version(self, server: Server, version: ssl.TLSVersion) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(server.host.certificate)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["tds/8.0"])
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as tls,
        ):
            assert (tls.version(), tls.selected_alpn_protocol()) == (version.name.replace("_", ".", 1), "tds/8.0")
            tls.sendall(prelogin())
            assert tls.recv(8)[:1] == bytes((PacketType.REPLY,))

    @pytest.mark.parametrize(("least", "works"), [(ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, False)])
    def test_tds_7_4_ends_at_tls_1_2(self, server: Server, least: ssl.TLSVersion, works: bool) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = least
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing)
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw, raw.makefile("rb") as file:
            raw.sendall(prelogin())
            assert receive(file)
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    flight = outgoing.read()
                    raw.sendall(
                        HEADER.pack(PacketType.PRELOGIN, Status.END_OF_MESSAGE, 8 + len(flight), 0, 1, 0) + flight
                    )
                    answer = receive(file)
                    if not answer:
                        break
                    incoming.write(answer)
            assert (tls.version() == "TLSv1.2") is works


def prelogin() -> bytes:
    data = encode_prelogin((18, 0, 0), 1, fed_auth_required=False)
    return HEADER.pack(PacketType.PRELOGIN, Status.END_OF_MESSAGE, HEADER.size + len(data), 0, 1, 0) + data


def receive(file: BinaryIO) -> bytes:
    """The data of the next packet; nothing when the server has closed."""
    head = file.read(HEADER.size)
    return file.read(HEADER.unpack(head)[2] - HEADER.size) if head else b""


def test_a_wrong_password_does_not_say_what_was_wrong(server: Server) -> None:
    for user in ("sqladmin", "nobody"):
        with pytest.raises(pyodbc.InterfaceError) as caught:
            server.connect(user=user, password="Wrong-Pass-1")
        assert number(caught.value) == 18456
        assert f"Login failed for user '{user}'." in str(caught.value)


def test_a_database_that_does_not_exist_is_named(server: Server) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        server.connect("nowhere")
    assert number(caught.value) == 4060
    assert 'Cannot open database "nowhere" requested by the login.' in str(caught.value)


def test_a_paused_database_is_unavailable(host: Host) -> None:
    server = host.serve(Policy("paused"))
    server.database("asleep")
    server.policy.paused.add("asleep")
    with pytest.raises(pyodbc.Error) as caught:
        server.connect("asleep")
    assert number(caught.value) == 40613


def test_a_member_of_several_groups_has_the_rights_of_all_of_them(server: Server, database: str) -> None:
    person = "5d0b2a60-1111-4a6e-9f38-0d6f9f1f0c11"
    readers, writers = "0c1d1a51-2222-4a6e-9f38-0d6f9f1f0c22", "0c1d1a51-3333-4a6e-9f38-0d6f9f1f0c33"
    server.host.people["grouped"] = Person(person, "app", TENANT, "pat@example.com", frozenset({readers, writers}))
    with closing(server.connect(database)) as connection:
        connection.execute("CREATE TABLE dbo.t (a int)")
        for name, group, permission in (("readers", readers, "SELECT"), ("writers", writers, "INSERT")):
            connection.execute(f"CREATE USER {name} FROM EXTERNAL PROVIDER WITH OBJECT_ID = '{group}'")
            connection.execute(f"GRANT {permission} ON dbo.t TO {name}")
        with closing(server.connect(database, token="grouped")) as user:
            user.execute("INSERT INTO dbo.t VALUES (1)")
            assert user.execute("SELECT a, SUSER_SNAME() FROM dbo.t").fetchone()[1] == "pat@example.com"
            with pytest.raises(pyodbc.Error) as caught:
                user.execute("DELETE FROM dbo.t")
            assert number(caught.value) == 229
        connection.execute("DENY SELECT ON dbo.t TO writers")
        with closing(server.connect(database, token="grouped")) as user, pytest.raises(pyodbc.Error) as caught:
            user.execute("SELECT a FROM dbo.t")
        assert number(caught.value) == 229


class TestFirewall:
    def test_a_client_outside_every_rule_is_told_its_address(self, host: Host) -> None:
        server = host.serve(Policy("closed", rules=[]))
        with pytest.raises(pyodbc.Error) as caught:
            server.connect()
        assert number(caught.value) == 40615
        assert (
            "Cannot open server 'closed' requested by the login. Client with IP address '127.0.0.1' is not allowed to "
            "access the server." in str(caught.value)
        )

    def test_the_service_calls_from_its_own_address(self, host: Host) -> None:
        server = host.serve(Policy("service"))
        with pytest.raises(pyodbc.Error, match=AZURE_ADDRESS):
            server.connect(extra=AS_SERVICE)
        server.policy.rules = [Rule("West Europe", AZURE_ADDRESS, AZURE_ADDRESS)]
        server.connect(extra=AS_SERVICE).close()
        with pytest.raises(pyodbc.Error, match=r"127\.0\.0\.1"):
            server.connect()

    def test_azure_services_are_let_in_by_the_rule_of_zeros_and_nobody_else(self, host: Host) -> None:
        server = host.serve(Policy("zeros", rules=[Rule("AllowAllWindowsAzureIps", *ZEROS)]))
        server.connect(extra=AS_SERVICE).close()
        with pytest.raises(pyodbc.Error) as caught:
            server.connect()
        assert number(caught.value) == 40615

    def test_a_rule_admits_both_its_ends(self, host: Host) -> None:
        server = host.serve(Policy("range", rules=[Rule("low", "126.0.0.0", "127.0.0.1")]))
        server.connect().close()
        server.policy.rules = [Rule("high", "127.0.0.2", "127.0.0.255")]
        with pytest.raises(pyodbc.Error):
            server.connect()


class TestEntra:
    ADMINISTRATOR = "11111111-1111-1111-1111-111111111111"

    def person(self, host: Host, token: str, object_id: str, groups: frozenset[str] = frozenset()) -> None:
        host.people[token] = Person(object_id, "22222222-2222-2222-2222-222222222222", TENANT, "deployer", groups)

    def test_the_administrator_signs_in_with_a_token(self, host: Host) -> None:
        server = host.serve(Policy("entra", administrator=self.ADMINISTRATOR))
        self.person(host, "token-of-admin", self.ADMINISTRATOR)
        with closing(server.connect(token="token-of-admin")) as connection:
            assert tuple(connection.execute("SELECT USER_NAME(), SUSER_SNAME()").fetchone()) == ("dbo", "deployer")

    def test_so_does_a_member_of_the_administrators_group(self, host: Host) -> None:
        server = host.serve(Policy("group", administrator=self.ADMINISTRATOR))
        self.person(host, "token-of-member", "33333333-3333-3333-3333-333333333333", frozenset({self.ADMINISTRATOR}))
        with closing(server.connect(token="token-of-member")) as connection:
            assert connection.execute("SELECT USER_NAME()").fetchone()[0] == "dbo"

    def test_anybody_else_is_refused(self, host: Host) -> None:
        server = host.serve(Policy("others", administrator=self.ADMINISTRATOR))
        self.person(host, "token-of-stranger", "44444444-4444-4444-4444-444444444444")
        for token in ("token-of-stranger", "forged"):
            with pytest.raises(pyodbc.Error, match="token-identified principal") as caught:
                server.connect(token=token)
            assert number(caught.value) == 18456

    def test_a_user_from_the_directory_is_let_into_its_database(self, host: Host) -> None:
        server = host.serve(Policy("directory", administrator=self.ADMINISTRATOR))
        name = server.database()
        person = "55555555-5555-5555-5555-555555555555"
        self.person(host, "token-of-person", person)
        with closing(server.connect(name)) as connection:
            connection.execute(f"CREATE USER [someone] FROM EXTERNAL PROVIDER WITH OBJECT_ID = '{person}'")
        with closing(server.connect(name, token="token-of-person")) as connection:
            assert connection.execute("SELECT USER_NAME()").fetchone()[0] == "someone"

    def test_an_entra_only_server_refuses_sql_logins_and_says_why(self, host: Host) -> None:
        server = host.serve(Policy("only", administrator=self.ADMINISTRATOR, only_entra=True))
        with pytest.raises(pyodbc.Error, match="Azure Active Directory only authentication is enabled") as caught:
            server.connect()
        assert number(caught.value) == 18456
        self.person(host, "token-of-admin", self.ADMINISTRATOR)
        server.connect(token="token-of-admin").close()


def test_every_login_is_in_the_request_log_and_no_password(server: Server, database: str) -> None:
    before = len(server.host.log.lines)
    server.connect(database).close()
    with pytest.raises(pyodbc.Error):
        server.connect(database, "mallory", "Wrong-Pass-1")
    added = server.host.log.lines[before:]
    assert ("sql", "LOGIN", f"/shared/{database}", 0, "sqladmin") in added
    assert ("sql", "LOGIN", f"/shared/{database}", 18456, "mallory") in added
    assert "Pass" not in str(server.host.log.lines)
