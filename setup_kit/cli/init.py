"""setup-kit init"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from setup_kit.cli.options import Output, output_options
from setup_kit.errors import UsageError

if TYPE_CHECKING:
    from setup_kit.environment.starter import Starter


@click.command()
@click.argument("name")
@click.option(
    "--cloud",
    type=click.Choice(["public", "usgov", "china", "sandbox"]),
    default="public",
    show_default=True,
    help="Which cloud; sandbox is the one that SETUP_KIT_SANDBOX names.",
)
@click.option("--tenant", help="Tenant id of the organization and of the Key Vault.")
@click.option("--subscription", help="Subscription id that everything is made in.")
@click.option("--location", help="Azure region, such as westeurope.")
@click.option("--organization-url", help="Such as https://contoso.crm4.dynamics.com.")
@click.option("--organization-id", help="Organization id (Power Platform admin center, or Developer Resources).")
@click.option("--administrator-group", help="Entra group that administers the SQL server: its name.")
@click.option("--administrator-group-id", help="The group's object id.")
@click.option("--administrator-login", help="A SQL login as administrator, instead of a group.")
@click.option(
    "--machine",
    metavar="[HOST[,PORT]]",
    is_flag=False,
    flag_value="",
    help="SQL Server on a virtual machine instead of a logical server; without HOST, the sandbox's own.",
)
@click.option("--service-region", help="Region that the export service calls from, such as 'West Europe'.")
@click.option(
    "--authorization",
    type=click.Choice(["rbac", "access_policy"]),
    default="rbac",
    show_default=True,
    help="How the vault decides who reads its secret.",
)
@click.option("--resource-group", help="Name of the resource group; rg-NAME where it is not given.")
@click.option("--server", help="Name of the logical server; made of NAME where it is not given, as those below.")
@click.option("--database", help="Name of the database.")
@click.option("--vault", help="Name of the key vault.")
@click.option("--secret", help="Name of the secret with the connection string.")
@click.option("--profile", help="Name of the export profile.")
@click.option("--entity", "entities", multiple=True, help="Logical name of an entity to export; repeat for more.")
@click.option("--prefix", default="crm", show_default=True, help="Prefix of the tables in the destination.")
@output_options
def init(name: str, cloud: str, entities: tuple[str, ...], output: Output, **given: str | None) -> None:
    """Write a first environment file, environments/NAME.yaml.

    Asks for what is not given. With `--cloud sandbox` what is not given comes from the running sandbox that
    SETUP_KIT_SANDBOX names, and nothing is asked; its tenant, subscription and organization are no choice.

    \b
    Examples:
      setup-kit init dev
      setup-kit init dev --cloud sandbox
      setup-kit init own --cloud sandbox --administrator-login joe
      setup-kit init uat --server sql-contoso-uat --vault kv-contoso-uat
      setup-kit init vm --machine sql01.contoso.com --administrator-login sa
    """
    from setup_kit.environment.starter import write_starter

    path = Path("environments") / f"{name}.yaml"
    if cloud == "sandbox":
        from setup_kit.clouds import sandbox_document
        from setup_kit.environment.rehearsal import rehearsal

        answers = rehearsal(sandbox_document(), name, entities, given)
    else:
        answers = ask(name, cloud, entities, given)
    write_starter(path, answers)
    if output.json:
        output.document({"environment": name, "file": str(path)})
    else:
        click.echo(f"Wrote {path}\nNext: setup-kit doctor -e {name}, then setup-kit plan -e {name}")


QUESTIONS = {
    "tenant": "Tenant id",
    "subscription": "Subscription id",
    "location": "Azure region (such as westeurope)",
    "organization_url": "Organization URL (such as https://contoso.crm4.dynamics.com)",
    "organization_id": "Organization id",
}


def ask(name: str, cloud: str, entities: tuple[str, ...], given: dict[str, str | None]) -> Starter:
    """The answers from options and, where somebody is there, from questions.

    Raises UsageError naming what is missing.
    """
    from setup_kit.environment.starter import ENTITIES, Starter, machine_of

    machine = machine_of(given["machine"]) if given["machine"] is not None else None
    if machine is not None and given["server"]:
        raise UsageError("a machine takes the place of a logical server", remedy="give --machine or --server, not both")
    answers = {key: given[key] for key in QUESTIONS}
    by_login = given["administrator_login"]
    group = {
        "administrator_group": "Entra group that administers the SQL server",
        "administrator_group_id": "Its object id",
    }
    questions = QUESTIONS if by_login else QUESTIONS | group
    answers |= {key: given[key] for key in group}
    if machine is not None:
        # A machine knows no group.
        questions = QUESTIONS | {"administrator_login": "SQL login that administers SQL Server"}
        answers["administrator_login"] = by_login
    missing = [key for key in questions if not answers[key]]
    if missing and not sys.stdin.isatty():
        options = ", ".join("--" + key.replace("_", "-") for key in missing)
        raise UsageError(f"nobody is there to answer what is missing: {options}", remedy="give these options")
    for key in missing:
        answers[key] = click.prompt(questions[key], err=True)
    return Starter(
        name=name,
        cloud=cloud,
        tenant=answers["tenant"] or "",
        subscription=answers["subscription"] or "",
        location=answers["location"] or "",
        organization_url=answers["organization_url"] or "",
        organization_id=answers["organization_id"] or "",
        group_name=answers["administrator_group"] or "",
        group_object_id=answers["administrator_group_id"] or "",
        sql_login=by_login or answers.get("administrator_login") or "",
        machine=machine,
        authorization=given["authorization"] or "rbac",
        service_region=given["service_region"],
        prefix=given["prefix"] or "",
        entities=entities or ENTITIES,
    ).named(given)
