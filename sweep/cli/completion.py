"""Complete a half-typed command line in bash, zsh and fish.

The script that ``script`` returns lets a shell call ``sweep`` with ``VARIABLE`` set, and the line so far in
other variables; click finds which command, option or value is being typed.
"""

import contextlib
import io
import os

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    shell_complete,
    split_arg_string,
)

from sweep.cli.arguments import make_sweep
from sweep.cli.registry import all_commands

VARIABLE = "_SWEEP_COMPLETE"
"""Environment variable that says for which shell ``sweep`` is to complete a line."""


@add_completion_class
class _Bash(BashComplete):
    """bash splits a line at ``:``, ``=`` and ``@`` too, so the whole line is sent beside its last piece."""

    name = "bash"
    source_template = """\
%(complete_func)s() {
    local kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            plain) COMPREPLY+=("$value") ;;
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_PIECE="$2" %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is being typed, and that one."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        incomplete = "" if line[-1:].isspace() else words.pop()
        piece = os.environ["COMP_PIECE"]  # with its quote, if it has one; then it is the whole word
        self._in_place = incomplete.removesuffix(piece) if incomplete.endswith(piece) else ""
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return a candidate without the text before the piece that bash completes."""
        return f"{item.type},{item.value.removeprefix(self._in_place)}"


def script(name: str) -> str:
    """Return the script that makes a shell complete ``sweep``.

    Args:
        name: Of the shell: ``bash``, ``zsh`` or ``fish``.
    """
    kind = get_completion_class(name)
    assert kind is not None, "click knows these"
    return kind(click.Command("sweep"), {}, "sweep", VARIABLE).source()


def complete(instruction: str) -> int:
    """Print what may come next in the line that a shell sends; nothing if that fails, whatever it is.

    Args:
        instruction: What the shell's script says: ``bash_complete``.
    """
    with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
        shell_complete(make_sweep(all_commands()), {}, "sweep", VARIABLE, instruction)
    return 0
