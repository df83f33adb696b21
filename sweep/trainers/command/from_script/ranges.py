"""Suggest values to search for an option from its name, default, bounds and choices."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from sweep.trainers.command.from_script.option import Option

SEED = re.compile(r"(?:.*[._])?(?:seed|random_state|random_seed|manual_seed)")
"""Options that take the trial's seed."""

FOLDER = re.compile(
    r"(?:out|output|save|log|logs|result|results|work|exp)(?:_?(?:dir|folder|path))|outdir|logdir|savedir"
)
"""Options that name an output folder, which concurrent trials must not share."""

LENGTH = re.compile(r"(?:n|num|max)?_?(?:train_)?(?:epochs?|steps|iters|iterations)(?:_num)?")
"""Options that set a trial's length."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An entry of ``[search]``."""

    entry: str
    """The TOML text: ``{ low = 0.1, high = 1.0 }``."""
    is_known: bool
    """Whether the range is a usual one for an option of this name, rather than a guess."""


def suggest(option: Option) -> Suggestion | None:
    """Return a range or choices for an option; None if there is no basis for any."""
    if option.bounds and option.kind in ("int", "float"):
        low, high = (int(end) if option.kind == "int" else float(end) for end in option.bounds)
        return Suggestion(f"{{ low = {low!r}, high = {high!r} }}", False)
    if option.kind == "bool":
        return Suggestion("{ choices = [true, false] }", False)
    if option.kind not in ("int", "float") or option.is_list or option.choices:
        return None
    default = option.default
    if isinstance(default, bool) or not isinstance(default, int | float) or not math.isfinite(default):
        return None
    last = option.name.rpartition(".")[2].lower()
    for pattern, kind, usual in _USUAL:
        if option.kind == kind and pattern.fullmatch(last) and (entry := usual(default)):
            return Suggestion(entry, True)
    return _around(option.kind, default)


def _around(kind: str, default: float) -> Suggestion | None:
    """Return a guess: from a fraction of the default to a multiple of it."""
    if default <= 0:
        return None
    if kind == "int":
        low, high = max(1, int(default) // 2), max(2, int(default) * 2)
        return Suggestion(f"{{ low = {low}, high = {high} }}", False)
    return Suggestion(_log(default / 10, default * 10), False)


def _log(low: float, high: float) -> str:
    return f"{{ low = {_rounded(low)!r}, high = {_rounded(high)!r}, log = true }}"


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _decades(least: float, most: float) -> Callable[[float], str | None]:
    """Return a function that suggests one decade on each side of a default from ``least`` to ``most``."""
    return lambda default: _log(default / 10, default * 10) if least <= default <= most else None


def _powers(default: float) -> str | None:
    """Return half a batch size, the batch size and its double."""
    whole = int(default)
    return f"{{ choices = [{whole // 2}, {whole}, {whole * 2}] }}" if 2 <= whole <= 65_536 else None


def _widths(default: float) -> str | None:
    whole = int(default)
    return f"{{ low = {whole // 4}, high = {whole * 4}, log = true }}" if 8 <= whole <= 65_536 else None


def _layers(default: float) -> str | None:
    whole = int(default)
    return f"{{ low = 1, high = {whole * 2} }}" if 1 <= whole <= 64 else None


def _dropout(default: float) -> str | None:
    return "{ low = 0.0, high = 0.5 }" if 0 <= default <= 0.5 else None


def _near_one(default: float) -> str | None:
    return "{ low = 0.8, high = 0.99 }" if 0.8 <= default <= 0.99 else None


_USUAL: tuple[tuple[re.Pattern[str], str, Callable[[float], str | None]], ...] = (
    (
        re.compile(r"(?:base_|init_|max_|peak_)?(?:lr|learning_?rate|eta)(?:_init)?|step_size"),
        "float",
        _decades(1e-6, 1.0),
    ),
    (re.compile(r"(?:weight_?decay|wd|l2|l2_reg|reg_lambda)"), "float", _decades(1e-7, 1.0)),
    (re.compile(r"(?:\w+_)?(?:dropout|drop_?rate)(?:_\w+)?"), "float", _dropout),
    (re.compile(r"momentum|beta_?1|adam_beta1"), "float", _near_one),
    (re.compile(r"(?:\w+_)?batch_?size|bs"), "int", _powers),
    (
        re.compile(
            r"(?:n_|num_)?(?:hidden|embed|embedding|model|d|ff)(?:_?(?:dim|size|units|neurons|width|features))?|width|n_embd"
        ),
        "int",
        _widths,
    ),
    (re.compile(r"(?:n_|num_)?(?:layers?|depth|blocks)|n_layer"), "int", _layers),
)
"""Name, kind, default -> entry; None if the default is not usual."""
