"""`setup-kit doctor` on a healthy environment, and with the clock or the network in its way."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import trustme

from setup_kit.resources.doctor.network import Stage, diagnosis
from tests.sandbox.job.harness import Finished, Kit

DIRECT = {"NO_PROXY": "*", "no_proxy": "*"}
PROXIED = {"NO_PROXY": "", "no_proxy": ""}


def findings(done: Finished, check: str = "") -> list[dict[str, Any]]:
    """The findings of a check, or of one like `reach.tcp` of the check `reach`."""
    every: list[dict[str, Any]] = done.json["findings"]
    return [each for each in every if not check or each["check"] == check or each["check"].startswith(f"{check}.")]


def look(kit: Kit, name: str, **variables: str) -> Finished:
    return kit.run("doctor", "-e", name, "--output", "json", variables=DIRECT | variables)


@contextmanager
def fault(kit: Kit, *words: str) -> Iterator[None]:
    identifier = kit.run("sandbox", "fault", "add", *words).succeeded().out.strip()
    try:
        yield
    finally:
        kit.run("sandbox", "fault", "remove", identifier).succeeded()


@contextmanager
def says_its_time(kit: Kit, ahead: timedelta, *parts: str) -> Iterator[None]:
    """While it is entered, these parts of the cloud say that it is so much later."""
    moment = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
    with fault(kit, "status", "--status", "404", "--part", parts[0], "--path", "/", "--header", f"Date: {moment}"):
        if parts[1:]:
            with says_its_time(kit, ahead, *parts[1:]):
                yield
        else:
            yield


@contextmanager
def listening(context: ssl.SSLContext | None, talk: bytes = b"") -> Iterator[int]:
    """A port of this machine that takes connections, and TLS where a context is given, and then says `talk`."""
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                taken, _ = server.accept()
            except OSError:
                return
            try:
                taken.settimeout(5)
                if context is not None:
                    taken = context.wrap_socket(taken, server_side=True)
                taken.recv(4096)
                taken.sendall(talk)
            except OSError:
                pass
            finally:
                taken.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def tls(authority: trustme.CA, *names: str, not_after: datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_after=not_after).configure_cert(context)
    return context


def test_a_healthy_environment_passes_with_evidence_of_everything(kit: Kit) -> None:
    kit.init("doc-well")
    before = len(kit.writes())
    done = look(kit, "doc-well").succeeded()
    assert len(kit.writes()) == before
    schema = json.loads(kit.run("schema", "findings").succeeded().out)
    jsonschema.validate(done.json, schema)
    assert done.json["summary"]["failed"] == 0
    assert {each["check"] for each in findings(done)} >= {
        *("machine.python", "machine.libodbc", "machine.driver", "reach", "clock", "sign_in", "service_principal"),
        *("preflight.organization", "preflight.service", "preflight.entities", "preflight.server", "preflight.vault"),
    }
    for each in findings(done):
        assert each["severity"]
        assert each["evidence"] or each["status"] == "skipped", each
        assert each["remedy"] or each["status"] == "passed", each


def test_it_names_the_next_command_by_how_the_environment_was_named(kit: Kit) -> None:
    kit.init("doc-next")
    done = kit.run("doctor", "-e", "environments/doc-next.yaml", variables=DIRECT).succeeded()
    assert "Next: setup-kit plan -e environments/doc-next.yaml" in done.out
    assert "0 failed" in done.out


@pytest.mark.parametrize(
    ("ahead", "status", "code"),
    [
        (timedelta(minutes=3), "warning", 0),
        (timedelta(minutes=-3), "warning", 0),
        (timedelta(minutes=10), "failed", 1),
        (timedelta(minutes=-10), "failed", 1),
    ],
    ids=lambda value: str(value),
)
def test_a_clock_that_is_off_is_measured(kit: Kit, ahead: timedelta, status: str, code: int) -> None:
    name = f"doc-clock-{status}-{'behind' if ahead > timedelta() else 'ahead'}"
    kit.init(name)
    with says_its_time(kit, ahead, "entra", "resource-manager"):
        done = look(kit, name).failed(code)
    (clock,) = findings(done, "clock")
    assert clock["status"] == status
    minutes = abs(ahead).seconds // 60
    assert any(f"{each} min" in clock["message"] for each in (minutes - 1, minutes))
    assert ("behind" if ahead > timedelta() else "ahead") in clock["message"]
    assert "the authority: " in clock["evidence"] and "±" in clock["evidence"]
    assert "Resource Manager: " in clock["evidence"]
    assert clock["remedy"].startswith("set it by the network")


def test_one_host_whose_own_time_is_wrong_is_not_blamed_on_this_machine(kit: Kit) -> None:
    kit.init("doc-one-clock")
    with says_its_time(kit, timedelta(minutes=20), "entra"):
        (clock,) = findings(look(kit, "doc-one-clock").succeeded(), "clock")
    assert clock["status"] == "passed"


def unreached(done: Finished, host: str) -> dict[str, Any]:
    (found,) = [each for each in findings(done, "reach") if each["resource"] == host]
    assert found["status"] == "failed" and found["severity"] == "high"
    return found


def test_where_the_way_to_a_host_ends_is_told_apart(kit: Kit) -> None:
    """A name that nobody has, a port that nobody listens on, no TLS, and a certificate that is not trusted."""
    with listening(None, b"no TLS here\r\n") as plain, listening(tls(trustme.CA(), "127.0.0.1")) as strange:
        for number, (discovery, check, words) in enumerate(
            [
                ("https://export.contoso.invalid", "reach.dns", "its name is not known here"),
                ("https://127.0.0.1:1", "reach.tcp", "no connection to port 1"),
                (f"https://127.0.0.1:{plain}", "reach.tls", "but not TLS"),
                (f"https://127.0.0.1:{strange}", "reach.tls", "not trusted here"),
            ]
        ):
            name = f"doc-way-{number}"
            kit.init(name, export_service__discovery=discovery)
            found = unreached(look(kit, name).failed(1), discovery)
            assert found["check"] == check
            assert words in found["message"]
            assert found["evidence"]
            assert "check export_service.discovery" in found["remedy"]


def test_a_host_that_takes_tls_and_then_says_nothing_is_told_apart(kit: Kit) -> None:
    kit.init("doc-mute")
    url = kit.document["organization"]["url"]
    with fault(kit, "reset-before", "--part", "dataverse", "--path", "/"):
        found = unreached(look(kit, "doc-mute").failed(1), url)
    assert found["check"] == "reach.http"
    assert "does not answer over it" in found["message"]


def test_an_error_of_the_hosts_own_is_a_warning(kit: Kit) -> None:
    kit.init("doc-ill")
    with fault(kit, "status", "--status", "501", "--part", "graph", "--path", "/"):
        done = look(kit, "doc-ill").succeeded()
    (found,) = findings(done, "reach.http")
    assert (found["status"], found["resource"]) == ("warning", kit.document["graph"])
    assert "HTTP 501" in found["evidence"]


def test_a_proxy_that_is_not_there_is_named_without_its_password(kit: Kit) -> None:
    kit.init("doc-proxy")
    proxy = "http://operator:Pr0xy-Passw0rd@127.0.0.1:1"
    done = look(kit, "doc-proxy", **PROXIED, HTTPS_PROXY=proxy).failed(1)
    found = unreached(done, kit.document["graph"])
    assert found["check"] == "reach.proxy"
    assert "HTTPS_PROXY: http://127.0.0.1:1" in found["evidence"]
    assert "NO_PROXY" in found["remedy"]
    assert "Pr0xy" not in done.text


def test_a_proxy_that_lets_nothing_through_is_told_from_one_that_is_not_there(kit: Kit) -> None:
    kit.init("doc-strict-proxy")
    with listening(None, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as port:
        done = look(kit, "doc-strict-proxy", **PROXIED, HTTPS_PROXY=f"http://127.0.0.1:{port}").failed(1)
    found = unreached(done, kit.document["graph"])
    assert found["check"] == "reach.proxy"
    assert "does not let it through" in found["message"]
    assert f"http://127.0.0.1:{port}" in found["evidence"] and "403" in found["evidence"]


def test_the_certificate_of_another_host_or_another_time_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for names, not_after, words in (
        (["other.contoso.test"], None, "not for 127.0.0.1"),
        (["127.0.0.1"], yesterday, "not valid at this time"),
    ):
        with listening(tls(authority, *names, not_after=not_after)) as port:
            found = diagnosis(f"https://127.0.0.1:{port}", ca_file, "")
        assert found.stage is Stage.TLS
        assert words in found.why
        assert "verify code" in found.evidence


def test_what_is_wrong_in_one_place_hides_nothing_elsewhere(kit: Kit) -> None:
    kit.init("doc-many", profile__entities=["account", "acount"], export_service__discovery="https://127.0.0.1:1")
    with says_its_time(kit, timedelta(minutes=10), "entra", "resource-manager"):
        done = look(kit, "doc-many").failed(1)
    failed = {each["check"] for each in findings(done) if each["status"] == "failed"}
    assert failed >= {"clock", "reach.tcp", "preflight.entities", "preflight.service"}
    passed = {each["check"] for each in findings(done) if each["status"] == "passed"}
    assert passed >= {"sign_in", "preflight.organization", "preflight.server", "preflight.vault"}


def test_a_failed_sign_in_skips_only_what_rests_on_it(kit: Kit) -> None:
    kit.init("doc-nobody")
    done = look(kit, "doc-nobody", AZURE_CLIENT_SECRET="wrong").failed(1)
    (sign_in,) = findings(done, "sign_in")
    assert "AADSTS7000215" in sign_in["evidence"]
    skipped = [each for each in findings(done) if each["status"] == "skipped"]
    assert {each["check"] for each in skipped} >= {"service_principal", "preflight"}
    assert all("sign_in/" in each["message"] for each in skipped)
    assert all(each["status"] == "passed" for each in findings(done, "reach"))


def test_a_region_of_the_service_that_is_none_of_the_organization_s_is_told_before_anything_is_made(kit: Kit) -> None:
    kit.init("doc-region", sql__firewall__service_region="UK South", sql__firewall__allow_azure_services=False)
    (found,) = findings(look(kit, "doc-region").succeeded(), "preflight.service_region")
    assert (found["status"], found["severity"]) == ("warning", "high")
    planned = kit.run("plan", "-e", "doc-region").succeeded().out
    assert "sql.firewall.service_region is UK South, but the service calls" in planned
    assert "→ set sql.firewall.service_region to North Europe or West Europe" in planned


def test_an_interrupt_ends_the_look_and_tells_what_was_seen(kit: Kit) -> None:
    kit.init("doc-stop")
    with fault(kit, "drip", "--part", "entra", "--method", "POST", "--seconds", "4"):
        before = len(kit.requests())
        started = kit.start("doctor", "-e", "doc-stop", "--output", "json")
        kit.await_request(started, before, part="entra")
        started.send_signal(signal.SIGINT)
        assert started.wait(60) == 130


def test_the_administrators_password_is_tried_where_the_server_lets_one_in(kit: Kit) -> None:
    kit.run("init", "doc-pass", "--cloud", "sandbox", "--administrator-login", "docadmin").succeeded()
    right = {"SETUP_KIT_SQL_ADMIN_PASSWORD": "Correct-horse7battery"}
    wrong = {"SETUP_KIT_SQL_ADMIN_PASSWORD": "Wrong-horse8battery"}

    def password(variables: dict[str, str]) -> dict[str, Any]:
        (found,) = findings(look(kit, "doc-pass", **variables), "sql_administrator")
        return found

    assert password(wrong)["message"] == "the password of docadmin is given"
    kit.run("server", "create", "-e", "doc-pass", "--yes", variables=right).succeeded()
    kept_out = password(wrong)
    assert kept_out["status"] == "skipped"
    assert "not tried, because the firewall of" in kept_out["message"]
    kit.run("firewall", "add", "-e", "doc-pass", "here", "127.0.0.1", "--yes").succeeded()
    assert "takes the password of docadmin" in password(right)["message"]
    refused = password(wrong)
    assert refused["status"] == "failed"
    assert "does not take the password" in refused["message"]
    assert "SETUP_KIT_SQL_ADMIN_PASSWORD" in refused["remedy"]
    assert "18456" in refused["evidence"]
    look(kit, "doc-pass", **wrong).failed(1)
