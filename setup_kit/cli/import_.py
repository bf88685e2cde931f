"""setup-kit import"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from setup_kit.cli.options import Output, output_options
from setup_kit.errors import UsageError


@click.command("import")
@click.argument("name")
@click.option(
    "--cloud",
    type=click.Choice(["public", "usgov", "china", "sandbox"]),
    default="public",
    show_default=True,
    help="Which cloud; sandbox is the one that SETUP_KIT_SANDBOX names, and says tenant, subscription, organization.",
)
@click.option("--tenant", envvar="AZURE_TENANT_ID", help="Tenant id of the organization and of the Key Vault.")
@click.option("--subscription", envvar="AZURE_SUBSCRIPTION_ID", help="Subscription id that everything is in.")
@click.option("--organization-url", help="Such as https://contoso.crm4.dynamics.com.")
@click.option("--discovery", help="Discovery host of the Data Export Service, where it is not the cloud's.")
@click.option("--resource-group", help="Look in this resource group alone.")
@click.option("--server", help="Name of the logical server.")
@click.option("--machine", metavar="HOST[,PORT]", help="SQL Server on a virtual machine, instead of a server.")
@click.option("--administrator-login", help="With --machine: the SQL login that administers it.")
@click.option("--database", help="Name of the database.")
@click.option("--vault", help="Name of the key vault.")
@click.option("--secret", help="Name of the secret with the connection string.")
@click.option("--profile", help="Name of the export profile.")
@click.option("--entity", "entities", multiple=True, help="An entity to export, where there is no profile; repeatable.")
@click.option(
    "--open-firewall",
    is_flag=True,
    help="Let this machine reach the database through a temporary firewall rule, removed at the end, to read more.",
)
@output_options
def import_(
    name: str,
    cloud: str,
    tenant: str | None,
    subscription: str | None,
    organization_url: str | None,
    discovery: str | None,
    entities: tuple[str, ...],
    machine: str | None,
    administrator_login: str | None,
    open_firewall: bool,
    output: Output,
    **named: str | None,
) -> None:
    """Write the environment file of what is there already, made by hand, with Terraform or with az.

    The organization's profile leads to the key vault and the secret, and that to server, database and user; what is
    found twice is asked for, or named by an option. The file asks for exactly what there is, so that a plan changes
    nothing but what is missing. No secret is written. Changes nothing.

    \b
    Examples:
      setup-kit import prod --organization-url https://contoso.crm4.dynamics.com
      setup-kit import dev --cloud sandbox --profile 'Contoso dev'
      setup-kit import vm --machine sql01.contoso.com --administrator-login sa
    """
    from dataclasses import replace

    from setup_kit.clouds import CLOUDS, sandbox_cloud
    from setup_kit.environment.starter import ENTITIES, NAMES, check_place, checked, machine_of, write_file
    from setup_kit.report.documents import typed
    from setup_kit.resources.discovery import Named, discover
    from setup_kit.resources.importing import document_of

    path = Path("environments") / f"{name}.yaml"
    check_place(path, name)
    if (machine is None) != (administrator_login is None):
        raise UsageError(
            "a machine and the SQL login that administers it go together",
            remedy="give both: --machine HOST,PORT --administrator-login NAME",
        )
    told = {"tenant": tenant, "subscription": subscription, "organization_url": organization_url}
    said = _sandboxed(told) if cloud == "sandbox" else _asked(told)
    where = sandbox_cloud() if cloud == "sandbox" else CLOUDS[cloud]
    found = discover(
        replace(where, discovery=discovery) if discovery else where,
        **said,
        named=Named(machine=machine_of(machine) if machine else None, **{each: named[each] or "" for each in NAMES}),
        choose=_choose,
    )
    document, notes = document_of(
        found, entities or ENTITIES, name, administrator_login or "", said["organization_url"]
    )
    document |= {
        "cloud": cloud,
        "tenant": said["tenant"],
        "subscription": said["subscription"],
        "dynamics": {"organization_url": said["organization_url"], "organization_id": found.organization.id},
        "export_service": {"discovery": discovery},
    }
    notes = [
        typed(note, name) for note in [*found.notes, *notes, *_looked_into(document, name, path, open_firewall, output)]
    ]
    environment = checked(document, path)
    write_file(
        path,
        environment,
        f"Environment {name}: what was found when setup-kit import wrote this. No secret has a place in it.",
    )
    if output.json:
        output.document({"environment": name, "file": path.as_posix(), "notes": notes})
        return
    for note in notes:
        output.err.print(f"Note: {note}.", markup=False)
    click.echo(f"Wrote {path}\nNext: setup-kit plan -e {name}, to see that it asks for what is there")


def _looked_into(document: dict[str, Any], name: str, path: Path, open_firewall: bool, output: Output) -> list[str]:
    """Has the environment as it is known so far read from the database and the profile what else there is to know."""
    import threading

    from setup_kit.cli.session import stoppable
    from setup_kit.engine.executor import reading
    from setup_kit.environment.loading import Loaded
    from setup_kit.environment.starter import checked
    from setup_kit.resources.build import build
    from setup_kit.resources.importing import amend

    stop = threading.Event()
    house = build(Loaded(checked(document, path), name, path), stop, patient=False)
    try:
        with stoppable(stop), output.progress() as progress:
            plan = reading(house.nodes, progress, stop, open_ways=open_firewall)
    finally:
        house.close()
    if plan.interrupted:
        output.err.print("Nothing was written.")
        raise click.Abort
    return amend(document, plan)


def _sandboxed(told: dict[str, str | None]) -> dict[str, str]:
    """What the sandbox's file says where no option does."""
    from setup_kit.clouds import sandbox_document
    from setup_kit.environment.starter import sandbox_answers

    answers = sandbox_answers(sandbox_document(), "sandbox")
    return {key: value or getattr(answers, key) for key, value in told.items()}


QUESTIONS = {
    "tenant": "Tenant id",
    "subscription": "Subscription id",
    "organization_url": "Organization URL (such as https://contoso.crm4.dynamics.com)",
}


def _asked(told: dict[str, str | None]) -> dict[str, str]:
    missing = [key for key, value in told.items() if not value]
    if missing and not sys.stdin.isatty():
        options = ", ".join("--" + key.replace("_", "-") for key in missing)
        raise UsageError(f"nobody is there to answer what is missing: {options}", remedy="give these options")
    return {key: value or click.prompt(QUESTIONS[key], err=True) for key, value in told.items()}


def _choose(what: str, option: str, names: Sequence[str]) -> str:
    """Which of several is meant. Raises UsageError where nobody can say."""
    listed = "\n".join(names)
    if not sys.stdin.isatty():
        raise UsageError(f"there is more than one {what}", why=listed, remedy=f"say which one: {option} NAME")
    click.echo(f"There is more than one {what}:\n{listed}", err=True)
    answer: str = click.prompt("Which one", type=click.Choice(list(names)), show_choices=False, err=True)
    return answer
