"""Result sets and row counts."""

from __future__ import annotations

import contextlib

from tests.sandbox.sql.conformance.client import Need, ServerError
from tests.sandbox.sql.conformance.registry import check
from tests.sandbox.sql.conformance.session import Session

_DIGITS = "(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"
#: 0 to 9,999, as column n.
NUMBERS = (
    "SELECT a.v + 10 * b.v + 100 * c.v + 1000 * d.v AS n "
    f"FROM {_DIGITS} AS a(v) CROSS JOIN {_DIGITS} AS b(v) CROSS JOIN {_DIGITS} AS c(v) CROSS JOIN {_DIGITS} AS d(v)"
)


@check()
def several_result_sets(sql: Session) -> None:
    assert sql.sets("SELECT 1 AS a; SELECT N'two' AS b, 2 AS c; SELECT 3 AS d WHERE 1 = 0") == [
        [(1,)],
        [("two", 2)],
        [],
    ]


@check()
def result_sets_between_changes(sql: Session) -> None:
    table = sql.table("v int")
    text = f"INSERT INTO {table} VALUES (1); SELECT v FROM {table}; UPDATE {table} SET v = 2; SELECT v FROM {table}"
    assert [rows for rows in sql.sets(text) if rows] == [[(1,)], [(2,)]]


@check()
def result_sets_with_nocount(sql: Session) -> None:
    table = sql.table("v int")
    text = (
        f"SET NOCOUNT ON; INSERT INTO {table} VALUES (1); SELECT v FROM {table}; DELETE {table}; SELECT v FROM {table}"
    )
    assert sql.sets(text) == [[(1,)], []]


@check()
def a_result_set_without_rows_is_described(sql: Session) -> None:
    with sql.executed("SELECT 1 AS a, N'x' AS b WHERE 1 = 0") as cursor:
        assert [column[0] for column in cursor.description] == ["a", "b"]
        assert cursor.fetchall() == []


@check()
def a_statement_without_a_result_set_is_not_described(sql: Session) -> None:
    table = sql.table("v int")
    with sql.executed(f"INSERT INTO {table} VALUES (1)") as cursor:
        assert cursor.description is None


@check()
def rows_one_by_one(sql: Session) -> None:
    with sql.executed("SELECT v FROM (VALUES (1), (2), (3)) AS t(v) ORDER BY v") as cursor:
        assert [cursor.fetchone()[0] for _ in range(3)] == [1, 2, 3]
        assert cursor.fetchone() is None


@check()
def rows_in_portions(sql: Session) -> None:
    with sql.executed("SELECT v FROM (VALUES (1), (2), (3), (4), (5)) AS t(v) ORDER BY v") as cursor:
        portions = [[row[0] for row in cursor.fetchmany(2)] for _ in range(4)]
    assert portions == [[1, 2], [3, 4], [5], []]


@check()
def ten_thousand_rows(sql: Session) -> None:
    assert [row[0] for row in sql.rows(f"{NUMBERS} ORDER BY n")] == list(range(10_000))


@check()
def a_cursor_closed_before_its_rows_are_read(sql: Session) -> None:
    with sql.executed(NUMBERS) as cursor:
        assert cursor.fetchone() is not None
    assert sql.value("SELECT 1") == 1


@check()
def a_second_cursor_after_the_first(sql: Session) -> None:
    with sql.executed("SELECT 1") as first:
        assert first.fetchall()[0][0] == 1
        with sql.executed("SELECT 2") as second:
            assert second.fetchall()[0][0] == 2


@check()
def one_cursor_for_many_statements(sql: Session) -> None:
    with contextlib.closing(sql.cursor()) as cursor:
        for number in range(20):
            sql.client.execute(cursor, f"SELECT {number}", ())
            assert cursor.fetchall()[0][0] == number


@check()
def columns_of_the_same_name(sql: Session) -> None:
    with sql.executed("SELECT 1 AS a, 2 AS a") as cursor:
        assert [column[0] for column in cursor.description] == ["a", "a"]
        assert tuple(cursor.fetchone()) == (1, 2)


@check()
def columns_without_a_name(sql: Session) -> None:
    with sql.executed("SELECT 1, N'x' + N'y'") as cursor:
        assert [column[0] for column in cursor.description] == ["", ""]
        cursor.fetchall()


