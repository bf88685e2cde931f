"""Which cloud: the addresses and audiences of public, government, China, a sandbox, or of one's own.

Source: Microsoft's cloud environment settings (`az cloud show`), checked November 2026.
"""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from setup_kit.errors import UsageError

# Named by the environment: the file that a running sandbox writes, or the directory it lies in.
SANDBOX_VARIABLE = "SETUP_KIT_SANDBOX"


@dataclass(frozen=True)
class Cloud:
    """Addresses without a trailing slash; audiences as tokens carry them.

    `ca_file` and `sql_certificate`, trusted beside the system's authorities, are set only for a sandbox.
    """

    name: str
    authority: str
    resource_manager: str
    resource_manager_audience: str
    graph: str
    graph_audience: str
    vault_audience: str
    sql_audience: str
    discovery: str
    vault_suffix: str = ""
    ca_file: Path | None = None
    sql_certificate: Path | None = None

    @property
    def private_authority(self) -> bool:
        """An authority that Entra's public instance discovery does not know."""
        return self.name not in CLOUDS


# The hosted service answered here until November 2022; the address is a setting of the environment file.
HOSTED_DISCOVERY = "https://discovery.crmreplication.azure.net"

CLOUDS: dict[str, Cloud] = {
    "public": Cloud(
        name="public",
        authority="https://login.microsoftonline.com",
        resource_manager="https://management.azure.com",
        resource_manager_audience="https://management.azure.com/",
        graph="https://graph.microsoft.com",
        graph_audience="https://graph.microsoft.com",
        vault_audience="https://vault.azure.net",
        sql_audience="https://database.windows.net/",
        discovery=HOSTED_DISCOVERY,
        vault_suffix=".vault.azure.net",
    ),
    "usgov": Cloud(
        name="usgov",
        authority="https://login.microsoftonline.us",
        resource_manager="https://management.usgovcloudapi.net",
        resource_manager_audience="https://management.usgovcloudapi.net/",
        graph="https://graph.microsoft.us",
        graph_audience="https://graph.microsoft.us",
        vault_audience="https://vault.usgovcloudapi.net",
        sql_audience="https://database.usgovcloudapi.net/",
        discovery=HOSTED_DISCOVERY,
        vault_suffix=".vault.usgovcloudapi.net",
    ),
    "china": Cloud(
        name="china",
        authority="https://login.chinacloudapi.cn",
        resource_manager="https://management.chinacloudapi.cn",
        resource_manager_audience="https://management.chinacloudapi.cn/",
        graph="https://microsoftgraph.chinacloudapi.cn",
        graph_audience="https://microsoftgraph.chinacloudapi.cn",
        vault_audience="https://vault.azure.cn",
        sql_audience="https://database.chinacloudapi.cn/",
        discovery=HOSTED_DISCOVERY,
        vault_suffix=".vault.azure.cn",
    ),
}


def sandbox_document() -> dict[str, object]:
    """The file of the sandbox that SETUP_KIT_SANDBOX names. Raises UsageError when there is none."""
    named = os.environ.get(SANDBOX_VARIABLE)
    remedy = 'run: setup-kit sandbox up --dir DIR --detach; eval "$(setup-kit sandbox env --dir DIR)"'
    if not named:
        raise UsageError(f"{SANDBOX_VARIABLE} is not set, so it is not known which sandbox is meant", remedy=remedy)
    path = Path(named)
    if path.is_dir():
        path = path / "sandbox.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{SANDBOX_VARIABLE} names {path}, which cannot be read", remedy=remedy, original=str(error)
        ) from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} is not the file of a sandbox", remedy=remedy)
    return document


def sandbox_cloud() -> Cloud:
    """The addresses of the running sandbox. Raises UsageError where it does not run."""
    document = sandbox_document()
    if not _runs(document.get("pid", os.getpid())):
        directory = str(document.get("directory", "DIR"))
        raise UsageError(
            f"the sandbox in {directory} is not running",
            why="the environment's cloud is a sandbox, and nothing answers there",
            remedy=f"start it: setup-kit sandbox up --dir {shlex.quote(directory)} --detach",
        )

    def text(key: str) -> str:
        return str(document[key])

    certificate = document.get("sql_certificate")
    return Cloud(
        name="sandbox",
        authority=text("authority"),
        resource_manager=text("resource_manager"),
        resource_manager_audience=text("resource_manager_audience"),
        graph=text("graph"),
        graph_audience=text("graph_audience"),
        vault_audience=text("vault_audience"),
        sql_audience=text("sql_audience"),
        discovery=text("discovery"),
        ca_file=Path(text("ca_file")),
        sql_certificate=Path(str(certificate)) if certificate else None,
    )


def _runs(process: object) -> bool:
    """Whether there is a process of this id; a sandbox that was stopped has none in its file."""
    if not isinstance(process, int):
        return False
    if os.name != "posix":  # there is no way to ask that does no harm, and no sandbox
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
