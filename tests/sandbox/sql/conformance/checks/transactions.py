"""Transactions, autocommit and isolation."""

from __future__ import annotations

from tests.sandbox.sql.conformance.client import ServerError
from tests.sandbox.sql.conformance.registry import add, check
from tests.sandbox.sql.conformance.session import Session


@check()
def commit_makes_changes_visible(sql: Session) -> None:
    with sql.committed_table("v int") as table, sql.another() as other:
        sql.run(f"INSERT INTO {table} VALUES (1)")
        assert other.value(f"SELECT COUNT(*) FROM {table}") == 0
        sql.connection.commit()
        other.connection.rollback()
        assert other.value(f"SELECT COUNT(*) FROM {table}") == 1


@check()
def rollback_undoes_changes(sql: Session) -> None:
    with sql.committed_table("v int") as table:
        sql.run(f"INSERT INTO {table} VALUES (1)")
        sql.connection.rollback()
        assert sql.value(f"SELECT COUNT(*) FROM {table}") == 0


@check()
def rollback_undoes_ddl(sql: Session) -> None:
    table = sql.table("v int")
    sql.connection.rollback()
    assert sql.value("SELECT OBJECT_ID(?)", table) is None


@check()
def ddl_in_autocommit(sql: Session) -> None:
    name = f"dbo.{sql.name()}"
    with sql.another(autocommit=True) as other:
        other.run(f"CREATE TABLE {name} (v int)")
        assert sql.value("SELECT OBJECT_ID(?)", name) is not None
        other.run(f"DROP TABLE {name}")
        sql.connection.rollback()
        assert sql.value("SELECT OBJECT_ID(?)", name) is None


@check()
def autocommit_is_visible_at_once(sql: Session) -> None:
    with sql.committed_table("v int") as table, sql.another(autocommit=True) as other:
        other.run(f"INSERT INTO {table} VALUES (1)")
        assert sql.value(f"SELECT COUNT(*) FROM {table}") == 1


@check()
def autocommit_can_be_turned_on_and_off(sql: Session) -> None:
    with sql.committed_table("v int") as table, sql.another() as other:
        other.connection.autocommit = True
        other.run(f"INSERT INTO {table} VALUES (1)")
        other.connection.autocommit = False
        other.run(f"INSERT INTO {table} VALUES (2)")
        assert sql.rows(f"SELECT v FROM {table}") == [(1,)]
        other.connection.rollback()


@check()
def trancount_in_autocommit(sql: Session) -> None:
    with sql.another(autocommit=True) as other:
        assert other.value("SELECT @@TRANCOUNT") == 0
        other.run("BEGIN TRANSACTION")
        assert other.value("SELECT @@TRANCOUNT") == 1
        other.run("BEGIN TRANSACTION")
        assert other.value("SELECT @@TRANCOUNT") == 2
        other.run("COMMIT")
        assert other.value("SELECT @@TRANCOUNT") == 1
        other.run("ROLLBACK")
        assert other.value("SELECT @@TRANCOUNT") == 0


@check()
def a_transaction_of_the_driver_counts(sql: Session) -> None:
    sql.table("v int")
    assert sql.value("SELECT @@TRANCOUNT") == 1


@check()
def a_savepoint(sql: Session) -> None:
    table = sql.table("v int")
    sql.run(f"INSERT INTO {table} VALUES (1); SAVE TRANSACTION here; INSERT INTO {table} VALUES (2)")
    sql.run(f"ROLLBACK TRANSACTION here; INSERT INTO {table} VALUES (3)")
    assert sql.rows(f"SELECT v FROM {table} ORDER BY v") == [(1,), (3,)]


@check()
def rollback_ends_nested_transactions(sql: Session) -> None:
    with sql.another(autocommit=True) as other:
        assert other.sets("BEGIN TRAN; BEGIN TRAN; ROLLBACK; SELECT @@TRANCOUNT")[-1] == [(0,)]


@check()
def commit_without_a_transaction(sql: Session) -> None:
    text = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."
    with sql.another(autocommit=True) as other:
        other.fails(ServerError(text, 3902, 16, 1, 1), "COMMIT")


@check()
def rollback_without_a_transaction(sql: Session) -> None:
    text = "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."
    with sql.another(autocommit=True) as other:
        other.fails(ServerError(text, 3903, 16, 1, 1), "ROLLBACK")


