"""Connecting: TLS, sign-in, the database, packet sizes, access tokens, pooled connections."""

from __future__ import annotations

from tests.sandbox.sql.conformance.checks.results import NUMBERS
from tests.sandbox.sql.conformance.client import Need, ServerError
from tests.sandbox.sql.conformance.registry import add, check
from tests.sandbox.sql.conformance.session import Session


@check()
def a_certificate_of_an_unknown_authority_is_refused(sql: Session) -> None:
    _, told = sql.refused(sql.world.other_authority, strict=False)
    assert not told, "nothing was sent to a server that nobody vouches for"


@check()
def a_certificate_for_another_name_is_refused(sql: Session) -> None:
    _, told = sql.refused(sql.world.other_name, strict=False)
    assert not told


@check()
def tls_1_2_alone_suffices(sql: Session) -> None:
    with sql.another(sql.world.only_tls_1_2, database="master", strict=False) as other:
        assert other.value("SELECT 1") == 1


@check(Need.STRICT)
def tds_8_0_with_tls_1_3(sql: Session) -> None:
    with sql.another(sql.world.only_tls_1_3, database="master", strict=True) as other:
        assert other.value("SELECT 1") == 1


@check(Need.STRICT)
def tds_8_0_with_tls_1_2(sql: Session) -> None:
    with sql.another(sql.world.only_tls_1_2, database="master", strict=True) as other:
        assert other.value("SELECT 1") == 1


@check(Need.STRICT)
def tds_8_0(sql: Session) -> None:
    with sql.another(strict=True) as other:
        assert other.value("SELECT DB_NAME()") == sql.options.database


@check()
def tds_7_4(sql: Session) -> None:
    with sql.another(strict=False) as other:
        assert other.value("SELECT DB_NAME()") == sql.options.database


@check()
def the_database_of_the_login(sql: Session) -> None:
    assert sql.value("SELECT DB_NAME()") == sql.options.database


@check()
def the_database_master(sql: Session) -> None:
    with sql.another(database="master") as other:
        assert other.value("SELECT DB_NAME()") == "master"


@check()
def who_has_signed_in(sql: Session) -> None:
    assert sql.row("SELECT SUSER_SNAME(), USER_NAME()") == (sql.options.user, "dbo")


@check()
def each_connection_is_a_session_of_its_own(sql: Session) -> None:
    with sql.another() as other:
        assert other.value("SELECT @@SPID") != sql.value("SELECT @@SPID")


@check()
def a_wrong_password(sql: Session) -> None:
    _, told = sql.refused(password="Wrong-Horse-9")
    assert any(each.shows(ServerError(f"Login failed for user '{sql.options.user}'.", 18456, 14, 1)) for each in told)


@check()
def an_unknown_login(sql: Session) -> None:
    _, told = sql.refused(user="nobody")
    assert any(each.shows(ServerError("Login failed for user 'nobody'.", 18456, 14, 1)) for each in told)


@check()
def an_unknown_database(sql: Session) -> None:
    """4060 and then 18456 go to the client; some drivers raise the first, some the last."""
    error, told = sql.refused(database="nowhere")
    cannot_open = ServerError('Cannot open database "nowhere" requested by the login. The login failed.', 4060)
    failed = ServerError(f"Login failed for user '{sql.options.user}'.", 18456)
    assert any(each.shows(cannot_open) or each.shows(failed) for each in told), error


@check()
def the_language_and_its_options(sql: Session) -> None:
    assert sql.row("SELECT @@LANGUAGE, @@DATEFIRST, @@TEXTSIZE")[:2] == ("us_english", 7)


@check()
def ansi_options_are_on(sql: Session) -> None:
    names = ("ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "QUOTED_IDENTIFIER", "CONCAT_NULL_YIELDS_NULL")
    assert sql.value("SELECT @@OPTIONS & 32") == 32, names[0]
    assert sql.value("SELECT @@OPTIONS & 256") == 256, names[3]


@check()
def the_engine_is_azure_sql_database(sql: Session) -> None:
    text = "SELECT CAST(SERVERPROPERTY('EngineEdition') AS int), CAST(SERVERPROPERTY('Edition') AS nvarchar(128))"
    assert sql.row(text) == (5, "SQL Azure")


def _packet_size(size: int) -> None:
    def body(sql: Session) -> None:
        value = "0123456789" * 10_000
        with sql.another(packet_size=size) as other:
            assert other.value("SELECT CAST(? AS nvarchar(max))", value) == value
            assert len(other.rows(f"SELECT n, REPLICATE('x', 500) AS v FROM ({NUMBERS}) AS a WHERE n < 200")) == 200

    add(f"connecting: packets of {size} bytes", body, Need.PACKET_SIZE)


for _size in (512, 1024, 4096, 8192, 16384, 32767):
    _packet_size(_size)


@check(Need.ACCESS_TOKEN)
def an_access_token_signs_in(sql: Session) -> None:
    with sql.another(token=sql.world.token, user="", password="") as other:
        assert other.value("SELECT 1") == 1


@check(Need.ACCESS_TOKEN)
def an_access_token_that_is_not_good_is_refused(sql: Session) -> None:
    _, told = sql.refused(token=sql.world.bad_token, user="", password="")
    assert any("Login failed for user" in each.text for each in told)


@check()
def a_contained_user(sql: Session) -> None:
    name = sql.name("user")
    with sql.another(autocommit=True) as owner:
        owner.run(f"CREATE USER {name} WITH PASSWORD = N'Correct-Horse-9'")
    with sql.another(user=name, password="Correct-Horse-9") as other:
        assert other.row("SELECT USER_NAME(), IS_MEMBER('db_owner')") == (name, 0)


@check()
def a_connection_that_ends_gives_its_work_up(sql: Session) -> None:
    with sql.committed_table("v int") as table:
        with sql.another() as other:
            other.run(f"INSERT INTO {table} VALUES (1)")
        assert sql.value(f"SELECT COUNT(*) FROM {table}") == 0


@check()
def ten_connections_at_once(sql: Session) -> None:
    others = [sql.another() for _ in range(10)]
    sessions = [other.__enter__() for other in others]
    try:
        assert len({session.value("SELECT @@SPID") for session in sessions}) == 10
    finally:
        for other in others:
            other.__exit__(None, None, None)
