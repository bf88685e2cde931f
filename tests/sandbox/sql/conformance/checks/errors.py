"""Errors: number, class, state, line and text, as the driver raises them and as TRY/CATCH sees them; messages."""

from __future__ import annotations

from dataclasses import dataclass

from tests.sandbox.sql.conformance.client import Need, ServerError
from tests.sandbox.sql.conformance.registry import add, check
from tests.sandbox.sql.conformance.session import Session


@dataclass(frozen=True)
class Case:
    """`{t}` in a text stands for the case's table, `{n}` for its name without schema, `{d}` for the database."""

    label: str
    statement: str
    number: int
    severity: int
    state: int
    text: str
    table: str = "v int"
    before: str = ""


CASES = (
    Case("an unknown table", "SELECT * FROM dbo.nowhere", 208, 16, 1, "Invalid object name 'dbo.nowhere'."),
    Case("an unknown column", "SELECT nothing FROM {t}", 207, 16, 1, "Invalid column name 'nothing'."),
    Case("a syntax error", "SELECT 1 FROM WHERE", 156, 15, 1, "Incorrect syntax near the keyword 'WHERE'."),
    Case("a syntax error at the end", "SELECT (1", 102, 15, 1, "Incorrect syntax near '1'."),
    Case(
        "an unclosed quotation mark", "SELECT 'a", 105, 15, 1, "Unclosed quotation mark after the character string 'a'."
    ),
    Case(
        "an object that exists",
        "CREATE TABLE {t} (v int)",
        2714,
        16,
        6,
        "There is already an object named '{n}' in the database.",
    ),
    Case(
        "a duplicate primary key",
        "INSERT INTO {t} VALUES (1)",
        2627,
        14,
        1,
        "Violation of PRIMARY KEY constraint 'pk_{n}'. Cannot insert duplicate key in object '{t}'. "
        "The duplicate key value is (1).",
        "v int NOT NULL CONSTRAINT pk_{n} PRIMARY KEY",
        "INSERT INTO {t} VALUES (1)",
    ),
    Case(
        "a duplicate key of a unique index",
        "INSERT INTO {t} VALUES (1)",
        2601,
        14,
        1,
        "Cannot insert duplicate key row in object '{t}' with unique index 'ix_{n}'. The duplicate key value is (1).",
        "v int",
        "CREATE UNIQUE INDEX ix_{n} ON {t} (v); INSERT INTO {t} VALUES (1)",
    ),
    Case(
        "a duplicate key of a unique constraint",
        "INSERT INTO {t} VALUES (N'a', 2)",
        2627,
        14,
        1,
        "Violation of UNIQUE KEY constraint 'uq_{n}'. Cannot insert duplicate key in object '{t}'. "
        "The duplicate key value is (a, 2).",
        "v nvarchar(9), w int, CONSTRAINT uq_{n} UNIQUE (v, w)",
        "INSERT INTO {t} VALUES (N'a', 2)",
    ),
    Case(
        "a check constraint",
        "INSERT INTO {t} VALUES (-1)",
        547,
        16,
        0,
        'The INSERT statement conflicted with the CHECK constraint "ck_{n}". The conflict occurred in database "{d}", '
        "table \"{t}\", column 'v'.",
        "v int CONSTRAINT ck_{n} CHECK (v > 0)",
    ),
    Case(
        "a foreign key",
        "INSERT INTO {t} VALUES (1, 9)",
        547,
        16,
        0,
        'The INSERT statement conflicted with the FOREIGN KEY SAME TABLE constraint "fk_{n}". The conflict occurred in '
        'database "{d}", table "{t}", column \'v\'.',
        "v int NOT NULL PRIMARY KEY, w int CONSTRAINT fk_{n} REFERENCES {t} (v)",
    ),
    Case(
        "NULL where none may be",
        "INSERT INTO {t} VALUES (NULL)",
        515,
        16,
        2,
        "Cannot insert the value NULL into column 'v', table '{d}.{t}'; column does not allow nulls. INSERT fails.",
        "v int NOT NULL",
    ),
    Case(
        "an update to NULL",
        "UPDATE {t} SET v = NULL",
        515,
        16,
        2,
        "Cannot insert the value NULL into column 'v', table '{d}.{t}'; column does not allow nulls. UPDATE fails.",
        "v int NOT NULL",
        "INSERT INTO {t} VALUES (1)",
    ),
    Case(
        "a string too long",
        "INSERT INTO {t} VALUES ('abcdef')",
        2628,
        16,
        1,
        "String or binary data would be truncated in table '{d}.{t}', column 'v'. Truncated value: 'abc'.",
        "v varchar(3)",
    ),
    Case("a division by zero", "SELECT 1 / 0", 8134, 16, 1, "Divide by zero error encountered."),
    Case(
        "a string that is no integer",
        "SELECT CAST('abc' AS int)",
        245,
        16,
        1,
        "Conversion failed when converting the varchar value 'abc' to data type int.",
    ),
    Case(
        "a string that is no decimal",
        "SELECT CAST('abc' AS decimal(9,2))",
        8114,
        16,
        5,
        "Error converting data type varchar to numeric.",
    ),
    Case(
        "a string that is no float",
        "SELECT CAST('abc' AS float)",
        8114,
        16,
        5,
        "Error converting data type varchar to float.",
    ),
    Case(
        "a string that is no date",
        "SELECT CAST('abc' AS date)",
        241,
        16,
        1,
        "Conversion failed when converting date and/or time from character string.",
    ),
    Case(
        "a string that is no identifier",
        "SELECT CAST('abc' AS uniqueidentifier)",
        8169,
        16,
        2,
        "Conversion failed when converting from a character string to uniqueidentifier.",
    ),
    Case(
        "an integer too large",
        "SELECT CAST(CAST(2147483648 AS bigint) AS int)",
        8115,
        16,
        2,
        "Arithmetic overflow error converting expression to data type int.",
    ),
    Case(
        "a sum too large",
        "SELECT 2147483647 + 1",
        8115,
        16,
        2,
        "Arithmetic overflow error converting expression to data type int.",
    ),
    Case(
        "a tinyint too large",
        "INSERT INTO {t} VALUES (256)",
        220,
        16,
        2,
        "Arithmetic overflow error for data type tinyint, value = 256.",
        "v tinyint",
    ),
    Case(
        "a decimal too large",
        "SELECT CAST(1000 AS decimal(3,0))",
        8115,
        16,
        8,
        "Arithmetic overflow error converting int to data type numeric.",
    ),
    Case(
        "a value for an identity column",
        "INSERT INTO {t} (v) VALUES (1)",
        544,
        16,
        1,
        "Cannot insert explicit value for identity column in table '{n}' when IDENTITY_INSERT is set to OFF.",
        "v int IDENTITY, w int",
    ),
    Case(
        "an identity column updated",
        "UPDATE {t} SET v = 1",
        8102,
        16,
        1,
        "Cannot update identity column 'v'.",
        "v int IDENTITY, w int",
    ),
    Case(
        "too few values",
        "INSERT INTO {t} VALUES (1)",
        213,
        16,
        1,
        "Column name or number of supplied values does not match table definition.",
        "v int, w int",
    ),
    Case("an undeclared variable", "SELECT @nothing", 137, 15, 2, 'Must declare the scalar variable "@nothing".'),
    Case("an unknown procedure", "EXEC dbo.nowhere", 2812, 16, 62, "Could not find stored procedure 'dbo.nowhere'."),
    Case(
        "an unknown function", "SELECT NOTHING(1)", 195, 15, 10, "'NOTHING' is not a recognized built-in function name."
    ),
    Case(
        "an unknown type",
        "CREATE TABLE dbo.other (v nothing)",
        2715,
        16,
        6,
        "Column, parameter, or variable #1: Cannot find data type nothing.",
    ),
    Case(
        "a table that is not there to drop",
        "DROP TABLE dbo.nowhere",
        3701,
        11,
        5,
        "Cannot drop the table 'dbo.nowhere', because it does not exist or you do not have permission.",
    ),
    Case(
        "a column not in GROUP BY",
        "SELECT v, COUNT(*) FROM {t}",
        8120,
        16,
        1,
        "Column '{t}.v' is invalid in the select list because it is not contained in either an aggregate function or "
        "the GROUP BY clause.",
    ),
    Case("an ambiguous column", "SELECT v FROM {t} AS a CROSS JOIN {t} AS b", 209, 16, 1, "Ambiguous column name 'v'."),
    Case(
        "a subquery of several rows",
        "SELECT (SELECT v FROM {t})",
        512,
        16,
        1,
        "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or "
        "when the subquery is used as an expression.",
        "v int",
        "INSERT INTO {t} VALUES (1), (2)",
    ),
    Case("RAISERROR", "RAISERROR (N'own %s %d', 16, 7, N'text', 5)", 50000, 16, 7, "own text 5"),
    Case("RAISERROR of class 11", "RAISERROR (N'soft', 11, 1)", 50000, 11, 1, "soft"),
    Case("THROW", "THROW 51234, N'thrown', 3", 51234, 16, 3, "thrown"),
    Case(
        "USE",
        "USE master",
        40508,
        16,
        1,
        "USE statement is not supported to switch between databases. Use a new connection to connect to a different "
        "database.",
    ),
    Case(
        "columns of the same name",
        "CREATE TABLE other (v int, V int)",
        2705,
        16,
        3,
        "Column names in each table must be unique. Column name 'V' in table 'other' is specified more than once.",
    ),
    Case(
        "sets of different width",
        "SELECT 1 UNION SELECT 1, 2",
        205,
        16,
        1,
        "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in "
        "their target lists.",
    ),
)


