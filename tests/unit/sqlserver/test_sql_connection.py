import platform
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.secret import Secret
from setup_kit.sqlserver import driver
from setup_kit.sqlserver.connection import SqlAddress, SqlError, connect

_WHO = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"


def record(state: str, text: str, number: int, function: str = "SQLDriverConnect") -> str:
    return f"[{state}] {_WHO}{text} ({number}) ({function})"


def test_a_firewall_refusal_names_the_clients_address() -> None:
    text = (
        "Cannot open server 's' requested by the login. Client with IP address '203.0.113.7' is not allowed to access "
        "the server.  To enable access, use the Azure Management Portal or run sp_set_firewall_rule on the master "
        "database to create a firewall rule for this IP address or address range.  It may take up to five minutes for "
        "this change to take effect."
    )
    error = SqlError.of(Exception("42000", record("42000", text, 40615)))
    assert (error.number, error.state, error.message, error.client_address) == (40615, "42000", text, "203.0.113.7")
    assert not error.transient


def test_the_first_record_that_tells_is_the_error() -> None:
    text = "; ".join(
        [
            record("01000", "Changed database context to 'master'.", 5701, "SQLExecDirectW"),
            record("23000", "Violation of PRIMARY KEY constraint 'pk'.\nIt is so.", 2627, "SQLExecDirectW"),
            record("01000", "The statement has been terminated.", 3621, "SQLExecDirectW"),
        ]
    )
    error = SqlError.of(Exception("23000", text))
    assert (error.number, error.state) == (2627, "23000")
    assert [number for number, _ in error.messages] == [5701, 2627, 3621]


def test_a_database_that_wakes_is_transient_and_a_wrong_password_is_not() -> None:
    assert SqlError.of(Exception("42000", record("42000", "Database 'd' is not currently available.", 40613))).transient
    assert not SqlError.of(Exception("28000", record("28000", "Login failed for user 'x'.", 18456))).transient


def test_a_driver_without_a_server_is_read_too() -> None:
    text = "[HYT00] [Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired (0) (SQLDriverConnect)"
    error = SqlError.of(Exception("HYT00", text))
    assert (error.number, error.state, error.message, error.transient) == (0, "HYT00", "Login timeout expired", True)


@pytest.mark.parametrize(
    ("state", "function"), [("08S01", "SQLExecDirectW"), ("08001", "SQLDriverConnect")], ids=["statement", "log-in"]
)
def test_a_connection_that_is_reset_is_transient_whatever_the_systems_number(state: str, function: str) -> None:
    said = "[Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x68"
    assert SqlError.of(Exception(state, f"[{state}] {said} (104) ({function})")).transient
    # SQL Server has an error of that number too.
    assert not SqlError.of(Exception("42000", record("42000", "ORDER BY items must appear in", 104))).transient


@given(text=st.text(max_size=60), number=st.integers(1, 60000))
def test_any_text_and_number_are_read(text: str, number: int) -> None:
    error = SqlError.of(Exception("42000", record("42000", f"x{text}x", number)))
    assert error.messages[-1][0] == number


def test_a_secret_in_a_servers_text_is_hidden() -> None:
    error = SqlError.of(
        Exception("42000", record("42000", "Incorrect syntax near 'Hunter2'.", 102)), [Secret("Hunter2")]
    )
    assert "Hunter2" not in f"{error}{error.args}{error.messages}"
    assert "***" in error.message


def test_a_log_in_needs_exactly_one_way() -> None:
    with pytest.raises(ValueError, match="either"):
        connect(SqlAddress("h"), "d", user="u")
    with pytest.raises(ValueError, match="either"):
        connect(SqlAddress("h"), "d", user="u", password=Secret("p"), access_token=Secret("t"))


@pytest.mark.skipif(sys.platform != "linux", reason="the wheel's folders of Linux")
def test_the_carried_driver_is_found_on_this_machine() -> None:
    found = driver.carried_driver()
    assert found is not None
    assert found.name.startswith("libmsodbcsql-18")
    assert found.is_file()


def test_an_unlisted_distribution_gets_a_driver_that_the_wheel_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "nobody"})
    assert driver._linux_folders()[0] == "debian_ubuntu"
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "rocky", "ID_LIKE": "rhel centos fedora"})
    assert driver._linux_folders()[0] == "rhel"
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "opensuse-leap"})
    assert driver._linux_folders()[0] == "suse"


def test_a_missing_driver_manager_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyodbc.py").write_text("raise ImportError('libodbc.so.2: cannot open shared object file')\n")
    manager = tmp_path / "apt-get"
    manager.write_text("#!/bin/sh\n")
    manager.chmod(0o755)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pyodbc", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(driver.DriverMissingError, match=r"libodbc\.so\.2.*apt-get install -y unixodbc"):
        driver.load_pyodbc()
