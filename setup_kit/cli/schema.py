"""setup-kit schema"""

from __future__ import annotations

import json

import click

DOCUMENTS = (
    "environment",
    "plan",
    "result",
    "removal",
    "rotation",
    "status",
    "states",
    "versions",
    "findings",
    "error",
    "environments",
    "organizations",
    "organization",
    "connector",
    "entities",
    "relationships",
    "privacy",
    "profiles",
    "profile",
    "failures",
    "failure-counts",
    "failure-reasons",
    "failure-files",
)


@click.command()
@click.argument("document", type=click.Choice(DOCUMENTS), default="environment")
def schema(document: str) -> None:
    """Print the JSON Schema of the environment file, for editors, or of what --output json prints.

    \b
    environment  the environment file
    plan         plan; apply and the step commands that end before a change
    result       apply, and the step commands, when they are done
    removal      destroy, and the step commands that take something away
    rotation     rotate; with --dry-run it prints a plan
    status       status
    states       the commands called show and list
    versions     secret versions
    findings     verify, doctor and the commands called check
    error        any command that fails
    environments a command on several environments: -e twice, a pattern, --all
    \b
    organizations, organization, connector, entities, relationships, privacy
                 org list | discover | connector | entities | ...
    profiles, profile
                 profile list | show
    failures, failure-counts, failure-reasons, failure-files
                 failures list | summary | explain | download
    \b
    Examples:
      setup-kit schema > environments/schema.json
      setup-kit schema plan
    and as the first line of an environment file:
      # yaml-language-server: $schema=schema.json
    """
    if document == "environment":
        from setup_kit.environment.schema import json_schema

        found = json_schema()
    else:
        from setup_kit.report.schemas import SCHEMAS

        found = SCHEMAS[document]
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
