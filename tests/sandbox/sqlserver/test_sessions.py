"""Signing in and staying signed in, over the real driver."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count
from typing import Any

import pytest

from setup_kit.errors import KitError
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net, to_ado_net
from setup_kit.sqlserver.sessions import NotAdmitted, SignInRefused, SqlAdministrator, SqlSessions
from setup_kit.sqlserver.templates import render
from tests.sandbox.sqlserver.logical_server import (
    ADMINISTRATOR,
    ADMINISTRATOR_PASSWORD,
    DATABASE,
    LOCAL,
    PASSWORD,
    TOKEN,
    LogicalServer,
)


class Time:
    """A clock that waiting moves on; `then` maps a moment to what happens at it."""

    def __init__(self, then: Callable[[float], None] = lambda now: None) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self._then = then

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self._then(self.now)
        return False

    def sessions(self, server: LogicalServer, administrator: SqlAdministrator | None = None) -> SqlSessions:
        return SqlSessions(
            lambda: f"{server.address.host},{server.address.port}",
            administrator or SqlAdministrator(ADMINISTRATOR, lambda: Secret(ADMINISTRATOR_PASSWORD)),
            certificate=server.certificate,
            wait=self.wait,
            say=self.said.append,
            clock=lambda: self.now,
        )


def where(sessions: SqlSessions, database: str) -> Any:
    (row,) = sessions.admin(database).rows("SELECT DB_NAME(), ORIGINAL_LOGIN()", doing="look around")
    return tuple(row)


def test_the_sql_administrator_reaches_every_database(sessions: SqlSessions) -> None:
    assert where(sessions, "master") == ("master", ADMINISTRATOR)
    assert where(sessions, DATABASE) == (DATABASE, ADMINISTRATOR)


def test_a_member_of_the_entra_group_is_administrator(entra_sessions: Callable[[str], SqlSessions]) -> None:
    assert where(entra_sessions(TOKEN), DATABASE)[0] == DATABASE


def test_who_is_not_in_the_entra_group_is_told_which_group(entra_sessions: Callable[[str], SqlSessions]) -> None:
    with pytest.raises(SignInRefused) as refused:
        entra_sessions("another").admin("master")
    assert "SQL Administrators" in refused.value.remedy
    assert "18456" in refused.value.original


def test_a_wrong_administrator_password_is_refused_at_once(server: LogicalServer) -> None:
    time = Time()
    sessions = time.sessions(server, SqlAdministrator(ADMINISTRATOR, lambda: Secret("not-the-password")))
    with pytest.raises(SignInRefused) as refused:
        sessions.admin("master")
    assert time.now == 0
    assert ADMINISTRATOR in refused.value.remedy
    assert "not-the-password" not in repr(refused.value) + refused.value.original


def test_the_firewall_tells_which_address_it_saw(server: LogicalServer, sessions: SqlSessions) -> None:
    server.policy.rules.clear()
    with pytest.raises(NotAdmitted) as refused:
        sessions.admin("master")
    assert refused.value.address == "127.0.0.1"
    assert "127.0.0.1" in refused.value.reason
    assert sessions.refused_address() == "127.0.0.1"
    server.policy.rules.append(LOCAL)
    assert sessions.refused_address() is None


def test_a_firewall_that_no_rule_of_ours_opens_is_told_at_once_on_a_busy_machine(server: LogicalServer) -> None:
    server.policy.rules.clear()
    moments = chain([0.0], count(1.0, 0.001))  # a second passes between two lines
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 3

    sessions = SqlSessions(
        lambda: f"{server.address.host},{server.address.port}",
        SqlAdministrator(ADMINISTRATOR, lambda: Secret(ADMINISTRATOR_PASSWORD)),
        certificate=server.certificate,
        wait=wait,
        clock=lambda: next(moments),
    )
    with pytest.raises(NotAdmitted):
        sessions.admin("master")
    assert waits == []


def test_a_rule_that_was_just_added_is_waited_for(server: LogicalServer) -> None:
    server.policy.rules.clear()
    time = Time(lambda now: server.policy.rules.append(LOCAL) if now > 100 else None)
    sessions = time.sessions(server)
    sessions.rule_added()
    sessions.admin("master")
    assert 100 < time.now < 130
    assert any("127.0.0.1" in text for text in time.said)
    sessions.close()


def test_a_rule_is_waited_for_up_to_five_minutes_and_then_given_up(server: LogicalServer) -> None:
    server.policy.rules.clear()
    time = Time()
    sessions = time.sessions(server)
    sessions.rule_added()
    with pytest.raises(NotAdmitted):
        sessions.admin("master")
    assert time.now == pytest.approx(300)


def test_a_paused_database_is_retried_by_error_number_and_it_is_said(server: LogicalServer) -> None:
    server.policy.offline = True

    def wake(now: float) -> None:
        server.policy.offline = now < 30

    time = Time(wake)
    sessions = time.sessions(server)
    assert where(sessions, DATABASE)[0] == DATABASE
    assert 30 <= time.now < 50
    assert "not currently available" in time.said[0]
    sessions.close()


def test_a_database_that_stays_away_is_given_up_after_two_minutes(server: LogicalServer) -> None:
    server.policy.offline = True
    time = Time()
    with pytest.raises(KitError) as given_up:
        time.sessions(server).admin(DATABASE)
    assert time.now == pytest.approx(120)
    assert "40613" in given_up.value.original


def test_a_connection_that_broke_is_opened_again(server: LogicalServer) -> None:
    time = Time()
    sessions = time.sessions(server)
    assert where(sessions, DATABASE)[0] == DATABASE
    server.stop()
    server.start()
    assert where(sessions, DATABASE)[0] == DATABASE
    assert len(time.said) == 1
    sessions.close()


def test_a_server_that_is_not_there_is_said_to_be_out_of_reach(server: LogicalServer) -> None:
    server.stop()
    with pytest.raises(KitError) as unreachable:
        Time().sessions(server).admin("master")
    assert "not reached" in unreachable.value.why
    assert str(server.address.port) in unreachable.value.why
    server.start()


def test_a_certificate_that_is_not_the_pinned_one_is_refused(server: LogicalServer, tmp_path: Any) -> None:
    from setup_kit.sandbox.certificates import prepare

    other = prepare(tmp_path / "other").server
    sessions = SqlSessions(
        lambda: f"{server.address.host},{server.address.port}",
        SqlAdministrator(ADMINISTRATOR, lambda: Secret(ADMINISTRATOR_PASSWORD)),
        certificate=other,
    )
    with pytest.raises(KitError) as refused:
        sessions.admin("master")
    assert "certificate" in refused.value.why


def test_a_refused_create_login_keeps_the_password_to_itself(
    sessions: SqlSessions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "Un1que-pass'word-to-look-for"
    batch = render("create_login", name="dataexport", password=Secret(secret))
    master = sessions.admin("master")
    master.run(batch, doing="create the login 'dataexport'")
    with pytest.raises(KitError) as refused:
        master.run(batch, doing="create the login 'dataexport'")
    assert "15025" in refused.value.original
    assert_hidden(refused.value, caplog)


def test_a_syntax_error_that_quotes_the_statement_does_not_tell_the_password(
    sessions: SqlSessions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = Secret("Un1que-pass'word-to-look-for")
    good = render("create_login", name="dataexport", password=secret)
    broken = type(good)(good.name, good.text.replace("N'", "").replace("''", " "), good.secrets)
    with pytest.raises(KitError) as refused:
        sessions.admin("master").run(broken, doing="create the login 'dataexport'")
    assert_hidden(refused.value, caplog)


def assert_hidden(error: KitError, caplog: pytest.LogCaptureFixture) -> None:
    chain: BaseException | None = error
    while chain is not None:
        shown = "".join(traceback.format_exception(chain, chain=True)) + repr(chain.args) + repr(vars(chain))
        assert "Un1que" not in shown
        assert "to-look-for" not in shown
        chain = chain.__cause__ or chain.__context__
    assert "Un1que" not in caplog.text


def test_a_refused_export_user_is_asked_once_until_its_login_changes(
    server: LogicalServer, sessions: SqlSessions
) -> None:
    for _ in range(3):
        with pytest.raises(SignInRefused):
            sessions.export(DATABASE, "dataexport", PASSWORD)
    assert server.requests.read_text().count("18456") == 1
    sessions.login_changed()
    with pytest.raises(SignInRefused):
        sessions.export(DATABASE, "dataexport", PASSWORD)
    assert server.requests.read_text().count("18456") == 2


def test_a_login_without_a_user_has_its_password_accepted(sessions: SqlSessions) -> None:
    sessions.admin("master").run(render("create_login", name="dataexport", password=PASSWORD), doing="create it")
    with pytest.raises(SignInRefused) as refused:
        sessions.export(DATABASE, "dataexport", PASSWORD)
    assert refused.value.password_accepted
    with pytest.raises(SignInRefused) as refused:
        sessions.export(DATABASE, "dataexport", Secret("another"))
    assert not refused.value.password_accepted


def test_18456_is_retried_only_right_after_the_login_was_created_or_changed_by_this_run(server: LogicalServer) -> None:
    administrator = Time().sessions(server)

    def catch_up(now: float) -> None:
        if now > 20 and not made:
            made.append(True)
            administrator.admin("master").run(
                render("create_login", name="dataexport", password=PASSWORD), doing="create it"
            )
            administrator.admin(DATABASE).run(render("create_user", name="dataexport", schema="dbo"), doing="create it")

    made: list[bool] = []
    time = Time(catch_up)
    sessions = time.sessions(server)
    proof = parse_ado_net(to_ado_net(server.address, DATABASE, "dataexport", PASSWORD))
    with pytest.raises(SignInRefused):
        sessions.prove(proof)
    assert time.now == 0
    sessions.login_changed()
    session = sessions.prove(proof)
    assert session.rows("SELECT USER_NAME()", doing="ask who I am")[0][0] == "dataexport"
    assert 20 < time.now < 40
    session.close()
    administrator.close()


def test_many_threads_share_one_log_in(server: LogicalServer, sessions: SqlSessions) -> None:
    barrier = threading.Barrier(8)

    def ask(number: int) -> int:
        barrier.wait(10)
        return int(sessions.admin(DATABASE).rows("SELECT ?", number, doing="ask")[0][0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == list(range(8))
    assert server.requests.read_text().count('"LOGIN"') == 1
