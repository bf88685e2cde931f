"""The texts of errors, against what the documentation prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import setup_kit.sandbox.sql
from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.messages import MESSAGES, fill

#: Number, severity and text, by page of "Database Engine events and errors" of the SQL Server documentation.
_PRINTED = {
    "0 to 999": [
        (102, 15, "Incorrect syntax near '%.*ls'."),
        (105, 15, "Unclosed quotation mark after the character string '%.*ls'."),
        (137, 15, 'Must declare the scalar variable "%.*ls".'),
        (156, 15, "Incorrect syntax near the keyword '%.*ls'."),
        (174, 15, "The %.*ls function requires %d argument(s)."),
        (201, 16, "Procedure or function '%.*ls' expects parameter '%.*ls', which was not supplied."),
        (207, 16, "Invalid column name '%.*ls'."),
        (208, 16, "Invalid object name '%.*ls'."),
        (213, 16, "Column name or number of supplied values does not match table definition."),
        (229, 14, "The %ls permission was denied on the object '%.*ls', database '%.*ls', schema '%.*ls'."),
        (242, 16, "The conversion of a %ls data type to a %ls data type resulted in an out-of-range value."),
        (244, 16, "The conversion of the %ls value '%.*ls' overflowed an %hs column. Use a larger integer column."),
        (245, 16, "Conversion failed when converting the %ls value '%.*ls' to data type %ls."),
        (262, 14, "%ls permission denied in database '%.*ls'."),
        (297, 16, "The user does not have permission to perform this action."),
        (515, 16, "Cannot insert the value NULL into column '%.*ls', table '%.*ls'; column does not allow "
         "nulls. %ls fails."),
        (547, 16, "The %ls statement conflicted with the %ls constraint \"%.*ls\". The conflict occurred in database "
         "\"%.*ls\", table \"%.*ls\"%ls%.*ls%ls."),
    ],
    "1000 to 1999": [
        (1007, 15, "The %S_MSG '%.*ls' is out of the range for numeric representation (maximum precision 38)."),
        (1205, 13, "Transaction (Process ID %d) was deadlocked on %.*ls resources with another process and has "
         "been chosen "
         "as the deadlock victim. Rerun the transaction."),
        (1779, 16, "Table '%.*ls' already has a primary key defined on it."),
    ],
    "2000 to 2999": [
        (2628, 16, "String or binary data would be truncated in table '%.*ls', column '%.*ls'. Truncated value: "
         "'%.*ls'."),
        (2714, 16, "There is already an object named '%.*ls' in the database."),
        (2715, 16, "Column, parameter, or variable #%d: Cannot find data type %.*ls."),
        (2760, 16, "The specified schema name \"%.*ls\" either does not exist or you do not have permission to "
         "use it."),
        (2812, 16, "Could not find stored procedure '%.*ls'."),
    ],
    "4000 to 4999": [
        (4060, 11, "Cannot open database \"%.*ls\" requested by the login. The login failed."),
        (4104, 16, "The multi-part identifier \"%.*ls\" could not be bound."),
        (4613, 16, "Grantor does not have GRANT permission."),
        (4816, 16, "Invalid column type from bcp client for colid %d."),
    ],
    "8000 to 8999": [
        (8114, 16, "Error converting data type %ls to %ls."),
        (8115, 16, "Arithmetic overflow error converting %ls to data type %ls."),
        (8120, 16, "Column '%.*ls.%.*ls' is invalid in the select list because it is not contained in either an "
         "aggregate "
         "function or the GROUP BY clause."),
        (8134, 16, "Divide by zero error encountered."),
        (8144, 16, "Procedure or function %.*ls has too many arguments specified."),
        (8178, 16, "The parameterized query '%.*ls' expects the parameter '%.*ls', which was not supplied."),
        (8179, 16, "Could not find prepared statement with handle %d."),
    ],
    "15000 to 15999": [
        (15007, 16, "'%s' is not a valid login or you do not have permission."),
        (15023, 16, "User, group, or role '%s' already exists in the current database."),
        (15151, 16, "Cannot %S_MSG the %S_MSG '%.*ls', because it does not exist or you do not have permission."),
        (15247, 16, "User does not have permission to perform this action."),
        (15250, 16, "The database name component of the object qualifier must be the name of the current database."),
        (15413, 11, "Cannot make a role a member of itself."),
        (15434, 16, "Could not drop login '%s' as the user is currently logged in."),
    ],
    "31000 to 41399": [
        (35100, 16, "Error number %d in the THROW statement is outside the valid range. Specify an error number in the "
         "valid range of 50000 to 2147483647."),
        (40530, 16, "The %.*ls statement must be the only statement in the batch."),
        (40508, 16, "USE statement is not supported to switch between databases. Use a new connection to connect to a "
         "different database."),
        (40510, 16, "Statement '%.*ls' is not supported in this version of SQL Server."),
        (40511, 16, "Built-in function '%.*ls' is not supported in this version of SQL Server."),
        (40514, 16, "'%ls' is not supported in this version of SQL Server."),
        (40515, 16, "Reference to database and/or server name in '%.*ls' is not supported in this version of "
         "SQL Server."),
        (40517, 16, "Keyword or statement option '%.*ls' is not supported in this version of SQL Server."),
        (40609, 16, "'%.*ls' is not a valid IPv4 address."),
        (40614, 16, "Start IP address of firewall rule cannot exceed End IP address."),
        (40632, 16, "Password validation failed. The password does not meet policy requirements because it is "
         "not complex "
         "enough."),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("number", "severity", "text"),
    [row for rows in _PRINTED.values() for row in rows],
    ids=lambda value: str(value)[:9],
)
def test_a_text_is_the_documentations(number: int, severity: int, text: str) -> None:
    assert (MESSAGES[number].severity, MESSAGES[number].text) == (severity, text)


def test_placeholders_are_filled_in_order() -> None:
    assert errors.error(229, "SELECT", "t", "db", "dbo").message == (
        "The SELECT permission was denied on the object 't', database 'db', schema 'dbo'."
    )
    assert fill("%5d|%-5d|%x|%s|100%%", [7, 8, 255, "a%d"]) == "    7|8    |ff|a%d|100%"


@given(st.sampled_from(sorted(MESSAGES)), st.lists(st.text(max_size=9), min_size=9, max_size=9))
def test_what_fills_a_text_is_never_read_as_a_placeholder(number: int, values: list[str]) -> None:
    plain = errors.error(number, *["x"] * 9).message
    filled = errors.error(number, *values).message
    assert "%" in MESSAGES[number].text or filled == plain == MESSAGES[number].text
    assert len(filled) <= len(MESSAGES[number].text) + sum(map(len, values))


def test_every_number_that_is_raised_is_in_the_table() -> None:
    room = Path(setup_kit.sandbox.sql.__file__).parent
    raised = {
        int(number)
        for path in room.rglob("*.py")
        for number in re.findall(r"(?:errors\.|\b)error\(\s*(\d+)", path.read_text(encoding="utf-8"))
    }
    assert raised - set(MESSAGES) == set()
    assert len(raised) > 100
