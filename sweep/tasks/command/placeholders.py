"""Placeholders in the tokens of a command: ``{seed}``, ``{dir}``, ``{learning_rate}``.

``{NAME}`` is one of ``PLACES``, else the parameter of that name; ``{param:NAME}`` is always the parameter.
``{{`` and ``}}`` are braces. This module splits and fills a token; ``arguments`` says what is allowed where.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FORMATS = ("json", "yaml", "toml")
"""Of the files ``{config.json}``, ``{config.yaml}``, ``{config.toml}``."""

ARGS = "args"
"""The placeholder of all parameters that no other token names."""

_PARAMETER = "param:"
_PIECE = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<name>[^{}]+)\}|(?P<text>[^{}]+)|(?P<lone>.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and as what a trial runs: what the placeholders that are no parameters mean."""

    seed: int
    """Of the trial."""
    dir: Path
    """The trial's folder."""
    here: Path
    """The folder of the study file."""
    checkpoint: Path
    """The folder that the program may continue from."""
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
        """Return what a placeholder of ``PLACES`` stands for."""
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
"""The placeholders that are no parameters, without ``{args}``."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``{name}``, or ``{param:name}``."""

    name: str
    is_parameter: bool
    """Whether it can only be a parameter."""

    def __str__(self) -> str:
        return f"{{{_PARAMETER if self.is_parameter else ''}{self.name}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """A token: text and placeholders in turn."""

    source: str
    """As it was written."""
    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> Iterator[Placeholder]:
        """Those that occur, in order."""
        return (part for part in self.parts if isinstance(part, Placeholder))

    @property
    def alone(self) -> Placeholder | None:
        """The placeholder that is the whole token; None if the token has anything else."""
        first = self.parts[0] if len(self.parts) == 1 else None
        return first if isinstance(first, Placeholder) else None

    def fill(self, text: Callable[[Placeholder], str]) -> str:
        """Return the token with each placeholder replaced."""
        return "".join(part if isinstance(part, str) else text(part) for part in self.parts)


def parse_template(source: str) -> Template:
    """Split a token into text and placeholders.

    Raises:
        ValueError: If a brace is alone.

    Examples:
        >>> parse_template("--lr={lr}").parts
        ('--lr=', Placeholder(name='lr', is_parameter=False))
        >>> parse_template("{{}}").parts
        ('{', '}')
    """
    parts: list[str | Placeholder] = []
    for piece in _PIECE.finditer(source):
        if piece["lone"]:
            raise ValueError(f"has a lone {piece['lone']}; write {piece['lone'] * 2} for a brace")
        if name := piece["name"]:
            parts.append(Placeholder(name.removeprefix(_PARAMETER), name.startswith(_PARAMETER)))
        else:
            parts.append(piece["text"] or piece["brace"][0])
    return Template(source, tuple(parts))
