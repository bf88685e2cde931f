"""setup-kit apply"""

from __future__ import annotations

import click

from setup_kit.cli.options import Output, environment_option, output_options, target_option
from setup_kit.cli.work import Consent, consent_options, make


@click.command()
@environment_option
@target_option
@consent_options
@output_options
def apply(environment: str, targets: tuple[str, ...], consent: Consent, output: Output) -> None:
    """Make the changes that `plan` shows, prove them, and see the first synchronization through.

    What is as the file says stays untouched: run it again at any time, also after a failure or a kill, to finish the
    job. A temporary firewall rule for this machine is added when the database cannot be reached otherwise, and removed
    at the end. One run at a time works on an environment.

    \b
    Examples:
      setup-kit apply -e dev
      setup-kit apply -e dev --target 'grants/*'
      setup-kit apply -e prod --yes --output json
    """
    make(environment, "apply", targets, consent, output)
