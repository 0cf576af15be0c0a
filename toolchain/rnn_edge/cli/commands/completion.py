"""`rnn-edge completion`: completion of commands and options in a shell."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_RNN_EDGE_COMPLETE"


# Click keeps the lines of a paragraph apart that begins with a backspace.
HELP = """Print the completion script of a shell.

\b
bash:  echo 'eval "$(rnn-edge completion bash)"' >> ~/.bashrc
zsh:   echo 'eval "$(rnn-edge completion zsh)"' >> ~/.zshrc
fish:  rnn-edge completion fish > ~/.config/fish/completions/rnn-edge.fish
"""


@click.command("completion", help=HELP)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a script that a shell reads; see HELP."""
    from click.shell_completion import get_completion_class

    from rnn_edge.cli.program import PROGRAM, cli

    kind = get_completion_class(shell)
    assert kind is not None
    complete = kind(cli, {}, PROGRAM, VARIABLE)
    # The script alone: `source()` would first ask the installed shell for its version.
    click.echo(complete.source_template % complete.source_vars())


COMMAND = completion
