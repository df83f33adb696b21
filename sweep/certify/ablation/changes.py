"""Find what changes between two configurations, and which changes belong together."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sweep.definition.dimension import spoken_value
from sweep.errors import ConfigError, OptionError
from sweep.task import AnyTask, dependents
from sweep.values import Params, Value

Values = Params
"""Hyperparameter -> its value; one that is not active is missing."""

Conditions = Mapping[str, Iterable[str]]
"""Hyperparameter -> the others that decide whether it is active."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Hyperparameters that change in one step."""

    names: tuple[str, ...]
    why: tuple[str, ...] = ()
    """Why several change together, one text for each pair; empty for a single one."""


class _Link(NamedTuple):
    """Two hyperparameters that change together."""

    name: str
    other: str
    why: str


def changed_values(before: Values, after: Values) -> tuple[dict[str, Value], dict[str, Value]]:
    """Return the values that differ, of both configurations; a name that only one has is in one result.

    Examples:
        >>> changed_values({"x": 1, "y": 2, "gamma": 3.0}, {"x": 1, "y": 5})
        ({'y': 2, 'gamma': 3.0}, {'y': 5})
    """
    lost = {name: value for name, value in before.items() if name not in after or after[name] != value}
    won = {name: value for name, value in after.items() if name not in before or before[name] != value}
    return lost, won


def group_changes(
    task: AnyTask,
    before: Values,
    after: Values,
    *,
    conditions: Conditions,
    together: Sequence[Sequence[str]] = (),
) -> tuple[Change, ...]:
    """Return the changes that can be made one at a time, in the order of the hyperparameters.

    A hyperparameter that only one configuration has changes together with those that activate it, and one
    whose value is set for another's (``task.NamesDependents``) together with that one.

    Args:
        task: The trainer.
        before: The values that differ, of the first configuration.
        after: Those of the second.
        conditions: What activates hyperparameters.
        together: Further hyperparameters that change together.

    Raises:
        ConfigError: If ``together`` names something that does not change, or a hyperparameter that only one
            configuration has belongs to no other change.
    """
    names = list(dict.fromkeys([*before, *after]))
    for name in (name for group in together for name in group):
        if name not in names:
            raise OptionError(f"--together: {name} does not change; these do: {', '.join(names)}")
    links = list(_links(task, before, after, conditions, together))
    changes = tuple(
        Change(names=tuple(group), why=tuple(link.why for link in links if link.name in group))
        for group in _joined(names, links)
    )
    for change in changes:
        _check_activated(change, before, after)
    return changes


def _links(
    task: AnyTask, before: Values, after: Values, conditions: Conditions, together: Sequence[Sequence[str]]
) -> Iterator[_Link]:
    changed = {*before, *after}
    for name in [name for name in conditions if (name in before) != (name in after)]:
        for other in conditions[name]:
            if other in changed:
                yield _Link(name, other, f"{name} is active only for some values of {other}")
    for other, names in dependents(task).items():
        if other in changed:
            yield from (_Link(n, other, f"{n} is set for {other}") for n in names if n in changed)
    for first, *others in together:
        yield from (_Link(name, first, f"{name} with {first}, as asked") for name in others)


def _joined(names: Sequence[str], links: Sequence[_Link]) -> list[list[str]]:
    """Return the names in groups that links connect, each in order."""
    group_of = {name: {name} for name in names}
    for link in links:
        merged = group_of[link.name] | group_of[link.other]
        group_of |= dict.fromkeys(merged, merged)
    groups = {min(map(names.index, group_of[name])): group_of[name] for name in names}
    return [[name for name in names if name in groups[first]] for first in sorted(groups)]


def _check_activated(change: Change, before: Values, after: Values) -> None:
    """Refuse a change that no hyperparameter of both configurations takes part in."""
    if any(name in before and name in after for name in change.names):
        return
    which = "first" if change.names[0] in before else "second"
    raise ConfigError(
        f"{', '.join(change.names)}: only the {which} configuration has it; name a change that it belongs to "
        f"with --together {change.names[0]},NAME"
    )


def spoken_changes(names: Iterable[str], before: Values, after: Values) -> tuple[str, ...]:
    """Return the change of each hyperparameter in words.

    Examples:
        >>> spoken_changes(["kernel", "gamma"], {"kernel": "rbf", "gamma": 0.5}, {"kernel": "linear"})
        ('kernel rbf -> linear', 'gamma 0.5 -> none')
    """
    return tuple(f"{name} {_spoken(before, name)} -> {_spoken(after, name)}" for name in names)


def _spoken(values: Values, name: str) -> str:
    return spoken_value(values[name]) if name in values else "none"
