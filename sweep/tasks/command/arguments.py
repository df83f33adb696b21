"""The key ``command`` of a study: tokens, and how the parameters of a trial get into them.

No shell reads them. ``placeholders`` splits a token, ``styles`` and ``overrides`` turn a value into tokens.
This module checks that every parameter reaches the program, and makes the argument list of a trial.
"""

import contextlib
import itertools
import json
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sweep.definition.sections.mistakes import Mistakes, refuse_all
from sweep.errors import StudyFileError
from sweep.spelling import unknown
from sweep.tasks.command.overrides import SKIP, Override, fill_tokens, parse_override
from sweep.tasks.command.placeholders import (
    ARGS,
    FORMATS,
    PLACES,
    Place,
    Placeholder,
    Template,
    parse_template,
)
from sweep.tasks.command.styles import STYLES, Style, check_value

DEFAULT_STYLE = "argparse"

_PYTHON = "python"
"""As the first token: the interpreter that runs sweep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """A checked command."""

    tokens: tuple[Template, ...]
    style: Style
    overrides: Mapping[str, Override]
    rest: tuple[str, ...]
    """The parameters that ``{args}`` stands for, in order."""

    @classmethod
    def parse(
        cls,
        command: Any,
        *,
        params: Collection[str],
        conditional: Collection[str] = (),
        style: Any = DEFAULT_STYLE,
        arguments: Any = None,
    ) -> "CommandLine":
        """Check the keys ``command``, ``style`` and ``[arguments]``.

        Args:
            command: The list of tokens.
            params: Names of the parameters, fixed and searched, in the order in which ``{args}`` has them.
            conditional: Those that some trials do not have.
            style: A name of ``STYLES``.
            arguments: The section ``[arguments]``.

        Raises:
            StudyFileError: With a line for each mistake.
        """
        mistakes = Mistakes()
        no_tokens: tuple[Template, ...] = ()
        no_overrides: dict[str, Override] | None = None
        tokens = mistakes.check(no_tokens, _parse_tokens, command)
        overrides = mistakes.check(no_overrides, _parse_overrides, arguments or {}, params)
        chosen = mistakes.check(STYLES[DEFAULT_STYLE], _parse_style, style)
        mistakes.check(None, _check_placeholders, tokens, params)
        mistakes.check(None, _check_conditional, tokens, conditional)
        named = {name for token in tokens for name in _parameters(token)}
        rest = tuple(name for name in params if name not in named)
        if tokens and overrides is not None:
            mistakes.check(None, _check_uses, tokens, rest, overrides)
        mistakes.refuse()
        return cls(tokens=tokens, style=chosen, overrides=overrides or {}, rest=rest)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of the configuration files that the command names."""
        return _formats(self.tokens)

    def check_values(self, values: Mapping[str, Iterable[Any]]) -> None:
        """Refuse values for which the command has no form.

        Args:
            values: Parameter -> the values to try; of a range its ends are enough.

        Raises:
            StudyFileError: With a line for each such value.
        """
        mistakes = Mistakes()
        for name, tried in values.items():
            for value in tried:
                mistakes.check(None, self._check_value, name, value)
        mistakes.refuse()

    def expand(self, values: Mapping[str, Any], place: Place) -> list[str]:
        """Return the argument list of a trial.

        Args:
            values: The parameters that the trial has; a token that names another one is left out.
            place: What the other placeholders mean.

        Raises:
            StudyFileError: If the style has no form for a value.
        """
        argv = [token for template in self.tokens for token in self._expanded(template, values, place)]
        return [place.python if argv[0] == _PYTHON else argv[0], *argv[1:]]

    def _check_value(self, name: str, value: Any) -> None:
        with _about(name, value):
            for template in self.tokens:
                if name in _parameters(template):
                    fill_tokens(template, value, self.style)
            if name in self.rest and _has_args(self.tokens):
                self._argument(name, value)

    def _argument(self, name: str, value: Any) -> list[str]:
        """Return what ``{args}`` has for one parameter."""
        override = self.overrides.get(name)
        return override.tokens(value, self.style) if override else self.style.argument(name, value)

    def _expanded(self, template: Template, values: Mapping[str, Any], place: Place) -> Iterator[str]:
        """Yield what one token of the command becomes."""
        names = _parameters(template)
        if _is_args(template.alone):
            for name in self.rest:
                if name in values:
                    with _about(name, values[name]):
                        yield from self._argument(name, values[name])
        elif template.alone and names[:1] and names[0] in values:
            with _about(names[0], values[names[0]]):
                yield from fill_tokens(template, values[names[0]], self.style)
        elif all(name in values for name in names):
            texts = {}
            for name in names:
                with _about(name, values[name]):
                    texts[name] = self.style.text(values[name])
            yield template.fill(
                lambda part: texts[part.name] if _is_parameter(part) else place.text(part.name)
            )


