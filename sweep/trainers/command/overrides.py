"""Parse the section ``[arguments]``: tokens for single parameters that the style cannot write.

[arguments]
hidden_dim = "--hidden-dim={value}"       # one token
sizes = ["--sizes", "{value}"]            # several; a list that is a whole token becomes one token an entry
use_bn = ["--bn", "--no-bn"]              # a pair: for true, for false; "" is no token
loader = "skip"                           # no token at all
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sweep.errors import StudyFileError
from sweep.trainers.command.placeholders import Template, parse_template
from sweep.trainers.command.styles import Style, spread, word
from sweep.values import Toml, Value

SKIP = "skip"

_VALUE = "value"

_FORMS = 'a template such as "--name={value}", a list of them, a pair for true and false, or "skip"'


@dataclass(frozen=True, slots=True)
class Override:
    """Tokens for a value: either templates, or a pair for a boolean; without both, no token."""

    templates: tuple[Template, ...] = ()
    pair: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Tokens for true, tokens for false."""

    def tokens(self, value: Value, style: Style) -> list[str]:
        """Return the tokens for a value.

        Raises:
            ValueError: If the override or the style cannot express the value.
        """
        if self.pair is None:
            return [token for template in self.templates for token in fill_tokens(template, value, style)]
        if not isinstance(value, bool):
            raise ValueError("must be true or false, because [arguments] has a pair for it")
        return list(self.pair[0 if value else 1])


def fill_tokens(template: Template, value: Value, style: Style) -> list[str]:
    """Return the tokens of a template that names one parameter.

    If the placeholder is the whole token, text is passed unchanged, and a list becomes one token per entry,
    unless the style joins lists.

    Raises:
        ValueError: If the style cannot express the value.
    """
    if template.is_alone and isinstance(value, list | tuple) and not style.joins_lists:
        return spread(value)
    if template.is_alone and isinstance(value, str | float):
        return [word(value)]
    return [template.fill(lambda _: style.text(value))]


def parse_override(name: str, entry: Toml) -> Override:
    """Parse one entry of ``[arguments]``.

    Raises:
        StudyFileError: If the entry has no valid form.
    """
    if entry == SKIP:
        return Override()
    try:
        if isinstance(entry, list) and not _names_value(entry):
            return Override(pair=_pair(entry))
        templates = tuple(_template(text) for text in ([entry] if isinstance(entry, str) else _texts(entry)))
        if not any(template.placeholders for template in templates):
            raise ValueError("has no {value}; it must be " + _FORMS)
    except ValueError as error:
        raise StudyFileError(f"arguments.{name} = {entry!r} {error}") from error
    return Override(templates=templates)


def _names_value(entry: Sequence[Toml]) -> bool:
    return any(isinstance(text, str) and f"{{{_VALUE}}}" in text for text in entry)


def _template(text: str) -> Template:
    template = parse_template(text)
    for placeholder in template.placeholders:
        if str(placeholder) != f"{{{_VALUE}}}":
            raise ValueError(f"names {placeholder}; only {{{_VALUE}}} is a placeholder here")
    return template


def _texts(entry: Toml) -> list[str]:
    if not isinstance(entry, list) or not all(isinstance(text, str) for text in entry):
        raise ValueError("must be " + _FORMS)
    return entry


def _pair(entry: Sequence[Toml]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if len(entry) != 2:
        raise ValueError(f"names no {{value}}; a pair for true and false has 2 entries, not {len(entry)}")
    return _side(entry[0]), _side(entry[1])


def _side(side: Toml) -> tuple[str, ...]:
    """Return the tokens of one side of a pair: a text, which may be empty, or a list."""
    texts = ([side] if side else []) if isinstance(side, str) else _texts(side)
    templates = [_template(text) for text in texts]
    if any(template.placeholders for template in templates):
        raise ValueError("has {value} in a pair for true and false")
    return tuple(template.fill(str) for template in templates)