def _prepare(sql: Session, case: Case) -> tuple[str, ServerError]:
    """The statement and its error, with the case's own table in place."""
    name = sql.name("e")
    facts = {"t": f"dbo.{name}", "n": name, "d": sql.options.database}

    def fill(text: str) -> str:
        for key, value in facts.items():
            text = text.replace("{" + key + "}", value)
        return text

    if "{t}" in case.statement:
        sql.run(fill(f"CREATE TABLE {{t}} ({case.table})"))
    if case.before:
        sql.run(fill(case.before))
    return fill(case.statement), ServerError(fill(case.text), case.number, case.severity, case.state, 1)


def _raised(case: Case) -> None:
    def body(sql: Session) -> None:
        statement, expected = _prepare(sql, case)
        sql.fails(expected, statement)
        assert sql.value("SELECT 1") == 1, "the connection is of no use after the error"

    add(f"errors: {case.label}, raised", body)


def _caught(case: Case) -> None:
    def body(sql: Session) -> None:
        statement, expected = _prepare(sql, case)
        quoted = statement.replace("'", "''")
        found = sql.sets(
            f"BEGIN TRY EXEC (N'{quoted}') END TRY BEGIN CATCH "
            "SELECT ERROR_NUMBER(), ERROR_SEVERITY(), ERROR_STATE(), ERROR_LINE(), ERROR_MESSAGE(); "
            "IF XACT_STATE() = -1 ROLLBACK; END CATCH"  # some errors leave a transaction that can only be rolled back
        )[-1]
        assert found == [(expected.number, expected.severity, expected.state, expected.line, expected.text)]

    add(f"errors: {case.label}, caught", body)


