"""A first environment file, from a few answers or from a running sandbox."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from setup_kit.environment import names
from setup_kit.environment.checking import check
from setup_kit.environment.document import Place, tree
from setup_kit.environment.loading import FOLDER, SUFFIXES
from setup_kit.environment.models import Environment
from setup_kit.environment.problems import EnvironmentFileError, displayed
from setup_kit.environment.writing import render
from setup_kit.errors import UsageError

# Answers that name something, and are derived where they are not given.
NAMES = ("resource_group", "server", "database", "vault", "secret", "profile")
ENTITIES = ("account", "contact", "lead", "opportunity", "incident", "systemuser")


@dataclass(frozen=True)
class DerivedNames:
    resource_group: str
    server: str
    vault: str
    database: str


def derived_names(name: str, subscription: str) -> DerivedNames:
    """Valid names for what environment `name` needs, the same each time.

    Servers and vaults share one namespace in the whole cloud: six characters of a hash of subscription and name keep
    two that chose the same word apart.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub("microsoft|windows", "", ascii_name)).strip("-") or "environment"
    distinct = hashlib.sha256(f"{subscription.lower()}/{name}".encode()).hexdigest()[:6]

    def short(length: int) -> str:
        return slug[:length].strip("-")

    return DerivedNames(
        resource_group=f"rg-{short(80)}",
        server=f"sql-{short(50)}-{distinct}",
        vault=f"kv-{short(14)}-{distinct}",
        database=f"{short(80)}-export",
    )


@dataclass(frozen=True)
class Starter:
    """The answers that a first environment file is made from; ids are GUIDs as text. Empty names are derived.

    The administrator is the Entra group (its name and object id) or the SQL login. With `machine`, host and port, the
    database is there and not on a logical server, and nothing is said of a firewall. `rules` are triples of name, first
    and last IPv4 address.
    """

    name: str
    tenant: str
    subscription: str
    location: str
    organization_url: str
    organization_id: str
    cloud: str = "public"
    group_name: str = ""
    group_object_id: str = ""
    sql_login: str = ""
    resource_group: str = ""
    server: str = ""
    machine: tuple[str, int] | None = None
    database: str = ""
    vault: str = ""
    secret: str = ""
    authorization: str = "rbac"
    allow_azure_services: bool = True
    service_region: str | None = None
    rules: tuple[tuple[str, str, str], ...] = ()
    profile: str = ""
    prefix: str = "crm"
    entities: tuple[str, ...] = ENTITIES
    relationships: tuple[str, ...] = ()

    def named(self, given: Mapping[str, str | None]) -> Starter:
        """With those of NAMES that were given."""
        names: dict[str, Any] = {key: given[key] for key in NAMES if given[key]}
        return replace(self, **names)

    def document(self) -> dict[str, Any]:
        """What the file will say beside the defaults."""
        derived = derived_names(self.name, self.subscription)
        administrator: dict[str, Any] = {}
        if self.group_name or self.group_object_id:
            administrator["entra_group"] = {"name": self.group_name, "object_id": self.group_object_id}
        if self.sql_login:
            administrator["sql_login"] = self.sql_login
        return {
            "cloud": self.cloud,
            "tenant": self.tenant,
            "subscription": self.subscription,
            "location": self.location,
            "resource_group": self.resource_group or derived.resource_group,
            "sql": {
                **self._place(derived),
                "administrator": administrator,
                "database": {"name": self.database or derived.database},
            },
            "key_vault": {
                "name": self.vault or derived.vault,
                "authorization": self.authorization,
                **({"secret": self.secret} if self.secret else {}),
            },
            "dynamics": {"organization_url": self.organization_url, "organization_id": self.organization_id},
            "profile": {
                "name": self.profile or self.name,
                "prefix": self.prefix,
                "entities": self.entities,
                "relationships": self.relationships,
            },
        }

    def _place(self, derived: DerivedNames) -> dict[str, Any]:
        if self.machine is not None:
            host, port = self.machine
            return {"machine": {"host": host, "port": port}}
        return {
            "server": self.server or derived.server,
            "firewall": {
                "allow_azure_services": self.allow_azure_services,
                "service_region": self.service_region,
                "rules": [{"name": name, "start": start, "end": end} for name, start, end in self.rules],
            },
        }

    def environment(self, path: Path | None = None) -> Environment:
        """The environment of these answers. Raises EnvironmentFileError with all that is wrong with them.

        `path` is the file that they are meant for.
        """
        return checked(self.document(), Path(FOLDER) / f"{self.name}.yaml" if path is None else path)


