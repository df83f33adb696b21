"""Write a study file for a script.

Known values become entries; guesses become comments, which the user can uncomment. The lines of an option
stay together, so that its entry in ``[arguments]`` is edited with it.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from sweep.trainers.command.from_script.option import Option, ScriptOptions
from sweep.trainers.command.from_script.ranges import FOLDER, LENGTH, SEED, suggest
from sweep.trainers.command.from_script.toml_text import SCHEMA_LINE, note_text, toml_key, toml_value
from sweep.trainers.command.placeholders import ARGS, PLACES

_LOW = re.compile(r"loss|err|rmse|mse|mae|nll|ppl|perplexity|bpc|deviance", re.IGNORECASE)
_HIGH = re.compile(
    r"acc|auc|f1|score|precision|recall|reward|return|bleu|dice|iou|map\b|r2|top-?[15]", re.IGNORECASE
)
_HELD_OUT = re.compile(r"val|dev|eval|valid", re.IGNORECASE)

_REQUIRED = "    # fill in: the script does not run without it"
_EXAMPLES = {"int": "0", "float": "0.0", "bool": "true"}
_OPEN_RANGE, _OPEN_CHOICES = "{ low = , high = }", "{ choices = [] }"
_OPEN = "    # fill in: no default is known"


def write_study(
    found: ScriptOptions, script: str, *, metric: str | None = None, direction: str | None = None
) -> str:
    """Return the text of a study file.

    Args:
        found: The script's options.
        script: The script's path, as written into the command.
        metric: The metric's name; if None, a name that the script seems to print.
        direction: ``minimize`` or ``maximize``; if None, guessed from the metric's name.
    """
    roles = {option.name: _role(option) for option in found.options}
    guess = _guess(found.options, roles)
    if guess is not None:
        roles[guess] = "searched"  # possibly the length, if nothing else can be searched
    how = "as its --help prints them" if found.was_run else "read without running it"
    lines = [
        SCHEMA_LINE,
        f"# Options of {note_text(PurePosixPath(script).name)}, {how}. Uncomment what to search.",
        *(f"# Not read: {note_text(text)}" for text in found.unread),
        f"name = {toml_value(study_name(script))}",
        f"command = {toml_value(_command(found, script, roles))}",
        *([] if found.style == "argparse" else [f"style = {toml_value(found.style)}"]),
        *_metric_lines(found.printed, metric, direction),
        "# matters = 0.01    # fill in the difference that matters to you; `sweep confirm` needs it",
    ]
    for role in ("positional", "length", "searched"):
        for option in found.options:
            if roles[option.name] == role:
                lines += ["", *_option_lines(option, found.style, role, is_guessed=option.name == guess)]
    if not any(line.startswith("search.") for line in lines):
        lines += ["", "# Nothing is searched yet: a study needs at least one search entry."]
    return "\n".join(lines) + "\n"


def to_fill_in(found: ScriptOptions) -> list[str]:
    """Return the required options whose values only the user knows."""
    asked = [option for option in found.options if _role(option) in ("positional", "searched")]
    return [option.name for option in asked if _is_needed(option)]


def ranges_to_fill_in(found: ScriptOptions) -> list[str]:
    """Return the numbers for which there is no default that a range could be made from."""
    return [
        option.name
        for option in found.options
        if _role(option) == "searched"
        and option.is_usable
        and not option.is_required
        and _lacks_range(option)
    ]


def _lacks_range(option: Option) -> bool:
    is_number = option.kind in ("int", "float") and not option.is_list
    return is_number and option.default is None and not option.choices and suggest(option) is None


def _is_needed(option: Option) -> bool:
    return option.is_required and option.is_usable and not option.choices


def _role(option: Option) -> str:
    """Return the role of an option: ``seed``, ``folder``, ``length``, ``positional`` or ``searched``."""
    last = option.name.rpartition(".")[2].lower()
    if option.flag is None and option.off_flag is None:
        return "positional"
    if SEED.fullmatch(option.name.lower()) and not option.is_flag and not option.is_list:
        return "seed"
    if FOLDER.fullmatch(last) and not option.is_flag:
        return "folder"
    if LENGTH.fullmatch(last) and option.kind == "int" and type(option.default) is int and option.default > 0:
        return "length"
    return "searched"


def _command(found: ScriptOptions, script: str, roles: dict[str, str]) -> list[str]:
    filled = {"seed": "{seed}", "folder": "{dir}"}
    tokens = []
    for option in found.options:
        text = filled.get(roles[option.name])
        if text and option.flag:
            tokens += _tokens(option, text, found.style)
    positional = [
        f"{{param:{option.name}}}" if option.name in (ARGS, *PLACES) else f"{{{option.name}}}"
        for option in found.options
        if roles[option.name] == "positional" and option.is_required and option.is_usable
    ]
    return ["python", _braces(script), *positional, "{args}", *tokens]


def _tokens(option: Option, text: str, style: str) -> list[str]:
    flag = option.flag or ""
    return [f"{flag}={text}"] if flag.startswith("--") or style == "hydra" else [flag, text]


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def study_name(script: str) -> str:
    """Return a valid study name for a script."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePosixPath(script).stem).strip("._-")
    return name[:64] or "study"


def _metric_lines(printed: Sequence[str], metric: str | None, direction: str | None) -> Iterator[str]:
    chosen = metric or likely_metric(printed)
    if chosen is None:
        yield "# To do: name the metric that the script prints, and choose its direction."
        yield '# metric = "val_loss"    # the name that the script prints before its value'
        yield f'{"" if direction else "# "}direction = "{direction or "minimize"}"    # or "maximize"'
        return
    guessed = "" if metric else "    # a guess; the script seems to print " + note_text(", ".join(printed))
    yield f"metric = {toml_value(chosen)}{guessed}"
    known = direction or likely_direction(chosen)
    yield f'{"" if known else "# "}direction = "{known or "minimize"}"{"" if known else "    # or maximize"}'


