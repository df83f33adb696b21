"""Wrap texts for a terminal of any width without breaking a word or a command."""

import re
import textwrap

_COMMAND = re.compile("`[^`]*`")
_SHELL_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|\S)+""")
_NO_BREAK = "\N{NO-BREAK SPACE}"
_NEXT = "next: "


def wrap(text: str, width: int | None, first: str = "", then: str = "") -> str:
    """Break a text at blanks, but not within a command in backticks; without a width, do not.

    Args:
        text: One line.
        width: Columns; a word or command that is longer has a line of its own.
        first: Begins the first line.
        then: Begins the others.
    """
    if width is None:
        return f"{first}{text}"
    lines = textwrap.wrap(
        _COMMAND.sub(lambda command: _in_one_piece(command[0]), text),
        width,
        initial_indent=first,
        subsequent_indent=then,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return "\n".join(lines).replace(_NO_BREAK, " ")


def wrap_hint(text: str, width: int | None) -> str:
    r"""Break a hint; of the commands after ``next:`` each has its own lines, to be copied into a shell.

    Examples:
        >>> print(wrap_hint("done; next: sweep table x | sweep report x", 24))
        done;
        next: sweep table x
              sweep report x
        >>> print(wrap_hint("next: sweep run study.toml --set 'seed = 1'", 24))
        next: sweep run \
                study.toml \
                --set \
                'seed = 1'
    """
    lead, start, commands = text.partition(_NEXT)
    if width is None or len(text) <= width or not start:
        return wrap(text, width)
    indent = " " * len(_NEXT)
    lines = [_continued(command, width, indent) for command in commands.split(" | ")]
    return "\n".join([*([wrap(lead.rstrip(), width)] if lead else []), _NEXT + "\n".join(lines).lstrip()])


def _continued(command: str, width: int, indent: str) -> str:
    """Break a shell's command between its words, with a backslash at the end of a line."""
    whole = _SHELL_WORD.sub(lambda word: _in_one_piece(word[0]), command)
    lines = wrap(whole, width - 2, indent, f"{indent}  ")
    return lines.replace("\n", " \\\n")


def _in_one_piece(text: str) -> str:
    return text.replace(" ", _NO_BREAK)
