"""Turn the key ``command`` of a study and the parameters of a trial into an argument list.

No shell is involved. ``placeholders`` splits a token, ``styles`` and ``overrides`` turn a value into tokens,
``command_rules`` checks that every parameter reaches the program.
"""

import contextlib
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sweep.definition.sections.mistakes import Mistakes
from sweep.errors import StudyFileError
from sweep.trainers.command.command_rules import (
    check_conditional,
    check_is_list,
    check_placeholders,
    check_uses,
    parse_overrides,
    parse_style,
    parse_tokens,
)
from sweep.trainers.command.overrides import Override, fill_tokens
from sweep.trainers.command.placeholders import Place, Template, formats_of
from sweep.trainers.command.styles import STYLES, Style, check_value
from sweep.values import Params, Toml, Value

DEFAULT_STYLE = "argparse"

_PYTHON = "python"
"""First tokens that mean the interpreter that runs sweep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """A checked command."""

    tokens: tuple[Template, ...]
    style: Style
    overrides: Mapping[str, Override]
    rest: tuple[str, ...]
    """The parameters that ``{args}`` expands to, in order."""

    @classmethod
    def parse(
        cls,
        command: Toml,
        *,
        params: Collection[str],
        conditional: Collection[str] = (),
        style: Toml = DEFAULT_STYLE,
        arguments: Toml = None,
        uses_all: bool = True,
    ) -> "CommandLine":
        """Check the keys ``command``, ``style`` and ``[arguments]``.

        Args:
            command: The list of tokens.
            params: Names of the parameters, fixed and searched, in the order of ``{args}``.
            conditional: Parameters that some trials lack.
            style: A name of ``STYLES``.
            arguments: The section ``[arguments]``.
            uses_all: Whether to refuse a parameter that does not reach the program.

        Raises:
            StudyFileError: With a line for each mistake.
        """
        mistakes = Mistakes()
        no_overrides: dict[str, Override] | None = None
        with mistakes.noted():
            check_is_list(command)
        tokens = parse_tokens(command, mistakes)
        overrides = mistakes.check(no_overrides, parse_overrides, arguments or {}, params)
        chosen = mistakes.check(STYLES[DEFAULT_STYLE], parse_style, style)
        mistakes.check(None, check_placeholders, tokens, params)
        mistakes.check(None, check_conditional, tokens, conditional)
        named = {name for token in tokens for name in token.parameters}
        rest = tuple(name for name in params if name not in named)
        if uses_all and overrides is not None and tokens and len(tokens) == len(command):
            mistakes.check(None, check_uses, tokens, rest, overrides)
        mistakes.refuse()
        return cls(tokens=tokens, style=chosen, overrides=overrides or {}, rest=rest)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of the configuration files that the command names."""
        return formats_of(self.tokens)

    def check_values(self, values: Mapping[str, Iterable[Value]]) -> None:
        """Refuse values that the command's style cannot express.

        Args:
            values: Parameter -> the values to check; for a range, its ends.

        Raises:
            StudyFileError: With a line for each such value.
        """
        mistakes = Mistakes()
        for name, tried in values.items():
            for value in tried:
                mistakes.check(None, self._check_value, name, value)
        mistakes.refuse()

    def expand(self, values: Params, place: Place) -> list[str]:
        """Return the argument list of a trial.

        Args:
            values: The trial's parameters; tokens that name any other parameter are omitted.
            place: The values of the other placeholders.

        Raises:
            StudyFileError: If the style cannot express a value.
        """
        argv = [token for template in self.tokens for token in self._expanded(template, values, place)]
        return [place.python if argv[0] == _PYTHON else argv[0], *argv[1:]]

    def _check_value(self, name: str, value: Value) -> None:
        with _about(name, value):
            for template in self.tokens:
                if name in template.parameters:
                    fill_tokens(template, value, self.style)
            if name in self.rest and any(template.has_args for template in self.tokens):
                self._check_end(self._argument(name, value))

    def _check_end(self, tokens: list[str]) -> None:
        """Refuse a list at the end of ``{args}`` if the program would read the next token as an entry."""
        after = next((b for a, b in itertools.pairwise(self.tokens) if a.has_args), None)
        if after and len(tokens) > 2 and not after.source.startswith("-"):
            raise ValueError(f"would include {after.source!r} as another entry; put {{args}} at the end")

    def _argument(self, name: str, value: Value) -> list[str]:
        """Return the tokens of ``{args}`` for one parameter."""
        override = self.overrides.get(name)
        return override.tokens(value, self.style) if override else self.style.argument(name, value)

    def _expanded(self, template: Template, values: Params, place: Place) -> Iterator[str]:
        """Yield the arguments that one token of the command expands to."""
        names = template.parameters
        if template.has_args:
            for name in self.rest:
                if name in values:
                    with _about(name, values[name]):
                        yield from self._argument(name, values[name])
        elif template.is_alone and names and names[0] in values:
            with _about(names[0], values[names[0]]):
                yield from fill_tokens(template, values[names[0]], self.style)
        elif all(name in values for name in names):
            texts = {}
            for name in names:
                with _about(name, values[name]):
                    texts[name] = self.style.text(values[name])
            yield template.fill(lambda part: texts[part.name] if part.is_parameter else place.text(part.name))


@contextlib.contextmanager
def _about(name: str, value: Value) -> Iterator[None]:
    """Refuse a value that no command line can carry; add the parameter's name to errors raised inside."""
    try:
        check_value(value)
        yield
    except ValueError as error:
        raise StudyFileError(f"{name} = {value!r} {error}") from error