def likely_direction(metric: str) -> str | None:
    """Return the direction that a metric's name suggests; None if unclear."""
    is_high, is_low = bool(_HIGH.search(metric)), bool(_LOW.search(metric))
    return None if is_high == is_low else "maximize" if is_high else "minimize"


def likely_metric(printed: Sequence[str]) -> str | None:
    """Return the printed name that looks most like a metric on held-out data; None if there is none."""
    likely = [name for name in printed if _LOW.search(name) or _HIGH.search(name)]
    return next((name for name in likely if _HELD_OUT.search(name)), likely[0] if likely else None)


def _guess(options: Sequence[Option], roles: dict[str, str]) -> str | None:
    """Return an option to search if no option has a known range; None if one has, or none can be searched."""
    searched = [option for option in options if roles[option.name] == "searched" and _can_search(option)]
    if any(_entry(option, "searched").is_known for option in searched):
        return None
    lengths = [option for option in options if roles[option.name] == "length" and option.is_usable]
    best = sorted(searched, key=_doubt)  # stable: the first of equals
    return next((option.name for option in [*best, *lengths]), None)


def _can_search(option: Option) -> bool:
    has_values = option.choices or option.default is not None or suggest(option)
    return option.is_usable and not option.is_required and option.name != "seed" and bool(has_values)


def _doubt(option: Option) -> int:
    """Return the rank of an option as a guess, lowest first: numbers, choices, flags, single texts."""
    if option.kind != "bool" and suggest(option):
        return 0
    return 1 if option.choices else 2 if option.kind == "bool" else 3


def _option_lines(option: Option, style: str, role: str, *, is_guessed: bool) -> Iterator[str]:
    """Yield the lines of one option: description, warnings, entries."""
    yield f"# {_described(option)}"
    for text in option.warnings:
        yield from textwrap.wrap(note_text(text, 300), 100, initial_indent="# ", subsequent_indent="# ")
    if role == "positional" and not option.is_required:
        yield f"# To pass it, add {{{note_text(option.name)}}} to command."
    if role == "searched" and option.name == "seed":
        yield "# Each trial has its own seed; {seed} in command passes it."
        return
    if not option.is_usable or (role == "positional" and not option.is_required):
        return
    entry, key = _entry(option, role), toml_key(option.name)
    mark = "" if entry.is_known or is_guessed else "# "
    note = "    # a guess: no option has a known range" if is_guessed else entry.note
    yield f"{mark}{entry.section}.{key} = {entry.value}{note}"
    if role == "length":
        budget = toml_value(option.name)
        yield f"# budget = {budget}    # for pruners, if the script prints the metric after each"
    argument = None if role == "positional" else _argument(option, style)
    if argument is not None:
        yield f"{mark}arguments.{key} = {toml_value(argument)}"


class _Entry(NamedTuple):
    """An entry of ``[fixed]`` or ``[search]``."""

    section: str
    value: str
    """The TOML text."""
    is_known: bool = False
    """False for a guess."""
    note: str = ""


def _entry(option: Option, role: str) -> _Entry:
    """Return the study's entry for an option."""
    choices = toml_value(list(option.choices))
    if role == "length":
        return _Entry("fixed", toml_value(option.default), is_known=True)
    if option.is_required and option.choices:
        return _Entry(
            "fixed", toml_value(option.choices[0]), is_known=True, note=f"    # one of {note_text(choices)}"
        )
    if option.is_required:
        return _Entry("fixed", _EXAMPLES.get(option.kind or "", '"…"'), note=_REQUIRED)
    if suggestion := suggest(option):
        return _Entry("search", suggestion.entry, is_known=suggestion.is_known and not option.warnings)
    if option.choices or option.default is not None:
        return _Entry(
            "search", f"{{ choices = {choices if option.choices else toml_value([option.default])} }}"
        )
    return _Entry("search", _OPEN_RANGE if _lacks_range(option) else _OPEN_CHOICES, note=_OPEN)


def _described(option: Option) -> str:
    """Return one line: ``--lr: float, default 0.1; the learning rate``."""
    kind = (
        "flag"
        if option.is_flag
        else f"list of {option.kind}"
        if option.is_list
        else option.kind or "unknown kind"
    )
    default = "required" if option.is_required else "no default known" if option.default is None else ""
    default = default or f"default {toml_value(option.default)}"
    text = f"{option.flag or option.off_flag or option.name}: {kind}, {default}"
    return note_text(f"{text}; {option.help}" if option.help.strip() else text)


def _argument(option: Option, style: str) -> Any:
    """Return the entry of ``[arguments]``; None if the style already writes the option correctly."""
    flag, name = option.flag or "", option.name
    if style == "hydra":
        return None if flag == name else f"{flag}={{value}}"
    if option.kind == "bool" and option.is_flag:
        usual = {"argparse": (f"--{name}", None), "click": (f"--{name}", f"--no-{name}")}.get(style)
        return None if (flag, option.off_flag) == usual else [flag, option.off_flag or ""]
    if option.kind == "bool":
        return [f"{flag}=True", option.off_flag or f"{flag}=False"]
    if option.is_list:
        return None if flag == f"--{name}" else [flag, "{value}"]
    return (
        None if flag == f"--{name}" else f"{flag}={{value}}" if flag.startswith("--") else [flag, "{value}"]
    )