@contextlib.contextmanager
def _about(name: str, value: Any) -> Iterator[None]:
    """Refuse a value that no command line can carry; name the parameter in what is raised inside."""
    try:
        check_value(value)
        yield
    except ValueError as error:
        raise StudyFileError(f"{name} = {value!r} {error}") from error


def _is_args(placeholder: Placeholder | None) -> bool:
    return placeholder is not None and placeholder.name == ARGS and not placeholder.is_parameter


def _is_parameter(placeholder: Placeholder) -> bool:
    return placeholder.is_parameter or placeholder.name not in (ARGS, *PLACES)


def _parameters(template: Template) -> list[str]:
    """Return the names of the parameters that a token has."""
    return [placeholder.name for placeholder in template.placeholders if _is_parameter(placeholder)]


def _has_args(tokens: Iterable[Template]) -> bool:
    return any(_is_args(placeholder) for token in tokens for placeholder in token.placeholders)


def _formats(tokens: Iterable[Template]) -> tuple[str, ...]:
    """Return the formats of the configuration files that tokens name."""
    names = {placeholder.name for token in tokens for placeholder in token.placeholders}
    return tuple(kind for kind in FORMATS if f"config.{kind}" in names)


def _parse_tokens(command: Any) -> tuple[Template, ...]:
    if isinstance(command, str) and command:
        raise StudyFileError(
            f"command must be a list of tokens, as no shell reads it: {json.dumps(_split(command))}; "
            f"got the text {command!r}"
        )
    if not isinstance(command, list) or not command:
        raise StudyFileError(
            f'command must be a list of tokens such as ["python", "train.py"]; got {command!r}'
        )
    mistakes = Mistakes()
    tokens = [mistakes.check(None, _parse_token, number, token) for number, token in enumerate(command, 1)]
    mistakes.refuse()
    return tuple(token for token in tokens if token)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _parse_token(number: int, token: Any) -> Template:
    where = f"command: token {number}, {token!r},"
    if not isinstance(token, str):
        raise StudyFileError(f"{where} must be text; put numbers in quotation marks")
    if "\0" in token or (number == 1 and not token.strip()):
        raise StudyFileError(f"{where} {'holds NUL' if token.strip() else 'must name a program'}")
    try:
        template = parse_template(token)
    except ValueError as error:
        raise StudyFileError(f"{where} {error}") from error
    if _has_args([template]) and not (template.alone and number > 1):
        raise StudyFileError(f"{where} holds {{args}}, which must be a token of its own, after the program")
    return template


def _parse_style(style: Any) -> Style:
    if not isinstance(style, str) or style not in STYLES:
        raise StudyFileError(f"style must be one of {', '.join(STYLES)}; got {style!r}")
    return STYLES[style]


def _parse_overrides(arguments: Any, params: Collection[str]) -> dict[str, Override]:
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


def _check_placeholders(tokens: Iterable[Template], params: Collection[str]) -> None:
    """Refuse placeholders that stand for nothing, and ``{args}`` twice."""
    known = [*params, ARGS, *PLACES]
    refuse_all(
        f"command: token {token.source!r}: {unknown(f'placeholder {placeholder}', placeholder.name, known)}"
        for token in tokens
        for placeholder in token.placeholders
        if _is_parameter(placeholder) and placeholder.name not in params
    )
    if sum(_is_args(token.alone) for token in tokens) > 1:
        raise StudyFileError("command has {args} twice; every parameter would be given twice")


def _check_conditional(tokens: tuple[Template, ...], conditional: Collection[str]) -> None:
    """Refuse ``--x {x}`` if a trial may lack ``x``: the option would remain without its value."""
    refuse_all(
        f"command: not every trial has {name}, and {before.source!r} would remain without it; write "
        f"{before.source + '={' + name + '}'!r} as one token, or leave it to {{args}}"
        for before, token in itertools.pairwise(tokens)
        for name in _parameters(token)
        if token.alone and name in conditional and re.fullmatch(r"--?[^=]+", before.source)
    )
    refuse_all(
        f"command: the program {token.source!r} names {name}, which not every trial has"
        for token in tokens[:1]
        for name in _parameters(token)
        if name in conditional
    )


def _check_uses(
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
    if not _has_args(tokens):
        with mistakes.noted():
            refuse_all(
                f"arguments.{name} has no effect: command has no {{args}}"
                for name in overrides
                if name in rest and name not in skipped
            )
        if not _formats(tokens):
            with mistakes.noted():
                refuse_all(_unused(name) for name in rest if name not in skipped)
    mistakes.refuse()


def _unused(name: str) -> str:
    return (
        f"command: no token uses the parameter {name}; add {{args}}, {{{name}}} or {{config.json}}, or write "
        f'arguments.{json.dumps(name)} = "{SKIP}" if the program reads it from SWEEP_CONFIG'
    )