def checked(document: Mapping[str, Any], path: Path) -> Environment:
    """The environment that a document says, meant for the file `path`. Raises EnvironmentFileError with all faults."""
    environment, problems = check(tree(dict(document), Place(path, 0)))
    if environment is None:
        raise EnvironmentFileError(path, problems, written=False)
    return environment


def sandbox_answers(document: Mapping[str, Any], name: str) -> Starter:
    """Answers for environment `name` on the sandbox whose file (sandbox.json) says `document`.

    Raises UsageError where the file lacks something.
    """
    try:
        organization = document["organization"]
        group = document["sql_administrators"]
        return Starter(
            name=name,
            cloud="sandbox",
            tenant=document["tenant_id"],
            subscription=document["subscription_id"],
            location=document["location"],
            organization_url=organization["url"],
            organization_id=organization["id"],
            group_name=group["name"],
            group_object_id=group["object_id"],
            service_region=document.get("service_region"),
            # The one place that people call a sandbox from: so that plan and verify can read the database.
            rules=(("workstation", "127.0.0.1", "127.0.0.1"),),
            profile=f"{organization['name']} {name}",
            relationships=("contactleads_association",),
        )
    except (KeyError, TypeError) as error:
        raise UsageError(
            "the sandbox's file does not say what an environment needs",
            remedy="start it again: setup-kit sandbox up --dir DIR --detach",
            original=f"{type(error).__name__}: {error}",
        ) from error


def machine_of(text: str) -> tuple[str, int]:
    """Host and port of `host` or `host,port`. Raises UsageError for anything else; the host is checked later."""
    host, comma, port = (part.strip() for part in text.partition(","))
    if not host or (comma and not re.fullmatch(r"[0-9]{1,5}", port)):
        raise UsageError(
            f"{names.shown(text)} names no machine", remedy="give a host, or host,port: --machine sql01,1433"
        )
    return host.lower(), int(port) if comma else 1433


def on_machine(answers: Starter, document: Mapping[str, Any]) -> Starter:
    """The answers for the sandbox's SQL Server on a machine. Raises UsageError where its file knows of none."""
    machine = document.get("sql_machine")
    if not isinstance(machine, Mapping):
        raise UsageError(
            "the sandbox has no SQL Server on a machine: it was started by an earlier setup-kit",
            remedy="start it again: setup-kit sandbox down, then setup-kit sandbox up --detach",
        )
    return replace(
        answers,
        machine=(machine["host"], machine["port"]),
        sql_login=machine["administrator"],
        group_name="",
        group_object_id="",
    )


def write_starter(path: Path, answers: Starter) -> Environment:
    """Writes the commented environment file, readable for all, and returns what it says.

    Raises UsageError where the file is there already or cannot be written, EnvironmentFileError where the answers make
    no valid file; then nothing is written.
    """
    check_place(path, answers.name)
    environment = answers.environment(path)
    write_file(
        path,
        environment,
        f"Environment {answers.name}: what setup-kit makes and keeps. No secret has a place in this file.",
    )
    return environment


def check_place(path: Path, name: str) -> None:
    """Raises UsageError where a name or its file cannot be an environment's, or the file is there already."""
    try:
        names.environment(name)
        names.environment(path.stem)
    except ValueError as error:
        raise UsageError(
            f"{displayed(path)} cannot be the environment file: {error}",
            remedy="choose another name for the environment",
        ) from None
    for there in (path, *(path.with_name(path.stem + suffix) for suffix in SUFFIXES)):
        if there.exists():
            raise UsageError(
                f"{displayed(there)} is there already", remedy="remove it, or choose another name for the environment"
            )


def write_file(path: Path, environment: Environment, heading: str) -> None:
    """Writes a new environment file, readable for all. Raises UsageError where it cannot be written."""
    more = f"What it would do: setup-kit plan -e {path.stem}. All that may stand here: setup-kit help environment."
    _write(path, render(environment, f"{heading}\n{more}"))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        path.chmod(0o644)
    except OSError as error:
        raise UsageError(
            f"{displayed(path)} cannot be written",
            remedy="work in a folder that you may write to",
            original=str(error),
        ) from error
