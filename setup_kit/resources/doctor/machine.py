"""What this machine must have: Python, unixODBC and Microsoft's driver."""

from __future__ import annotations

import platform
import sys

from setup_kit.engine.resource import Check, Finding, Status
from setup_kit.sqlserver.driver import DriverMissingError, find_driver, load_pyodbc

OLDEST_PYTHON = (3, 11)


class Machine(Check):
    """Sends nothing. With `pinned_certificate`, as a sandbox has it, only a driver that can pin one will do."""

    kind = "machine"

    def __init__(self, *, pinned_certificate: bool = False) -> None:
        super().__init__(platform.system().lower() or "this")
        self._pinned = pinned_certificate

    def run(self) -> list[Finding]:
        return [self._python(), *self._odbc()]

    def _python(self) -> Finding:
        version = ".".join(map(str, sys.version_info[:3]))
        if sys.version_info < OLDEST_PYTHON:
            message = f"Python is {version}; 3.11 or later is needed"
            remedy = "install Python 3.11 or later"
            return Finding("machine.python", Status.FAILED, self.address, message, remedy, sys.executable)
        return Finding("machine.python", Status.PASSED, self.address, f"Python {version}", evidence=sys.executable)

    def _odbc(self) -> list[Finding]:
        try:
            version = load_pyodbc().version
        except DriverMissingError as error:
            return [self._missing("machine.libodbc", error)]
        there = "the ODBC driver manager is there"
        passed = Finding("machine.libodbc", Status.PASSED, self.address, there, evidence=f"pyodbc {version} loads it")
        try:
            driver = find_driver(pinned_certificate=self._pinned)
        except DriverMissingError as error:
            return [passed, self._missing("machine.driver", error)]
        message = "there is an ODBC driver for SQL Server"
        return [passed, Finding("machine.driver", Status.PASSED, self.address, message, evidence=str(driver))]

    def _missing(self, check: str, error: DriverMissingError) -> Finding:
        return Finding(check, Status.FAILED, self.address, str(error), f"run: {error.command}", platform.platform())
