"""setup-kit completion"""

from __future__ import annotations

import click

ZSH_SYSTEM = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="bash|zsh|fish")
def completion(shell: str) -> None:
    """Print the script that has a shell complete commands, options and names: of environments, runbooks, resources.

    \b
    For this session, or as a line in ~/.bashrc or ~/.zshrc:
      eval "$(setup-kit completion bash)"
      eval "$(setup-kit completion zsh)"
    For fish, once:
      setup-kit completion fish > ~/.config/fish/completions/setup-kit.fish

    \b
    Examples:
      setup-kit completion bash
      setup-kit completion fish | source
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - Click knows the three
    root = click.get_current_context().find_root().command
    # Not `source`, by which Click starts a bash to look at its version.
    script = found(root, {}, "setup-kit", "_SETUP_KIT_COMPLETE")
    text = script.source_template % script.source_vars()
    if shell == "zsh":
        # Without compinit, as in a ~/.zshrc that sets up nothing of the kind, there is no compdef.
        text = text.replace("    compdef ", f"    {ZSH_SYSTEM}\n    compdef ")
    click.echo(text)
