"""Which ODBC driver speaks to SQL Server: an installed one, or the one that the wheel `mssql-python-odbc` carries."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path
from types import ModuleType

# /etc/os-release's ID or ID_LIKE → the wheel's folder.
_DISTRIBUTIONS = {
    "debian": "debian_ubuntu",
    "ubuntu": "debian_ubuntu",
    "rhel": "rhel",
    "fedora": "rhel",
    "centos": "rhel",
    "amzn": "rhel",
    "ol": "rhel",
    "azurelinux": "rhel",
    "mariner": "rhel",
    "suse": "suse",
    "opensuse": "suse",
    "sles": "suse",
    "alpine": "alpine",
}
_MANAGERS = (
    ("apt-get", "apt-get install -y unixodbc"),
    ("dnf", "dnf install -y unixODBC"),
    ("yum", "yum install -y unixODBC"),
    ("zypper", "zypper install -y unixODBC"),
    ("apk", "apk add unixodbc"),
    ("brew", "brew install unixodbc"),
)


class DriverMissingError(Exception):
    """No driver manager or no driver on this machine; `command` is what to type to get it."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(f"{message}. Install it: {command}")
        self.command = command


def load_pyodbc() -> ModuleType:
    """Imports pyodbc, which on Linux links to unixODBC's libodbc.so.2 and does not carry it.

    Raises DriverMissingError with the command that installs it here.
    """
    try:
        pyodbc = importlib.import_module("pyodbc")
    except ImportError as error:
        raise DriverMissingError(f"pyodbc cannot load unixODBC ({error})", _install_unixodbc()) from error
    # A pooled connection would keep the grants, and the access token, of its first log-in.
    pyodbc.pooling = False  # type: ignore[attr-defined]
    return pyodbc


def find_driver(*, pinned_certificate: bool = False) -> str:
    """The value of `Driver=`, a name or a path. Only driver 18 knows how to pin a server's certificate."""
    installed = set(load_pyodbc().drivers())
    names = ["ODBC Driver 18 for SQL Server"]
    if not pinned_certificate:
        names.append("ODBC Driver 17 for SQL Server")
    for name in names:
        if name in installed:
            return name
    path = carried_driver()
    if path is None:
        raise DriverMissingError("no ODBC driver for SQL Server was found", _install_driver())
    return str(path)


def carried_driver() -> Path | None:
    """The library of the wheel `mssql-python-odbc` that fits this machine, or None."""
    spec = importlib.util.find_spec("mssql_python_odbc")
    if spec is None or spec.origin is None:
        return None
    libraries = Path(spec.origin).parent / "libs"
    architecture = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    if sys.platform == "win32":
        # Windows' driver manager takes registered names only: a path in `Driver=` is not found.
        return None
    if sys.platform == "darwin":
        return _newest(libraries / "macos" / architecture / "lib", "libmsodbcsql*.dylib")
    for folder in _linux_folders():
        found = _newest(libraries / "linux" / folder / architecture / "lib", "libmsodbcsql-*.so.*")
        if found is not None:
            return found
    return None


def _newest(folder: Path, pattern: str) -> Path | None:
    return max(folder.glob(pattern), default=None)


def _linux_folders() -> list[str]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    ids = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    own = [_DISTRIBUTIONS[name.partition("-")[0]] for name in ids if name.partition("-")[0] in _DISTRIBUTIONS]
    # A distribution nobody listed: a wheel for musl carries Alpine's only, one for glibc the others.
    return list(dict.fromkeys([*own, "debian_ubuntu", "rhel", "suse", "alpine"]))


def _install_unixodbc() -> str:
    for manager, command in _MANAGERS:
        if shutil.which(manager):
            root = manager == "brew" or not hasattr(os, "geteuid") or os.geteuid() == 0
            return command if root else f"sudo {command}"
    return "pip install --force-reinstall pyodbc" if sys.platform == "win32" else "your system's package unixODBC"


def _install_driver() -> str:
    if sys.platform == "win32":
        return "winget install --exact --id Microsoft.msodbcsql.18"
    return "pip install mssql-python-odbc"
