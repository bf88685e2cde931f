"""setup-kit profile"""

from __future__ import annotations

from datetime import timedelta

import click

from setup_kit.cli.apart import planned_apart, removal_apart, tell_findings
from setup_kit.cli.options import Output, Span, environment_option, finish, output_options
from setup_kit.cli.removing import RemovingPart, removal_options, removal_planned, tell_left
from setup_kit.cli.work import Consent, Work, carry_out, changing, consent_options, make, planned
from setup_kit.errors import ExitCode, KitError, UsageError

PROFILE, ACTIVATION, OBJECTS, LEFT = "profile/*", "activation/*", "exported_objects/*", "left_tables/*"


@click.group()
def profile() -> None:
    """The export profile by itself: what is exported, where to, and how far it is.

    \b
    Examples:
      setup-kit profile list -e dev
      setup-kit profile activate -e dev
      setup-kit profile watch -e dev
    """


@profile.command("list")
@environment_option
@output_options
def list_(environment: str, output: Output) -> None:
    """List all export profiles of the organization, those too that the environment file does not name.

    \b
    Example:
      setup-kit profile list -e dev
    """
    from setup_kit.cli.session import open_session
    from setup_kit.report.console import show_table
    from setup_kit.report.profiles import profile_document

    with open_session(environment) as session:
        found = session.house.export_client.profiles.listed()
    if output.json:
        output.document({"environment": session.name, "profiles": [profile_document(each) for each in found]})
    elif not found:
        output.out.print("The organization has no export profile.")
    else:
        columns = ["name", "state", "entities", "tables", "secret", "id"]
        rows = []
        for each in found:
            there = each.description
            tables = f"{there.schema}.{there.prefix}*"
            rows.append([there.name, each.state, len(there.entities), tables, there.key_vault_uri, each.id])
        show_table(output.out, "", columns, rows)


@profile.command()
@click.argument("name", required=False)
@environment_option
@output_options
def show(name: str | None, environment: str, output: Output) -> None:
    """Show the profile as the service has it, and how far each entity is; NAME for another one than the file's.

    The secret is shown by its address only.

    \b
    Examples:
      setup-kit profile show -e dev
      setup-kit profile show -e dev --output json
    """
    from setup_kit.cli.session import open_session
    from setup_kit.report.profiles import profile_document, show_profile
    from setup_kit.resources.existing_profile import found_profile

    with open_session(environment) as session:
        found = found_profile(session.house, name, status=True)
    if output.json:
        output.document({"environment": session.name, "profile": profile_document(found)})
    else:
        show_profile(output.out, found)


@profile.command()
@environment_option
@output_options
def validate(environment: str, output: Output) -> None:
    """Have the service try all that the profile in the environment file needs. Changes nothing.

    It reads the secret, logs in, looks at grants and tables, and at each entity. Exits with 4 when anything is missing.

    \b
    Example:
      setup-kit profile validate -e dev
    """
    from setup_kit.cli.session import open_session
    from setup_kit.resources.existing_profile import validated

    with open_session(environment) as session:
        found = validated(session.house)
    tell_findings(session, environment, found, output)


@profile.command()
@environment_option
@consent_options
@output_options
def create(environment: str, consent: Consent, output: Output) -> None:
    """Make the profile, and what it needs, as the environment file says. It is not activated yet.

    \b
    Example:
      setup-kit profile create -e dev
    """
    make(environment, "profile create", [PROFILE, LEFT], consent, output)


@profile.command()
@environment_option
@consent_options
@output_options
def update(environment: str, consent: Consent, output: Output) -> None:
    """Change the profile that is there, and what it needs, to what the environment file says.

    Its entities, relationships, retries, delete log and secret can change; its name, prefix and schema cannot.

    \b
    Example:
      setup-kit profile update -e dev
    """
    from setup_kit.resources.existing_profile import found_profile

    with changing(environment, "profile update", consent.wait) as session:
        found_profile(session.house, None)
        made = planned(session, [PROFILE], output)
        work = Work(session, made, destructive=consent.destructive)
        carry_out(work, "profile update", output, yes=consent.yes)


@profile.command()
@click.option("--metadata", is_flag=True, help="Make the tables and follow changes of columns; export no rows.")
@click.option("--data", is_flag=True, help="Export all rows, then every change; the tables are there already.")
@click.option("--again", is_flag=True, help="Although it is active: entities that had failures are exported anew.")
@environment_option
@consent_options
@output_options
def activate(metadata: bool, data: bool, again: bool, environment: str, consent: Consent, output: Output) -> None:
    """Activate the profile that is there: for metadata and data, or one of them, whatever the environment file says.

    Returns when the service has begun; profile watch follows it.

    \b
    Examples:
      setup-kit profile activate -e dev
      setup-kit profile activate -e dev --metadata
      setup-kit profile activate -e dev --again --yes
    """
    from setup_kit.environment.models import Activate
    from setup_kit.environment.problems import displayed
    from setup_kit.resources.existing_profile import switching

    if metadata and data:
        raise UsageError("--metadata and --data exclude each other", remedy="give neither of them to activate both")
    wanted = Activate.METADATA if metadata else Activate.DATA if data else Activate.ALL
    with changing(environment, "profile activate", consent.wait) as session:
        made = planned_apart(session, [switching(session.house, wanted, again=again)], output)
        carry_out(Work(session, made, destructive=consent.destructive), "profile activate", output, yes=consent.yes)
    said = session.loaded.environment.profile.activate
    if {said, wanted} - {Activate.ALL, Activate.DATA} and said is not wanted:
        path = displayed(session.loaded.path)
        output.err.print(f"{path} says profile.activate: {said}. Change it, or apply makes it so again.", markup=False)


