"""setup-kit schema"""

from __future__ import annotations

import json

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of the environment file, for editors.

    \b
    Example:
      setup-kit schema > environments/schema.json
    and as the first line of an environment file:
      # yaml-language-server: $schema=schema.json
    """
    from setup_kit.environment.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
