"""setup-kit org"""

from __future__ import annotations

import click

from setup_kit.cli.apart import planned_apart
from setup_kit.cli.options import Output, environment_option, finish, output_options
from setup_kit.cli.work import Consent, Work, carry_out, changing, consent_options

pattern_argument = click.argument("pattern", required=False, default="")


@click.group()
def org() -> None:
    """The Dynamics 365 organization: what of it the export service knows and can export.

    \b
    Examples:
      setup-kit org discover -e dev
      setup-kit org entities -e dev 'opp*'
      setup-kit org enable-tracking -e dev competitor
    """


@org.command("list")
@environment_option
@output_options
def list_(environment: str, output: Output) -> None:
    """List the organizations that you belong to and the export service serves.

    \b
    Example:
      setup-kit org list -e dev
    """
    from setup_kit.cli.session import open_session
    from setup_kit.report.console import show_table
    from setup_kit.report.states import plain

    with open_session(environment) as session:
        found = session.house.export_client.metadata.organizations()
    if output.json:
        output.document({"environment": session.name, "organizations": plain(found)})
    else:
        rows = [[each.name, each.url, each.id, each.error] for each in found]
        show_table(output.out, "", ["name", "url", "id", "problem"], rows)


@org.command()
@environment_option
@output_options
def discover(environment: str, output: Output) -> None:
    """Show the environment's organization as the export service knows it, its connector included.

    \b
    Example:
      setup-kit org discover -e dev
    """
    from setup_kit.cli.session import open_session
    from setup_kit.report.states import plain, show_state

    with open_session(environment) as session:
        found = plain(session.house.export_client.metadata.discover())
    if output.json:
        output.document({"environment": session.name, "organization": found})
    else:
        show_state(output.out, found)


@org.command()
@environment_option
@output_options
def connector(environment: str, output: Output) -> None:
    """Print the address of the host that serves the organization's profiles; it differs by region.

    \b
    Example:
      setup-kit org connector -e dev
    """
    from setup_kit.cli.session import open_session

    with open_session(environment) as session:
        found = session.house.export_client.connector
    if output.json:
        output.document({"environment": session.name, "connector_url": found})
    else:
        click.echo(found)


@org.command()
@pattern_argument
@click.option("--all", "every", is_flag=True, help="Those too that cannot be exported.")
@environment_option
@output_options
def entities(pattern: str, every: bool, environment: str, output: Output) -> None:
    """List the entities that can be exported: at once, or when their changes are tracked (org enable-tracking).

    PATTERN is a part of the logical or display name, or a pattern with * and ?.

    \b
    Examples:
      setup-kit org entities -e dev
      setup-kit org entities -e dev 'opp*'
    """
    from setup_kit.cli.session import open_session
    from setup_kit.report.console import show_table
    from setup_kit.report.states import plain
    from setup_kit.resources import exportable

    with open_session(environment) as session:
        found = exportable.entities(session.house, pattern, every=every)
    if output.json:
        output.document({"environment": session.name, "entities": plain(found)})
    else:
        columns = ["entity", "display name", "change tracking", "exportable", "in the file"]
        rows = [
            [each.entity, each.display_name, each.change_tracking, _yes(each.offered), _yes(each.in_file)]
            for each in found
        ]
        show_table(output.out, "", columns, rows)


@org.command()
@pattern_argument
@environment_option
@output_options
def relationships(pattern: str, environment: str, output: Output) -> None:
    """List the N:N relationships that can be exported.

    PATTERN is a part of the schema name or of an entity's, or a pattern with * and ?.

    \b
    Example:
      setup-kit org relationships -e dev lead
    """
    from setup_kit.cli.session import open_session
    from setup_kit.report.console import show_table
    from setup_kit.report.states import plain
    from setup_kit.resources import exportable

    with open_session(environment) as session:
        found = exportable.relationships(session.house, pattern)
    if output.json:
        output.document({"environment": session.name, "relationships": plain(found)})
    else:
        columns = ["relationship", "entities", "intersect entity", "in the file"]
        rows = [
            [each.relationship, ", ".join(each.entities), each.intersect_entity, _yes(each.in_file)] for each in found
        ]
        show_table(output.out, "", columns, rows)


@org.command()
@click.argument("action", required=False, type=click.Choice(["accept"]))
@environment_option
@consent_options
@output_options
def privacy(action: str | None, environment: str, consent: Consent, output: Output) -> None:
    """Show whether the organization lets the export service have its data; with accept, consent to it.

    The service has no operation that takes the consent back. Exits with 4 when it is not given.

    \b
    Examples:
      setup-kit org privacy -e dev
      setup-kit org privacy accept -e dev
    """
    from setup_kit.cli.session import open_session
    from setup_kit.errors import ExitCode
    from setup_kit.resources.privacy_terms import PrivacyTerms

    if action == "accept":
        with changing(environment, "org privacy accept", consent.wait) as session:
            terms = PrivacyTerms(session.loaded.environment, session.house.export_client)
            work = Work(session, planned_apart(session, [terms], output), destructive=consent.destructive)
            carry_out(work, "org privacy accept", output, yes=consent.yes)
        return
    with open_session(environment) as session:
        accepted = session.house.export_client.metadata.privacy_terms_accepted()
    if output.json:
        output.document({"environment": session.name, "accepted": accepted})
    else:
        words = "accepted" if accepted else f"not accepted: setup-kit org privacy accept -e {environment}"
        output.out.print(f"The privacy terms of the export service are {words}.", markup=False)
    if not accepted:
        finish(ExitCode.VERIFICATION_FAILED)


@org.command()
@click.argument("entities", nargs=-1, required=True, metavar="ENTITY...")
@environment_option
@consent_options
@output_options
def enable_tracking(entities: tuple[str, ...], environment: str, consent: Consent, output: Output) -> None:
    """Have the organization track the changes of each ENTITY (logical name), so that it can be exported.

    This changes the organization: the entity's definition is published, with whatever else of it waits to be. It is
    never switched off again by this kit, since others may rest on it.

    \b
    Example:
      setup-kit org enable-tracking -e dev competitor
    """
    from setup_kit.resources.change_tracking import ChangeTracking

    with changing(environment, "org enable-tracking", consent.wait) as session:
        nodes = [ChangeTracking(name, session.house.organization) for name in dict.fromkeys(entities)]
        work = Work(session, planned_apart(session, nodes, output), destructive=consent.destructive)
        carry_out(work, "org enable-tracking", output, yes=consent.yes)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