for _case in CASES:
    _raised(_case)
    _caught(_case)


@check(Need.DETAILS)
def the_line_of_an_error(sql: Session) -> None:
    sql.fails(ServerError("Divide by zero error encountered.", 8134, 16, 1, 3), "SELECT 1 AS a\n\nSELECT 1 / 0 AS b\n")


@check()
def the_line_of_an_error_as_caught(sql: Session) -> None:
    found = sql.sets("BEGIN TRY\n\nSELECT 1 / 0 AS v\nEND TRY\nBEGIN CATCH\nSELECT ERROR_LINE()\nEND CATCH")
    assert found[-1] == [(3,)]


@check()
def the_procedure_and_line_of_an_error(sql: Session) -> None:
    name = sql.name("p")
    sql.run(f"CREATE PROCEDURE dbo.{name} AS\nBEGIN\n  SELECT 1 / 0 AS v\nEND")
    found = sql.sets(f"BEGIN TRY EXEC dbo.{name} END TRY BEGIN CATCH SELECT ERROR_PROCEDURE(), ERROR_LINE() END CATCH")
    assert found[-1] == [(f"dbo.{name}", 3)] or found[-1] == [(name, 3)]


@check()
def throw_again(sql: Session) -> None:
    text = "BEGIN TRY SELECT 1 / 0 AS v END TRY BEGIN CATCH THROW END CATCH"
    sql.fails(ServerError("Divide by zero error encountered.", 8134, 16, 1, 1), text)


