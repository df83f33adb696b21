"""The command completion: print the script that completes command lines."""

import click

from sweep.cli.command import Arguments, command

_EXPLAINED = """\
It completes commands, options, their choices and the names of stored studies. The line for the shell's own
file of settings:

\b
  bash  ~/.bashrc                    eval "$(sweep completion bash)"
  zsh   ~/.zshrc, below compinit     eval "$(sweep completion zsh)"
  fish  ~/.config/fish/config.fish   sweep completion fish | source"""


@command(example="sweep completion bash", explained=_EXPLAINED)
@click.argument(
    "shell", type=click.Choice(("bash", "zsh", "fish")), metavar="SHELL", help="bash, zsh or fish"
)
def completion(arguments: Arguments) -> int:
    """Print a script for shell completion."""
    from sweep.cli.completion import script

    print(script(arguments.shell), end="")
    return 0


COMMANDS = (completion,)
