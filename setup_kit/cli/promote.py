"""setup-kit promote"""

from __future__ import annotations

import click

from setup_kit.cli.options import EnvironmentName, Output, finish, output_options
from setup_kit.errors import ExitCode


@click.command()
@click.argument("source", type=EnvironmentName(), metavar="FROM")
@click.argument("target", type=EnvironmentName(), metavar="TO")
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 3 when there is something to look at, 0 when there is not."
)
@output_options
def promote(source: str, target: str, detailed_exitcode: bool, output: Output) -> None:
    """Show what an environment has that the next one lacks, before it is promoted. Changes nothing.

    Both files are compared with all that they extend and with the defaults. Names, addresses and ids differ by nature;
    anything else that differs looks forgotten, and is shown with file and line. A server, vault or organization that
    both name is a mistake. Exits with 0; with --detailed-exitcode, with 3 when something was forgotten or is shared.

    \b
    Examples:
      setup-kit promote dev test
      setup-kit promote test prod --detailed-exitcode --output json
    """
    from setup_kit.environment.comparison import compare
    from setup_kit.report.comparison import comparison_document, show_comparison

    comparison = compare(source, target)
    if output.json:
        output.document(comparison_document(comparison))
    else:
        show_comparison(output.out, comparison)
    if detailed_exitcode and not comparison.alike:
        finish(ExitCode.CHANGES_PENDING)