@check()
def error_functions_outside_of_catch(sql: Session) -> None:
    assert sql.row("SELECT ERROR_NUMBER(), ERROR_MESSAGE(), ERROR_LINE()") == (None, None, None)


@check()
def at_at_error(sql: Session) -> None:
    table = sql.table("v int NOT NULL PRIMARY KEY")
    sql.run(f"INSERT INTO {table} VALUES (1)")
    text = f"BEGIN TRY INSERT INTO {table} VALUES (1) END TRY BEGIN CATCH SELECT @@ERROR END CATCH; SELECT @@ERROR"
    assert sql.sets(text)[-2:] == [[(2627,)], [(0,)]]


@check()
def an_error_by_parameter(sql: Session) -> None:
    sql.fails(ServerError("Divide by zero error encountered.", 8134, 16, 1, 1), "SELECT 1 / CAST(? AS int)", 0)


@check()
def a_conversion_error_by_parameter(sql: Session) -> None:
    expected = ServerError("Conversion failed when converting the nvarchar value 'abc' to data type int.", 245, 16, 1)
    found = sql.failure("SELECT CAST(? AS int)", "abc")
    varchar = ServerError(expected.text.replace("nvarchar", "varchar"), 245, 16, 1)
    assert any(each.shows(expected) or each.shows(varchar) for each in found), found


@check()
def a_permission_denied(sql: Session) -> None:
    user = sql.name("user")
    with sql.committed_table("v int") as table:
        with sql.another(autocommit=True) as owner:
            owner.run(f"CREATE USER {user} WITH PASSWORD = N'Correct-Horse-9'")
        with sql.another(user=user, password="Correct-Horse-9") as other:
            text = (
                f"The SELECT permission was denied on the object '{table.partition('.')[2]}', database "
                f"'{sql.options.database}', schema 'dbo'."
            )
            other.fails(ServerError(text, 229, 14, 5, 1), f"SELECT * FROM {table}")


@check(Need.MESSAGES)
def print_says_its_text(sql: Session) -> None:
    assert [each.text for each in sql.messages("PRINT N'hello ' + N'wörld'")] == ["hello wörld"]


@check(Need.MESSAGES)
def several_prints(sql: Session) -> None:
    assert [each.text for each in sql.messages("PRINT 'one'; PRINT 'two'; PRINT 3")] == ["one", "two", "3"]


@check(Need.MESSAGES)
def a_message_of_class_10(sql: Session) -> None:
    (found,) = sql.messages("RAISERROR (N'only said', 10, 1)")
    assert found.text == "only said"


@check(Need.MESSAGES)
def a_message_between_result_sets(sql: Session) -> None:
    assert [each.text for each in sql.messages("SELECT 1 AS a; PRINT 'between'; SELECT 2 AS b")] == ["between"]


@check(Need.MESSAGES, Need.DETAILS)
def the_number_class_state_and_line_of_a_message(sql: Session) -> None:
    (found,) = sql.messages("\nRAISERROR (N'said', 5, 9)")
    assert found == ServerError("said", 50000, 5, 9, 2)