@profile.command()
@environment_option
@removal_options
@output_options
def deactivate(environment: str, consent: Consent, output: Output) -> None:
    """Stop the export. Tables, rows and the profile stay; what changes meanwhile is not exported.

    \b
    Example:
      setup-kit profile deactivate -e dev
    """
    from setup_kit.resources.existing_profile import removing

    with changing(environment, "profile deactivate", consent.wait) as session:
        existing, activation = removing(session.house)
        made = removal_apart(session, [existing, activation], [activation], output)
        carry_out(RemovingPart(session, made), "profile deactivate", output, yes=consent.yes)


@profile.command()
@click.option(
    "--drop-objects",
    is_flag=True,
    help="Drop its tables with their rows too, its types and its procedures, all by the profile's prefix.",
)
@environment_option
@removal_options
@output_options
def delete(drop_objects: bool, environment: str, consent: Consent, output: Output) -> None:
    """Deactivate and delete the profile. What was exported stays, and stands in the way of a new one.

    To drop objects, a temporary firewall rule for this machine is added where it is needed, and removed at the end.

    \b
    Examples:
      setup-kit profile delete -e dev
      setup-kit profile delete -e dev --drop-objects
    """
    from setup_kit.resources.existing_profile import removing

    with changing(environment, "profile delete", consent.wait, drop_objects=drop_objects) as session:
        if drop_objects:
            made = removal_planned(session, output, [PROFILE, ACTIVATION, OBJECTS], open_ways=True)
        else:
            nodes = removing(session.house)
            made = removal_apart(session, nodes, nodes, output)
        carry_out(RemovingPart(session, made), "profile delete", output, yes=consent.yes)
        if not drop_objects:
            tell_left(session, made, output)


@profile.command()
@click.argument("entities", nargs=-1, required=True, metavar="ENTITY...")
@environment_option
@removal_options
@output_options
def drop_objects(entities: tuple[str, ...], environment: str, consent: Consent, output: Output) -> None:
    """Drop what an earlier export of each ENTITY left in the destination: its table with the rows, types, procedures.

    The service refuses to export an entity whose objects are there already. One that the profile exports now is
    refused, and so is one that left nothing and that the organization does not have. A temporary firewall rule for this
    machine is added where it is needed, and removed at the end.

    \b
    Examples:
      setup-kit profile drop-objects -e dev account
      setup-kit profile drop-objects -e dev account contactleads --yes
    """
    from setup_kit.environment import names
    from setup_kit.errors import UsageError
    from setup_kit.resources.existing_profile import left_behind, refuse_unknown

    for entity in entities:
        try:
            names.entity(entity)
        except ValueError as error:
            raise UsageError(str(error), remedy="see which there are: setup-kit org entities") from None
    with changing(environment, "profile drop-objects", consent.wait, drop_objects=True) as session:
        left_behind(session.house, entities)
        made = removal_planned(session, output, [OBJECTS], open_ways=True)
        if made.complete:
            refuse_unknown(session.house, entities)
        carry_out(RemovingPart(session, made), "profile drop-objects", output, yes=consent.yes)


@profile.command()
@environment_option
@output_options
def test(environment: str, output: Output) -> None:
    """Have the service try all that the profile that is there needs. Changes nothing. Exits with 4 when a trial fails.

    \b
    Example:
      setup-kit profile test -e dev
    """
    from setup_kit.cli.session import open_session
    from setup_kit.resources.existing_profile import tried

    with open_session(environment) as session:
        found = tried(session.house)
    tell_findings(session, environment, found, output)


@profile.command()
@click.option("--for", "patience", type=Span(), metavar="SPAN", help="Stop watching after this long, e.g. 30m; 7d.")
@click.option("--metadata", is_flag=True, help="Follow the making of the tables only.")
@click.option("--strict", is_flag=True, help="Records that could not be written make it exit with 4 as well.")
@environment_option
@output_options
def watch(patience: timedelta | None, metadata: bool, strict: bool, environment: str, output: Output) -> None:
    """Follow the first synchronization, entity by entity, until it is over. Ctrl-C ends the watching, not the export.

    Of a profile that the environment file has active for metadata only, the making of the tables is followed.

    Exits with 0 when every entity is done, be it without some of its records; with 4 when one failed as a whole, or is
    not done when the watching ends; with 1 when there is nothing to watch, or it stands still for half an hour.

    \b
    Examples:
      setup-kit profile watch -e dev
      setup-kit profile watch -e dev --metadata
      setup-kit profile watch -e dev --for 2h --strict --output json
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.engine.events import Event, Happening
    from setup_kit.resources.existing_profile import following

    with open_session(environment) as session, stoppable(session.stop), output.progress() as progress:
        check = following(session.house, session.stop, patience, tables_only=metadata)
        check.report = lambda step: progress(Event(Happening.PROGRESS, step.resource, progress=step))
        try:
            found = check.run()
        except KitError:
            if session.stop.is_set():
                output.err.print("Stopped watching; the synchronization goes on by itself.")
                finish(ExitCode.INTERRUPTED)
            raise
    tell_findings(session, environment, found, output, strict=strict)
