"""Check the keys ``command``, ``style`` and ``[arguments]`` of a study."""

import itertools
import json
import re
import shlex
from collections.abc import Collection, Iterable, Mapping

from sweep.definition.sections.mistakes import Mistakes, refuse_all
from sweep.errors import StudyFileError
from sweep.spelling import unknown
from sweep.trainers.command.overrides import SKIP, Override, parse_override
from sweep.trainers.command.placeholders import ARGS, PLACES, Template, formats_of, parse_template
from sweep.trainers.command.styles import STYLES, Style
from sweep.values import Toml

_NAME = re.compile(r"[^\s=-][^\s=]*")
"""Matches parameter names that can be argument names."""


def check_is_list(command: Toml) -> None:
    """Refuse a command that is not a list of tokens."""
    if isinstance(command, str) and command:
        raise StudyFileError(
            f"command must be a list of tokens, because no shell splits it: {json.dumps(_split(command))}; "
            f"got the text {command!r}"
        )
    if not isinstance(command, list) or not command:
        raise StudyFileError(
            f'command must be a list of tokens such as ["python", "train.py"]; got {command!r}'
        )


def parse_tokens(command: Toml, mistakes: Mistakes) -> tuple[Template, ...]:
    """Return the valid tokens; add the errors of the others to ``mistakes``."""
    listed = command if isinstance(command, list) else []
    tokens = [mistakes.check(None, _parse_token, number, token) for number, token in enumerate(listed, 1)]
    return tuple(token for token in tokens if token is not None)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _parse_token(number: int, token: Toml) -> Template:
    where = f"command: token {number}, {token!r},"
    if not isinstance(token, str):
        raise StudyFileError(f"{where} must be text; put numbers in quotation marks")
    if "\0" in token or (number == 1 and not token.strip()):
        raise StudyFileError(f"{where} {'contains NUL' if token.strip() else 'must name a program'}")
    try:
        template = parse_template(token)
    except ValueError as error:
        raise StudyFileError(f"{where} {error}") from error
    if template.has_args and not (template.is_alone and number > 1):
        raise StudyFileError(f"{where} contains {{args}}, which must be a separate token, after the program")
    return template


def parse_style(style: Toml) -> Style:
    """Return the style with the given name."""
    if not isinstance(style, str) or style not in STYLES:
        raise StudyFileError(f"style must be one of {', '.join(STYLES)}; got {style!r}")
    return STYLES[style]


def parse_overrides(arguments: Toml, params: Collection[str]) -> dict[str, Override]:
    """Read ``[arguments]``."""
    if not isinstance(arguments, Mapping):
        raise StudyFileError(f"[arguments] must be a table, got {arguments!r}")
    mistakes = Mistakes()
    overrides = {
        name: mistakes.check(Override(), parse_override, name, arguments[name]) for name in arguments
    }
    with mistakes.noted():
        refuse_all(
            unknown(f"parameter {name!r} in [arguments]", name, params)
            for name in arguments
            if name not in params
        )
    mistakes.refuse()
    return overrides


def check_placeholders(tokens: Iterable[Template], params: Collection[str]) -> None:
    """Refuse unknown placeholders, and more than one ``{args}``."""
    known = [*params, ARGS, *PLACES]
    wrong = [
        f"command: token {token.source!r}: {unknown(f'placeholder {placeholder}', placeholder.name, known)}"
        for token in tokens
        for placeholder in token.placeholders
        if placeholder.is_parameter and placeholder.name not in params
    ]
    if sum(token.has_args for token in tokens) > 1:
        wrong.append("command has {args} twice, which would pass every parameter twice")
    refuse_all(wrong)


def check_conditional(tokens: tuple[Template, ...], conditional: Collection[str]) -> None:
    """Refuse ``--x {x}`` if a trial may lack ``x``: the option would remain without its value."""
    refuse_all(
        f"command: not every trial has {name}, so {before.source!r} would remain without a value; write "
        f"{before.source + '={' + name + '}'!r} as one token, or use {{args}}"
        for before, token in itertools.pairwise(tokens)
        for name in token.parameters
        if token.is_alone and name in conditional and re.fullmatch(r"--?[^=]+", before.source)
    )
    refuse_all(
        f"command: the program {token.source!r} names {name}, which not every trial has"
        for token in tokens[:1]
        for name in token.parameters
        if name in conditional
    )


def check_uses(
    tokens: tuple[Template, ...], rest: Collection[str], overrides: Mapping[str, Override]
) -> None:
    """Refuse parameters that do not reach the program, and overrides without effect."""
    skipped = {name for name, override in overrides.items() if override == Override()}
    mistakes = Mistakes()
    with mistakes.noted():
        refuse_all(
            f"arguments.{name} has no effect: a token of command names {{{name}}}"
            for name in overrides
            if name not in rest
        )
    if any(token.has_args for token in tokens):
        with mistakes.noted():
            refuse_all(
                _unnamable(name) for name in rest if name not in overrides and not _NAME.fullmatch(name)
            )
    else:
        with mistakes.noted():
            refuse_all(
                f"arguments.{name} has no effect: command has no {{args}}"
                for name in overrides
                if name in rest and name not in skipped
            )
        if not formats_of(tokens):
            with mistakes.noted():
                refuse_all(_unused(name) for name in rest if name not in skipped)
    mistakes.refuse()


def _unnamable(name: str) -> str:
    return (
        f"command: {{args}} cannot pass the parameter {name!r}: its name must not contain a blank or =, nor "
        f'begin with -; write arguments.{json.dumps(name)} = "--other-name={{value}}"'
    )


def _unused(name: str) -> str:
    return (
        f"command: no token uses the parameter {name}; add {{args}}, {{{name}}} or {{config.json}}, or write "
        f'arguments.{json.dumps(name)} = "{SKIP}" if the program reads it from SWEEP_CONFIG'
    )
