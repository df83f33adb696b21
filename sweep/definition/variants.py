"""Apply ``--set`` to a study file, which makes a variant of the study.

A *variant* is the study with some keys changed, under a name that lists the changes. ``KEY=VALUE`` changes
one key: ``sampler``, ``fixed.NAME``, ``search.NAME`` or ``data.KEY``. Values are written as in TOML, or in a
short form: ``3..6`` is a range, ``16,32`` a list, a word is a string.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence

from sweep.definition.dimension import Dimension, Range
from sweep.definition.space import Space
from sweep.errors import OptionError
from sweep.spelling import did_you_mean
from sweep.values import Params, Toml

MAX_NAME = 64

WIDE = 100
"""Smallest ratio of a linear range's ends for a note: nine tenths of it are its last decade."""

Raw = dict[str, Toml]

_SECTIONS = ("data", "fixed", "search")
_NOT_IN_NAMES = ("goal", "trials", "timeout", "trial_timeout", "keep")
"""Keys that may change between runs of one study; changing them makes no variant."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_RANGE = re.compile(r"(.+?)\.\.(.+)")
_HASH_LENGTH = 8


def apply_settings(
    raw: Mapping[str, Toml], settings: Sequence[str], hyperparameters: Collection[str] = ()
) -> Raw:
    """Return a study file's values with settings applied; see the module's docstring.

    Setting a hyperparameter in one of [fixed] and [search] removes it from the other. A range or list keeps
    the ``log`` and ``when`` of its entry in [search].

    Args:
        raw: The study file's values.
        settings: Settings ``KEY=VALUE``.
        hyperparameters: Names that need a section.

    Raises:
        OptionError: If a setting is malformed, sets a key twice, or lacks a hyperparameter's section.
    """
    changed: Raw = {**raw, **{key: dict(raw[key]) for key in _SECTIONS if isinstance(raw.get(key), Mapping)}}
    for key, text in _parsed(settings).items():
        section, dot, name = key.partition(".")
        if not dot:
            if key in hyperparameters:
                raise OptionError(_without_section(key, text))
            changed[key] = _value(key, text)
        elif isinstance(changed.setdefault(section, {}), dict):
            _PLACES.get(section, _set_plain)(changed, section, name, text)
    return changed


def _without_section(name: str, text: str) -> str:
    is_searched = _RANGE.fullmatch(text) or "," in text or text.startswith(("[", "{"))
    whole = f"{'search' if is_searched else 'fixed'}.{name}={text}"
    return f"--set {f'{name}={text}'!r}: {name} is a hyperparameter; write --set {whole!r}"


def linear_ranges(settings: Sequence[str], space: Space) -> list[str]:
    """Return a note on each linear range, set in the short form, that spans a ratio of at least ``WIDE``.

    Args:
        settings: Settings ``KEY=VALUE``.
        space: The resulting search space.
    """
    ranges = {key: _RANGE.fullmatch(text) for key, text in _parsed(settings).items()}
    return [
        f"{key} is linear from {ends[1]} to {ends[2]}; to sample each decade equally, write "
        f"--set '{key}={{low={ends[1]}, high={ends[2]}, log=true}}'"
        for key, ends in ranges.items()
        if ends and _is_wide_and_linear(space.get(key.removeprefix("search.")))
    ]


def _is_wide_and_linear(dimension: Dimension | None) -> bool:
    if not isinstance(dimension, Range):
        return False
    return not dimension.log and 0 < WIDE * dimension.low <= dimension.high


def variant_name(name: str, settings: Sequence[str]) -> str:
    """Return the name of a variant: readable if it fits, else with a hash.

    Examples:
        >>> variant_name("names", ["sampler=gp", "search.block_size=3..6", "trials=9"])
        'names--sampler-gp--block_size-3..6'
        >>> variant_name("names", ["trials=9"])
        'names'
    """
    parsed = {key: text for key, text in _parsed(settings).items() if key not in _NOT_IN_NAMES}
    ordered = sorted(parsed, key=lambda key: ("." in key, key))
    return _suffixed(name, [f"{key.rpartition('.')[2]}-{parsed[key]}" for key in ordered])


def warm_name(name: str, other: str, top: int | None = None) -> str:
    """Return the name of a variant that starts with configurations of another study.

    Examples:
        >>> warm_name("names", "quick"), warm_name("names", "quick", 9)
        ('names--from-quick', 'names--from-quick-9')
    """
    return _suffixed(name, [f"from-{other}" + ("" if top is None else f"-{top}")])


def _suffixed(name: str, parts: Sequence[str]) -> str:
    readable = "--".join([name, *(re.sub(r"[^A-Za-z0-9._-]+", "_", part).strip("_") for part in parts)])
    if len(readable) <= MAX_NAME:
        return readable
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: MAX_NAME - _HASH_LENGTH - 2]}--{digest}"


def _parsed(settings: Sequence[str]) -> dict[str, str]:
    parsed: dict[str, str] = {}
    for setting in settings:
        key, equals, text = (part.strip() for part in setting.partition("="))
        section, dot, name = key.partition(".")
        if not equals or not text or not section or (dot and (section not in _SECTIONS or not name)):
            hint = did_you_mean(section, _SECTIONS, "; {}") if dot and name else ""
            raise OptionError(
                f"--set {setting!r} must be KEY=VALUE, as sampler=gp, fixed.NAME=…, search.NAME=…, "
                f"data.KEY=…{hint}"
            )
        if key == "name":
            raise OptionError(f"--set {setting!r}: set the name with --as")
        if key == "trainer":
            raise OptionError(
                f"--set {setting!r}: a variant keeps its study's trainer; write another study file"
            )
        if key in parsed:
            raise OptionError(f"--set gives {key!r} twice, {parsed[key]!r} and {text!r}")
        parsed[key] = text
    return parsed


def _set_plain(raw: Raw, section: str, name: str, text: str) -> None:
    raw[section][name] = _value(f"{section}.{name}", text)


def _set_fixed(raw: Raw, section: str, name: str, text: str) -> None:
    _set_plain(raw, section, name, text)
    if isinstance(raw.get("search"), dict):
        raw["search"].pop(name, None)


def _set_searched(raw: Raw, section: str, name: str, text: str) -> None:
    if isinstance(raw.get("fixed"), dict):
        raw["fixed"].pop(name, None)
    before = raw["search"].get(name, {})
    raw["search"][name] = _entry(f"search.{name}", text, before if isinstance(before, Mapping) else {})


_PLACES: dict[str, Callable[[Raw, str, str, str], None]] = {"fixed": _set_fixed, "search": _set_searched}


def _entry(key: str, text: str, before: Params) -> Toml:
    """Return an entry of [search]: as TOML, or the short forms of a range and of choices."""
    value = _toml(text)
    if isinstance(value, Mapping):
        return value
    ends = _RANGE.fullmatch(text)
    if ends:
        kept = {other: before[other] for other in ("log", "when") if other in before}
        return {"low": _value(key, ends[1]), "high": _value(key, ends[2]), **kept}
    if isinstance(value, list) or "," in text:
        choices = value if isinstance(value, list) else _value(key, text)
        return {"choices": choices, **({"when": before["when"]} if "when" in before else {})}
    return _value(key, text)


def _value(key: str, text: str) -> Toml:
    value = _toml(text)
    if value is not None:
        return value
    if "," in text and not text.startswith(("[", "{")):
        return [_value(key, part.strip()) for part in text.split(",")]
    if _WORD.fullmatch(text) or re.fullmatch(r"\d+(\.\d+)?[smh]", text):
        return text
    setting = f"{key}={text}"
    raise OptionError(f"--set {setting!r}: not a TOML value, word, list a,b or range low..high")


def _toml(text: str) -> Toml:
    """Parse a text as a TOML value; return None if it is not one."""
    try:
        found = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return None
    return found["value"] if len(found) == 1 else None