@check()
def an_error_of_a_statement_leaves_the_transaction(sql: Session) -> None:
    table = sql.table("v int NOT NULL PRIMARY KEY")
    sql.run(f"INSERT INTO {table} VALUES (1)")
    sql.failure(f"INSERT INTO {table} VALUES (2), (1)")
    assert sql.value("SELECT @@TRANCOUNT") == 1
    assert sql.rows(f"SELECT v FROM {table}") == [(1,)]


@check()
def xact_abort_ends_the_transaction(sql: Session) -> None:
    with sql.committed_table("v int NOT NULL PRIMARY KEY") as table, sql.another(autocommit=True) as other:
        other.failure(
            f"SET XACT_ABORT ON; BEGIN TRAN; INSERT INTO {table} VALUES (1); INSERT INTO {table} VALUES (1); COMMIT"
        )
        assert other.value("SELECT @@TRANCOUNT") == 0
        assert other.value(f"SELECT COUNT(*) FROM {table}") == 0


@check()
def a_reader_sees_the_last_committed_row_while_another_writes(sql: Session) -> None:
    with sql.committed_table("v int") as table, sql.another() as writer:
        sql.run(f"INSERT INTO {table} VALUES (1)")
        sql.connection.commit()
        writer.run(f"UPDATE {table} SET v = 2")
        assert sql.value(f"SELECT v FROM {table}") == 1
        writer.connection.commit()
        sql.connection.rollback()
        assert sql.value(f"SELECT v FROM {table}") == 2


@check()
def a_writer_waits_no_longer_than_lock_timeout(sql: Session) -> None:
    with sql.committed_table("v int") as table, sql.another() as writer, sql.another() as waiting:
        sql.run(f"INSERT INTO {table} VALUES (1)")
        sql.connection.commit()
        writer.run(f"UPDATE {table} SET v = 2")
        waiting.run("SET LOCK_TIMEOUT 50")
        waiting.fails(ServerError("Lock request time out period exceeded.", 1222, 16), f"UPDATE {table} SET v = 3")
        waiting.connection.rollback()
        writer.connection.rollback()


def _isolation(name: str, number: int) -> None:
    def body(sql: Session) -> None:
        with sql.another() as other:
            other.run(f"SET TRANSACTION ISOLATION LEVEL {name}")
            text = "SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID"
            assert other.value(text) == number

    add(f"transactions: isolation level {name.lower()}", body)


for _name, _number in (
    ("READ UNCOMMITTED", 1), ("READ COMMITTED", 2), ("REPEATABLE READ", 3), ("SERIALIZABLE", 4), ("SNAPSHOT", 5),
):  # fmt: skip
    _isolation(_name, _number)


@check()
def commit_of_nothing_is_no_error(sql: Session) -> None:
    sql.connection.commit()
    sql.connection.commit()
    sql.connection.rollback()
    assert sql.value("SELECT 1") == 1


@check()
def a_hundred_short_transactions(sql: Session) -> None:
    with sql.committed_table("v int") as table:
        for number in range(100):
            sql.run(f"INSERT INTO {table} VALUES (?)", number)
            if number % 2:
                sql.connection.commit()
            else:
                sql.connection.rollback()
        assert sql.value(f"SELECT COUNT(*) FROM {table}") == 50


@check()
def implicit_transactions(sql: Session) -> None:
    with sql.committed_table("v int") as table, sql.another(autocommit=True) as other:
        other.run("SET IMPLICIT_TRANSACTIONS ON")
        other.run(f"INSERT INTO {table} VALUES (1)")
        assert other.value("SELECT @@TRANCOUNT") == 1
        other.run("ROLLBACK")
        assert sql.value(f"SELECT COUNT(*) FROM {table}") == 0


@check()
def xact_state_after_an_error_under_xact_abort(sql: Session) -> None:
    text = (
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY SELECT 1 / 0 AS v; END TRY "
        "BEGIN CATCH SELECT XACT_STATE(); ROLLBACK; END CATCH; SELECT XACT_STATE()"
    )
    with sql.another(autocommit=True) as other:
        assert other.sets(text)[-2:] == [[(-1,)], [(0,)]]
