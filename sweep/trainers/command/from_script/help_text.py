"""Parse the ``--help`` output of argparse and click into options."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from sweep.trainers.command.from_script.calls import kind_of
from sweep.trainers.command.from_script.option import Option, ScriptOptions

_SECTION = re.compile(r"(?P<title>\S.*):\s*$")
_OPTION = re.compile(r" {1,8}(?P<spec>-{1,2}[A-Za-z0-9].*?)(?:\s{2,}(?P<help>\S.*))?$")
_POSITIONAL = re.compile(r" {2}(?P<spec>[A-Za-z_][\w.-]*|\{[^{}\s]+\})(?:\s{2,}(?P<help>\S.*))?$")
_SPELLING = re.compile(r"(?P<flag>--?[A-Za-z0-9][\w.-]*)(?:[ =](?P<value>[^,/]*[^,/\s]))?")
_CHOICES = re.compile(r"[\[{(](?P<choices>[^\[\]{}\s]*[,|][^\[\]{}\s]*)[\]})]")
_DEFAULT = re.compile(
    r"[\[(]\s*default(?::|=|\s+is)?\s+(?P<default>[^\[\]()]*?|\[[^\[\]]*\])\s*[\]);]", re.IGNORECASE
)
_BOUNDS = re.compile(r"(?P<low>-?[0-9.]+)<=x<=(?P<high>-?[0-9.]+)")
_REQUIRED = re.compile(r"\[[^\[\]]*required\]")
_BRACKETS = re.compile(r"\[[^\[\]]*(?:default:|required\]|<=x)[^\[\]]*\]?")
"""Notes that click adds to a help text."""
_METAVARS = {
    "INTEGER": "int",
    "INT": "int",
    "FLOAT": "float",
    "TEXT": "text",
    "PATH": "text",
    "FILENAME": "text",
}
_METAVARS |= {"DIRECTORY": "text", "FILE": "text", "BOOLEAN": "bool", "STR": "text"}

_HELP = ("--help", "-h", "--version")


def parse_help(text: str) -> ScriptOptions:
    r"""Return the options in a ``--help`` text.

    Examples:
        >>> [option.name for option in parse_help("options:\n  --lr LR   rate (default: 0.1)\n").options]
        ['lr']
    """
    is_click = "Usage:" in text and re.search(r"^Options:", text, re.MULTILINE) is not None
    found: dict[str, Option] = {}
    for spec, help_text in _entries(text):
        option = _option(spec, help_text) if spec.startswith("-") else _positional(spec, help_text)
        if option is not None:
            found[option.name] = option
    return ScriptOptions(style="click" if is_click else "argparse", options=tuple(found.values()))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Yield each option as written, such as ``-b, --batch-size N``, with its help on one line."""
    section, spec, help_lines = "", "", list[str]()
    for line in text.expandtabs().splitlines():
        title = _SECTION.match(line)
        pattern = _POSITIONAL if section.startswith("positional") else _OPTION
        entry = None if title else pattern.match(line)
        if title or entry:
            if spec:
                yield spec, " ".join(help_lines)
            section = title["title"].lower() if title else section
            spec, help_lines = (entry["spec"], [entry["help"] or ""]) if entry else ("", [])
        elif line.startswith(" " * 4):
            help_lines.append(line.strip())
    if spec:
        yield spec, " ".join(help_lines)


def _option(spec: str, help_text: str) -> Option | None:
    """Return the option of ``-b, --batch-size N``."""
    spellings = list(_SPELLING.finditer(_CHOICES.sub("CHOICES", spec)))
    flags = [match["flag"] for match in spellings]
    flag = next((flag for flag in flags if flag.startswith("--")), flags[0])
    if flag in _HELP:
        return None
    metavar = next((match["value"] for match in spellings if match["value"]), "")
    off_flag = next((other for other in flags if other in (f"--no-{flag[2:]}", f"--no{flag[2:]}")), None)
    default = _default(help_text)
    choices = _choices(spec)
    is_flag = not metavar
    kind = (
        "bool"
        if is_flag
        else (kind_of(list(choices)) or _METAVARS.get(metavar.split()[0].upper()) or kind_of(default))
    )
    bounds = _BOUNDS.search(spec + help_text)
    return Option(
        name=flag.lstrip("-").replace("-", "_"),
        flag=flag,
        off_flag=off_flag,
        kind=kind,
        is_flag=is_flag,
        is_list="..." in spec or isinstance(default, list),
        default=(default is True) if is_flag else default,
        choices=choices,
        bounds=(_literal(bounds["low"]), _literal(bounds["high"])) if bounds else None,
        is_required=_REQUIRED.search(help_text) is not None,
        help=_shortened(help_text),
    )


def _positional(spec: str, help_text: str) -> Option:
    choices = _choices(spec)
    name = "choice" if choices else spec
    return Option(
        name=name, flag=None, kind="text", choices=choices, is_required=True, help=_shortened(help_text)
    )


def _choices(spec: str) -> tuple[Any, ...]:
    match = _CHOICES.search(spec)
    return tuple(_literal(word) for word in re.split(r"[,|]", match["choices"])) if match else ()


def _default(help_text: str) -> Any:
    match = _DEFAULT.search(help_text)
    return _literal(match["default"].rstrip(".;,")) if match else None


def _shortened(help_text: str) -> str:
    """Return the help without the parts that were parsed."""
    return _DEFAULT.sub("", _BRACKETS.sub("", help_text)).strip(" ;")


def _literal(text: str) -> Any:
    """Return a text as a number, boolean or list if it is one, else as text."""
    try:
        value = ast.literal_eval(text) if len(text) < 1000 else text
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, int | float | str | list | None) else text