@check()
def a_column_name_of_128_characters(sql: Session) -> None:
    name = "ň" * 128
    with sql.executed(f"SELECT 1 AS [{name}]") as cursor:
        assert cursor.description[0][0] == name
        cursor.fetchall()


@check()
def the_count_of_an_insert(sql: Session) -> None:
    table = sql.table("v int")
    assert sql.count(f"INSERT INTO {table} VALUES (1), (2), (3)") == 3


@check()
def the_count_of_an_update(sql: Session) -> None:
    table = sql.table("v int")
    sql.run(f"INSERT INTO {table} VALUES (1), (2), (3)")
    assert sql.count(f"UPDATE {table} SET v = v + 1 WHERE v > 1") == 2


@check()
def the_count_of_an_update_of_nothing(sql: Session) -> None:
    table = sql.table("v int")
    assert sql.count(f"UPDATE {table} SET v = 1") == 0


@check()
def the_count_of_a_delete(sql: Session) -> None:
    table = sql.table("v int")
    sql.run(f"INSERT INTO {table} VALUES (1), (2), (3)")
    assert sql.count(f"DELETE FROM {table} WHERE v <> ?", 2) == 2


@check()
def the_count_of_a_merge(sql: Session) -> None:
    table = sql.table("k int PRIMARY KEY, v int")
    sql.run(f"INSERT INTO {table} VALUES (1, 1)")
    text = (
        f"MERGE {table} AS t USING (VALUES (1, 10), (2, 20)) AS s(k, v) ON t.k = s.k "
        "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v);"
    )
    assert sql.count(text) == 2


@check()
def the_count_of_an_insert_by_parameters(sql: Session) -> None:
    table = sql.table("v int")
    assert sql.count(f"INSERT INTO {table} VALUES (?), (?)", 1, 2) == 2


@check()
def nocount_tells_no_count(sql: Session) -> None:
    table = sql.table("v int")
    assert sql.count(f"SET NOCOUNT ON; INSERT INTO {table} VALUES (1), (2)") in (-1, 0)
    assert sql.value(f"SELECT COUNT(*) FROM {table}") == 2


@check()
def rowcount_of_the_last_statement(sql: Session) -> None:
    table = sql.table("v int")
    assert sql.sets(f"INSERT INTO {table} VALUES (1), (2); SELECT @@ROWCOUNT")[-1] == [(2,)]


@check(Need.LATER_COUNTS)
def the_counts_of_several_statements(sql: Session) -> None:
    table = sql.table("v int")
    with sql.executed(
        f"INSERT INTO {table} VALUES (1), (2); UPDATE {table} SET v = 3; DELETE {table} WHERE v = 9"
    ) as cursor:
        counts = [cursor.rowcount]
        while cursor.nextset():
            counts.append(cursor.rowcount)
    assert counts == [2, 2, 0]


@check()
def an_error_after_a_result_set(sql: Session) -> None:
    with contextlib.closing(sql.cursor()) as cursor:
        expected = ServerError("Divide by zero error encountered.", 8134, 16, 1, 1)

        def work() -> None:
            sql.client.execute(cursor, "SELECT 1 AS a; SELECT 1 / 0 AS b", ())
            list(sql.results(cursor))

        sql.fails(expected, work)
    assert sql.value("SELECT 2") == 2


@check()
def a_batch_of_comments(sql: Session) -> None:
    sql.run("-- nothing\n/* to do /* nested */ */")


@check()
def comments_within_a_statement(sql: Session) -> None:
    assert sql.value("SELECT /* one /* nested */ */ 1 -- the end\n + 1") == 2


@check()
def a_batch_of_a_hundred_statements(sql: Session) -> None:
    assert sql.sets("; ".join(f"SELECT {i}" for i in range(100))) == [[(i,)] for i in range(100)]


@check()
def an_insert_of_a_thousand_rows(sql: Session) -> None:
    table = sql.table("a int, b nvarchar(20)")
    assert sql.count(f"INSERT INTO {table} VALUES " + ", ".join(f"({i}, N'row {i}')" for i in range(1000))) == 1000
    assert sql.row(f"SELECT COUNT(*), SUM(a), MAX(b) FROM {table}") == (1000, 499500, "row 999")
