"""Split and fill command tokens with placeholders, such as ``{seed}``, ``{dir}``, ``{learning_rate}``.

``{NAME}`` is one of ``PLACES``, or else the parameter of that name; ``{param:NAME}`` is always the parameter.
``{{`` and ``}}`` are braces. ``arguments`` checks which placeholders are allowed where.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FORMATS = ("json", "yaml", "toml")
"""Formats of the files ``{config.json}``, ``{config.yaml}``, ``{config.toml}``."""

ARGS = "args"
"""The placeholder for all parameters that no other token names."""

_PREFIX = "param:"
_PIECE = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<name>[^{}]+)\}|(?P<text>[^{}]+)|(?P<lone>.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The values of a trial's placeholders that are not parameters."""

    seed: int
    """The trial's seed."""
    dir: Path
    """The trial's folder."""
    here: Path
    """The folder of the study file."""
    checkpoint: Path
    """The folder of a checkpoint to continue from."""
    trial: int
    """The trial's number."""
    study: str
    """The study's name."""
    python: str
    """The interpreter that runs sweep."""
    port: int
    """A free TCP port of this machine."""
    configs: Mapping[str, Path] = field(default_factory=dict)
    """Format -> the file that holds the trial's parameters in it."""

    def text(self, name: str) -> str:
        """Return the text of a placeholder of ``PLACES``."""
        return _TEXTS[name](self)


def _config_text(kind: str) -> Callable[[Place], str]:
    return lambda place: str(place.configs[kind])


_TEXTS: dict[str, Callable[[Place], str]] = {
    "seed": lambda place: str(place.seed),
    "dir": lambda place: str(place.dir),
    "here": lambda place: str(place.here),
    "checkpoint": lambda place: str(place.checkpoint),
    "trial": lambda place: str(place.trial),
    "study": lambda place: place.study,
    "python": lambda place: place.python,
    "port": lambda place: str(place.port),
    **{f"config.{kind}": _config_text(kind) for kind in FORMATS},
}

PLACES = tuple(_TEXTS)
"""The placeholders that are not parameters, without ``{args}``."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``{name}``, or ``{param:name}``, which is always a parameter."""

    name: str
    has_prefix: bool = False

    def __str__(self) -> str:
        return f"{{{_PREFIX if self.has_prefix else ''}{self.name}}}"

    @property
    def is_args(self) -> bool:
        """Whether it means all parameters that no other token names."""
        return self.name == ARGS and not self.has_prefix

    @property
    def is_parameter(self) -> bool:
        """Whether it means one parameter."""
        return self.has_prefix or self.name not in (ARGS, *PLACES)


@dataclass(frozen=True, slots=True)
class Template:
    """A token as a sequence of texts and placeholders."""

    source: str
    """The token as written in the study."""
    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The placeholders, in order."""
        return tuple(part for part in self.parts if isinstance(part, Placeholder))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters, in order."""
        return tuple(part.name for part in self.placeholders if part.is_parameter)

    @property
    def is_alone(self) -> bool:
        """Whether a placeholder is the whole token."""
        return len(self.parts) == len(self.placeholders) == 1

    @property
    def has_args(self) -> bool:
        """Whether ``{args}`` occurs."""
        return any(part.is_args for part in self.placeholders)

    def fill(self, text: Callable[[Placeholder], str]) -> str:
        """Return the token with each placeholder replaced."""
        return "".join(part if isinstance(part, str) else text(part) for part in self.parts)


def formats_of(templates: Iterable[Template]) -> tuple[str, ...]:
    """Return the formats of the configuration files that tokens name."""
    names = {part.name for template in templates for part in template.placeholders if not part.is_parameter}
    return tuple(kind for kind in FORMATS if f"config.{kind}" in names)


def parse_template(source: str) -> Template:
    """Split a token into text and placeholders.

    Raises:
        ValueError: If a brace is unbalanced.

    Examples:
        >>> parse_template("--lr={lr}").parts
        ('--lr=', Placeholder(name='lr', has_prefix=False))
        >>> parse_template("{{}}").parts
        ('{', '}')
    """
    parts: list[str | Placeholder] = []
    for piece in _PIECE.finditer(source):
        if piece["lone"]:
            raise ValueError(f"has a lone {piece['lone']}; write {piece['lone'] * 2} for a literal brace")
        if name := piece["name"]:
            parts.append(Placeholder(name.removeprefix(_PREFIX), name.startswith(_PREFIX)))
        else:
            parts.append(piece["text"] or piece["brace"][0])
    return Template(source, tuple(parts))
